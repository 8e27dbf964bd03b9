"""The ledger on every engine: what is booked, what is refused, and that the books are right afterwards."""

from datetime import date

import pytest
from sqlalchemy import text
from tests.ledger.books import LINE, NOW_US, TODAY, moved, open_books

from sekisho.kernel.clock import MINUTE_US, SECOND_US
from sekisho.kernel.yen import Yen
from sekisho.ledger.accounts import accounts_of, change_limits, close_account
from sekisho.ledger.journal import balance_on, first_fault, make_checkpoint, statement
from sekisho.ledger.transfers import (
    BatchRefused,
    Booked,
    Refused,
    State,
    Why,
    correct,
    expire_due,
    post,
    post_all,
    reserve,
    settle,
    void,
)


@pytest.fixture
def books(store):
    """Give open books, and check them when the test is over."""
    opened = open_books(store)
    yield opened
    with store.read() as connection:
        assert first_fault(connection) is None


def reserved(books, key, yen, minutes=5):
    return books.do(reserve, books.draw(key, yen), expires_at_us=books.clock.now_us() + minutes * MINUTE_US)


def balances(books):
    return tuple(books.account(account).balance.amount for account in (books.cash, books.loan))


def test_a_posted_transfer_moves_both_balances(books):
    booked = books.do(post, books.draw("d1", 100_000))
    assert booked == Booked(booked.transfer_id, State.POSTED, Yen(100_000), again=False)
    assert balances(books) == (-100_000, 100_000)


def test_the_same_key_books_once(books):
    """A lost answer is asked for again: the same request gets the same transfer."""
    first = books.do(post, books.draw("d1", 100_000))
    again = books.do(post, books.draw("d1", 100_000))
    assert again == first._replace(again=True)
    assert balances(books) == (-100_000, 100_000)


@pytest.mark.parametrize(
    "change", [{"yen": 99_999}, {"kind": "another"}, {"effective_on": date(2026, 1, 1)}], ids=str
)
def test_a_key_is_for_one_request(books, change):
    books.do(post, books.draw("d1", 100_000))
    fields = {"yen": 100_000, **change}
    assert books.do(post, books.draw("d1", fields.pop("yen"), **fields)) == Refused(Why.KEY_USED_OTHERWISE)
    assert reserved(books, "d1", 100_000) == Refused(Why.KEY_USED_OTHERWISE)


def test_a_line_is_drawn_up_to_its_last_yen(books):
    assert isinstance(books.do(post, books.draw("d1", LINE.amount)), Booked)
    assert books.do(post, books.draw("d2", 1)) == Refused(Why.ABOVE_DEBIT_LIMIT)


def test_what_is_reserved_counts_against_the_line(books):
    reserved(books, "r1", 400_000)
    assert books.do(post, books.draw("d1", 100_001)) == Refused(Why.ABOVE_DEBIT_LIMIT)
    assert isinstance(books.do(post, books.draw("d2", 100_000)), Booked)


def test_a_loan_is_not_repaid_beyond_what_is_owed(books):
    books.do(post, books.draw("d1", 10_000))
    over = moved("p1", books.cash, books.loan, 10_001)
    assert books.do(post, over) == Refused(Why.ABOVE_CREDIT_LIMIT)
    assert isinstance(books.do(post, moved("p2", books.cash, books.loan, 10_000)), Booked)


def test_a_repayment_that_is_only_reserved_makes_no_room(books):
    """Repay with stolen money, draw cash, let the repayment fail: pending money opens nothing."""
    books.do(post, books.draw("d1", LINE.amount))
    repaying = moved("p1", books.cash, books.loan, 100_000)
    pending = books.do(reserve, repaying, expires_at_us=NOW_US + MINUTE_US)
    assert books.do(post, books.draw("d2", 1)) == Refused(Why.ABOVE_DEBIT_LIMIT)
    books.do(settle, pending.transfer_id)
    assert isinstance(books.do(post, books.draw("d3", 100_000)), Booked)


