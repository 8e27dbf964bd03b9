"""The credit bureau: asked before each contract, on record, believed only where it answers the question."""

import asyncio
from datetime import date

import msgspec
import pytest
from sqlalchemy import select
from tests.lender.applicants import BORN, KANA, NAME, open_way_in
from tests.lender.partner_server import http, serving

from sekisho.kernel.clock import HOUR_US, MINUTE_US
from sekisho.kernel.posture import OperationalError, Posture
from sekisho.kernel.yen import Yen
from sekisho.lender.applications import Application, NotAtThisStep, State
from sekisho.lender.bureau_queries import answer_of, last_query
from sekisho.lender.credit_bureau import (
    BureauAnswer,
    Contradiction,
    HttpCreditBureau,
    Question,
    TableCreditBureau,
    record_of,
)
from sekisho.lender.income_checks import HttpIncomeSource, IncomeDocument, IncomeQuestion, TableIncomeSource
from sekisho.lender.screening_desk import Waiting
from sekisho.response import audit
from sekisho.storage.tables.applications import bureau_query

DAY = date(2026, 9, 21)
QUESTION = Question(reference="bqr_1", asked_on=DAY, name=NAME, name_kana=KANA, born_on=BORN)
CLEAN = BureauAnswer(
    reference="bqr_1",
    asked_on=DAY,
    born_on=BORN,
    owed_yen=0,
    lenders=0,
    delayed=False,
    written_off=False,
    applications_last_month=0,
)


@pytest.fixture
def way(tmp_path):
    opened = open_way_in(tmp_path)
    yield opened
    opened.close()


def queries(way):
    with way.house.store.read() as connection:
        return connection.execute(select(bureau_query).order_by(bureau_query.c.id)).all()


def screen(way, application):
    return asyncio.run(way.screening.screen(application.id))


def test_the_question_and_its_answer_are_on_record(way):
    granted = way.screened(way.add_applicant())
    (query,) = queries(way)
    assert (query.id, query.tries, query.trouble) == (granted.found.query_id, 1, "")
    with way.house.store.read() as connection:
        answer = answer_of(connection, way.house, query.id)
    assert answer is not None
    assert answer.reference == query.id
    assert NAME.encode() not in query.answer


def test_while_the_bureau_is_down_the_application_waits(way):
    """Nothing is guessed, and the question that is asked again is the same one."""
    application = way.checked(way.add_applicant())
    way.bureau.down = True
    waiting = screen(way, application)
    assert isinstance(waiting, Waiting)
    assert way.states(application)[-1] == "identity_checked"
    assert screen(way, application) == waiting
    assert len(way.bureau.questions) == 1
    way.at_hand.clock.advance(MINUTE_US)
    way.bureau.down = False
    assert screen(way, application).state is State.GRANTED
    first, second = way.bureau.questions
    assert first.reference == second.reference
    assert len(queries(way)) == 1


