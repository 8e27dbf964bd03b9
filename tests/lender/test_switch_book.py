"""The lender's gates meet a switch that was thrown, at the next question."""

import asyncio

import pytest
from tests.lender.lender_at_hand import open_lender
from tests.response.test_switches import wish

from sekisho.lender.switch_book import LenderSwitches
from sekisho.lender.switches import Function, Usage
from sekisho.response.switch_desk import SwitchDesk


@pytest.fixture
def lender(tmp_path):
    opened = open_lender(tmp_path)
    yield opened
    opened.house.store.close()


def test_a_function_is_off_at_the_next_question(lender):
    """A switch that was thrown stands in the way at once, and names the lender's own ways that are open."""
    switches, desk = LenderSwitches(lender.house.parts), SwitchDesk(lender.house.parts)
    usage = Usage(Function.ATM_WITHDRAWAL, lender.member_id, "net")
    assert asyncio.run(switches.off_for(usage)) is None
    open_ways = ("transfer_loan", "card_atm")
    asyncio.run(desk.set(wish(open_ways=open_ways, members=[lender.member_id]), by="sato"))
    off = asyncio.run(switches.off_for(usage))
    assert off is not None
    assert off.open_ways == (Function.TRANSFER_LOAN,)
    assert "カードでのATMのご利用" in off.told["ja"]
    assert asyncio.run(switches.off_for(Usage(Function.TRANSFER_LOAN, lender.member_id))) is None
