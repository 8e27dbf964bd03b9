"""A newer income under a contract: declared, proven by the source or by a person; the line follows it."""

import asyncio
from collections.abc import Iterator

import pytest
from sqlalchemy import select, update
from tests.lender.applicants import open_way_in
from tests.lender.test_line_checks import CLOSED, OPEN, Line, later

from sekisho.kernel.clock import DAY_US, HOUR_US, MINUTE_US
from sekisho.kernel.posture import OperationalError, Posture
from sekisho.kernel.yen import Yen
from sekisho.lender.contract_ends import ContractEndDesk
from sekisho.lender.credit_bureau import Known
from sekisho.lender.income_checks import IncomeAnswer, IncomeDocument
from sekisho.lender.income_renewal_desk import IncomeReadingDesk, IncomeRenewalDesk
from sekisho.lender.income_renewals import (
    Declared,
    IncomePaper,
    IncomeRenewalKeyReused,
    IncomeRenewalNotFound,
    IncomeRenewalOver,
    IncomeRenewalUnderWay,
    IncomeRenewalUnusable,
    NoLineToRenew,
    NotTaken,
    RenewalState,
    income_of_line,
)
from sekisho.lender.screening import Finding
from sekisho.response.staff import StaffIdUnusable
from sekisho.storage.tables.applications import loan_application
from sekisho.storage.tables.audit import staff_act
from sekisho.storage.tables.lender import income_renewal

SLIP = IncomePaper.WITHHOLDING_SLIP
MORE = Declared(Yen(6_000_000), SLIP)
ASKED, READS, PROVEN = RenewalState.ASKED, RenewalState.A_PERSON_READS, RenewalState.PROVEN


class SettableSource:
    """A source of incomes that can be set, fall silent, or answer something else."""

    def __init__(self):
        self.income_yen: int | None = None
        self.down = False
        self.answers_other = False
        self.references = []

    async def ask(self, question):
        self.references.append(question.reference)
        if self.down:
            raise OperationalError("incomes", "HTTP 503")
        reference = "another" if self.answers_other else question.reference
        return IncomeAnswer(reference=reference, income_yen=self.income_yen)


class Closed:
    """A line that a look closed: on an income of 4,000,000 yen others lend 900,000 beside our 500,000."""

    def __init__(self, folder):
        self.line = Line(open_way_in(folder), Posture.CLOSED)
        self.house, self.clock = self.line.house, self.line.way.at_hand.clock
        self.line.bureau.known = Known(owed_yen=900_000, lenders=1)
        assert self.line.checked(later(self.line.signed_on, 3)) == 1
        assert self.line.look()[0] == CLOSED
        self.source = SettableSource()
        self.reading = IncomeReadingDesk(self.house)

    def desk(self, on_outage=Posture.OPEN, source=None):
        return IncomeRenewalDesk(self.house, source or self.source, self.line.desk, on_outage=on_outage)

    def declare(self, declared=MORE, key="k1", desk=None):
        return asyncio.run((desk or self.desk()).declare(self.line.member_id, key, declared))

    def go_on(self, desk=None):
        return asyncio.run((desk or self.desk()).go_on())

    def read(self, renewal, yen, by="aoki"):
        document = IncomeDocument(staff_id=by, reference="shelf 3", income=Yen(yen))
        return asyncio.run(self.reading.read(renewal.id, document))

    def refuse(self, renewal, why=NotTaken.UNREADABLE):
        return asyncio.run(self.reading.refuse(renewal.id, why, by="aoki"))

    def standing(self):
        return asyncio.run(self.desk().standing(self.line.member_id))

    def told(self):
        return [kind for kind in self.line.way.at_hand.notices() if kind == "income_decided"]


@pytest.fixture(name="closed")
def _closed(tmp_path) -> Iterator[Closed]:
    opened = Closed(tmp_path)
    yield opened
    opened.line.way.close()


def test_an_income_that_the_source_knows_opens_the_line_at_once(closed):
    """To the yen: a third of 4,200,000 is 1,400,000, which is what all lend with our line."""
    closed.source.income_yen = 4_200_000
    renewal = closed.declare()
    assert (renewal.state, renewal.proven.income_yen) == (PROVEN, 4_200_000)
    assert closed.source.references == [renewal.id]
    assert closed.line.look() == (OPEN, ())
    assert closed.told() == ["income_decided"] * 2
    assert closed.declare() == renewal
    assert len(closed.source.references) == 1


