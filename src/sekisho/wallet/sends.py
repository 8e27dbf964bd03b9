"""Sends: money from one wallet to whoever has a phone number. It waits until it is accepted, or comes back.

Only a proven person sends. The receiver sees who sends by name before accepting, and money that nobody
accepts within a week is the sender's again: a mistyped number costs nothing. While it waits it belongs to
neither, in an account of its own, and the sender can take it back.
"""

from typing import NamedTuple

import structlog
from sqlalchemy import Connection

from sekisho.guard.attempts import Gate
from sekisho.identity import contacts
from sekisho.identity.arrivals import Arrival
from sekisho.identity.assurance import NotFromHere, StepUp
from sekisho.identity.contacts import ContactKind
from sekisho.identity.notifying import Address, facts_of, language_of, notify, notify_at, warn
from sekisho.identity.personal_data import Item, read_for_use
from sekisho.identity.purposes import Purpose
from sekisho.identity.recipients import mobile_number
from sekisho.identity.session_desk import Present
from sekisho.kernel.clock import DAY_US
from sekisho.kernel.ids import SEND, MemberId
from sekisho.kernel.refusals import Refusal
from sekisho.kernel.yen import Yen
from sekisho.ledger.journal import take_turn
from sekisho.ledger.transfers import Refused, Transfer, Why, post
from sekisho.messages.message import Channel
from sekisho.messages.notices import NoticeKind
from sekisho.response.money_gates import Asked, Held, Passed, Stopped
from sekisho.storage.sealed_columns import context_of
from sekisho.storage.tables.wallet_money import send as send_table
from sekisho.wallet import send_rows
from sekisho.wallet.gates import Gatekeeper
from sekisho.wallet.house import WalletParts
from sekisho.wallet.identity_levels import rules_on
from sekisho.wallet.payments import KEY_MAX, NotEnough
from sekisho.wallet.persons import verified_person
from sekisho.wallet.send_rows import Send, SendState, SendUnknown
from sekisho.wallet.spending import KINDS, require_room
from sekisho.wallet.switches import Function
from sekisho.wallet.wallets import Wallet, WalletState, require_open, wallet_of

log = structlog.get_logger(__name__)

WAITS_US = 7 * DAY_US
SWEPT_AT_ONCE = 100


class SendRefused(Refusal):
    """It can't be sent, or not to this number; `known` says why."""

    code = "send_refused"
    status = 409
    told = "This can't be sent."


class SendKeyReused(Refusal):
    """The key was used for another send."""

    code = "send_key_reused"
    status = 422
    told = "This was asked for before, in another way."


class Offer(NamedTuple):
    """A send as its receiver sees it: by whom, by the name that was proven."""

    send: Send
    sender_name: str


