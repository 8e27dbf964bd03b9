"""What speaks against a movement of money out: named signs, each worth some points.

A pure rule over facts that the store holds. What a session was born with counts until a passkey has proven
the member; time alone takes nothing away. docs/reference/lender.md has the weights with their reasons.
"""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, func, select

from sekisho.identity import members, passkeys, personal_data
from sekisho.identity.assurance import Level, Standing
from sekisho.identity.personal_data import Change, Item
from sekisho.identity.session_desk import Present
from sekisho.kernel.clock import DAY_US, HOUR_US
from sekisho.kernel.yen import Yen
from sekisho.ledger.accounts import Side, find_account
from sekisho.lender.contracts import contract_of
from sekisho.lender.loan_events import EventKind
from sekisho.storage.tables.lender import loan_event

YOUNG_DEVICE_US = DAY_US
YOUNG_PASSKEY_US = DAY_US
CHANGED_LATELY_US = 3 * DAY_US
OPENING_US = HOUR_US
"""How long opening an account takes: a device that is there by then is the one that it was opened on."""

LATELY_US = DAY_US
MANY_BORROWINGS = 3
TIMES_THE_LARGEST = 3
NEARLY_ALL_PERCENT = 90

POINTS = {
    "risky_session": 6,
    "campaign_session": 6,
    "unconfirmed_device": 4,
    "young_device": 3,
    "leaked_password": 2,
    "contact_changed": 3,
    "payout_changed": 3,
    "young_passkey": 3,
    "repaid_to_draw": 4,
    "many_borrowings": 2,
    "far_above_usual": 2,
    "nearly_all": 1,
}
"""Three points are what befalls honest members now and then; six are what a code must not carry alone."""

PASSKEY_FROM = 5
"""From so many points on only a passkey approves."""

STOPPED_FROM = 10
"""From so many points on even a passkey does not, and a person has to look."""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known when money is to leave. Times are microseconds since the epoch, None where never.

    `proven` says that a passkey proved the member in this session. Devices and passkeys that are as old as
    the account itself are given as None: a new member has nothing older. `headroom` is what of the line is
    free; `repaid_lately` and `borrowings_lately` are those of the last day; `largest` is the most that was
    ever borrowed at once.
    """

    now_us: int
    risk: float = 0.0
    campaign: str = ""
    password_leaked: bool = False
    proven: bool = False
    device_trusted: bool = True
    device_since_us: int | None = None
    passkey_since_us: int | None = None
    contact_changed_us: int | None = None
    payout_changed_us: int | None = None
    amount: Yen = Yen(0)
    headroom: Yen = Yen(0)
    repaid_lately: Yen = Yen(0)
    borrowings_lately: int = 0
    largest: Yen = Yen(0)


class Sign(NamedTuple):
    """One finding, and what it is worth."""

    name: str
    points: int


class MoneyOutEvidence(msgspec.Struct, frozen=True):
    """What was found, in the order of the rule."""

    signs: tuple[Sign, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Return the signs' names, as the guard takes them."""
        return tuple(sign.name for sign in self.signs)

    @property
    def points(self) -> int:
        """Return what all signs are worth together."""
        return sum(sign.points for sign in self.signs)


def money_out_signs(facts: Facts, *, risk_max: float) -> MoneyOutEvidence:
    """Name what speaks against letting this money out. `risk_max` is what a session may be born with."""
    names = (*_of_session(facts, risk_max), *_of_changes(facts), *_of_amounts(facts))
    return MoneyOutEvidence(tuple(Sign(name, POINTS[name]) for name in names))


def is_doubted(facts: Facts, risk_max: float) -> bool:
    """Say whether a session began suspiciously and no passkey has proven the member since."""
    return not facts.proven and (facts.risk > risk_max or bool(facts.campaign))


def _of_session(facts: Facts, risk_max: float) -> Iterator[str]:
    if facts.password_leaked:
        yield "leaked_password"
    # Nothing but a proof takes these away: whoever waits twenty minutes is the same person.
    if facts.proven:
        return
    if facts.risk > risk_max:
        yield "risky_session"
    if facts.campaign:
        yield "campaign_session"
    if not facts.device_trusted:
        yield "unconfirmed_device"
    if _within(facts.device_since_us, facts.now_us, YOUNG_DEVICE_US):
        yield "young_device"


