"""Open lines are looked at again: when the law asks for it, and with what it asks for."""

import asyncio
from datetime import date, timedelta

import pytest
from sqlalchemy import select, update
from tests.lender.applicants import ARRIVAL, noon_us, open_way_in

from sekisho.kernel.clock import DAY_US, HOUR_US
from sekisho.kernel.posture import Posture
from sekisho.kernel.yen import Yen
from sekisho.ledger.journal import first_fault
from sekisho.lender.contracts import ContractState, find_contract
from sekisho.lender.credit_bureau import Known
from sekisho.lender.line_check_desk import LineCheckDesk
from sekisho.lender.line_checks import due, last_check, months_are_over, months_before
from sekisho.lender.loan_events import LoanEvent, Movement, NotDone
from sekisho.lender.screening import Finding
from sekisho.storage.tables.applications import loan_application
from sekisho.storage.tables.lender import line_check
from sekisho.web.lender.loan_sight import loan_of

OPEN, CLOSED = ContractState.OPEN, ContractState.CLOSED_TO_BORROWING


class Line:
    """A line of 500,000 yen that was applied for and signed, on an income of 4,000,000, and its checks."""

    def __init__(self, way, on_outage):
        self.way, self.house, self.bureau = way, way.house, way.bureau
        self.member_id = way.add_applicant()
        granted = way.screened(self.member_id)
        entered = way.enter(self.member_id)
        asyncio.run(way.documents.show_before_contract(self.member_id, granted.id))
        signed = asyncio.run(way.signing.sign(way.approve(entered, granted), granted.id, ARRIVAL))
        self.id, self.number = signed.contract.id, signed.contract.number
        self.signed_on = self.house.today()
        self.desk = LineCheckDesk(self.house, way.bureau, on_outage=on_outage)
        way.bureau.questions.clear()

    def checked(self, day):
        """Let a day come, and return how many lines were looked at on it."""
        self.way.at_hand.clock.set(noon_us(day))
        return asyncio.run(self.desk.check_due())

    def look(self):
        """Return what the contract allows, and what the last check found."""
        with self.house.store.read() as connection:
            check, contract = last_check(connection, self.id), find_contract(connection, self.id)
            assert contract is not None
            return contract.state, () if check is None else check.findings

    def sight(self):
        with self.house.store.read() as connection:
            return loan_of(connection, self.house, self.member_id)

    def borrow(self, key, yen):
        movement = Movement(key, Yen(yen), self.house.today(), "transfer", self.house.accounts.bank)
        return self.house.store.write(lambda at: self.house.loans.borrow(at, self.id, movement)).result()

    def repay(self, key, yen):
        movement = Movement(key, Yen(yen), self.house.today(), "transfer", self.house.accounts.bank)
        return self.house.store.write(lambda at: self.house.loans.repay(at, self.id, movement)).result()

    def told(self):
        return [kind for kind in self.way.at_hand.notices() if kind.startswith("line_")]


@pytest.fixture(name="line")
def _line(tmp_path, request):
    way = open_way_in(tmp_path)
    yield Line(way, getattr(request, "param", Posture.CLOSED))
    with way.house.store.read() as connection:
        assert first_fault(connection) is None
    way.close()


def later(day, months, days=0):
    """Return the day some months later, and some days."""
    return months_before(day, -months) + timedelta(days=days)


@pytest.mark.parametrize(
    ("day", "months", "before"),
    [
        (date(2026, 5, 31), 3, date(2026, 2, 28)),
        (date(2028, 5, 31), 3, date(2028, 2, 29)),
        (date(2026, 1, 15), 3, date(2025, 10, 15)),
        (date(2026, 11, 22), -3, date(2027, 2, 22)),
    ],
)
def test_months_end_on_days_that_there_are(day, months, before):
    assert months_before(day, months) == before


@pytest.mark.parametrize(
    ("today", "since"),
    [
        (date(2026, 11, 29), date(2026, 8, 29)),
        (date(2026, 11, 30), date(2026, 8, 31)),
        (date(2026, 2, 28), date(2025, 11, 30)),
        (date(2028, 2, 28), date(2027, 11, 28)),
        (date(2028, 2, 29), date(2027, 11, 30)),
        (date(2026, 5, 31), date(2026, 2, 28)),
        (date(2026, 12, 1), date(2026, 9, 1)),
    ],
)
def test_three_months_are_over_by_the_end_of_a_shorter_month(today, since):
    assert months_are_over(today, 3) == since


def test_a_line_of_the_end_of_a_month_is_looked_at_within_three_months(line):
    """Since 31 August they are over on 30 November, and not on 1 December."""
    last = date(line.signed_on.year + 1, 8, 31)
    assert line.checked(last) == 1
    assert line.checked(last.replace(month=11, day=29)) == 0
    assert line.checked(last.replace(month=11, day=30)) == 1


def test_a_clock_that_was_ahead_keeps_nobody_from_asking(line):
    """It was a year ahead for an hour, and the bureau contradicted every answer's day."""
    line.bureau.twisted = {"owed_yen": -1}
    assert line.checked(later(line.signed_on, 15)) == 0
    assert len(line.bureau.questions) == 1
    line.bureau.twisted = {}
    assert line.checked(later(line.signed_on, 3)) == 1
    assert line.look() == (OPEN, ())


def test_a_line_is_looked_at_every_three_months(line):
    assert line.checked(later(line.signed_on, 3, -1)) == 0
    assert line.checked(later(line.signed_on, 3)) == 1
    assert line.checked(later(line.signed_on, 6, -1)) == 0
    assert line.checked(later(line.signed_on, 6)) == 1
    assert len(line.bureau.questions) == 2
    assert line.look() == (OPEN, ())
    assert line.told() == []


