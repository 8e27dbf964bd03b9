"""Looking at personal data: masked until proven, and every look on record.

What is read here for a person's eyes is written down in the same unit of work, so that nothing is seen that
is not on record, and "what may have been seen of member X in session Y" is one query.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple, Protocol

from sqlalchemy import Connection, Row, insert, select

from sekisho.identity import masks
from sekisho.identity.arrivals import Arrival
from sekisho.identity.assurance import Granted, InsufficientAuthentication, Need, demand
from sekisho.identity.devices import Device
from sekisho.identity.institution import Parts
from sekisho.identity.notifying import facts_of, language_of, notify
from sekisho.identity.personal_data import FROM_SOURCES, KEPT, MEMBER_ACTOR, Item, read_for_use
from sekisho.identity.purposes import Purpose, item_in_words
from sekisho.identity.sessions import Session
from sekisho.kernel.chain import canonical
from sekisho.kernel.clock import DAY_US, HOUR_US
from sekisho.kernel.ids import REVEAL, MemberId, RevealId, SessionId
from sekisho.messages.notices import NoticeKind
from sekisho.storage import outbox
from sekisho.storage.tables.members import member
from sekisho.storage.tables.personal_data import reveal as reveal_table

LOAN = "loan"
"""What balance, payments and history are called together where they are approved."""

NEW_DEVICE_US = 7 * DAY_US
FIRST_DEVICE_US = HOUR_US
"""A device that came so soon after the account was opened is the one that it was opened on."""

MASKS: dict[Item, Callable[[str], str]] = {
    Item.NAME: masks.masked_name,
    Item.MEMBER_NUMBER: masks.masked_member_number,
    Item.HOME_ADDRESS: masks.masked_address,
    Item.HOME_PHONE: masks.masked_telephone,
    Item.EMPLOYER_NAME: masks.masked_company,
    Item.EMPLOYER_ADDRESS: masks.masked_address,
    Item.EMPLOYER_PHONE: masks.masked_telephone,
    Item.MOBILE_PHONE: masks.masked_telephone,
    Item.EMAIL: masks.masked_email,
    Item.PAYOUT_ACCOUNT: masks.masked_account,
    Item.TRANSACTION_HISTORY: masks.hidden,
    Item.LOAN_BALANCE: masks.hidden,
    Item.PAYMENT_INFORMATION: masks.hidden,
    Item.NAME_KANA: masks.masked_name,
    Item.BIRTH_DATE: masks.hidden,
}


class Form(StrEnum):
    """How an item was seen."""

    MASKED = "masked"
    """Behind its mask. Written once for each session, however often the page was looked at."""

    SHOWN = "shown"
    """In full. Written each time."""

    TOLD = "told"
    """In full, to a service into which the member logs in. Written once for each of its tokens."""


class Seen(NamedTuple):
    """One item that was seen in a session: by whom, in which form, why, and when."""

    id: RevealId
    member_id: MemberId
    session_id: SessionId
    actor: str
    item: Item
    form: Form
    reason: str
    at_us: int


class Sources(Protocol):
    """Where the items come from that are no fixed data: history, balance and payments."""

    def items(self, connection: Connection, member_id: MemberId) -> Mapping[Item, str]:
        """Return those of the member's items that there are, as text for people."""
        ...


class NoSources:
    """An institution without loans: there is no history, no balance and no payment."""

    def items(self, connection: Connection, member_id: MemberId) -> Mapping[Item, str]:  # noqa: ARG002 - the protocol's
        """Return nothing, for there is nothing."""
        return {}


def seen_in_sessions(connection: Connection, session_ids: Iterable[SessionId]) -> list[Seen]:
    """Return what may have been seen of anybody in sessions of a list, in order of session and time."""
    here = reveal_table.c.session_id.in_(list(session_ids))
    order = (reveal_table.c.session_id, reveal_table.c.at_us, reveal_table.c.id)
    return [_seen(row) for row in connection.execute(select(reveal_table).where(here).order_by(*order))]


def reveal_purpose(item: Item) -> Purpose:
    """Return the purpose that a code must have been asked for, to reveal this item and no other.

    What the institution's sources hold is one thing to its member: balance, payments and history follow from
    each other, and one approval shows them.
    """
    return Purpose(action="reveal", item=LOAN if item in FROM_SOURCES else item.value)


class Viewer(NamedTuple):
    """Who looks: a session, its device, and the actor: the member, or `staff:` and a name."""

    session: Session
    device: Device | None
    actor: str = MEMBER_ACTOR