class SendDesk:
    """Takes and gives what members send each other at one wallet."""

    def __init__(self, house: WalletParts, gatekeeper: Gatekeeper) -> None:
        self._house = house
        self._gatekeeper = gatekeeper

    async def request(self, present: Present, phone: str, amount: Yen, key: str) -> Send:
        """Write down what somebody wants to send. Nothing is moved; the same key returns what it made.

        Raises NumberNotServed, LevelTooLow, AboveCeiling, SendRefused, SendKeyReused, WalletNotOpen, and
        OperationalError.
        """
        number = mobile_number(phone)
        return await self._house.written(lambda at: self._request(at, present, number, amount, key))

    async def of_sender(self, member_id: MemberId, send_id: str) -> Send:
        """Return one of a member's own sends. Raises SendUnknown and OperationalError."""
        found = await self._house.read(lambda at: send_rows.find_send(at, send_id))
        if found is None or found.sender_id != member_id:
            raise SendUnknown(known=send_id[:40])
        return found

    async def approve(
        self, present: Present, arrival: Arrival, send_id: str
    ) -> Send | StepUp | NotFromHere | Held | Stopped:
        """Send, once the gate lets it pass; what was sent is returned as it is.

        Raises SendUnknown, LevelTooLow, AboveCeiling, NotEnough, WalletNotOpen and OperationalError.
        """
        wanted = await self.of_sender(present.session.member_id, send_id)
        if wanted.state is not SendState.REQUESTED:
            return wanted
        asked = Asked(
            present=present,
            arrival=arrival,
            gate=Gate.TRANSFER,
            function=Function.SEND,
            purpose=self.purpose_of(wanted),
            amount=wanted.amount,
            target=wanted.phone_digest.hex()[:16],
            is_new=await self._house.read(lambda at: send_rows.is_first(at, wanted)),
        )
        passed = await self._gatekeeper.ask(asked)
        if not isinstance(passed, Passed):
            return passed
        sent: Send | StepUp | NotFromHere | Held | None = None
        try:
            sent = await self._house.written(lambda at: self._send(at, asked, passed, wanted.id))
        finally:
            await self._gatekeeper.settle(passed, done=isinstance(sent, Send))
        return sent

    async def take_back(self, member_id: MemberId, send_id: str) -> Send:
        """Give what waits back to its sender, who asks for it. Raises SendUnknown and OperationalError."""

        def work(connection: Connection) -> Send:
            found = send_rows.require_waiting(connection, send_id)
            if found.sender_id != member_id:
                raise SendUnknown(known=send_id[:40])
            return _give_back(connection, self._house, found, SendState.TAKEN_BACK)

        return await self._house.written(work)

    async def offers(self, member_id: MemberId) -> list[Offer]:
        """Return what waits for a member's proven number, the oldest first. Raises OperationalError."""
        return await self._house.read(lambda at: self._offers(at, member_id))

    async def accept(self, member_id: MemberId, send_id: str) -> Send:
        """Put what waits into the receiver's wallet.

        Raises SendUnknown, WalletNotOpen, SendRefused where the wallet can't hold it, and OperationalError.
        """
        return await self._house.written(lambda at: self._accept(at, member_id, send_id))

    async def decline(self, member_id: MemberId, send_id: str) -> Send:
        """Give what waits back, because its receiver does not want it. Raises SendUnknown and others."""

        def work(connection: Connection) -> Send:
            found = self._offered(connection, member_id, send_id)
            return _give_back(connection, self._house, found, SendState.DECLINED)

        return await self._house.written(work)

    async def of_member(self, member_id: MemberId, count: int = 100) -> list[Send]:
        """Return what a member sent or accepted, the newest first. Raises OperationalError."""
        return await self._house.read(lambda at: send_rows.sends_of(at, member_id, count))

    async def expire_due(self) -> int:
        """Give back what nobody accepted in time, and return how many. Call it every few minutes."""
        return await self._house.written(self._expire_due)

    def purpose_of(self, wanted: Send) -> Purpose:
        """Return what is approved: this amount to this number. Raises Unsealable."""
        phone = self._house.keyring.open(wanted.phone_sealed, context=_context(wanted.id)).decode()
        details = {"send": wanted.id, "payee": f"0{phone.removeprefix('+81')}"}
        return Purpose(action="send", amount_yen=wanted.amount_yen, details=details)

    def _request(self, connection: Connection, present: Present, number: str, amount: Yen, key: str) -> Send:
        house, sender_id = self._house, present.session.member_id
        digest = contacts.digest_of(house.keyring, ContactKind.MOBILE, number)
        own_key = f"{sender_id}:{key[:KEY_MAX]}"
        before = send_rows.by_key(connection, own_key)
        if before is not None:
            if (before.phone_digest, before.amount) != (digest, amount):
                raise SendKeyReused(known=before.id)
            return before
        wallet = require_open(connection, sender_id)
        require_room(connection, wallet, Function.SEND, amount, house.today())
        if amount <= Yen(0):
            raise SendRefused(known="no amount")
        if contacts.holder(connection, house.keyring, ContactKind.MOBILE, number) == sender_id:
            raise SendRefused(known="to oneself", told="This is your own number.")
        send_id = SEND.new(house.clock, house.chance)
        wanted = Send(
            id=send_id,
            key=own_key,
            sender_id=sender_id,
            phone_digest=digest,
            phone_sealed=house.keyring.seal(number.encode(), context=_context(send_id)),
            receiver_id=None,
            amount_yen=amount.amount,
            state=SendState.REQUESTED,
            session_id=present.session.id,
            attempt_id="",
            requested_at_us=house.clock.now_us(),
            sent_at_us=None,
            expires_at_us=None,
            ended_at_us=None,
        )
        send_rows.add(connection, wanted)
        return wanted

    def _send(
        self, connection: Connection, asked: Asked, passed: Passed, send_id: str
    ) -> Send | StepUp | NotFromHere | Held:
        take_turn(connection)
        house, now_us = self._house, self._house.clock.now_us()
        wanted = send_rows.find_send(connection, send_id)
        if wanted is None or wanted.state is not SendState.REQUESTED:
            raise SendUnknown(known=f"{send_id}: sent elsewhere")
        wallet = require_open(connection, wanted.sender_id)
        require_room(connection, wallet, Function.SEND, wanted.amount, house.today())
        refused = self._gatekeeper.take_within(connection, asked, passed)
        if refused is not None:
            return refused
        booked = post(
            connection,
            Transfer(
                key=f"send:{wanted.id}:sent",
                kind=KINDS[Function.SEND],
                debit=wallet.account,
                credit=house.accounts.sends_waiting,
                amount=wanted.amount,
                effective_on=house.today(),
            ),
            clock=house.clock,
            chance=house.chance,
        )
        if isinstance(booked, Refused):
            raise NotEnough if booked.why is Why.ABOVE_DEBIT_LIMIT else SendRefused(known=booked.why)
        changed = {"sent_at_us": now_us, "expires_at_us": now_us + WAITS_US, "attempt_id": passed.attempt_id}
        sent = send_rows.move(connection, wanted, SendState.WAITING, **changed)
        self._tell_of_sending(connection, sent, asked.arrival, now_us)
        return sent

    def _tell_of_sending(self, connection: Connection, sent: Send, arrival: Arrival, now_us: int) -> None:
        house, language = self._house, language_of(connection, sent.sender_id)
        made = {**facts_of(arrival, now_us, language), "amount": sent.amount_yen}
        kind = NoticeKind.SEND_MADE
        notify(connection, house.parts, sent.sender_id, kind, made, dedupe=f"{kind}:{sent.id}")
        number = house.keyring.open(sent.phone_sealed, context=_context(sent.id)).decode()
        offered: dict[str, str | int] = {
            "when": now_us,
            "amount": sent.amount_yen,
            "until": sent.expires_at_us or 0,
        }
        # The number may be nobody's here: it hears the same, whoever it is.
        to = Address(Channel.SMS, number, "ja")
        notify_at(
            connection, house.parts, to, NoticeKind.SEND_OFFERED, offered, dedupe=f"send_offered:{sent.id}"
        )
        send_rows.happened(connection, sent, now_us)

    def _offers(self, connection: Connection, member_id: MemberId) -> list[Offer]:
        digest = self._digest_of_phone(connection, member_id)
        if digest is None:
            return []
        found = send_rows.waiting_for(connection, digest, self._house.clock.now_us())
        return [Offer(one, self._name(connection, one.sender_id)) for one in found]

    def _name(self, connection: Connection, member_id: MemberId) -> str:
        person = verified_person(connection, self._house.keyring, member_id)
        return "" if person is None else person.name

    def _accept(self, connection: Connection, member_id: MemberId, send_id: str) -> Send:
        take_turn(connection)
        house = self._house
        found = self._offered(connection, member_id, send_id)
        wallet = require_open(connection, member_id)
        _require_receives(wallet, house)
        booked = post(
            connection,
            Transfer(
                key=f"send:{found.id}:accepted",
                kind="wallet:send:accepted",
                debit=house.accounts.sends_waiting,
                credit=wallet.account,
                amount=found.amount,
                effective_on=house.today(),
            ),
            clock=house.clock,
            chance=house.chance,
        )
        if isinstance(booked, Refused):
            raise SendRefused(known=booked.why, told="Your wallet can't hold this much at your level.")
        now_us = house.clock.now_us()
        accepted = send_rows.move(
            connection, found, SendState.ACCEPTED, receiver_id=member_id, ended_at_us=now_us
        )
        send_rows.happened(connection, accepted, now_us)
        return accepted

    def _offered(self, connection: Connection, member_id: MemberId, send_id: str) -> Send:
        found = send_rows.require_waiting(connection, send_id)
        mine = self._digest_of_phone(connection, member_id)
        over = (found.expires_at_us or 0) <= self._house.clock.now_us()
        if mine is None or found.phone_digest != mine or over:
            raise SendUnknown(known=send_id[:40])
        return found

    def _digest_of_phone(self, connection: Connection, member_id: MemberId) -> bytes | None:
        """Return the digest of the number that a member has proven here, None where there is none.

        A closed wallet has none: its member may have given the number up, and takes nothing any more.
        """
        own = wallet_of(connection, member_id)
        if own is None or own.state is WalletState.CLOSED or own.phone_proven_at_us is None:
            return None
        keyring = self._house.keyring
        number = read_for_use(connection, keyring, member_id, (Item.MOBILE_PHONE,)).get(Item.MOBILE_PHONE)
        return contacts.digest_of(keyring, ContactKind.MOBILE, number) if number else None

    def _expire_due(self, connection: Connection) -> int:
        take_turn(connection)
        due = send_rows.over(connection, self._house.clock.now_us(), SWEPT_AT_ONCE)
        back = 0
        for one in due:
            try:
                _give_back(connection, self._house, one, SendState.EXPIRED)
            except SendRefused as refusal:
                # A wallet that is full takes it when there is room; it waits, and nobody else has it.
                log.warning("wallet:send:not_back", send=one.id, known=refusal.known)
            else:
                back += 1
        return back


