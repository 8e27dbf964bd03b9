"""Logging in: welcome on a known device, one answer elsewhere, and what is done behind it."""

import asyncio

import jaconv
import pytest
from sqlalchemy import func, select
from tests.identity.login_house import AWAY, HOME, PASSWORD, WRONG, code_in, returning, run

from sekisho.guard.attempts import ChallengeResult, Outcome
from sekisho.guard.decisions import Action
from sekisho.identity import devices, members, passwords, sessions
from sekisho.identity.assurance import Level, Standing
from sekisho.identity.claims import LoginForm
from sekisho.identity.devices import WRONG_PASSWORDS_MAX
from sekisho.identity.known_logins import Again
from sekisho.identity.login_codes import CodeForm, LoginOver, NotRight
from sekisho.identity.logins import NextStep
from sekisho.identity.members import MemberState
from sekisho.identity.passwords import STRANGE_FAILURES_MAX
from sekisho.identity.puzzles import solve
from sekisho.identity.welcomes import Stopped, Welcome
from sekisho.storage.tables.sessions import waiting_login


def test_a_password_on_a_trusted_device_opens_a_masked_session(tmp_path):
    async def play(house):
        opened = await house.open_account()
        back = await house.logins.begin(
            LoginForm(house.name_of(opened), PASSWORD), returning(opened), replaces=opened.session_token
        )
        assert isinstance(back, Welcome)
        assert back.session.level is Level.PASSWORD
        assert back.session.proofs == ()
        assert (back.session.risk, back.session.campaign) == (0.25, "cmp_x")
        assert back.device.id == opened.device.id
        assert house.guard.asked[-1].device_valid is True
        assert house.guard.settled[-1] == ("att_1", Outcome.SUCCESS, ChallengeResult.NONE)
        assert await house.sessions.present(opened.session_token) is None
        assert await house.sessions.present(back.session_token) is not None

    run(tmp_path, play)


@pytest.mark.parametrize(
    "name", ["taro1@example.jp", jaconv.h2z("TARO1@example.jp", ascii=True), " Taro1@EXAMPLE.jp "]
)
def test_a_verified_email_address_is_a_name_however_it_is_typed(tmp_path, name):
    async def play(house):
        opened = await house.open_account()
        back = await house.logins.begin(LoginForm(name, PASSWORD), returning(opened))
        assert isinstance(back, Welcome)

    run(tmp_path, play)


def test_a_wrong_password_on_a_trusted_device_is_said_to_be_wrong(tmp_path):
    async def play(house):
        opened = await house.open_account()
        name = house.name_of(opened)
        assert await house.logins.begin(LoginForm(name, WRONG), returning(opened)) == Again()
        assert house.guard.settled[-1][1] is Outcome.WRONG_SECRET
        assert house.now(opened).device.wrong_passwords == 1
        assert isinstance(await house.logins.begin(LoginForm(name, PASSWORD), returning(opened)), Welcome)
        assert house.now(opened).device.wrong_passwords == 0

    run(tmp_path, play)


def test_a_trusted_device_is_a_stranger_after_ten_wrong_passwords(tmp_path):
    """A stolen laptop is no place to guess at; its owner gets in with the code."""

    async def play(house):
        opened = await house.open_account()
        name, here = house.name_of(opened), returning(opened)
        for _ in range(WRONG_PASSWORDS_MAX):
            assert await house.logins.begin(LoginForm(name, WRONG), here) == Again()
        step = await house.as_stranger(name, arrival=here)
        house.wait(20)
        back = await house.enter(step, code_in(house.sent()[-1]), here)
        assert isinstance(back, Welcome)
        assert (back.device.id, back.device.standing) == (opened.device.id, Standing.TRUSTED)

    run(tmp_path, play)


def test_another_member_s_device_vouches_for_nobody_else(tmp_path):
    async def play(house):
        one = await house.open_account()
        other = await house.open_account(arrival=AWAY)
        step = await house.as_stranger(house.name_of(other), arrival=returning(one))
        assert isinstance(step, NextStep)
        assert house.guard.asked[-1].device_valid is None
        assert house.guard.asked[-1].device == one.device.id

    run(tmp_path, play)


def test_a_family_s_browser_is_a_device_of_each_of_them(tmp_path):
    async def play(house):
        one = await house.open_account()
        other = await house.open_account(arrival=returning(one))
        assert other.device_cookie.count(".") == 1
        for member in (one, other):
            back = await house.logins.begin(LoginForm(house.name_of(member), PASSWORD), returning(other))
            assert isinstance(back, Welcome)

    run(tmp_path, play)