class PersonalDataDesk:
    """Shows personal data, and writes down what it showed. `sources` are the institution's."""

    def __init__(self, parts: Parts, sources: Sources) -> None:
        self._parts = parts
        self._sources = sources

    async def masked(
        self, viewer: Viewer, *, reason: str, items: Iterable[Item] = tuple(Item)
    ) -> dict[Item, str]:
        """Return those of the items that the member has behind their masks; see `masked_within`."""
        wanted = frozenset(items)

        def read() -> dict[Item, str] | None:
            with self._parts.store.read() as connection:
                return self._masked_before(connection, viewer, wanted)

        def work(connection: Connection) -> dict[Item, str]:
            return self.masked_within(connection, viewer, reason=reason, items=wanted)

        # Whoever looks at the page again in the same session costs no write.
        before = await asyncio.to_thread(read)
        if before is not None:
            return before
        return await asyncio.wrap_future(self._parts.store.write(work))

    async def reveal(self, viewer: Viewer, items: Iterable[Item], *, reason: str) -> dict[Item, str]:
        """Return items in full where that is granted; see `reveal_within`."""
        wanted = frozenset(items)

        def work(connection: Connection) -> dict[Item, str]:
            return self.reveal_within(connection, viewer, wanted, reason=reason)

        return await asyncio.wrap_future(self._parts.store.write(work))

    def masked_within(
        self, connection: Connection, viewer: Viewer, *, reason: str, items: Iterable[Item] = tuple(Item)
    ) -> dict[Item, str]:
        """Return items behind their masks, and record those that were not yet recorded in this session.

        Raises InsufficientAuthentication where the session is not live, and Unsealable.
        """
        self._require(viewer, Need.SEE_MASKED)
        values = self._items_of(connection, viewer.session.member_id, frozenset(items))
        seen = _seen_masked(connection, viewer.session)
        fresh = [item for item in values if item not in seen]
        self._record(connection, viewer, fresh, form=Form.MASKED, reason=reason)
        return _masked(values)

    def _masked_before(
        self, connection: Connection, viewer: Viewer, items: frozenset[Item]
    ) -> dict[Item, str] | None:
        self._require(viewer, Need.SEE_MASKED)
        values = self._items_of(connection, viewer.session.member_id, items)
        return _masked(values) if set(values) <= _seen_masked(connection, viewer.session) else None

    def reveal_within(
        self, connection: Connection, viewer: Viewer, items: Iterable[Item], *, reason: str
    ) -> dict[Item, str]:
        """Return items in full, and record each with session, actor and reason, also as an event.

        An item that the member does not have is left out and not recorded. Raises InsufficientAuthentication,
        which carries what would suffice, unless every item is granted; Unsealable; ValueError without a
        reason.
        """
        if not reason:
            raise ValueError("nothing is revealed without a reason")
        wanted = frozenset(items)
        for item in wanted:
            self._require(viewer, Need.REVEAL, purpose=reveal_purpose(item).key)
        shown = self._items_of(connection, viewer.session.member_id, wanted)
        self._record(connection, viewer, list(shown), form=Form.SHOWN, reason=reason)
        if shown and self._is_new(connection, viewer.device):
            self._tell(connection, viewer, shown)
        return shown

    def _is_new(self, connection: Connection, device: Device | None) -> bool:
        """Say whether a device is one that the member began to use days ago, and not the first of all."""
        if device is None:
            return True
        opened_at = select(member.c.opened_at_us).where(member.c.id == device.member_id)
        opened_at_us = connection.execute(opened_at).scalar_one()
        age_us = self._parts.clock.now_us() - device.first_seen_us
        return age_us < NEW_DEVICE_US and device.first_seen_us - opened_at_us > FIRST_DEVICE_US

    def _tell(self, connection: Connection, viewer: Viewer, items: Iterable[Item]) -> None:
        session, kind = viewer.session, NoticeKind.PERSONAL_DATA_SHOWN
        language = language_of(connection, session.member_id)
        arrival = Arrival(ip=session.ip, user_agent=session.user_agent)
        values = facts_of(arrival, self._parts.clock.now_us(), language)
        between = " + " if language == "en" else "、"
        values["items"] = between.join(item_in_words(item, language) for item in items)
        notify(connection, self._parts, session.member_id, kind, values, dedupe=f"{kind}:{session.id}")

    def _require(self, viewer: Viewer, need: Need, *, purpose: str = "") -> None:
        now_us = self._parts.clock.now_us()
        answer = demand(viewer.session, viewer.device, need, now_us, purpose=purpose)
        if not isinstance(answer, Granted):
            raise InsufficientAuthentication(answer, known=f"{need} in {viewer.session.id}")

    def _items_of(
        self, connection: Connection, member_id: MemberId, wanted: frozenset[Item]
    ) -> dict[Item, str]:
        found: dict[Item, str] = read_for_use(connection, self._parts.keyring, member_id, KEPT & wanted)
        if Item.MEMBER_NUMBER in wanted:
            number = select(member.c.number).where(member.c.id == member_id)
            found[Item.MEMBER_NUMBER] = connection.execute(number).scalar_one()
        if FROM_SOURCES & wanted:
            found |= self._sources.items(connection, member_id)
        return {item: found[item] for item in Item if item in found and item in wanted}

    def _record(
        self, connection: Connection, viewer: Viewer, items: list[Item], *, form: Form, reason: str
    ) -> None:
        clock, chance, session = self._parts.clock, self._parts.chance, viewer.session
        looks = [
            Seen(
                id=REVEAL.new(clock, chance),
                member_id=session.member_id,
                session_id=session.id,
                actor=viewer.actor,
                item=item,
                form=form,
                reason=reason,
                at_us=clock.now_us(),
            )
            for item in items
        ]
        _keep(connection, looks)


