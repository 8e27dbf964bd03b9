"""Changing an e-mail address or a mobile number: a fresh proof, then a code to the new contact.

The old contact is told, so that nobody is moved out of an account unheard. A number changed on the strength
of a code keeps the money in for some days: whoever has the number has the codes.
"""

import asyncio
from collections.abc import Callable
from typing import NamedTuple, TypeVar

import msgspec
from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.exc import IntegrityError

from sekisho.guard.answers import AsksGuard
from sekisho.guard.attempts import Attempt, Gate, Outcome
from sekisho.guard.decisions import Action
from sekisho.identity import contacts, holds, personal_data, sessions
from sekisho.identity.arrivals import Arrival
from sekisho.identity.assurance import Granted, InsufficientAuthentication, Need, Way, demand, is_fresh
from sekisho.identity.claims import asked_of
from sekisho.identity.code_limits import TooMany
from sekisho.identity.codes import CodeAsked, CodeDesk, Contact, Entered, Entry, Order, Right
from sekisho.identity.contacts import READERS, ContactKind
from sekisho.identity.holds import HoldKind, HoldScope
from sekisho.identity.institution import Parts
from sekisho.identity.notifying import Address, facts_of, language_of, notify_at
from sekisho.identity.personal_data import Item
from sekisho.identity.purposes import Purpose
from sekisho.identity.session_desk import Present
from sekisho.kernel.clock import DAY_US
from sekisho.kernel.ids import MemberId
from sekisho.kernel.refusals import Refusal
from sekisho.messages.message import Channel
from sekisho.messages.notices import NoticeKind
from sekisho.storage import outbox
from sekisho.storage.sealed_columns import context_of
from sekisho.storage.tables.members import contact_change

Result = TypeVar("Result")

HELD_US = 3 * DAY_US
"""How long money is kept in after the mobile number was changed on the strength of a code."""

CHANNELS = {ContactKind.EMAIL: Channel.EMAIL, ContactKind.MOBILE: Channel.SMS}


class ContactChangeStopped(Refusal):
    """The guard takes the change for somebody else's."""

    code = "contact_change_stopped"
    status = 403
    told = "We can't change this here and now. Please use a device that you have used before, or call us."


class _Wanted(NamedTuple):
    """A change that waits for its code."""

    value: str
    code_id: str


def change_of(kind: ContactKind) -> Purpose:
    """Return the purpose that a code to the old number must have been asked for, to change a contact."""
    return Purpose(action="contact_change", item=kind.value)


def nothing_else(connection: Connection, member_id: MemberId, kind: ContactKind) -> None:
    """Do nothing beside."""
    del connection, member_id, kind


