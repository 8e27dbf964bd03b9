"""The gate of money out: switch, hold, guard, approval; what each outage means; and what a thief can do."""

import asyncio

import msgspec
import pytest
from tests.lender.lender_at_hand import ARRIVAL, open_lender

from sekisho.guard.attempts import Attempt, Gate
from sekisho.guard.decisions import Action
from sekisho.identity import holds, sessions
from sekisho.identity.assurance import InsufficientAuthentication, Level, NotFromHere, Standing, StepUp, Way
from sekisho.identity.holds import HoldKind, HoldScope, OnHold
from sekisho.identity.purposes import Purpose
from sekisho.identity.sessions import Ended
from sekisho.kernel.clock import HOUR_US, MINUTE_US
from sekisho.kernel.posture import OperationalError, Posture
from sekisho.kernel.yen import Yen
from sekisho.lender.contact_gate import ContactGate
from sekisho.lender.house import open_lender_accounts
from sekisho.lender.switches import Function, NothingSwitchedOff, SwitchedOff, Usage
from sekisho.response.money_gates import (
    Asked,
    FunctionSwitchedOff,
    Held,
    HeldFor,
    MoneyOutAway,
    MoneyOutStopped,
    Passed,
    Stopped,
    require_passed,
)

CASH = Purpose(action="atm_withdrawal", amount_yen=20_000, place="店", details={"nonce": "n1"})
OTHER = Purpose(action="atm_withdrawal", amount_yen=20_000, place="店", details={"nonce": "n2"})


@pytest.fixture
def lender(tmp_path):
    opened = open_lender(tmp_path)
    yield opened
    opened.house.store.close()


def cash(present, purpose=CASH):
    return Asked(
        present, ARRIVAL, Gate.ATM_WITHDRAWAL, Function.ATM_WITHDRAWAL, purpose, Yen(20_000), "atm_1", "net"
    )


def ask(lender, present, purpose=CASH, **postures):
    return asyncio.run(lender.gatekeeper(**postures).ask(cash(present, purpose)))


def take(lender, present, passed, purpose=CASH):
    work = lender.house.store.write(
        lambda at: lender.gatekeeper().take_within(at, cash(present, purpose), passed)
    )
    return work.result()


def test_opening_the_house_again_finds_its_accounts(lender):
    again = lender.house.store.write(
        lambda at: open_lender_accounts(at, clock=lender.clock, chance=lender.at_hand.chance)
    ).result()
    assert again == lender.house.accounts


def test_without_an_approval_the_ways_are_named(lender):
    assert ask(lender, lender.enter()) == StepUp((Way.PASSKEY, Way.CODE))
    assert lender.guard.told == [("att_1", "challenged", "")]


@pytest.mark.parametrize("way", [Way.PASSKEY, Way.CODE])
def test_an_approval_of_exactly_this_passes_once(lender, way):
    present = lender.prove(lender.enter(), CASH, way)
    passed = ask(lender, present)
    assert isinstance(passed, Passed)
    assert passed.way is way
    assert isinstance(ask(lender, present, OTHER), StepUp)
    assert take(lender, present, passed) is None
    assert isinstance(take(lender, present, passed), StepUp)


def test_a_passkey_used_for_something_else_approves_nothing(lender):
    present = lender.prove(lender.enter(), OTHER)
    assert isinstance(ask(lender, present), StepUp)
    fresh = lender.enter(Level.PASSKEY)
    assert isinstance(ask(lender, fresh), StepUp)


def test_an_approval_grows_old(lender):
    present = lender.prove(lender.enter(), CASH)
    passed = ask(lender, present)
    lender.clock.advance(5 * MINUTE_US)
    assert isinstance(take(lender, present, passed), StepUp)
    assert isinstance(ask(lender, present), StepUp)