def test_a_denied_login_gets_no_code_though_the_password_is_right(tmp_path):
    async def play(house):
        opened = await house.open_account()
        house.guard.action, house.guard.before_hash = Action.DENY, True
        before = len(house.sent())
        step = await house.as_stranger(house.name_of(opened))
        house.wait(31)
        await house.logins.take_puzzle(step.step_token, solve(step.puzzle), AWAY)
        await house.logins.send_again(step.step_token, AWAY)
        await house.logins.quiet()
        assert len(house.sent()) == before
        assert house.guard.settled == [("att_1", Outcome.REFUSED, ChallengeResult.NONE)]

    run(tmp_path, play)


@pytest.mark.parametrize(
    ("typed", "outcome"), [(WRONG, Outcome.WRONG_SECRET), (PASSWORD, Outcome.REFUSED)], ids=["wrong", "right"]
)
def test_a_label_is_learnt_from_a_denied_login_and_nothing_shows(tmp_path, typed, outcome):
    async def play(house):
        opened = await house.open_account()
        house.guard.action, house.guard.before_hash, house.guard.label_wanted = Action.DENY, True, True
        before = len(house.sent())
        await house.as_stranger(house.name_of(opened), typed)
        assert len(house.sent()) == before
        assert house.guard.settled == [("att_1", outcome, ChallengeResult.NONE)]

    run(tmp_path, play)


def test_an_unknown_name_goes_to_the_guard_keyed(tmp_path):
    async def play(house):
        await house.as_stranger("Somebody@Example.jp ")
        await house.as_stranger("somebody@example.jp")
        one, other = house.guard.asked
        assert one.member == other.member
        assert one.member.startswith("name:")
        assert "somebody" not in one.member
        assert (one.known, house.guard.settled[0][1]) == (False, Outcome.NO_SUCH_MEMBER)
        assert one.secret == other.secret
        assert PASSWORD not in repr(house.guard.asked)

    run(tmp_path, play)


def test_a_hundred_strange_failures_stop_the_password_elsewhere_and_not_at_home(tmp_path):
    """Who guesses is stopped; who is meant by it gets in on the known device, and with that counts anew."""

    async def play(house):
        opened = await house.open_account()
        member_id, name = opened.session.member_id, house.name_of(opened)
        house.parts.store.write(
            lambda connection: [
                passwords.count_strange_failure(connection, member_id)
                for _ in range(STRANGE_FAILURES_MAX - 1)
            ]
        ).result()
        house.wait(31)
        await house.as_stranger(name, WRONG)
        assert house.notices()[-2:] == ["notice:password_guessed:1"] * 2
        before = len(house.sent())
        step = await house.as_stranger(name)
        assert len(house.sent()) == before
        assert await house.enter(step, "000000") == NotRight(4)
        assert isinstance(await house.logins.begin(LoginForm(name, PASSWORD), returning(opened)), Welcome)
        await house.as_stranger(name)
        assert len(house.sent()) == before + 1

    run(tmp_path, play)


@pytest.mark.parametrize("state", [MemberState.FROZEN, MemberState.INVALIDATED, MemberState.CLOSED])
def test_an_account_that_is_not_open_is_said_so_on_the_known_device_alone(tmp_path, state):
    async def play(house):
        opened = await house.open_account()
        member_id, name = opened.session.member_id, house.name_of(opened)
        house.parts.store.write(lambda at: members.set_state(at, house.parts, member_id, state)).result()
        before = len(house.sent())
        at_home = await house.logins.begin(LoginForm(name, PASSWORD), returning(opened))
        assert at_home == Stopped(member_id, state)
        step = await house.as_stranger(name)
        assert len(house.sent()) == before
        assert await house.enter(step, "000000") == NotRight(4)

    run(tmp_path, play)


def test_an_account_frozen_while_the_code_was_on_its_way_does_not_open(tmp_path):
    async def play(house):
        opened = await house.open_account()
        step = await house.as_stranger(house.name_of(opened))
        house.wait(20)
        house.parts.store.write(
            lambda at: members.set_state(at, house.parts, opened.session.member_id, MemberState.FROZEN)
        ).result()
        assert await house.enter(step, code_in(house.sent()[-1])) == NotRight(4)

    run(tmp_path, play)


def test_an_invalidated_password_opens_nothing(tmp_path):
    async def play(house):
        opened = await house.open_account()
        member_id, name = opened.session.member_id, house.name_of(opened)
        house.parts.store.write(
            lambda at: passwords.invalidate(at, house.parts, member_id, "containment")
        ).result()
        before = len(house.sent())
        assert await house.logins.begin(LoginForm(name, PASSWORD), returning(opened)) == Again()
        await house.as_stranger(name)
        assert len(house.sent()) == before

    run(tmp_path, play)


