"""A person decides what a machine's word could not: never more than was approved, once, with a reason."""

import asyncio

import pytest
from tests.lender.atm_at_hand import NETWORK

from sekisho.kernel.yen import Yen
from sekisho.lender.atm_disputes import (
    AtmAmountNotOrdered,
    AtmOrderNotDisputed,
    Decision,
    DisputeDesk,
)
from sekisho.lender.atm_machines import AtmOrderUnknown
from sekisho.lender.atm_network import CashAnswer, CashState
from sekisho.response.staff import StaffIdUnusable


@pytest.fixture(name="desk")
def _desk(atm):
    return DisputeDesk(atm.house)


def disputed(atm, *, given=90_000):
    """Let a machine say that it gave more than it was asked for; return member and order."""
    member_id = atm.member()
    session_id = atm.approved(atm.entered(member_id), 30_000)
    atm.line.cut = "request"
    atm.type(session_id)
    order_id = atm.order(session_id)["id"]
    answer = CashAnswer(order_id=order_id, state=CashState.DONE, moved_yen=given)
    asyncio.run(atm.desk.confirm(NETWORK, answer))
    assert atm.order(session_id)["state"] == "disputed"
    return member_id, order_id


def decide(desk, order_id, yen, *, by="tanaka", reason="counted the vault"):
    return asyncio.run(desk.decide(order_id, Decision(by, Yen(yen), reason)))


def test_what_was_moved_is_owed_with_the_fee_for_that_much(atm, desk):
    """And what was kept apart beyond it is free again."""
    member_id, order_id = disputed(atm)
    assert atm.principal(member_id) == (0, 30_220)
    assert [one.order_id for one in asyncio.run(desk.findings())] == [order_id]
    assert [one.id for one in asyncio.run(desk.disputed())] == [order_id]
    ended = decide(desk, order_id, 10_000)
    assert (ended.state, ended.moved_yen, ended.fee_yen) == ("dispensed", 10_000, 110)
    assert atm.principal(member_id) == (10_110, 0)
    assert asyncio.run(desk.findings()) == []
    assert asyncio.run(desk.disputed()) == []
    (closed,) = [event for event in atm.at.events() if event.kind == "atm:discrepancy:closed"]
    assert closed.subject.startswith(order_id)
    assert b"tanaka" in closed.body
    assert b"counted the vault" not in closed.body


def test_where_nothing_was_moved_all_of_it_is_free_again(atm, desk):
    """The member owes nothing."""
    member_id, order_id = disputed(atm)
    assert decide(desk, order_id, 0).state == "failed"
    assert atm.principal(member_id) == (0, 0)


def test_what_a_machine_gave_beyond_the_approval_is_no_debt(atm, desk):
    """Nor does it become one by a person's word."""
    member_id, order_id = disputed(atm)
    for yen in (30_001, 90_000, -1):
        with pytest.raises(AtmAmountNotOrdered):
            decide(desk, order_id, yen)
    assert atm.principal(member_id) == (0, 30_220)
    assert decide(desk, order_id, 30_000).state == "dispensed"


def test_a_decision_is_made_once_with_a_reason_by_somebody(atm, desk):
    """What is not disputed is not decided, and what is not known either."""
    _, order_id = disputed(atm)
    for reason in (" ", "x" * 3_000):
        with pytest.raises(ValueError, match="reason"):
            decide(desk, order_id, 0, reason=reason)
    with pytest.raises(StaffIdUnusable):
        decide(desk, order_id, 0, by="Frau Tanaka")
    decide(desk, order_id, 0)
    with pytest.raises(AtmOrderNotDisputed):
        decide(desk, order_id, 0)
    with pytest.raises(AtmOrderUnknown):
        decide(desk, "ato_nothing", 0)
    with pytest.raises(AtmOrderNotDisputed):
        asyncio.run(desk.close(order_id, "tanaka", "again"))