def test_a_switch_comes_first_and_says_what_stays_open(lender):
    off = SwitchedOff("incident", {"ja": "停止中です。", "en": "Stopped."}, None, (Function.TRANSFER_LOAN,))
    lender.switches.off = off
    answer = ask(lender, lender.prove(lender.enter(), CASH))
    assert answer == Held(HeldFor.SWITCHED_OFF, "incident", off.told, None)
    session_id = lender.switches.asked[0].session_id
    assert session_id.startswith("ses_")
    usage = Usage(Function.ATM_WITHDRAWAL, lender.member_id, "net", session_id)
    assert lender.switches.asked == [usage]
    assert lender.guard.asked == []
    with pytest.raises(FunctionSwitchedOff, match="incident") as refused:
        require_passed(answer)
    assert refused.value.told == "Stopped."


def hold(lender):
    return lender.house.store.write(
        lambda at: holds.place(
            at,
            lender.house.parts,
            lender.member_id,
            HoldKind.CONTAINMENT,
            HoldScope.MONEY_OUT,
            reason="test",
            until_us=None,
        )
    ).result()


def test_a_hold_keeps_the_money_in_before_the_guard_is_asked(lender):
    hold(lender)
    answer = ask(lender, lender.prove(lender.enter(), CASH))
    assert answer == Held(HeldFor.ON_HOLD, "containment", {}, None)
    assert lender.guard.asked == []
    with pytest.raises(OnHold):
        require_passed(answer)


def test_a_hold_placed_after_the_answer_still_holds(lender):
    present = lender.prove(lender.enter(), CASH)
    passed = ask(lender, present)
    hold(lender)
    assert isinstance(take(lender, present, passed), Held)


def test_a_session_ended_after_the_answer_moves_nothing(lender):
    present = lender.prove(lender.enter(), CASH)
    passed = ask(lender, present)
    lender.house.store.write(
        lambda at: sessions.end(at, lender.house.parts, present.session.id, Ended.FROZEN)
    ).result()
    assert take(lender, present, passed) == NotFromHere(())


def test_the_guard_sees_amount_target_and_signs(lender):
    ask(lender, lender.enter(young=True))
    attempt = lender.guard.asked[0]
    assert (attempt.gate, attempt.amount_yen, attempt.target) == ("atm_withdrawal", 20_000, "atm_1")
    assert attempt.signs == ("young_device",)


def test_what_the_guard_denies_no_passkey_approves(lender):
    lender.guard.action = Action.DENY
    answer = ask(lender, lender.prove(lender.enter(), CASH))
    assert isinstance(answer, Stopped)
    assert lender.guard.told[-1][1] == "refused"
    with pytest.raises(MoneyOutStopped):
        require_passed(answer)


def test_what_the_guard_challenges_no_code_approves(lender):
    lender.guard.action = Action.CHALLENGE
    assert ask(lender, lender.prove(lender.enter(), CASH, Way.CODE)) == StepUp((Way.PASSKEY,))
    assert isinstance(ask(lender, lender.prove(lender.enter(), CASH)), Passed)


@pytest.mark.parametrize("born", [{"risk": 0.06}, {"campaign": "cmp_login_1"}])
def test_a_stolen_session_cannot_draw_cash(lender, born):
    """It began suspiciously: neither a code nor twenty minutes of waiting help, only the member's passkey."""
    thief = lender.enter(**born)
    assert ask(lender, lender.prove(thief, CASH, Way.CODE)) == StepUp((Way.PASSKEY,))
    lender.clock.advance(20 * MINUTE_US)
    used = msgspec.structs.replace(thief.session, last_seen_us=lender.clock.now_us())
    thief = thief._replace(session=used)
    present = lender.prove(thief, CASH, Way.CODE)
    assert ask(lender, present) == StepUp((Way.PASSKEY,))
    with pytest.raises(InsufficientAuthentication):
        require_passed(ask(lender, present))
    assert isinstance(ask(lender, lender.prove(thief, CASH, Way.PASSKEY)), Passed)


def test_an_honest_session_may_use_a_code_on_its_own_device(lender):
    """The same set-up without the suspicion: so the refusal above has its own reason."""
    assert isinstance(ask(lender, lender.prove(lender.enter(), CASH, Way.CODE)), Passed)