@pytest.mark.parametrize(("lent", "repaid", "looks"), [(100_001, 0, 1), (50_001, 0, 0), (120_000, 40_000, 0)])
def test_a_month_in_which_much_was_lent_is_followed_by_a_look(line, lent, repaid, looks):
    """More than 50,000 yen within the month while more than 100,000 are owed."""
    first = later(line.signed_on.replace(day=1), 1)
    line.checked(first)
    assert isinstance(line.borrow("b1", lent), LoanEvent)
    if repaid:
        paid = Movement("p1", Yen(repaid), line.house.today(), "transfer", line.house.accounts.bank)
        line.house.store.write(lambda at: line.house.loans.repay(at, line.id, paid)).result()
    assert line.checked(later(first, 1, -1)) == 0
    assert line.checked(later(first, 1)) == looks
    assert line.checked(later(first, 1, 1)) == 0


def test_more_than_a_third_of_the_income_closes_it_and_less_opens_it_again(line):
    """To the yen: a third of 4,000,000 is 1,333,333, and our line is 500,000 of it."""
    day = later(line.signed_on, 3)
    line.bureau.known = Known(owed_yen=833_333, lenders=2)
    assert line.checked(day) == 1
    assert line.look() == (OPEN, ())
    line.bureau.known = Known(owed_yen=833_334, lenders=2)
    assert line.checked(later(day, 3)) == 1
    assert line.look() == (CLOSED, (Finding.ABOVE_A_THIRD,))
    assert line.borrow("b1", 10_000) is NotDone.BORROWING_CLOSED
    assert line.sight().closed_for == "above_a_third"
    assert line.told() == ["line_closed"] * 2
    assert line.checked(later(day, 6)) == 1
    assert line.told() == ["line_closed"] * 2
    line.bureau.known = Known()
    assert line.checked(later(day, 9)) == 1
    assert line.look() == (OPEN, ())
    assert line.sight().closed_for == ""
    assert isinstance(line.borrow("b2", 10_000), LoanEvent)
    assert line.told() == ["line_closed"] * 2 + ["line_opened"] * 2


@pytest.mark.parametrize(
    ("known", "state", "finding"),
    [
        (Known(lenders=1, written_off=True), CLOSED, Finding.WRITTEN_OFF),
        (Known(lenders=1, delayed=True), OPEN, Finding.DELAYED),
    ],
)
def test_what_else_the_bureau_says_is_on_record(line, known, state, finding):
    line.bureau.known = known
    assert line.checked(later(line.signed_on, 3)) == 1
    assert line.look() == (state, (finding,))


def test_a_bureau_that_is_down_is_asked_again_and_after_a_month_nothing_is_lent(line):
    """The line lends meanwhile; the first answer opens it again."""
    day = later(line.signed_on, 3)
    line.bureau.down = True
    assert line.checked(day) == 0
    line.way.at_hand.clock.advance(HOUR_US)
    assert asyncio.run(line.desk.check_due()) == 0
    assert len(line.bureau.questions) == 1
    assert line.checked(later(day, 1, -1)) == 0
    assert line.look() == (OPEN, ())
    assert line.checked(later(day, 1)) == 0
    assert line.look() == (CLOSED, ())
    assert line.sight().closed_for == "not_checked"
    assert line.told() == ["line_closed"] * 2
    line.bureau.down = False
    line.way.at_hand.clock.advance(DAY_US)
    assert asyncio.run(line.desk.check_due()) == 1
    assert line.look() == (OPEN, ())
    assert len({question.reference for question in line.bureau.questions}) == 1


@pytest.mark.parametrize("line", [Posture.OPEN], indirect=True)
def test_a_lender_can_go_on_lending_without_the_bureau(line):
    line.bureau.down = True
    assert line.checked(later(line.signed_on, 5)) == 0
    assert line.look() == (OPEN, ())


def test_an_answer_that_cannot_be_true_changes_nothing(line):
    line.bureau.twisted = {"owed_yen": -1}
    assert line.checked(later(line.signed_on, 3)) == 0
    assert line.look() == (OPEN, ())
    line.bureau.twisted = {}
    assert line.checked(later(line.signed_on, 3, 1)) == 1


def test_a_line_that_nobody_can_read_keeps_no_other_from_being_looked_at(line):
    """Its application does not open: it lends until it is late, and then no more."""
    damaged, whole = line, Line(line.way, Posture.CLOSED)
    its = update(loan_application).where(loan_application.c.contract_id == damaged.id)
    line.house.store.write(lambda at: at.execute(its.values(said=b"damaged"))).result()
    assert whole.checked(later(line.signed_on, 4)) == 1
    assert whole.look() == (OPEN, ())
    assert damaged.look() == (CLOSED, ())


def test_two_processes_that_ask_at_once_take_one_answer(line, monkeypatch):
    """Both found the line before either had asked; the second finds the answer taken, and goes on."""
    line.way.at_hand.clock.set(noon_us(later(line.signed_on, 3)))
    with line.house.store.read() as connection:
        found = due(connection, line.house.today(), line.house.clock.now_us(), 10)
    monkeypatch.setattr("sekisho.lender.line_check_desk.due", lambda *_: found)
    other = LineCheckDesk(line.house, line.bureau, on_outage=Posture.CLOSED)

    async def both():
        met = asyncio.Barrier(2)
        ask = line.bureau.ask

        async def asked_together(question):
            await met.wait()
            return await ask(question)

        line.bureau.ask = asked_together
        async with asyncio.timeout(20):
            return await asyncio.gather(line.desk.check_due(), other.check_due())

    assert asyncio.run(both()) == [1, 1]
    assert len({question.reference for question in line.bureau.questions}) == 1
    with line.house.store.read() as connection:
        assert len(connection.execute(select(line_check)).all()) == 1
