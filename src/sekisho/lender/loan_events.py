"""What happens under a contract, and the rules that need no books: charges, due dates, refusals."""

import hashlib
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple

import msgspec

from sekisho.kernel import chain
from sekisho.kernel.yen import Yen
from sekisho.lender.contracts import Contract, ContractState
from sekisho.lender.due_days import DueDay, due_dates
from sekisho.lender.interest import Charges, charges
from sekisho.lender.rates import Rate


class EventKind(StrEnum):
    """What happened under a contract."""

    BORROWED = "borrowed"
    REPAID = "repaid"

    REVERSED = "reversed"
    """A borrowing that did not reach the member was taken back, as if it had never been."""

    ENDED = "ended"
    """The contract ended: nothing was owed under it. `way` says who wished it: `member` or `staff`."""


class LoanEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a member's history. `way` says through what: `atm`, `transfer`, `web_debit`, `incoming`.

    Of a reversal the parts are what was taken back: charges given up, and what became overpaid by it.
    """

    id: str
    key: str
    contract_id: str
    kind: str
    way: str
    amount_yen: int
    delay_yen: int
    interest_yen: int
    principal_yen: int
    overpaid_yen: int
    balance_yen: int
    payment_yen: int
    next_due_on: str | None
    effective_on: str
    booked_at_us: int
    transfer_id: str
    request: bytes


class Position(NamedTuple):
    """What a member owes at the end of a day, and what is to be paid next."""

    principal: Yen
    interest: Yen
    delay: Yen
    payment: Yen
    next_due_on: date | None
    overdue: bool
    headroom: Yen

    @property
    def owed(self) -> Yen:
        """Return everything that is owed."""
        return self.principal + self.interest + self.delay


class NotDone(StrEnum):
    """Why nothing was borrowed or repaid, in the order in which reasons are looked for."""

    KEY_USED_OTHERWISE = "key_used_otherwise"
    CONTRACT_UNKNOWN = "contract_unknown"
    AMOUNT_NOT_POSITIVE = "amount_not_positive"
    BORROWING_CLOSED = "borrowing_closed"
    OVERDUE = "overdue"
    DAY_IS_PAST = "day_is_past"
    ABOVE_LIMIT = "above_limit"
    NOTHING_OWED = "nothing_owed"
    RESERVATION_GONE = "reservation_gone"
    NOTHING_TO_REVERSE = "nothing_to_reverse"
    STILL_OWED = "still_owed"
    STILL_RESERVED = "still_reserved"


class Movement(NamedTuple):
    """An amount on a day through a way; `other` is the lender's account that pays or gets it."""

    key: str
    amount: Yen
    day: date
    way: str
    other: str


def charges_since(contract: Contract, principal: Yen, day: date) -> Charges:
    """Return what a principal cost since the contract was charged last.

    Raises ValueError for a day before that.
    """
    since = parse_day(contract.charged_until) or day
    first_used = parse_day(contract.first_used_on)
    free_until = first_used + timedelta(days=contract.free_days) if first_used else None
    return charges(
        principal,
        since=since,
        until=day,
        rate=Rate(contract.rate),
        delay_rate=Rate(contract.delay_rate),
        due=parse_day(contract.next_due_on),
        free_until=free_until,
    )


def is_overdue(contract: Contract, day: date) -> bool:
    """Say whether the last due date passed without its payment."""
    due = parse_day(contract.next_due_on)
    return due is not None and day > due


def why_not_lent(contract: Contract | None, movement: Movement, *, settling: bool) -> NotDone | None:
    """Return the first reason against a borrowing that a contract knows; None where there is none."""
    common = why_not_taken(contract, movement)
    if common is not None or contract is None:
        return common
    # Cash that a machine has paid out already is owed, whatever has happened to the contract since.
    if settling:
        return None
    if contract.state != ContractState.OPEN:
        return NotDone.BORROWING_CLOSED
    return NotDone.OVERDUE if is_overdue(contract, movement.day) else None


def why_not_taken(contract: Contract | None, movement: Movement) -> NotDone | None:
    """Return the first reason against any movement; None where there is none."""
    if contract is None:
        return NotDone.CONTRACT_UNKNOWN
    if movement.amount <= Yen(0):
        return NotDone.AMOUNT_NOT_POSITIVE
    charged_until = parse_day(contract.charged_until)
    if charged_until is not None and movement.day < charged_until:
        return NotDone.DAY_IS_PAST
    return None


def after_borrowing(contract: Contract, day: date, payment: Yen) -> Contract:
    """Return the contract with its new payment, its first use and its first due date."""
    due = contract.next_due_on or next(due_dates(DueDay(contract.due_day), day)).isoformat()
    return msgspec.structs.replace(
        contract,
        first_used_on=contract.first_used_on or day.isoformat(),
        payment_yen=payment.amount,
        next_due_on=due,
    )


def after_repayment(contract: Contract, movement: Movement, before: Position, owed: Yen) -> Contract:
    """Move the due date on where the payment of the term is met; clear it where nothing is owed."""
    if not owed:
        return msgspec.structs.replace(contract, payment_yen=0, next_due_on=None, paid_in_term_yen=0)
    paid = contract.paid_in_term_yen + movement.amount.amount
    if paid < min(before.payment, before.owed).amount or before.next_due_on is None:
        return msgspec.structs.replace(contract, paid_in_term_yen=paid)
    after = max(before.next_due_on, movement.day)
    due = next(due_dates(DueDay(contract.due_day), after))
    return msgspec.structs.replace(contract, next_due_on=due.isoformat(), paid_in_term_yen=0)


def request_of(kind: EventKind, contract_id: str, movement: Movement) -> bytes:
    """Return what tells two requests under one key apart."""
    return hashlib.sha256(chain.canonical((kind.value, contract_id, movement))).digest()


def parse_day(text: str | None) -> date | None:
    """Read a day as contracts keep it."""
    return None if text is None else date.fromisoformat(text)
