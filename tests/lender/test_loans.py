"""Borrowing and repaying: what is owed, what is paid next, and what is refused."""

from datetime import date, timedelta

import pytest
from tests.lender.lines import BOOK, MEMBER, NOW_US, SIGNED, agreement, open_line

from sekisho.kernel.clock import MINUTE_US
from sekisho.kernel.yen import Yen
from sekisho.ledger.journal import first_fault
from sekisho.lender.contracts import NotWithinTerms, change_contract, contract_of, require_lawful
from sekisho.lender.interest import interest
from sekisho.lender.loan_events import LoanEvent, NotDone
from sekisho.lender.rates import Rate
from sekisho.storage.engine import open_store

JUNE, JULY = date(2025, 6, 2), date(2025, 7, 4)


@pytest.fixture
def store(tmp_path):
    opened = open_store(f"sqlite:///{tmp_path}/lender.db")
    yield opened
    with opened.read() as connection:
        assert first_fault(connection) is None
    opened.close()


@pytest.fixture
def line(store):
    return open_line(store)


def test_a_borrowing_is_owed_and_sets_the_payment(line):
    event = line.borrow("b1", 100_000, JUNE)
    assert (event.balance_yen, event.payment_yen, event.next_due_on) == (100_000, 4_000, "2025-06-05")
    position = line.position(JUNE)
    assert (position.principal, position.interest, position.headroom) == (
        Yen(100_000),
        Yen(0),
        Yen(400_000),
    )
    assert line.balance(line.cash) == Yen(-100_000)


def test_thirty_days_cost_what_the_published_example_says(line):
    line.borrow("b1", 100_000, date(2025, 6, 5))
    position = line.position(date(2025, 7, 5))
    assert (position.interest, position.delay, position.owed) == (Yen(1_463), Yen(0), Yen(101_463))


def test_a_repayment_goes_to_interest_first(line):
    line.borrow("b1", 100_000, date(2025, 6, 5))
    event = line.repay("p1", 4_000, date(2025, 7, 5))
    assert (event.interest_yen, event.principal_yen, event.delay_yen) == (1_463, 2_537, 0)
    assert (event.balance_yen, event.payment_yen) == (97_463, 4_000)
    assert line.position(date(2025, 7, 5)).interest == Yen(0)


def test_the_payment_does_not_fall_as_repayments_lower_the_balance(line):
    line.borrow("b1", 150_000, JUNE)
    event = line.repay("p1", 60_000, date(2025, 6, 20))
    assert event.balance_yen < 100_000
    assert event.payment_yen == 6_000


def test_borrowing_a_little_more_can_lower_the_payment(line):
    """At 300,000 yen the payment is 11,000; at 300,001 it is 8,000, as published."""
    assert line.borrow("b1", 300_000, JUNE).payment_yen == 11_000
    assert line.borrow("b2", 1, JUNE).payment_yen == 8_000


def test_a_second_borrowing_charges_the_first_up_to_its_day(line):
    line.borrow("b1", 100_000, date(2025, 6, 5))
    line.borrow("b2", 50_000, date(2025, 6, 25))
    position = line.position(date(2025, 7, 5))
    first = interest(Yen(100_000), Rate.parse("17.8"), date(2025, 6, 5), date(2025, 6, 25))
    second = interest(Yen(150_000), Rate.parse("17.8"), date(2025, 6, 25), date(2025, 7, 5))
    assert position.interest == first + second


def test_the_due_date_moves_on_when_the_payment_is_met(line):
    line.borrow("b1", 100_000, date(2025, 6, 10))
    assert line.contract().next_due_on == "2025-07-07"
    line.repay("p1", 3_999, date(2025, 7, 1))
    assert line.contract().next_due_on == "2025-07-07"
    line.repay("p2", 1, date(2025, 7, 2))
    assert line.contract().next_due_on == "2025-08-05"


def test_after_the_due_date_the_delay_rate_runs_and_no_interest_beside_it(line):
    line.borrow("b1", 100_000, date(2025, 6, 10))
    due = date(2025, 7, 7)
    position = line.position(due + timedelta(days=10))
    assert position.overdue
    assert position.interest == interest(Yen(100_000), Rate.parse("17.8"), date(2025, 6, 10), due)
    assert position.delay == Yen(547)
    assert line.borrow("b2", 1_000, due + timedelta(days=10)) is NotDone.OVERDUE


def test_a_late_payment_covers_the_delay_first_and_ends_it(line):
    line.borrow("b1", 100_000, date(2025, 6, 10))
    late = date(2025, 7, 17)
    event = line.repay("p1", 4_000, late)
    assert (event.delay_yen, event.interest_yen + event.principal_yen) == (547, 3_453)
    assert line.contract().next_due_on == "2025-08-05"
    assert not line.position(late + timedelta(days=5)).overdue
    assert isinstance(line.borrow("b2", 1_000, late), LoanEvent)