def test_one_yen_less_leaves_it_closed(closed):
    closed.source.income_yen = 4_199_999
    assert closed.declare().state is PROVEN
    assert closed.line.look() == (CLOSED, (Finding.ABOVE_A_THIRD,))


def test_less_than_before_closes_a_line_that_was_open(closed):
    """What was proven last counts, whatever was declared."""
    closed.line.bureau.known = Known()
    closed.line.checked(later(closed.line.signed_on, 6))
    assert closed.line.look() == (OPEN, ())
    closed.source.income_yen = 1_400_000
    closed.declare()
    assert closed.line.look() == (CLOSED, (Finding.ABOVE_A_THIRD,))


def test_what_the_source_does_not_know_a_person_reads(closed):
    """The declaration alone opens nothing; the person's figure does, and who read it is on record."""
    renewal = closed.declare()
    assert renewal.state is READS
    assert closed.line.look()[0] == CLOSED
    assert [sight.renewal for sight in asyncio.run(closed.reading.waiting())] == [renewal]
    seen = asyncio.run(closed.reading.look(renewal.id, "aoki"))
    assert (seen.renewal.income_yen, seen.contract.number) == (6_000_000, closed.line.number)
    read = closed.read(renewal, 5_000_000)
    assert closed.read(renewal, 5_000_000) == read
    assert (read.proven.reference, read.proven.staff_id) == ("shelf 3", "aoki")
    assert closed.line.look()[0] == CLOSED
    assert closed.go_on() == 1
    assert closed.line.look() == (OPEN, ())
    assert closed.go_on() == 0
    with closed.house.store.read() as connection:
        of_incomes = select(staff_act.c.act, staff_act.c.subject, staff_act.c.reason).where(
            staff_act.c.act.startswith("income:")
        )
        acts = connection.execute(of_incomes).all()
    assert acts == [("income:seen", renewal.id, ""), ("income:read", renewal.id, "")]
    assert asyncio.run(closed.reading.waiting()) == []


def test_a_line_that_nobody_can_read_keeps_no_other_waiting_for_its_income(closed):
    closed.line.bureau.known = Known()
    other = Line(closed.line.way, Posture.CLOSED)
    for line, key in ((closed.line, "k1"), (other, "k2")):
        declared = asyncio.run(closed.desk().declare(line.member_id, key, MORE))
        closed.read(declared, 5_000_000)
    its = update(loan_application).where(loan_application.c.contract_id == closed.line.id)
    closed.house.store.write(lambda at: at.execute(its.values(said=b"damaged"))).result()
    assert closed.go_on() == 1
    assert (closed.line.look()[0], other.look()[0]) == (CLOSED, OPEN)


def test_an_answer_to_something_else_proves_nothing(closed):
    closed.source.income_yen, closed.source.answers_other = 9_000_000, True
    assert closed.declare().state is READS


def test_without_a_source_a_person_reads_every_document(closed):
    desk = IncomeRenewalDesk(closed.house, None, closed.line.desk, on_outage=Posture.CLOSED)
    assert closed.declare(desk=desk).state is READS


def test_a_source_that_is_down_means_what_was_stated(closed):
    """CLOSED: it is asked again, under the same id; OPEN: a person reads."""
    closed.source.down = True
    waits = closed.desk(Posture.CLOSED)
    renewal = closed.declare(desk=waits)
    assert renewal.state is ASKED
    assert closed.go_on(waits) == 0
    with pytest.raises(IncomeRenewalOver):
        closed.read(renewal, 5_000_000)
    closed.source.down, closed.source.income_yen = False, 6_000_000
    assert closed.go_on(waits) == 1
    assert set(closed.source.references) == {renewal.id}
    assert closed.standing().state is PROVEN
    assert closed.line.look() == (OPEN, ())


def test_a_source_that_is_down_sends_it_to_a_person_where_that_was_stated(closed):
    closed.source.down = True
    assert closed.declare().state is READS


def test_a_bureau_that_is_down_is_asked_again_each_hour(closed):
    """The line stays as it is meanwhile, and no later proof is needed."""
    closed.source.income_yen, closed.line.bureau.down = 6_000_000, True
    assert closed.declare().state is PROVEN
    assert closed.line.look()[0] == CLOSED
    closed.line.bureau.down = False
    closed.clock.advance(59 * MINUTE_US)
    assert closed.go_on() == 0
    closed.clock.advance(HOUR_US)
    assert closed.go_on() == 1
    assert closed.line.look() == (OPEN, ())


