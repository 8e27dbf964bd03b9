"""Transfers: an amount from one account to another, at once or in two phases.

`post` is final at once. `reserve` keeps the amount pending until it is settled, voided or expired: the cash
of a withdrawal is reserved before the machine is told to pay, and posted when it has paid. Each is made once
by its key: the same request again gives the same answer, and the key for another request is refused.

All of these run inside the caller's unit of work. An expected no is a value, `Refused`, and then nothing was
changed; of several reasons the first in the order of `Why` is told.
"""

import hashlib
from datetime import date
from enum import StrEnum
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection

from sekisho.kernel import chain
from sekisho.kernel.chance import Chance
from sekisho.kernel.clock import Clock
from sekisho.kernel.ids import TRANSFER, TransferId
from sekisho.kernel.yen import Yen
from sekisho.ledger import statements
from sekisho.ledger.accounts import Account, Side
from sekisho.ledger.journal import Entry, Event, sealed, take_turn


class State(StrEnum):
    """How a transfer stands."""

    PENDING = "pending"
    POSTED = "posted"
    VOIDED = "voided"
    EXPIRED = "expired"


class Why(StrEnum):
    """Why a transfer was refused, in the order in which reasons are looked for."""

    AMOUNT_NOT_POSITIVE = "amount_not_positive"
    SAME_ACCOUNT = "same_account"
    KEY_USED_OTHERWISE = "key_used_otherwise"
    EXPIRES_IN_THE_PAST = "expires_in_the_past"
    DEBIT_ACCOUNT_UNKNOWN = "debit_account_unknown"
    CREDIT_ACCOUNT_UNKNOWN = "credit_account_unknown"
    DEBIT_ACCOUNT_CLOSED = "debit_account_closed"
    CREDIT_ACCOUNT_CLOSED = "credit_account_closed"
    ABOVE_DEBIT_LIMIT = "above_debit_limit"
    ABOVE_CREDIT_LIMIT = "above_credit_limit"
    TRANSFER_UNKNOWN = "transfer_unknown"
    ALREADY_POSTED = "already_posted"
    ALREADY_VOIDED = "already_voided"
    ALREADY_EXPIRED = "already_expired"
    ABOVE_RESERVED = "above_reserved"
    NOT_POSTED = "not_posted"
    ALREADY_CORRECTED = "already_corrected"