def test_the_member_hears_of_a_right_password_whose_code_never_came(tmp_path):
    async def play(house):
        opened = await house.open_account()
        await house.as_stranger(house.name_of(opened))
        await house.as_stranger(house.name_of(opened), WRONG)
        assert await house.logins.sweep() == 0
        house.wait(601)
        assert await house.logins.sweep() == 2
        assert await house.logins.sweep() == 0
        assert house.notices()[-2:] == ["notice:login_unfinished:1"] * 2
        assert ("att_1", Outcome.CHALLENGED, ChallengeResult.ABANDONED) in house.guard.settled
        with house.parts.store.read() as connection:
            left = connection.execute(select(func.count()).select_from(waiting_login)).scalar_one()
        assert left == 0

    run(tmp_path, play)


def test_a_passkey_opens_the_strongest_session_and_trusts_the_device(tmp_path):
    async def play(house):
        opened = await house.open_account()
        house.guard.action, house.guard.before_hash = Action.DENY, True
        welcomed = await house.logins.welcome_by_passkey(opened.session.member_id, AWAY)
        assert isinstance(welcomed, Welcome)
        assert (welcomed.session.level, welcomed.device.standing) == (Level.PASSKEY, Standing.TRUSTED)
        assert house.guard.settled[-1] == ("att_1", Outcome.SUCCESS, ChallengeResult.PASSED)

    run(tmp_path, play)


def test_a_passkey_does_not_open_a_frozen_account(tmp_path):
    async def play(house):
        opened = await house.open_account()
        member_id = opened.session.member_id
        for state, passes in ((MemberState.FROZEN, False), (MemberState.INVALIDATED, True)):
            house.parts.store.write(
                lambda at, state=state: members.set_state(at, house.parts, member_id, state)
            ).result()
            welcomed = await house.logins.welcome_by_passkey(member_id, AWAY)
            assert isinstance(welcomed, Welcome) is passes

    run(tmp_path, play)


def test_a_revoked_device_speaks_against_whoever_brings_it(tmp_path):
    async def play(house):
        opened = await house.open_account()

        def revoke(connection):
            devices.revoke(connection, house.parts, opened.device.id)
            sessions.end_on_device(connection, house.parts, opened.device.id, sessions.Ended.DEVICE_REVOKED)

        house.parts.store.write(revoke).result()
        assert await house.sessions.present(opened.session_token) is None
        step = await house.as_stranger(house.name_of(opened), arrival=returning(opened))
        asked = house.guard.asked[-1]
        assert (asked.device, asked.device_valid) == (opened.device.id, False)
        house.wait(20)
        back = await house.enter(step, code_in(house.sent()[-1]), returning(opened))
        assert isinstance(back, Welcome)
        assert back.device.id != opened.device.id
        assert back.device.standing is Standing.UNCONFIRMED

    run(tmp_path, play)


def test_a_planted_session_cookie_ends_with_the_login(tmp_path):
    """Whoever planted a session of their own in the browser does not share in the member's."""

    async def play(house):
        planted = await house.open_account(arrival=AWAY)
        opened = await house.open_account()
        back = await house.logins.begin(
            LoginForm(house.name_of(opened), PASSWORD), returning(opened), replaces=planted.session_token
        )
        assert isinstance(back, Welcome)
        assert back.session_token != planted.session_token
        assert await house.sessions.present(planted.session_token) is None

    run(tmp_path, play)


def test_two_logins_of_one_member_do_not_share_their_codes(tmp_path):
    """A second tab asks for a code of its own: the older one fits neither."""

    async def play(house):
        opened = await house.open_account()
        first = await house.as_stranger(house.name_of(opened))
        code = code_in(house.sent()[-1])
        house.wait(60)
        second = await house.as_stranger(house.name_of(opened))
        house.wait(20)
        assert await house.enter(first, code) == NotRight(4)
        assert isinstance(await house.enter(second, code_in(house.sent()[-1])), Welcome)

    run(tmp_path, play)


def test_a_hostile_form_is_a_stranger_like_any_other(tmp_path):
    async def play(house):
        for text in ("", "\x00", "\ud800", "a" * 100_000, "'; DROP TABLE member; --", "\u202e123"):
            step = await house.as_stranger(text, text)
            assert await house.enter(step, text) == NotRight(4)
            assert await house.logins.take_code(CodeForm(text, text), HOME) == LoginOver()

    run(tmp_path, play)


def test_many_strangers_at_once_are_all_answered(tmp_path):
    async def play(house):
        # As many as may wait for a hash at once: half of 32 for each of two threads.
        opened = await house.open_account()
        name = house.name_of(opened)
        steps = await asyncio.gather(
            *(house.logins.begin(LoginForm(name, f"guess number {number}"), AWAY) for number in range(32))
        )
        await house.logins.quiet()
        assert len({step.step_token for step in steps}) == 32
        with house.parts.store.read() as connection:
            kept = passwords.find(connection, opened.session.member_id)
        assert kept is not None
        assert kept.strange_failures == 32

    run(tmp_path, play)