@pytest.mark.parametrize(
    ("transfer", "why"),
    [
        (lambda books: books.draw("x", 0), Why.AMOUNT_NOT_POSITIVE),
        (lambda books: books.draw("x", -5), Why.AMOUNT_NOT_POSITIVE),
        (lambda books: moved("x", books.cash, books.cash, 5), Why.SAME_ACCOUNT),
        (lambda books: moved("x", "acc_none", books.cash, 5), Why.DEBIT_ACCOUNT_UNKNOWN),
        (lambda books: moved("x", books.cash, "acc_none", 5), Why.CREDIT_ACCOUNT_UNKNOWN),
        (lambda books: moved("x", books.wallet, books.cash, 5), Why.ABOVE_DEBIT_LIMIT),
    ],
    ids=lambda value: value.value if isinstance(value, Why) else "",
)
def test_what_is_refused_changes_nothing(books, transfer, why):
    assert books.do(post, transfer(books)) == Refused(why)
    assert balances(books) == (0, 0)


def test_settling_posts_and_frees_the_rest(books):
    pending = reserved(books, "r1", 50_000)
    assert books.account(books.loan).debits_pending == 50_000
    settled = books.do(settle, pending.transfer_id, amount=Yen(30_000))
    assert (settled.state, settled.amount) == (State.POSTED, Yen(30_000))
    assert balances(books) == (-30_000, 30_000)
    assert books.account(books.loan).debits_pending == 0
    assert books.do(settle, pending.transfer_id, amount=Yen(30_000)).again
    assert books.do(settle, pending.transfer_id, amount=Yen(20_000)) == Refused(Why.ALREADY_POSTED)
    assert books.do(void, pending.transfer_id) == Refused(Why.ALREADY_POSTED)


def test_settling_more_than_was_reserved_is_refused(books):
    pending = reserved(books, "r1", 50_000)
    assert books.do(settle, pending.transfer_id, amount=Yen(50_001)) == Refused(Why.ABOVE_RESERVED)
    assert books.do(settle, pending.transfer_id, amount=Yen(0)) == Refused(Why.AMOUNT_NOT_POSITIVE)


def test_voiding_gives_everything_back(books):
    pending = reserved(books, "r1", 50_000)
    assert not books.do(void, pending.transfer_id).again
    assert books.do(void, pending.transfer_id).again
    assert books.do(settle, pending.transfer_id) == Refused(Why.ALREADY_VOIDED)
    assert books.account(books.loan).debits_pending == 0


def test_what_ran_out_of_time_can_not_be_settled(books):
    pending = reserved(books, "r1", 50_000, minutes=1)
    books.clock.advance(MINUTE_US)
    assert books.do(settle, pending.transfer_id) == Refused(Why.ALREADY_EXPIRED)
    assert books.account(books.loan).debits_pending == 0


def test_expiring_takes_what_is_due_and_nothing_else(books):
    reserved(books, "r1", 1, minutes=1)
    reserved(books, "r2", 2, minutes=3)
    books.clock.advance(2 * MINUTE_US)
    assert books.do(expire_due) == 1
    assert books.account(books.loan).debits_pending == 2
    assert books.do(expire_due) == 0


def test_a_time_that_has_passed_is_no_time_to_expire(books):
    assert reserved(books, "r1", 5, minutes=0) == Refused(Why.EXPIRES_IN_THE_PAST)


def test_several_are_booked_together_or_not_at_all(books):
    pair = (books.draw("a", 1_000), books.draw("b", LINE.amount))
    with pytest.raises(BatchRefused) as refused:
        books.do(post_all, pair)
    assert (refused.value.position, refused.value.why) == (1, Why.ABOVE_DEBIT_LIMIT)
    assert balances(books) == (0, 0)
    assert len(books.do(post_all, pair[:1])) == 1


