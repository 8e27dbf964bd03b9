"""Cash at the smartphone ATM: who gets it, who does not, and what stands in the books afterwards."""

import asyncio

from sekisho.kernel.yen import Yen


def test_a_member_draws_cash_and_owes_it_with_the_fee(atm):
    member_id = atm.member()
    session_id = atm.approved(atm.entered(member_id), 30_000)
    assert atm.principal(member_id) == (0, 30_220)

    entered = atm.type(session_id)

    assert entered.result == "paying"
    assert atm.cash_given() == 30_000
    assert atm.principal(member_id) == (30_220, 0)
    assert atm.order(session_id)["state"] == "dispensed"
    assert atm.cash_booked() == 30_220
