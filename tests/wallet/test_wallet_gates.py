"""The wallet's gate: what an outage means is said where it is opened, and doubts ask for a passkey."""

import pytest
from tests.wallet.links_at_hand import ARRIVAL, BANK, within

from sekisho.guard.attempts import Gate
from sekisho.identity.assurance import InsufficientAuthentication, StepUp, Way
from sekisho.identity.holds import OnHold
from sekisho.identity.purposes import Purpose
from sekisho.kernel.posture import Posture
from sekisho.kernel.yen import Yen
from sekisho.response.money_gates import (
    Asked,
    FunctionSwitchedOff,
    Held,
    HeldFor,
    MoneyOutAway,
    MoneyOutStopped,
    Passed,
    Stopped,
    Weighed,
    require_passed,
)
from sekisho.wallet.switches import Function

CHARGE = Purpose(action="charge", amount_yen=1_000)
NOTHING = Weighed()


def asked_by(there, way, *, weighed=NOTHING, **born):
    """Ask for a charge in a session that was born so, approved in a way."""
    present = there.enter(there.wallet.add_verified(), **born)
    return Asked(
        present=there.prove(present, CHARGE, way) if way else present,
        arrival=ARRIVAL,
        gate=Gate.TRANSFER,
        function=Function.CHARGE,
        purpose=CHARGE,
        amount=Yen(1_000),
        partner=BANK,
        weighed=weighed,
    )


@pytest.mark.parametrize(
    ("posture", "way", "answer"),
    [
        (Posture.CLOSED, Way.PASSKEY, Held(HeldFor.AWAY, "guard_unavailable", {})),
        (Posture.OPEN, Way.CODE, StepUp((Way.PASSKEY,))),
        (Posture.OPEN, Way.PASSKEY, Passed("att_1", Way.PASSKEY)),
    ],
)
def test_a_guard_that_is_away_shuts_the_gate_or_leaves_it_to_a_passkey(tmp_path, posture, way, answer):
    async def use(there):
        there.guard.away = posture
        return await there.gatekeeper(guard=posture).ask(asked_by(there, way))

    assert within(tmp_path, use) == answer


@pytest.mark.parametrize("posture", list(Posture))
def test_switches_that_are_away_shut_the_gate_or_are_passed_over(tmp_path, posture):
    async def use(there):
        there.switches.down = True
        return await there.gatekeeper(switches=posture).ask(asked_by(there, Way.PASSKEY))

    answer = within(tmp_path, use)
    if posture is Posture.CLOSED:
        assert answer == Held(HeldFor.AWAY, "switches", {})
    else:
        assert isinstance(answer, Passed)


@pytest.mark.parametrize(
    ("points", "born", "kind"),
    [
        (4, {}, Passed),
        (5, {}, StepUp),
        (7, {}, StepUp),
        (8, {}, Stopped),
        (0, {"risk": 0.06}, StepUp),
        (0, {"campaign": "cmp_1"}, StepUp),
        (0, {"risk": 0.05}, Passed),
    ],
)
def test_a_code_carries_what_nothing_speaks_against(tmp_path, points, born, kind):
    """From five points on, or in a doubted session, only a passkey does; from eight on nobody."""

    async def use(there):
        weighed = Weighed(("a_sign",), points)
        return await there.gatekeeper().ask(asked_by(there, Way.CODE, weighed=weighed, **born))

    assert isinstance(within(tmp_path, use), kind)


def test_the_guard_hears_the_signs_and_what_came_of_it(tmp_path):
    async def use(there):
        keeper = there.gatekeeper()
        asked = asked_by(there, Way.PASSKEY, weighed=Weighed(("linked_today",), 3))
        passed = require_passed(await keeper.ask(asked))
        there.wallet.write(lambda at: keeper.take_within(at, asked, passed))
        again = there.wallet.write(lambda at: keeper.take_within(at, asked, passed))
        await keeper.settle(passed, done=True)
        return there.guard.asked[0], there.guard.told, again

    attempt, told, again = within(tmp_path, use)
    assert (attempt.signs, attempt.amount_yen, attempt.gate) == (("linked_today",), 1_000, "transfer")
    assert told == [("att_1", "success", "passed")]
    assert again == StepUp((Way.PASSKEY,))


@pytest.mark.parametrize(
    ("answer", "refusal"),
    [
        (Held(HeldFor.SWITCHED_OFF, "incident", {"en": "Stopped until noon."}), FunctionSwitchedOff),
        (Held(HeldFor.ON_HOLD, "self_freeze", {}), OnHold),
        (Held(HeldFor.AWAY, "switches", {}), MoneyOutAway),
        (Stopped(("a_sign",)), MoneyOutStopped),
        (StepUp((Way.PASSKEY,)), InsufficientAuthentication),
    ],
)
def test_what_did_not_pass_is_one_refusal_each(answer, refusal):
    with pytest.raises(refusal) as raised:
        require_passed(answer)
    if refusal is FunctionSwitchedOff:
        assert raised.value.told == "Stopped until noon."
