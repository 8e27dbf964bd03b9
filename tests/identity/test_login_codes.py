"""Behind the next step: codes that come, decoys that do not, and what is held before the hash."""

import pytest
from tests.identity.login_house import AWAY, PASSWORD, WRONG, code_in, returning, run

from sekisho.guard.attempts import ChallengeResult, Gate, Outcome
from sekisho.guard.decisions import Action
from sekisho.identity import sign_ins
from sekisho.identity.assurance import Level, Standing
from sekisho.identity.claims import LoginForm, look_up
from sekisho.identity.leaked_lists import Leaks
from sekisho.identity.login_codes import LoginOver, NotRight
from sekisho.identity.logins import NextStep
from sekisho.identity.puzzles import solve
from sekisho.identity.sign_ins import LoginResult, LoginWay
from sekisho.identity.waiting_logins import WAITS_US, HeldClaims
from sekisho.identity.welcomes import Welcome
from sekisho.kernel.posture import Posture


def test_a_code_opens_a_session_on_an_unconfirmed_device_and_the_member_is_told(tmp_path):
    async def play(house):
        opened = await house.open_account()
        away = await house.log_in_away(house.name_of(opened))
        assert away.session.level is Level.CODE
        assert away.device.standing is Standing.UNCONFIRMED
        assert (away.session.risk, away.session.campaign) == (0.25, "cmp_x")
        assert [kind for kind in house.notices() if "new_device" in kind] == ["notice:login_new_device:1"] * 2
        assert house.guard.asked[-1].gate == Gate.CODE_ENTRY
        assert house.guard.settled[-1] == ("att_1", Outcome.SUCCESS, ChallengeResult.PASSED)
        with house.parts.store.read() as connection:
            newest = sign_ins.of_member(connection, opened.session.member_id)[0]
        assert (newest.way, newest.result) == (LoginWay.CODE, LoginResult.OPENED)
        assert newest.session_id == away.session.id

    run(tmp_path, play)


def test_a_device_that_a_code_has_opened_vouches_for_nothing(tmp_path):
    """Password and relayed code must not make the next login easier, nor teach the guard the device."""

    async def play(house):
        opened = await house.open_account()
        away = await house.log_in_away(house.name_of(opened))
        again = await house.as_stranger(house.name_of(opened), arrival=returning(away, AWAY))
        assert isinstance(again, NextStep)
        asked = [attempt for attempt in house.guard.asked if attempt.gate == "login"][-1]
        assert (asked.device, asked.device_valid) == ("", None)

    run(tmp_path, play)


def test_a_code_works_once(tmp_path):
    async def play(house):
        opened = await house.open_account()
        step = await house.as_stranger(house.name_of(opened))
        house.wait(20)
        code = code_in(house.sent()[-1])
        assert isinstance(await house.enter(step, code), Welcome)
        assert await house.enter(step, code) == LoginOver()

    run(tmp_path, play)


def test_five_wrong_codes_end_the_login_for_all_alike(tmp_path):
    """Tries and time are counted on the stranger's own login, so that nothing tells a code from a decoy."""

    async def play(house):
        opened = await house.open_account()
        name = house.name_of(opened)
        heard = []
        for typed_name, typed in ((name, PASSWORD), (name, WRONG), ("nobody@example.jp", WRONG)):
            step = await house.as_stranger(typed_name, typed)
            house.wait(20)
            heard.append([await house.enter(step, "000000") for _ in range(6)])
        expected = [NotRight(4), NotRight(3), NotRight(2), NotRight(1), LoginOver(), LoginOver()]
        assert heard == [expected] * 3

    run(tmp_path, play)


def test_ten_minutes_end_the_login_for_all_alike(tmp_path):
    async def play(house):
        opened = await house.open_account()
        name = house.name_of(opened)
        right = await house.as_stranger(name)
        code = code_in(house.sent()[-1])
        wrong = await house.as_stranger(name, WRONG)
        assert right.expires_at_us == wrong.expires_at_us
        house.wait(600)
        assert await house.enter(right, code) == await house.enter(wrong, "000000") == LoginOver()

    run(tmp_path, play)


def test_the_code_of_a_login_that_went_on_elsewhere_opens_nothing_here(tmp_path):
    async def play(house):
        one = await house.open_account()
        other = await house.open_account()
        step = await house.as_stranger(house.name_of(one))
        await house.as_stranger(house.name_of(other))
        house.wait(20)
        assert await house.enter(step, code_in(house.sent()[-1])) == NotRight(4)

    run(tmp_path, play)


@pytest.mark.parametrize("action", [Action.PUZZLE, Action.CHALLENGE])
def test_what_is_held_before_the_hash_goes_on_with_a_solved_puzzle(tmp_path, action):
    async def play(house):
        opened = await house.open_account()
        house.guard.action, house.guard.before_hash = action, True
        step = await house.as_stranger(house.name_of(opened))
        before = len(house.sent())
        unsolved = await house.logins.take_puzzle(step.step_token, "not a number", AWAY)
        await house.logins.quiet()
        assert unsolved == step
        assert len(house.sent()) == before
        assert await house.logins.take_puzzle(step.step_token, solve(step.puzzle), AWAY) == step
        await house.logins.quiet()
        house.wait(20)
        assert len(house.sent()) == before + 1
        assert isinstance(await house.enter(step, code_in(house.sent()[-1])), Welcome)

    run(tmp_path, play)


def test_who_has_no_script_asks_again_after_half_a_minute(tmp_path):
    async def play(house):
        opened = await house.open_account()
        house.guard.action, house.guard.before_hash = Action.PUZZLE, True
        step = await house.as_stranger(house.name_of(opened))
        before = len(house.sent())
        assert await house.logins.send_again(step.step_token, AWAY) == step
        await house.logins.quiet()
        assert len(house.sent()) == before
        house.wait(31)
        assert await house.logins.send_again(step.step_token, AWAY) == step
        await house.logins.quiet()
        assert len(house.sent()) == before + 1

    run(tmp_path, play)


def test_what_waits_in_memory_is_bounded_ages_and_holds_no_password(tmp_path):
    async def play(house):
        opened = await house.open_account()
        form = LoginForm(house.name_of(opened), PASSWORD)
        claim = look_up(house.parts, form, AWAY, Leaks(), on_outage=Posture.OPEN)
        assert PASSWORD not in repr(claim)
        held = HeldClaims(count_max=2)
        for number in range(3):
            held.put(b"%d" % number, claim, now_us=0)
        assert len(held) == 2
        assert held.take(b"0", 1) is None
        assert held.take(b"1", 1) == claim
        assert held.take(b"1", 1) is None
        assert held.take(b"2", WAITS_US) is None

    run(tmp_path, play)
