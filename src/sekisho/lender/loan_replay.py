"""A contract's history worked out anew: what would stand in the books, had a borrowing never been.

A transfer loan that the member's bank sends back was never lent. Interest may have been charged on it and
payments divided by it since, so that no single entry takes it back; the history without it says what is
right, and the books are moved by the difference.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import NamedTuple

import msgspec

from sekisho.kernel.yen import Yen
from sekisho.lender.contracts import Contract
from sekisho.lender.loan_events import (
    EventKind,
    LoanEvent,
    Movement,
    Position,
    after_borrowing,
    after_repayment,
    charges_since,
    is_overdue,
    parse_day,
)
from sekisho.lender.repayment import allocate, fixed_payment
from sekisho.lender.terms import TermsBook

REVERSAL = "reversal:"
"""How the key of a reversal begins; the id of what it reverses follows."""

MOVING = frozenset({EventKind.BORROWED.value, EventKind.REPAID.value})
"""The events that move money for good."""


class Replayed(NamedTuple):
    """What a history comes to: the contract, what is owed, what was charged, and what was overpaid."""

    contract: Contract
    principal: Yen
    interest: Yen
    delay: Yen
    interest_charged: Yen
    delay_charged: Yen
    overpaid: Yen


class Move(NamedTuple):
    """An amount from one account to another."""

    debit: str
    credit: str
    amount: Yen


def standing(events: Iterable[LoanEvent]) -> list[LoanEvent]:
    """Return the events that count, in order: what moved money, without reversals and what they reversed."""
    events = list(events)
    reversed_ids = {
        event.key.removeprefix(REVERSAL) for event in events if event.kind == EventKind.REVERSED.value
    }
    counted = (event for event in events if event.kind in MOVING and event.id not in reversed_ids)
    return sorted(counted, key=lambda event: (event.effective_on, event.id))


def replay(contract: Contract, events: Iterable[LoanEvent], book: TermsBook) -> Replayed:
    """Work a contract's history out from its first day. The events are those that count, in order."""
    fresh = msgspec.structs.replace(
        contract, first_used_on=None, charged_until=None, payment_yen=0, next_due_on=None, paid_in_term_yen=0
    )
    nothing = Yen(0)
    now = Replayed(fresh, nothing, nothing, nothing, nothing, nothing, nothing)
    for event in events:
        movement = Movement(
            event.key, Yen(event.amount_yen), date.fromisoformat(event.effective_on), event.way, ""
        )
        now = _charged(now, movement.day)
        lends = event.kind == EventKind.BORROWED.value
        now = _lent(now, movement, book) if lends else _paid(now, movement)
    return now


def _charged(before: Replayed, day: date) -> Replayed:
    cost = charges_since(before.contract, before.principal, day)
    return before._replace(
        contract=msgspec.structs.replace(before.contract, charged_until=day.isoformat()),
        interest=before.interest + cost.interest,
        delay=before.delay + cost.delay,
        interest_charged=before.interest_charged + cost.interest,
        delay_charged=before.delay_charged + cost.delay,
    )


def _lent(before: Replayed, movement: Movement, book: TermsBook) -> Replayed:
    principal = before.principal + movement.amount
    contract = after_borrowing(before.contract, movement.day, fixed_payment(principal, book))
    return before._replace(contract=contract, principal=principal)


def _paid(before: Replayed, movement: Movement) -> Replayed:
    contract = before.contract
    position = Position(
        principal=before.principal,
        interest=before.interest,
        delay=before.delay,
        payment=Yen(contract.payment_yen),
        next_due_on=parse_day(contract.next_due_on),
        overdue=is_overdue(contract, movement.day),
        headroom=Yen(0),
    )
    parts = allocate(
        movement.amount, delay=before.delay, interest=before.interest, principal=before.principal
    )
    owed = position.owed - parts.delay - parts.interest - parts.principal
    return before._replace(
        contract=after_repayment(contract, movement, position, owed),
        principal=before.principal - parts.principal,
        interest=before.interest - parts.interest,
        delay=before.delay - parts.delay,
        overpaid=before.overpaid + parts.left_over,
    )


def moves(changes: Mapping[str, Yen]) -> Iterator[Move]:
    """Yield the moves that bring about changes: by account, what is to be debited (negative: credited).

    Each account is only debited or only credited, so that none crosses a limit that it keeps in the end. The
    changes must add up to zero, and their order is kept.
    """
    debits = deque((account, change) for account, change in changes.items() if change > Yen(0))
    credits_ = deque((account, -change) for account, change in changes.items() if change < Yen(0))
    while debits and credits_:
        (debit, owed), (credit, due) = debits.popleft(), credits_.popleft()
        amount = min(owed, due)
        yield Move(debit, credit, amount)
        if owed > amount:
            debits.appendleft((debit, owed - amount))
        if due > amount:
            credits_.appendleft((credit, due - amount))