@pytest.mark.parametrize("income", [0, -1, 10**10 + 1])
def test_an_income_that_nobody_has_is_refused(closed, income):
    with pytest.raises(IncomeRenewalUnusable):
        closed.declare(Declared(Yen(income), SLIP))
    assert closed.standing() is None


def test_one_declaration_is_under_way_at_a_time(closed):
    """The same again is the same one; it can be taken back, and then another one be made."""
    renewal = closed.declare()
    assert closed.declare() == renewal
    with pytest.raises(IncomeRenewalKeyReused):
        closed.declare(Declared(Yen(1), SLIP))
    with pytest.raises(IncomeRenewalUnderWay):
        closed.declare(key="k2")

    def withdraw(member_id):
        return asyncio.run(closed.desk().withdraw(member_id, renewal.id))

    with pytest.raises(IncomeRenewalNotFound):
        withdraw("mem_other")
    assert withdraw(closed.line.member_id).state is RenewalState.WITHDRAWN
    assert withdraw(closed.line.member_id).state is RenewalState.WITHDRAWN
    for late in (closed.refuse, lambda one: closed.read(one, 1)):
        with pytest.raises(IncomeRenewalOver):
            late(renewal)
    closed.source.income_yen = 6_000_000
    assert closed.declare(key="k2").state is PROVEN


def test_a_document_that_proves_nothing_is_refused_with_a_reason(closed):
    """The line stays as it was, the member is told, and another document can be declared."""
    renewal = closed.declare()
    refused = closed.refuse(renewal, NotTaken.OUTDATED)
    assert (refused.state, refused.refused_for) == (RenewalState.REFUSED, "outdated")
    assert closed.refuse(renewal, NotTaken.OUTDATED) == refused
    with pytest.raises(IncomeRenewalOver):
        closed.refuse(renewal, NotTaken.UNREADABLE)
    assert closed.told() == ["income_decided"] * 2
    assert closed.go_on() == 0
    assert closed.line.look()[0] == CLOSED
    assert closed.declare(key="k2").state is READS


def test_who_reads_is_named_and_what_is_read_can_be(closed):
    renewal = closed.declare()
    with pytest.raises(StaffIdUnusable):
        closed.read(renewal, 1, by="Frau Aoki")
    with pytest.raises(ValueError, match="nobody has"):
        closed.read(renewal, -1)
    with pytest.raises(IncomeRenewalNotFound):
        asyncio.run(closed.reading.look("inr_none", "aoki"))


def test_what_is_declared_and_proven_is_sealed(closed):
    closed.source.income_yen = 6_543_210
    closed.declare(Declared(Yen(6_543_210), SLIP))
    with closed.house.store.read() as connection:
        row = connection.execute(select(income_renewal)).mappings().one()
        proven = income_of_line(connection, closed.house, closed.line.id, "")
    assert b"6543210" not in row["declared"] + row["proven"]
    assert proven is not None
    assert proven.income_yen == 6_543_210


def test_a_contract_that_ends_ends_what_waits_and_takes_no_other(closed):
    renewal = closed.declare()
    end = ContractEndDesk(closed.house).end_at_request(closed.line.number, by="aoki", reason="asked")
    assert asyncio.run(end) is True
    assert closed.standing().state is RenewalState.WITHDRAWN
    with pytest.raises(IncomeRenewalOver):
        closed.read(renewal, 5_000_000)
    with pytest.raises(NoLineToRenew):
        closed.declare(key="k2")


def test_the_regular_review_goes_by_what_was_proven_last(closed):
    """Three months later the newer income still counts."""
    closed.source.income_yen = 6_000_000
    closed.declare()
    assert closed.line.checked(later(closed.line.signed_on, 9)) == 1
    assert closed.line.look() == (OPEN, ())


def test_of_two_proofs_the_later_one_counts(closed):
    """Less than before, proven a month after more, closes the line again."""
    closed.source.income_yen = 6_000_000
    closed.declare()
    assert closed.line.look() == (OPEN, ())
    closed.clock.advance(30 * DAY_US)
    closed.source.income_yen = 4_000_000
    assert closed.declare(key="k2").state is PROVEN
    assert closed.line.look() == (CLOSED, (Finding.ABOVE_A_THIRD,))