def test_the_pause_grows_to_an_hour(way):
    application = way.checked(way.add_applicant())
    way.bureau.down = True
    pauses = []
    for _ in range(9):
        waiting = screen(way, application)
        pauses.append(waiting.not_before_us - way.house.clock.now_us())
        way.at_hand.clock.set(waiting.not_before_us)
    assert [pause // MINUTE_US for pause in pauses] == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert max(pauses) == HOUR_US


def test_an_answer_that_was_lost_is_asked_for_again(way):
    """The process ended between the question and its answer: the row is there, and nothing else."""
    application = way.checked(way.add_applicant())
    way.bureau.down = True
    screen(way, application)
    way.bureau.down = False
    way.at_hand.clock.advance(MINUTE_US)
    assert asyncio.run(way.screening.screen_waiting()) == 1
    assert asyncio.run(way.screening.screen_waiting()) == 0
    assert way.states(application)[-1] == "granted"


@pytest.mark.parametrize(
    "twisted",
    [
        {"reference": "bqr_other"},
        {"born_on": date(1990, 4, 3)},
        {"asked_on": date(2020, 1, 1)},
        {"owed_yen": -1},
        {"owed_yen": 100_000, "lenders": 0},
        {"delayed": True, "lenders": 0},
        {"applications_last_month": -1},
    ],
)
def test_an_answer_that_contradicts_is_no_answer(way, twisted):
    """It is kept for staff; the next question is a new one."""
    application = way.checked(way.add_applicant())
    way.bureau.twisted = twisted
    waiting = screen(way, application)
    assert isinstance(waiting, Waiting)
    assert "contradiction" in waiting.why
    assert way.states(application)[-1] == "identity_checked"
    way.bureau.twisted = {}
    way.at_hand.clock.advance(MINUTE_US)
    assert screen(way, application).state is State.GRANTED
    assert [bool(query.trouble) for query in queries(way)] == [True, False]


def test_lending_without_the_bureau_cannot_be_set(tmp_path):
    with pytest.raises(ValueError, match="credit bureau"):
        open_way_in(tmp_path, bureau=Posture.OPEN)


def test_screening_twice_decides_once(way):
    application = way.checked(way.add_applicant())

    async def both():
        return await asyncio.gather(*(way.screening.screen(application.id) for _ in range(2)))

    one, other = asyncio.run(both())
    assert isinstance(one, Application)
    assert one == other
    assert screen(way, application) == one
    assert way.states(application).count("granted") == 1
    assert way.at_hand.notices() == ["application_decided"] * 2


def test_who_takes_it_back_meanwhile_gets_no_offer(way):
    application = way.checked(way.add_applicant())
    ask = way.bureau.ask

    async def ask_and_withdraw(question):
        await way.applications.withdraw(application.member_id, application.id)
        return await ask(question)

    way.bureau.ask = ask_and_withdraw
    assert screen(way, application).state is State.WITHDRAWN


class _Silent:
    async def ask(self, question):
        raise OperationalError("incomes", str(question.reference)[:4])


@pytest.mark.parametrize(("posture", "state"), [(Posture.OPEN, "refused"), (Posture.CLOSED, None)])
def test_without_the_source_of_incomes_it_waits_or_counts_as_not_proven(tmp_path, posture, state):
    """A line of 600,000 yen needs a proof of income."""
    way = open_way_in(tmp_path, incomes=_Silent(), income=posture)
    application = way.checked(way.add_applicant(), wanted_yen=600_000)
    answer = screen(way, application)
    if state is None:
        assert isinstance(answer, Waiting)
        assert way.bureau.questions == []
    else:
        assert (answer.state, answer.found.findings) == (state, ("income_proof_missing",))
    way.close()


def test_a_source_that_knows_the_income_proves_it(tmp_path):
    """What is proven counts, and not what was said."""
    way = open_way_in(tmp_path, incomes=TableIncomeSource({(KANA, BORN): 3_000_000}))
    granted = way.screened(way.add_applicant(), wanted_yen=2_000_000)
    assert granted.found is not None
    assert (granted.limit_yen, granted.found.income_proven) == (1_000_000, True)
    way.close()


def test_a_document_proves_the_income_until_screening(way):
    application = way.checked(way.add_applicant(), wanted_yen=600_000)
    for yen in (9_000_000, 4_000_000):
        document = IncomeDocument(staff_id="sato", reference="scan/7", income=Yen(yen))
        asyncio.run(way.incomes.record(application.id, document))
    assert screen(way, application).limit_yen == 600_000
    with pytest.raises(NotAtThisStep):
        asyncio.run(way.incomes.record(application.id, document))
    with way.house.store.read() as connection:
        acts = audit.search(connection, act="application:income_proven")
    assert [(one.actor, one.subject) for one in acts] == [("sato", application.id)] * 2


def test_the_adapter_asks_with_the_querys_id_as_key():
    async def run():
        async with serving(lambda _: http("200 OK", msgspec.json.encode(CLEAN)), "k3y") as (partner, came):
            return await HttpCreditBureau(partner).ask(QUESTION), came

    answer, (request,) = asyncio.run(run())
    assert answer == CLEAN
    assert b"idempotency-key: bqr_1" in request.lower()
    assert b"authorization: bearer k3y" in request.lower()
    assert msgspec.json.decode(request.partition(b"\r\n\r\n")[2], type=Question) == QUESTION


@pytest.mark.parametrize(
    "answer",
    [
        http("503 Service Unavailable", b"{}"),
        http("302 Found", b"", "Location: http://127.0.0.1:1/"),
        http("200 OK", b"{}"),
        http("200 OK", b'{"reference": "bqr_1", "owed_yen": "12"}'),
        http("200 OK", b"\xff\xfe"),
        http("200 OK", b"[" * 70_000),
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
        b"",
    ],
)
def test_whatever_is_no_answer_is_an_outage(answer):
    async def run():
        async with serving(lambda _: answer) as (partner, _):
            await HttpCreditBureau(partner).ask(QUESTION)

    with pytest.raises(OperationalError) as outage:
        asyncio.run(run())
    assert NAME not in str(outage.value)


def test_a_slow_partner_is_not_waited_for():
    async def run():
        async with serving(lambda _: None) as (partner, _):
            await HttpCreditBureau(partner._replace(patience_s=0.5)).ask(QUESTION)

    with pytest.raises(OperationalError, match="no answer in time"):
        asyncio.run(run())


def test_the_income_adapter_takes_a_source_that_knows_nothing():
    question = IncomeQuestion(reference="r", name=NAME, name_kana=KANA, born_on=BORN)

    async def run():
        body = b'{"reference": "r", "income_yen": null}'
        async with serving(lambda _: http("200 OK", body)) as (partner, _):
            return await HttpIncomeSource(partner).ask(question)

    assert asyncio.run(run()).income_yen is None


def test_the_table_knows_nothing_against_a_stranger():
    answer = asyncio.run(TableCreditBureau({}).ask(QUESTION))
    assert answer == CLEAN
    assert not isinstance(record_of(QUESTION, answer), Contradiction)


def test_the_last_question_is_found(way):
    application = way.screened(way.add_applicant())
    with way.house.store.read() as connection:
        found = last_query(connection, application.id)
        assert found is not None
        assert found.id == application.found.query_id
        assert last_query(connection, "apl_other") is None