def test_a_correction_is_a_new_entry_for_the_old_day(books):
    """The past is as it should have been, and both entries stay in the books."""
    yesterday = date(2026, 11, 21)
    drawn = books.do(post, books.draw("d1", 70_000, effective_on=yesterday))
    corrected = books.do(correct, drawn.transfer_id, key="c1", kind="loan:reversed")
    assert isinstance(corrected, Booked)
    assert books.do(correct, drawn.transfer_id, key="c1", kind="loan:reversed").again
    assert books.do(correct, drawn.transfer_id, key="c2", kind="x") == Refused(Why.ALREADY_CORRECTED)
    with books.store.read() as connection:
        assert balance_on(connection, books.loan, yesterday) == Yen(0)
        lines = statement(connection, books.loan, yesterday, TODAY)
    assert [(line.amount.amount, line.balance.amount) for line in lines] == [(70_000, 70_000), (-70_000, 0)]


def test_a_balance_of_a_day_knows_what_counted_then(books):
    books.do(post, books.draw("d1", 10_000, effective_on=date(2026, 11, 1)))
    books.do(post, books.draw("d2", 5_000, effective_on=date(2026, 11, 10)))
    with books.store.read() as connection:
        found = [balance_on(connection, books.loan, date(2026, 11, day)).amount for day in (1, 9, 10)]
        assert balance_on(connection, books.loan, date(2026, 10, 31)) == Yen(0)
    assert found == [10_000, 10_000, 15_000]


def test_an_account_is_closed_only_when_it_is_empty(books):
    pending = reserved(books, "r1", 5)
    assert not books.do(close_account, books.loan)
    books.do(void, pending.transfer_id)
    assert books.do(close_account, books.loan)
    assert books.do(post, books.draw("d1", 5)) == Refused(Why.DEBIT_ACCOUNT_CLOSED)


def test_a_lower_limit_leaves_what_is_drawn(books):
    books.do(post, books.draw("d1", 400_000))
    books.store.write(
        lambda connection: change_limits(
            connection, books.loan, net_debit_max=Yen(300_000), net_credit_max=Yen(0)
        )
    ).result()
    assert books.do(post, books.draw("d2", 1)) == Refused(Why.ABOVE_DEBIT_LIMIT)
    assert isinstance(books.do(post, moved("p1", books.cash, books.loan, 100_001)), Booked)
    assert isinstance(books.do(post, books.draw("d3", 1)), Booked)
    with books.store.read() as connection:
        assert [account.id for account in accounts_of(connection, "loan")] == [books.loan]


TAMPERINGS = {
    "an entry's amount": "UPDATE ledger_journal SET posted_yen = posted_yen + 1 WHERE position = 1",
    "an entry's day": "UPDATE ledger_journal SET effective_on = '2020-01-01' WHERE position = 1",
    "an entry removed": "DELETE FROM ledger_journal WHERE position = 1",
    "the newest entry removed": "DELETE FROM ledger_journal WHERE position = 2",
    "an account's total": "UPDATE ledger_account SET debits_posted = debits_posted + 1 WHERE kind = 'loan'",
}


@pytest.mark.parametrize("statement_", TAMPERINGS.values(), ids=TAMPERINGS.keys())
def test_tampering_shows(store, statement_):
    books = open_books(store)
    for number in range(3):
        books.do(post, books.draw(f"d{number}", 1_000))
    assert books.do(make_checkpoint) == 2
    with store.read() as connection:
        assert first_fault(connection) is None
    store.write(lambda connection: connection.execute(text(statement_))).result()
    with store.read() as connection:
        assert first_fault(connection) is not None


def test_a_checkpoint_is_made_once_for_a_position(books):
    assert books.do(make_checkpoint) == -1
    books.do(post, books.draw("d1", 5))
    assert [books.do(make_checkpoint), books.do(make_checkpoint)] == [0, 0]
    books.clock.advance(SECOND_US)
    books.do(post, books.draw("d2", 5))
    assert books.do(make_checkpoint) == 1
