"""Switches for what is new, and for risky sessions, stop exactly that at the wallet's gate."""

import pytest
from sqlalchemy import update
from tests.wallet.links_at_hand import ARRIVAL, BANK, within

from sekisho.identity.assurance import Way
from sekisho.kernel.yen import Yen
from sekisho.response.money_gates import Held, HeldFor
from sekisho.response.switch_desk import SwitchDesk, Wish
from sekisho.response.switches import AppliesTo, Scope
from sekisho.storage.tables.sessions import session
from sekisho.wallet.bank_move_desk import BankMoveDesk
from sekisho.wallet.bank_moves import MoveState
from sekisho.wallet.switch_book import WalletSwitches


async def switched(there, **scope):
    """Switch something off, as two people do, and return the desk of movements that asks for it."""
    switches = SwitchDesk(there.parts)
    wish = Wish(scope=Scope(**scope), reason="incident", open_ways=("payment",))
    made = await switches.set(wish, by="staff-1")
    await switches.approve(made.id, by="staff-2")
    there.switches = WalletSwitches(there.parts)
    return BankMoveDesk(there.wallet.house, there.gatekeeper(), there.booked_orders)


async def moved(there, desk, present, link, *, out=False, key="w"):
    """Wish for a movement, approve it, and return what came of it."""
    take = desk.pay_out if out else desk.charge
    wished = await take(present, link.id, Yen(3_000), key)
    proven = there.prove(present, wished.purpose, Way.PASSKEY)
    return await desk.approve(proven, ARRIVAL, wished.move.id)


@pytest.mark.parametrize("function", ["charge", "payout"])
@pytest.mark.parametrize("applies_to", [AppliesTo.NEW, AppliesTo.EXISTING])
def test_a_switch_for_what_is_new_stops_the_first_time_over_a_link_alone(tmp_path, function, applies_to):
    """A bank stops first charges while links that have been used go on, or the other way round."""

    async def use(there):
        member, out = there.wallet.add_verified(), function == "payout"
        link, present = await there.old_link(member), there.enter(member)
        there.wallet.give(member, 20_000, key="gift")
        before = there.moves
        desk = await switched(there, function=function, partner=BANK, applies_to=applies_to)
        first = await moved(there, desk, present, link, out=out, key="first")
        await moved(there, before, present, link, out=out, key="second")
        later = await moved(there, desk, present, link, out=out, key="third")
        return [isinstance(each, Held) and each.why is HeldFor.SWITCHED_OFF for each in (first, later)]

    assert within(tmp_path, use) == [applies_to is AppliesTo.NEW, applies_to is AppliesTo.EXISTING]


@pytest.mark.parametrize(("risk", "is_stopped"), [(0.01, False), (0.4, True)])
def test_a_switch_for_risky_sessions_leaves_the_others_alone(tmp_path, risk, is_stopped):
    async def use(there):
        member = there.wallet.add_verified()
        link, present = await there.old_link(member), there.enter(member)
        born = update(session).where(session.c.id == present.session.id).values(risk=risk)
        there.wallet.write(lambda at: at.execute(born))
        desk = await switched(there, function="charge", risk_from=0.3)
        return await moved(there, desk, present, link)

    outcome = within(tmp_path, use)
    assert isinstance(outcome, Held) if is_stopped else outcome.state is MoveState.DONE