class Transfer(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for. `effective_on` is the day for which it counts; when it is booked, the clock says.

    `key` makes it happen once; `kind` is the institution's word, such as `loan:draw`; `details` are for
    statements and hold no personal data.
    """

    key: str
    kind: str
    debit: str
    credit: str
    amount: Yen
    effective_on: date
    details: dict[str, str] = {}
    corrects: str | None = None


class Booked(NamedTuple):
    """A transfer is in the books. `again` says that it was there already, by the same request."""

    transfer_id: TransferId
    state: State
    amount: Yen
    again: bool


class Refused(NamedTuple):
    """Nothing was changed."""

    why: Why


Result = Booked | Refused


class Change(NamedTuple):
    """What happens to a transfer, and what that adds to the totals of its accounts."""

    event: Event
    pending_yen: int
    posted_yen: int


class BatchRefused(Exception):  # noqa: N818 - raised to roll a unit of work back, not because of an error
    """One of several transfers that belong together was refused: the unit of work is rolled back."""

    def __init__(self, position: int, why: Why) -> None:
        self.position = position
        self.why = why
        super().__init__(f"transfer {position}: {why}")


def why_not(debit: Account | None, credit: Account | None, amount: Yen) -> Why | None:
    """Return the first reason against moving an amount between two accounts, or None."""
    if debit is None or credit is None:
        return Why.DEBIT_ACCOUNT_UNKNOWN if debit is None else Why.CREDIT_ACCOUNT_UNKNOWN
    if debit.closed_at_us is not None or credit.closed_at_us is not None:
        return Why.CREDIT_ACCOUNT_CLOSED if debit.closed_at_us is None else Why.DEBIT_ACCOUNT_CLOSED
    debit_room, credit_room = debit.room(Side.DEBIT), credit.room(Side.CREDIT)
    if debit_room is not None and amount > debit_room:
        return Why.ABOVE_DEBIT_LIMIT
    if credit_room is not None and amount > credit_room:
        return Why.ABOVE_CREDIT_LIMIT
    return None


def post(connection: Connection, transfer: Transfer, *, clock: Clock, chance: Chance) -> Result:
    """Move an amount at once."""
    return _make(connection, transfer, State.POSTED, None, clock=clock, chance=chance)


def post_all(
    connection: Connection, transfers: tuple[Transfer, ...], *, clock: Clock, chance: Chance
) -> tuple[Booked, ...]:
    """Move several amounts, all or none. Raises BatchRefused, which must roll the unit of work back."""
    booked = []
    for position, transfer in enumerate(transfers):
        result = post(connection, transfer, clock=clock, chance=chance)
        if isinstance(result, Refused):
            raise BatchRefused(position, result.why)
        booked.append(result)
    return tuple(booked)


def reserve(
    connection: Connection, transfer: Transfer, *, expires_at_us: int, clock: Clock, chance: Chance
) -> Result:
    """Keep an amount pending until it is settled or voided, or expires."""
    return _make(connection, transfer, State.PENDING, expires_at_us, clock=clock, chance=chance)


def settle(connection: Connection, transfer_id: str, *, clock: Clock, amount: Yen | None = None) -> Result:
    """Post what was reserved, or a part of it; the rest is given up.

    After its time has run out a transfer is expired instead, and that is told: whoever paid in the meantime
    must book it anew, and is not refused silently.
    """
    take_turn(connection)
    kept = statements.find_transfer(connection, transfer_id)
    if kept is None:
        return Refused(Why.TRANSFER_UNKNOWN)
    wanted = Yen(kept.amount_yen) if amount is None else amount
    if kept.state == State.POSTED and kept.expires_at_us is not None and wanted.amount == kept.posted_yen:
        return Booked(TransferId(kept.id), State.POSTED, wanted, again=True)
    refused = _not_pending(kept.state)
    if refused is None and wanted <= Yen(0):
        refused = Why.AMOUNT_NOT_POSITIVE
    if refused is None and wanted.amount > kept.amount_yen:
        refused = Why.ABOVE_RESERVED
    if refused is not None:
        return Refused(refused)
    if (kept.expires_at_us or 0) <= clock.now_us():
        _end(connection, kept, _given_up(kept, Event.EXPIRED), clock)
        return Refused(Why.ALREADY_EXPIRED)
    _end(connection, kept, Change(Event.POSTED, -kept.amount_yen, wanted.amount), clock)
    return Booked(TransferId(kept.id), State.POSTED, wanted, again=False)


def void(connection: Connection, transfer_id: str, *, clock: Clock) -> Result:
    """Give up what was reserved."""
    take_turn(connection)
    kept = statements.find_transfer(connection, transfer_id)
    if kept is None:
        return Refused(Why.TRANSFER_UNKNOWN)
    if kept.state == State.VOIDED:
        return Booked(TransferId(kept.id), State.VOIDED, Yen(kept.amount_yen), again=True)
    refused = _not_pending(kept.state)
    if refused is not None:
        return Refused(refused)
    _end(connection, kept, _given_up(kept, Event.VOIDED), clock)
    return Booked(TransferId(kept.id), State.VOIDED, Yen(kept.amount_yen), again=False)


def expire_due(connection: Connection, *, clock: Clock, limit: int = 1_000) -> int:
    """Give up what ran out of time, at most so many, and return how many they were."""
    take_turn(connection)
    due = statements.expired(connection, clock.now_us(), limit)
    for kept in due:
        _end(connection, kept, _given_up(kept, Event.EXPIRED), clock)
    return len(due)


def correct(  # noqa: PLR0913 - which one, by what name, when
    connection: Connection, transfer_id: str, *, key: str, kind: str, clock: Clock, chance: Chance
) -> Result:
    """Post the opposite of a posted transfer, for the same day; the transfer itself stays in the books.

    A transfer is corrected once. The limits of both accounts hold for a correction, too.
    """
    take_turn(connection)
    kept = statements.find_transfer(connection, transfer_id)
    if kept is None:
        return Refused(Why.TRANSFER_UNKNOWN)
    if kept.state != State.POSTED:
        return Refused(Why.NOT_POSTED)
    before = statements.correction_of(connection, transfer_id)
    if before is not None and before.key != key:
        return Refused(Why.ALREADY_CORRECTED)
    opposite = Transfer(
        key=key,
        kind=kind,
        debit=kept.credit,
        credit=kept.debit,
        amount=Yen(kept.posted_yen),
        effective_on=date.fromisoformat(kept.effective_on),
        corrects=kept.id,
    )
    return post(connection, opposite, clock=clock, chance=chance)


def _make(  # noqa: PLR0913 - the two phases differ in state and expiry alone
    connection: Connection,
    transfer: Transfer,
    state: State,
    expires_at_us: int | None,
    *,
    clock: Clock,
    chance: Chance,
) -> Result:
    if transfer.amount <= Yen(0):
        return Refused(Why.AMOUNT_NOT_POSITIVE)
    if transfer.debit == transfer.credit:
        return Refused(Why.SAME_ACCOUNT)
    take_turn(connection)
    row = _new_row(transfer, state, expires_at_us, clock=clock, chance=chance)
    books = statements.look(connection, transfer.debit, transfer.credit)
    refused = why_not(books.debit, books.credit, transfer.amount)
    if expires_at_us is not None and expires_at_us <= row.booked_at_us:
        refused = Why.EXPIRES_IN_THE_PAST
    # A request that was granted before is granted again, whatever has happened to the accounts since.
    if refused is not None or not statements.insert_transfer(connection, row):
        before = statements.transfer_of(connection, transfer.key)
        if before is not None:
            return _again(before, row.request)
        assert refused is not None  # noqa: S101 - the key is free, so the insertion was not tried
        return Refused(refused)
    amount = transfer.amount.amount
    at_once = state is State.POSTED
    change = Change(Event.POSTED, 0, amount) if at_once else Change(Event.RESERVED, amount, 0)
    _book(connection, row, change, books.head, row.booked_at_us)
    return Booked(TransferId(row.id), state, transfer.amount, again=False)


def _new_row(
    transfer: Transfer, state: State, expires_at_us: int | None, *, clock: Clock, chance: Chance
) -> statements.KeptTransfer:
    return statements.KeptTransfer(
        id=TRANSFER.new(clock, chance),
        key=transfer.key,
        request=_request(transfer, state),
        kind=transfer.kind,
        debit=transfer.debit,
        credit=transfer.credit,
        amount_yen=transfer.amount.amount,
        state=state.value,
        posted_yen=transfer.amount.amount if state is State.POSTED else 0,
        effective_on=transfer.effective_on.isoformat(),
        booked_at_us=clock.now_us(),
        expires_at_us=expires_at_us,
        corrects=transfer.corrects,
        details=msgspec.json.encode(transfer.details),
    )


def _again(kept: statements.KeptTransfer, request: bytes) -> Result:
    if kept.request != request:
        return Refused(Why.KEY_USED_OTHERWISE)
    amount = kept.posted_yen if kept.state == State.POSTED else kept.amount_yen
    return Booked(TransferId(kept.id), State(kept.state), Yen(amount), again=True)


def _request(transfer: Transfer, state: State) -> bytes:
    """Return what tells two requests apart: everything that was asked for, and the phase."""
    return hashlib.sha256(chain.canonical((state.value, transfer))).digest()


def _not_pending(state: str) -> Why | None:
    return {
        State.POSTED: Why.ALREADY_POSTED,
        State.VOIDED: Why.ALREADY_VOIDED,
        State.EXPIRED: Why.ALREADY_EXPIRED,
    }.get(State(state))


def _given_up(kept: statements.KeptTransfer, event: Event) -> Change:
    return Change(event, -kept.amount_yen, 0)


def _end(connection: Connection, kept: statements.KeptTransfer, change: Change, clock: Clock) -> None:
    statements.end_transfer(connection, kept.id, State(change.event).value, change.posted_yen)
    _book(connection, kept, change, statements.head(connection), clock.now_us())


def _book(
    connection: Connection, row: statements.KeptTransfer, change: Change, head: statements.Head, now_us: int
) -> None:
    entry = Entry(
        position=head.position + 1,
        transfer_id=row.id,
        event=change.event.value,
        kind=row.kind,
        debit=row.debit,
        credit=row.credit,
        pending_yen=change.pending_yen,
        posted_yen=change.posted_yen,
        effective_on=row.effective_on,
        booked_at_us=now_us,
    )
    statements.add_to_totals(connection, row.debit, row.credit, change.pending_yen, change.posted_yen)
    statements.insert_entry(connection, entry, sealed(entry, head.link))