def shown_within(
    connection: Connection, parts: Parts, viewer: Viewer, items: Iterable[Item], *, reason: str
) -> None:
    """Record that items stood on a page in full. That they may is the caller's to have asked for."""
    clock, chance, session = parts.clock, parts.chance, viewer.session
    looks = [
        Seen(
            id=REVEAL.new(clock, chance),
            member_id=session.member_id,
            session_id=session.id,
            actor=viewer.actor,
            item=item,
            form=Form.SHOWN,
            reason=reason,
            at_us=clock.now_us(),
        )
        for item in items
    ]
    _keep(connection, looks)


def told(  # noqa: PLR0913 - whose, in which session, to whom
    connection: Connection,
    parts: Parts,
    member_id: MemberId,
    session_id: SessionId,
    items: Iterable[Item],
    *,
    actor: str,
) -> None:
    """Record that items left in full for a service (`actor`), on the strength of a session.

    Whether they may is the caller's to know: the member consented, and the login was good enough.
    """
    clock, chance = parts.clock, parts.chance
    _keep(
        connection,
        [
            Seen(
                id=REVEAL.new(clock, chance),
                member_id=member_id,
                session_id=session_id,
                actor=actor,
                item=item,
                form=Form.TOLD,
                reason="login",
                at_us=clock.now_us(),
            )
            for item in items
        ],
    )


def note_for_staff(  # noqa: PLR0913 - whose, which, to whom and why
    connection: Connection,
    parts: Parts,
    member_id: MemberId,
    items: Iterable[Item],
    *,
    actor: str,
    reason: str,
) -> None:
    """Record that items are shown in full at a desk, which are read elsewhere; there is no session.

    Raises ValueError without a reason.
    """
    if not reason:
        raise ValueError("nothing is revealed without a reason")
    now_us = parts.clock.now_us()
    looks = [
        Seen(
            id=REVEAL.new(parts.clock, parts.chance),
            member_id=member_id,
            session_id=SessionId(""),
            actor=actor,
            item=item,
            form=Form.SHOWN,
            reason=reason,
            at_us=now_us,
        )
        for item in items
    ]
    _keep(connection, looks)


def shown_to_staff(  # noqa: PLR0913 - whose, which, to whom and why
    connection: Connection,
    parts: Parts,
    member_id: MemberId,
    items: Iterable[Item],
    *,
    actor: str,
    reason: str,
) -> dict[Item, str]:
    """Return items in full for somebody at a desk, and record each; there is no session of the member's.

    Whether they may see it is the caller's to know. Raises Unsealable; ValueError without a reason.
    """
    found = read_for_use(connection, parts.keyring, member_id, KEPT & frozenset(items))
    note_for_staff(connection, parts, member_id, found, actor=actor, reason=reason)
    return found


def _keep(connection: Connection, looks: list[Seen]) -> None:
    if looks:
        connection.execute(insert(reveal_table), [_row(look) for look in looks])
    outbox.append(connection, [_event(look) for look in looks])


def _masked(values: Mapping[Item, str]) -> dict[Item, str]:
    return {item: MASKS[item](value) for item, value in values.items()}


def _seen_masked(connection: Connection, session: Session) -> set[Item]:
    here = (reveal_table.c.member_id == session.member_id) & (reveal_table.c.session_id == session.id)
    found = select(reveal_table.c.item).where(here, reveal_table.c.form == Form.MASKED.value)
    return {Item(item) for item in connection.execute(found).scalars()}


def _event(look: Seen) -> outbox.Entry:
    return outbox.Entry(f"member:item:{look.form}", look.id, look.at_us, canonical(look._asdict()))


def _row(look: Seen) -> dict[str, object]:
    return {**look._asdict(), "item": look.item.value, "form": look.form.value}


def _seen(row: Row[tuple[object, ...]]) -> Seen:
    return Seen(
        id=RevealId(row.id),
        member_id=MemberId(row.member_id),
        session_id=SessionId(row.session_id),
        actor=row.actor,
        item=Item(row.item),
        form=Form(row.form),
        reason=row.reason,
        at_us=row.at_us,
    )