def test_the_last_payment_is_the_balance_with_its_interest(line):
    line.borrow("b1", 100_000, JUNE)
    owed = line.position(JULY).owed
    event = line.repay("p1", owed.amount, JULY)
    assert (event.balance_yen, event.payment_yen, event.next_due_on, event.overpaid_yen) == (0, 0, None, 0)
    assert line.position(JULY + timedelta(days=60)).owed == Yen(0)
    assert line.repay("p2", 1, JULY) is NotDone.NOTHING_OWED


def test_what_is_paid_too_much_is_kept_apart_and_not_lost(line):
    line.borrow("b1", 10_000, JUNE)
    event = line.repay("p1", 12_345, JUNE)
    assert (event.principal_yen, event.overpaid_yen) == (10_000, 2_345)
    assert line.balance(line.overpaid) == Yen(2_345)


def test_the_first_thirty_days_are_free_once(store):
    """They begin on the day after the first use, and do not come back with a second one."""
    line = open_line(store, interest_free=True)
    line.borrow("b1", 100_000, date(2025, 6, 5))
    assert line.position(date(2025, 7, 5)).interest == Yen(0)
    assert line.position(date(2025, 7, 6)).interest == Yen(48)
    line.repay("p1", 200_000, date(2025, 7, 5))
    line.borrow("b2", 100_000, date(2025, 8, 5))
    assert line.position(date(2025, 8, 6)).interest == Yen(48)


def test_a_line_is_lent_up_to_its_last_yen(line):
    assert line.borrow("b1", 500_001, JUNE) is NotDone.ABOVE_LIMIT
    assert isinstance(line.borrow("b2", 500_000, JUNE), LoanEvent)
    assert line.borrow("b3", 1, JUNE) is NotDone.ABOVE_LIMIT
    assert line.position(JUNE).headroom == Yen(0)


def test_the_same_request_happens_once(line):
    assert line.borrow("k", 10_000, JUNE) == line.borrow("k", 10_000, JUNE)
    assert line.borrow("k", 10_001, JUNE) is NotDone.KEY_USED_OTHERWISE
    assert line.repay("k", 10_000, JUNE) is NotDone.KEY_USED_OTHERWISE
    assert line.repay("p", 5_000, JULY) == line.repay("p", 5_000, JULY)
    assert len(line.history(SIGNED, JULY)) == 2


def test_a_day_before_the_last_event_is_refused(line):
    line.borrow("b1", 10_000, JULY)
    assert line.repay("p1", 1_000, JUNE) is NotDone.DAY_IS_PAST


def test_cash_is_reserved_then_owed_when_the_machine_has_paid(line):
    kept = line.reserve("a1", 400_000, JUNE, NOW_US + 5 * MINUTE_US)
    assert line.position(JUNE).headroom == Yen(100_000)
    assert line.position(JUNE).principal == Yen(0)
    assert line.borrow("b1", 100_001, JUNE) is NotDone.ABOVE_LIMIT
    event = line.borrow("a1:paid", 400_000, JUNE, reserved=kept)
    assert (event.balance_yen, event.payment_yen) == (400_000, 11_000)


def test_cash_that_was_reserved_too_long_ago_is_not_booked_silently(line):
    kept = line.reserve("a1", 10_000, JUNE, NOW_US + MINUTE_US)
    line.clock.advance(2 * MINUTE_US)
    assert line.borrow("a1:paid", 10_000, JUNE, reserved=kept) is NotDone.RESERVATION_GONE
    assert line.position(JUNE).principal == Yen(0)


def test_a_closed_line_takes_payments_and_lends_nothing(line, store):
    line.borrow("b1", 10_000, JUNE)
    closed = line.contract()
    store.write(
        lambda c: change_contract(c, type(closed)(**{**_fields(closed), "state": "closed_to_borrowing"}))
    ).result()
    assert line.borrow("b2", 1_000, JULY) is NotDone.BORROWING_CLOSED
    assert isinstance(line.repay("p1", 1_000, JULY), LoanEvent)


def _fields(contract):
    return {name: getattr(contract, name) for name in contract.__struct_fields__}


@pytest.mark.parametrize(
    "changes",
    [
        {"limit": Yen(9_999)},
        {"limit": Yen(5_000_001)},
        {"rate": Rate.parse("17.9")},
        {"rate": Rate.parse("4.4")},
        {"limit": Yen(1_000_000)},
    ],
    ids=["below the line", "above the line", "above the rates", "below the rates", "above the legal cap"],
)
def test_an_agreement_keeps_to_its_terms_and_the_law(changes):
    with pytest.raises(NotWithinTerms):
        require_lawful(agreement(**changes), BOOK)


def test_a_contract_keeps_the_terms_it_was_signed_by(line, store):
    """Later terms lend more at other rates; this one stays."""
    with store.read() as connection:
        contract = contract_of(connection, MEMBER)
    assert contract is not None
    assert (contract.terms_id, contract.limit_yen, contract.rate) == ("line-2010", 500_000, 17_800)
    assert contract == line.contract()