def _of_changes(facts: Facts) -> Iterator[str]:
    if _within(facts.contact_changed_us, facts.now_us, CHANGED_LATELY_US):
        yield "contact_changed"
    if _within(facts.payout_changed_us, facts.now_us, CHANGED_LATELY_US):
        yield "payout_changed"
    if _within(facts.passkey_since_us, facts.now_us, YOUNG_PASSKEY_US):
        yield "young_passkey"


def _of_amounts(facts: Facts) -> Iterator[str]:
    if not facts.amount:
        return
    # The money would not have been there without the repayment just before.
    if facts.repaid_lately and facts.amount > facts.headroom - facts.repaid_lately:
        yield "repaid_to_draw"
    if facts.borrowings_lately >= MANY_BORROWINGS:
        yield "many_borrowings"
    if facts.largest and facts.amount.amount > TIMES_THE_LARGEST * facts.largest.amount:
        yield "far_above_usual"
    if 100 * facts.amount.amount >= NEARLY_ALL_PERCENT * facts.headroom.amount:
        yield "nearly_all"


def _within(at_us: int | None, now_us: int, span_us: int) -> bool:
    # A time from the future, after the clock was set back, is as young as can be.
    return at_us is not None and now_us - at_us < span_us


def facts_of(connection: Connection, present: Present, amount: Yen, now_us: int) -> Facts:
    """Gather what is known of a session, its member and the member's line."""
    session, device = present
    member_id = session.member_id
    member = members.find(connection, member_id)
    opened_us = member.opened_at_us if member is not None else now_us
    device_since_us = device.trusted_at_us or device.first_seen_us
    working = [passkey for passkey in passkeys.of_member(connection, member_id) if passkey.works]
    since_us = max((passkey.created_at_us for passkey in working), default=None)
    changes = personal_data.changes_of(connection, member_id)
    line = _line_of(connection, member_id, now_us)
    return Facts(
        now_us=now_us,
        risk=session.risk,
        campaign=session.campaign,
        password_leaked=session.password_leaked,
        proven=session.level is Level.PASSKEY,
        device_trusted=device.standing is Standing.TRUSTED,
        device_since_us=_later_than(opened_us + OPENING_US, device_since_us),
        passkey_since_us=_later_than(opened_us + YOUNG_PASSKEY_US, since_us),
        contact_changed_us=_changed_us(changes, Item.MOBILE_PHONE, Item.EMAIL),
        payout_changed_us=_later_than(opened_us + CHANGED_LATELY_US, _stored_us(changes)),
        amount=amount,
        headroom=line.headroom,
        repaid_lately=line.repaid,
        borrowings_lately=line.borrowings,
        largest=line.largest,
    )


class _Line(NamedTuple):
    headroom: Yen
    repaid: Yen
    borrowings: int
    largest: Yen


def _line_of(connection: Connection, member_id: str, now_us: int) -> _Line:
    contract = contract_of(connection, member_id)
    account = None if contract is None else find_account(connection, contract.principal_account)
    if contract is None or account is None:
        return _Line(Yen(0), Yen(0), 0, Yen(0))
    its = loan_event.c.contract_id == contract.id
    lately = loan_event.c.booked_at_us > now_us - LATELY_US
    borrowed, repaid = (loan_event.c.kind == kind for kind in (EventKind.BORROWED, EventKind.REPAID))
    sums = select(
        select(func.sum(loan_event.c.principal_yen)).where(its, repaid, lately).scalar_subquery(),
        select(func.count()).select_from(loan_event).where(its, borrowed, lately).scalar_subquery(),
        select(func.max(loan_event.c.amount_yen)).where(its, borrowed).scalar_subquery(),
    )
    paid, count, largest = connection.execute(sums).one()
    return _Line(account.room(Side.DEBIT) or Yen(0), Yen(int(paid or 0)), int(count), Yen(int(largest or 0)))


def _later_than(since_us: int, at_us: int | None) -> int | None:
    return None if at_us is None or at_us < since_us else at_us


def _changed_us(changes: list[Change], *items: Item) -> int | None:
    """Return when one of the items was last changed from something else."""
    seen: set[Item] = set()
    last: int | None = None
    for change in changes:
        if change.item in items:
            last = change.at_us if change.item in seen else last
            seen.add(change.item)
    return last


def _stored_us(changes: list[Change]) -> int | None:
    """Return when the payout account was last registered."""
    stored = (change.at_us for change in changes if change.item is Item.PAYOUT_ACCOUNT)
    return max(stored, default=None)
