"""What the bank's staff decide: held links released, links stopped, reports decided; each deed on record."""

import asyncio

import pytest
from sqlalchemy import select
from tests.bank.mandate_at_hand import open_bank

from sekisho.bank import reports
from sekisho.bank.mandate_states import Actor, Deed, MandateState, Who
from sekisho.bank.orders import Why
from sekisho.bank.review_desk import ReviewDesk
from sekisho.kernel.clock import DAY_US
from sekisho.response import audit
from sekisho.storage.tables.cases import case_file

BY = "stf-1"


@pytest.fixture
def bank(tmp_path):
    opened = open_bank(tmp_path)
    yield opened
    opened.audit()
    opened.bank.store.close()


def acts(bank):
    return [(one.act, one.actor, one.reason) for one in bank.look(audit.search)]


def held(bank):
    mandate = bank.mandate()
    bank.debit(mandate, 100_000, "a")
    assert bank.debit(mandate, 90_000, "b").why is Why.HELD_FOR_REVIEW
    return mandate


def test_a_held_link_waits_and_is_released(bank):
    mandate, desk = held(bank), ReviewDesk(bank.bank)
    assert [one.id for one in asyncio.run(desk.held())] == [mandate.id]
    assert asyncio.run(desk.release(mandate.id, by=BY, reason="called the depositor"))
    assert not asyncio.run(desk.release(mandate.id, by=BY, reason="again"))
    assert asyncio.run(desk.held()) == []
    bank.clock.advance(DAY_US)
    assert bank.debit(mandate, 90_000, "c").why is Why.DONE
    assert acts(bank) == [("bank:link_released", BY, "called the depositor")]
    assert bank.at_hand.notices() == ["account_debited", "debit_held", "mandate_allowed"]


def test_what_the_depositor_has_stopped_staff_do_not_release(bank):
    mandate, desk = held(bank), ReviewDesk(bank.bank)
    bank.deed(mandate, Deed.STOP)
    assert asyncio.run(desk.release(mandate.id, by=BY, reason="looked fine"))
    assert bank.now(mandate).state is MandateState.SUSPENDED
    assert bank.debit(mandate, 1_000, "c").why is Why.DEPOSITOR_STOPPED
    assert "mandate_allowed" not in bank.at_hand.notices()


def test_staff_stop_a_link_and_what_they_opened_is_on_record(bank):
    mandate, desk = bank.mandate(), ReviewDesk(bank.bank)
    assert asyncio.run(desk.stop(mandate.id, by=BY, reason="police asked"))
    seen = asyncio.run(desk.review(mandate.id, by=BY, reason="case 1"))
    assert seen.moves[-1].by == f"bank:{BY}"
    assert bank.debit(mandate, 1_000).why is Why.BANK_STOPPED
    assert {act for act, *_ in acts(bank)} == {"bank:link_stopped", "bank:link_seen"}


@pytest.mark.parametrize(
    ("was_fraud", "state", "stage", "yen"),
    [(True, "revoked", "confirmed", 5_000), (False, "suspended", "withdrawn", 0)],
)
def test_a_report_is_decided_once_and_its_case_with_it(bank, was_fraud, state, stage, yen):
    mandate, desk = bank.mandate(), ReviewDesk(bank.bank)
    bank.debit(mandate, 5_000)
    by = Actor(Who.DEPOSITOR, "mem_x")
    report = bank.do(lambda at: reports.report_within(at, bank.bank, mandate, by))
    assert [one.id for one in asyncio.run(desk.reported())] == [report.id]
    for first in (True, False):
        decided = desk.decide(report.id, was_fraud=was_fraud, by=BY, reason="evidence")
        assert asyncio.run(decided) is first
    assert bank.now(mandate).state == state
    assert ("bank:report_decided", BY, "evidence") in acts(bank)
    its = select(case_file.c.stage, case_file.c.loss_yen)
    assert bank.look(lambda at: at.execute(its).all()) == [(stage, yen)]
