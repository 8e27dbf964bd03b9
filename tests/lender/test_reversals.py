"""A borrowing that never reached the member is taken back, and the books are as if it had never been."""

from datetime import date, timedelta

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from tests.ledger.books import balance_of
from tests.lender.lines import open_line

from sekisho.kernel.clock import SECOND_US
from sekisho.kernel.yen import Yen
from sekisho.ledger.journal import first_fault
from sekisho.lender.loan_events import LoanEvent, NotDone
from sekisho.lender.loan_replay import replay, standing
from sekisho.lender.terms import published_terms
from sekisho.storage.engine import open_store

JUNE = date(2025, 6, 2)


@pytest.fixture
def line(tmp_path):
    store = open_store(f"sqlite:///{tmp_path}/lender.db")
    yield open_line(store)
    with store.read() as connection:
        assert first_fault(connection) is None
    store.close()


def reverse(line, event, day):
    return line.store.write(lambda at: line.loans.reverse(at, event.id, day)).result()


def books_of(line):
    """Return every balance that a contract touches, and what the contract says."""
    contract = line.contract()
    with line.store.read() as connection:
        accounts = (
            contract.principal_account,
            contract.interest_account,
            contract.delay_account,
            line.cash,
            line.overpaid,
        )
        balances = [balance_of(connection, account).amount for account in accounts]
    changing = (
        contract.first_used_on,
        contract.charged_until,
        contract.payment_yen,
        contract.next_due_on,
        contract.paid_in_term_yen,
    )
    return balances, changing


def test_a_borrowing_taken_back_the_same_day_leaves_nothing(line):
    before = books_of(line)
    event = line.borrow("b1", 100_000, JUNE)
    back = reverse(line, event, JUNE)
    assert (back.kind, back.amount_yen, back.principal_yen, back.interest_yen) == (
        "reversed",
        100_000,
        100_000,
        0,
    )
    assert books_of(line) == before


def test_interest_that_was_charged_meanwhile_is_given_up(line):
    """30 days at 17.8 % on 100,000 yen are 1,463 yen, written down by the second borrowing."""
    event = line.borrow("b1", 100_000, JUNE)
    line.clock.advance(SECOND_US)
    line.borrow("b2", 10_000, JUNE + timedelta(days=3))
    assert line.position(JUNE + timedelta(days=3)).interest == Yen(146)
    back = reverse(line, event, JUNE + timedelta(days=3))
    assert back.interest_yen == 146
    position = line.position(JUNE + timedelta(days=3))
    assert (position.principal, position.interest, position.headroom) == (Yen(10_000), Yen(0), Yen(490_000))


def test_what_was_repaid_on_it_is_kept_for_the_member(line):
    event = line.borrow("b1", 100_000, JUNE)
    line.clock.advance(SECOND_US)
    line.repay("r1", 30_000, JUNE)
    back = reverse(line, event, JUNE)
    assert back.overpaid_yen == 30_000
    assert line.balance(line.overpaid) == Yen(30_000)
    assert line.position(JUNE).owed == Yen(0)


def test_it_is_taken_back_once(line):
    event = line.borrow("b1", 100_000, JUNE)
    assert reverse(line, event, JUNE) == reverse(line, event, JUNE)
    assert line.position(JUNE).headroom == Yen(500_000)
    assert reverse(line, reverse(line, event, JUNE), JUNE) is NotDone.NOTHING_TO_REVERSE


STEPS = st.lists(
    st.tuples(st.sampled_from(["borrow", "repay"]), st.integers(1, 150_000), st.integers(0, 40)),
    min_size=1,
    max_size=7,
)


def _play(line, steps):
    day, events = JUNE, []
    for number, (what, yen, days) in enumerate(steps):
        day += timedelta(days=days)
        line.clock.advance(SECOND_US)
        done = getattr(line, what)(f"k{number}", yen, day)
        events.append(done if isinstance(done, LoanEvent) else None)
    return day, events


@settings(max_examples=30, phases=(Phase.explicit, Phase.generate))
@given(steps=STEPS, which=st.integers(0, 6))
def test_any_history_without_a_borrowing_is_what_the_books_come_to(tmp_path_factory, steps, which):
    """What the replay says is what the books say, before and after any borrowing was taken back."""
    store = open_store(f"sqlite:///{tmp_path_factory.mktemp('loan')}/lender.db")
    line = open_line(store)
    day, events = _play(line, steps)
    lent = [event for event in events if event is not None and event.kind == "borrowed"]
    if lent:
        reverse(line, lent[which % len(lent)], day)
    contract = line.contract()
    worked_out = replay(contract, standing(line.history(date.min, date.max)), published_terms())
    assert worked_out.contract == contract
    balances, _ = books_of(line)
    assert balances[:3] == [
        worked_out.principal.amount,
        worked_out.interest.amount,
        worked_out.delay.amount,
    ]
    assert balances[4] == worked_out.overpaid.amount
    with store.read() as connection:
        assert first_fault(connection) is None
    store.close()