def _require_receives(wallet: Wallet, house: WalletParts) -> None:
    if not rules_on(house.today()).rule(wallet.level).receives:
        raise SendRefused(known=f"level {wallet.level}", told="Please prove your phone number first.")


def _give_back(connection: Connection, house: WalletParts, found: Send, why: SendState) -> Send:
    """Put what waits into the sender's wallet again, and tell them."""
    take_turn(connection)
    own = wallet_of(connection, found.sender_id)
    if own is None:
        raise LookupError(f"{found.id} has no sender's wallet")
    back = Transfer(
        key=f"send:{found.id}:back",
        kind="wallet:send:back",
        debit=house.accounts.sends_waiting,
        credit=own.account,
        amount=found.amount,
        effective_on=house.today(),
    )
    booked = post(connection, back, clock=house.clock, chance=house.chance)
    if isinstance(booked, Refused):
        raise SendRefused(known=f"{found.id}: {booked.why}")
    now_us = house.clock.now_us()
    after = send_rows.move(connection, found, why, ended_at_us=now_us)
    kind = NoticeKind.SEND_RETURNED
    values: dict[str, str | int] = {"when": now_us, "amount": found.amount_yen}
    warn(connection, house.parts, found.sender_id, kind, values, dedupe=f"{kind}:{found.id}")
    send_rows.happened(connection, after, now_us)
    return after


def _context(send_id: str) -> str:
    return context_of(send_table.c.phone_sealed, id=send_id)