class ContactDesk:
    """Changes contacts, for one institution.

    `beside` is what the institution does when a contact was proven, in the same unit of work.
    """

    def __init__(
        self,
        parts: Parts,
        guard: AsksGuard,
        codes: CodeDesk,
        *,
        beside: Callable[[Connection, MemberId, ContactKind], None] = nothing_else,
    ) -> None:
        self._parts = parts
        self._guard = guard
        self._codes = codes
        self._beside = beside

    async def ask(
        self, present: Present, kind: ContactKind, typed: str, arrival: Arrival
    ) -> CodeAsked | TooMany:
        """Send a code to the new contact. One that is another member's gets none, and the same answer.

        Raises InsufficientAuthentication, ContactChangeStopped, EmailUnusable, NumberNotServed and
        OperationalError.
        """
        self._require(present, kind)
        value = READERS[kind](typed)
        await self._ask_guard(present, kind, arrival)

        def work(connection: Connection) -> CodeAsked | TooMany:
            asked = self._ask(connection, present, kind, value, arrival)
            if isinstance(asked, CodeAsked):
                self._keep(connection, present, kind, _Wanted(value, asked.code_id))
            return asked

        return await self._written(work)

    async def enter(
        self, present: Present, kind: ContactKind, typed: str, arrival: Arrival
    ) -> Entered | None:
        """Take the code that came to the new contact; right, it is the member's from now on.

        None where no change waits for a code. Raises InsufficientAuthentication and OperationalError.
        """
        self._require(present, kind)
        try:
            return await self._written(lambda at: self._enter(at, present, kind, typed, arrival))
        except IntegrityError:
            # Another process gave the contact to somebody else within the same moment.
            return None

    def _ask(
        self, connection: Connection, present: Present, kind: ContactKind, value: str, arrival: Arrival
    ) -> CodeAsked | TooMany:
        member_id = present.session.member_id
        asked = asked_of(arrival, present.device.id, session_id=present.session.id)
        owner = contacts.holder(connection, self._parts.keyring, kind, value)
        purpose = self._purpose(kind, value)
        if owner is not None and owner != member_id:
            to = Contact(CHANNELS[kind], value)
            return self._codes.decoy_within(connection, member_id, purpose, asked, instead_of=to)
        language = language_of(connection, member_id)
        order = Order(member_id, Contact(CHANNELS[kind], value), purpose, asked, language)
        return self._codes.ask_within(connection, order)

    def _enter(
        self, connection: Connection, present: Present, kind: ContactKind, typed: str, arrival: Arrival
    ) -> Entered | None:
        member_id = present.session.member_id
        sessions.require_live(connection, present.session, self._parts.clock.now_us())
        wanted = self._wanted(connection, present, kind)
        if wanted is None:
            return None
        entered = asked_of(arrival, present.device.id, session_id=present.session.id)
        purpose = self._purpose(kind, wanted.value)
        taken = self._codes.enter_within(
            connection, Entry(wanted.code_id, member_id, purpose, typed, entered)
        )
        if not isinstance(taken, Right):
            return taken
        if not contacts.put(connection, self._parts, member_id, kind, wanted.value):
            return None
        self._forget(connection, present, kind)
        self._change(connection, present, kind, wanted.value, arrival)
        return taken

    def _change(
        self, connection: Connection, present: Present, kind: ContactKind, value: str, arrival: Arrival
    ) -> None:
        member_id, now_us = present.session.member_id, self._parts.clock.now_us()
        keyring = self._parts.keyring
        items = (Item.EMAIL, Item.MOBILE_PHONE)
        before = personal_data.read_for_use(connection, keyring, member_id, items)
        changed = {Item(kind.value): value}
        session_id = present.session.id
        personal_data.store(connection, keyring, member_id, changed, now_us, session_id=session_id)
        body = msgspec.json.encode({"kind": kind, "session_id": session_id})
        event = outbox.Entry("member:contact:changed", f"{member_id}:{kind}:{now_us}", now_us, body)
        outbox.append(connection, [event])
        self._beside(connection, member_id, kind)
        is_change = Item.MOBILE_PHONE in before
        if kind is ContactKind.MOBILE and is_change and not self._has_passkey_proof(present):
            holds.place(
                connection,
                self._parts,
                member_id,
                HoldKind.NUMBER_CHANGE,
                HoldScope.MONEY_OUT,
                reason="mobile number changed by code",
                until_us=now_us + HELD_US,
            )
        self._tell(connection, present, kind, before, value, arrival)

    def _tell(  # noqa: PLR0913, PLR0917 - who is told what, and where it went before and goes now
        self,
        connection: Connection,
        present: Present,
        kind: ContactKind,
        before: dict[Item, str],
        value: str,
        arrival: Arrival,
    ) -> None:
        member_id, now_us = present.session.member_id, self._parts.clock.now_us()
        language = language_of(connection, member_id)
        values = facts_of(arrival, now_us, language)
        is_email = kind is ContactKind.EMAIL
        old = NoticeKind.EMAIL_CHANGED_OLD if is_email else NoticeKind.MOBILE_CHANGED_OLD
        new = NoticeKind.EMAIL_CHANGED_NEW if is_email else NoticeKind.MOBILE_CHANGED_NEW
        other = ContactKind.MOBILE if is_email else ContactKind.EMAIL
        told = (
            (old, CHANNELS[kind], before.get(Item(kind.value), "")),
            (new, CHANNELS[kind], value),
            (new if is_email else old, CHANNELS[other], before.get(Item(other.value), "")),
        )
        for notice, channel, to in told:
            if to:
                address = Address(channel, to, language, member_id)
                dedupe = f"{notice}:{member_id}:{now_us}"
                notify_at(connection, self._parts, address, notice, values, dedupe=dedupe)

    def _require(self, present: Present, kind: ContactKind) -> None:
        now_us = self._parts.clock.now_us()
        purpose = change_of(kind).key
        answer = demand(present.session, present.device, Need.CHANGE, now_us, purpose=purpose)
        if not isinstance(answer, Granted):
            raise InsufficientAuthentication(answer, known=f"change of {kind}")

    def _has_passkey_proof(self, present: Present) -> bool:
        now_us = self._parts.clock.now_us()
        return any(
            proof.way is Way.PASSKEY and is_fresh(proof.at_us, now_us) for proof in present.session.proofs
        )

    async def _ask_guard(self, present: Present, kind: ContactKind, arrival: Arrival) -> None:
        session = present.session
        answer = await self._guard.assess(
            Attempt(
                time_us=self._parts.clock.now_us(),
                gate=Gate.CONTACT_CHANGE,
                member=session.member_id,
                known=True,
                ip=arrival.ip,
                asn=arrival.asn,
                country=arrival.country,
                user_agent=arrival.user_agent,
                tls=arrival.tls,
                session=session.id,
                target=kind.value,
            )
        )
        denied = answer.decision.action is Action.DENY
        await self._guard.settle(answer.attempt_id, Outcome.REFUSED if denied else Outcome.SUCCESS)
        if denied:
            raise ContactChangeStopped(known=" ".join(answer.decision.reasons))

    def _purpose(self, kind: ContactKind, value: str) -> Purpose:
        """Bind the code to the new contact, of which it holds a digest only."""
        digest = contacts.digest_of(self._parts.keyring, kind, value).hex()
        return Purpose(action="contact_change", item=kind.value, details={"new": digest})

    def _keep(self, connection: Connection, present: Present, kind: ContactKind, wanted: _Wanted) -> None:
        self._forget(connection, present, kind)
        member_id = present.session.member_id
        connection.execute(
            insert(contact_change),
            {
                "member_id": member_id,
                "kind": kind.value,
                "sealed": self._parts.keyring.seal(wanted.value.encode(), context=_context(member_id, kind)),
                "code_id": wanted.code_id,
                "asked_at_us": self._parts.clock.now_us(),
            },
        )

    def _wanted(self, connection: Connection, present: Present, kind: ContactKind) -> _Wanted | None:
        member_id = present.session.member_id
        own = (contact_change.c.member_id == member_id) & (contact_change.c.kind == kind.value)
        row = connection.execute(select(contact_change).where(own)).one_or_none()
        if row is None:
            return None
        value = self._parts.keyring.open(row.sealed, context=_context(member_id, kind)).decode()
        return _Wanted(value, row.code_id)

    def _forget(self, connection: Connection, present: Present, kind: ContactKind) -> None:
        own = contact_change.c.member_id == present.session.member_id
        connection.execute(delete(contact_change).where(own, contact_change.c.kind == kind.value))

    async def _written(self, work: Callable[[Connection], Result]) -> Result:
        return await asyncio.wrap_future(self._parts.store.write(work))


def _context(member_id: str, kind: ContactKind) -> str:
    return context_of(contact_change.c.sealed, member_id=member_id, kind=kind)