def test_a_stolen_cookie_on_a_strange_device_gets_no_code(lender):
    thief = lender.enter(Level.CODE, Standing.UNCONFIRMED)
    assert ask(lender, lender.prove(thief, CASH, Way.CODE)) == NotFromHere(
        (Way.PASSKEY, Way.APPROVAL, Way.RECOVERY)
    )


def test_switches_that_cannot_be_asked_mean_what_was_stated(lender):
    lender.switches.down = True
    present = lender.prove(lender.enter(), CASH)
    answer = ask(lender, present, switches=Posture.CLOSED)
    assert answer == Held(HeldFor.AWAY, "switches", {})
    with pytest.raises(MoneyOutAway):
        require_passed(answer)
    assert isinstance(ask(lender, present, switches=Posture.OPEN), Passed)


def test_a_guard_that_cannot_be_asked_means_what_was_stated(lender):
    """CLOSED keeps the money in; OPEN lets a passkey through, and no code."""
    lender.guard.away = Posture.OPEN
    present = lender.prove(lender.enter(), CASH)
    assert isinstance(ask(lender, present, guard=Posture.CLOSED), Held)
    assert isinstance(ask(lender, present, guard=Posture.OPEN), Passed)
    by_code = lender.prove(lender.enter(), CASH, Way.CODE)
    assert ask(lender, by_code, guard=Posture.OPEN) == StepUp((Way.PASSKEY,))
    lender.guard.away = Posture.CLOSED
    assert isinstance(ask(lender, present, guard=Posture.OPEN), Passed)


def test_a_store_that_is_down_lets_nothing_out(lender, monkeypatch):
    present = lender.prove(lender.enter(), CASH)

    def down():
        raise OperationalError("store", "down")

    monkeypatch.setattr(type(lender.house.store), "read", lambda _: down())
    with pytest.raises(OperationalError):
        ask(lender, present)
    assert lender.guard.asked == []


def test_the_guard_hears_what_came_of_it(lender):
    passed = ask(lender, lender.prove(lender.enter(), CASH))
    asyncio.run(lender.gatekeeper().settle(passed, done=True))
    asyncio.run(lender.gatekeeper().settle(passed, done=False))
    assert lender.guard.told == [
        (passed.attempt_id, "success", "passed"),
        (passed.attempt_id, "refused", "passed"),
    ]


def test_nothing_is_switched_off_unless_somebody_did():
    usage = Usage(Function.WEB_DEBIT, "mem_1")
    assert asyncio.run(NothingSwitchedOff().off_for(usage)) is None


def contact(lender, present, *, on_outage=Posture.CLOSED):
    gate = ContactGate(lender.house, lender.guard, lender.switches, on_outage=on_outage)
    return asyncio.run(ask_contact(lender, gate, present)).decision


async def ask_contact(lender, gate, present):
    attempt = Attempt(
        time_us=lender.clock.now_us(),
        gate="contact_change",
        member=lender.member_id,
        ip="192.0.2.7",
        session=present.session.id,
    )
    return await gate.assess(attempt)


def test_a_contact_changes_in_an_ordinary_session(lender):
    assert contact(lender, lender.enter()).action is Action.ALLOW


def test_a_contact_does_not_change_in_a_doubted_session(lender):
    decision = contact(lender, lender.enter(risk=0.3))
    assert decision.action is Action.DENY
    assert "session_doubted" in decision.reasons


def test_a_contact_does_not_change_while_that_is_switched_off_or_unknown(lender):
    present = lender.enter()
    lender.switches.off = SwitchedOff("incident", {})
    assert contact(lender, present).action is Action.DENY
    lender.switches.down = True
    assert contact(lender, present).action is Action.DENY
    assert contact(lender, present, on_outage=Posture.OPEN).action is Action.ALLOW


def test_time_alone_takes_no_doubt_away(lender):
    thief = lender.enter(risk=0.3)
    lender.clock.advance(HOUR_US)
    assert contact(lender, thief).action is Action.DENY
