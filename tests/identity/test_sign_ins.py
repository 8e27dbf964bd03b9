"""The history of logins, and "this wasn't me"."""

import pytest
from tests.identity.login_house import AWAY, HOME, PASSWORD, WRONG, returning, run

from sekisho.identity import holds, sessions, sign_ins
from sekisho.identity.assurance import InsufficientAuthentication, Standing, Way
from sekisho.identity.claims import LoginForm
from sekisho.identity.device_desk import DeviceDesk
from sekisho.identity.disowning import Disowned, SignInDesk
from sekisho.identity.holds import HoldScope, OnHold
from sekisho.identity.logins import NextStep
from sekisho.identity.session_desk import Present
from sekisho.identity.sessions import Ended
from sekisho.identity.sign_ins import LoginResult, LoginWay


def _lines(house, welcomed):
    with house.parts.store.read() as connection:
        return sign_ins.of_member(connection, welcomed.session.member_id)


def _line_of(house, welcomed):
    return next(line for line in _lines(house, welcomed) if line.session_id == welcomed.session.id)


def test_the_history_tells_every_login_and_its_end(tmp_path):
    async def play(house):
        home = await house.open_account()
        name = house.name_of(home)
        house.wait(1)
        await house.logins.begin(LoginForm(name, WRONG), returning(home))
        house.wait(1)
        await house.as_stranger(name, WRONG)
        house.wait(1)
        away = await house.log_in_away(name)
        house.wait(1)
        await house.logins.welcome_by_passkey(home.session.member_id, returning(home))
        house.wait(120)
        await house.as_stranger(name)
        told = [(line.way, line.result) for line in _lines(house, home)]
        assert told == [
            (LoginWay.CODE, LoginResult.CODE_ASKED),
            (LoginWay.PASSKEY, LoginResult.OPENED),
            (LoginWay.CODE, LoginResult.OPENED),
            (LoginWay.CODE, LoginResult.WRONG_PASSWORD),
            (LoginWay.PASSWORD, LoginResult.WRONG_PASSWORD),
            (LoginWay.SIGN_UP, LoginResult.OPENED),
        ]
        assert [line.id for line in await SignInDesk(house.parts).history(house.now(home))] == [
            line.id for line in _lines(house, home)
        ]
        assert _line_of(house, away).ip == AWAY.ip

    run(tmp_path, play)


def test_it_was_not_me_ends_revokes_holds_and_tells(tmp_path):
    async def play(house):
        home = await house.open_account()
        away = await house.log_in_away(house.name_of(home))
        line = _line_of(house, away)
        desk = SignInDesk(house.parts)
        assert await desk.disown(house.now(home), line.id) == Disowned(True, Standing.REVOKED, False)
        assert await house.sessions.present(away.session_token) is None
        assert house.now(away).device.standing is Standing.REVOKED
        assert house.now(away).session.ended_for == Ended.DISOWNED
        assert await house.sessions.present(home.session_token) is not None
        with house.parts.store.read() as connection:
            member_id, now_us = home.session.member_id, house.clock.now_us()
            placed = holds.holds_on(connection, member_id, now_us)
            with pytest.raises(OnHold):
                holds.require_money_free(connection, member_id, now_us)
        assert [each.scope for each in placed] == [HoldScope.MONEY_OUT]
        assert house.notices().count("notice:sign_in_disowned:2") == 2
        assert [event.subject for event in house.events("member:sign_in:disowned")] == [line.id]

    run(tmp_path, play)


def test_saying_it_twice_changes_nothing(tmp_path):
    async def play(house):
        home = await house.open_account()
        away = await house.log_in_away(house.name_of(home))
        line, desk = _line_of(house, away), SignInDesk(house.parts)
        await desk.disown(house.now(home), line.id)
        assert await desk.disown(house.now(home), line.id) == Disowned(False, None, False)
        assert house.notices().count("notice:sign_in_disowned:2") == 2
        assert len(house.events("member:hold:placed")) == 1

    run(tmp_path, play)


def test_another_member_s_login_is_not_there(tmp_path):
    async def play(house):
        one, other = await house.open_account(), await house.open_account(arrival=AWAY)
        desk = SignInDesk(house.parts)
        assert await desk.disown(house.now(one), _line_of(house, other).id) is None
        assert await desk.disown(house.now(one), "no such line") is None
        assert await house.sessions.present(other.session_token) is not None

    run(tmp_path, play)


def test_a_stolen_session_takes_trust_and_does_not_throw_the_device_out(tmp_path):
    """It must work at once, so it can be misused; what it takes, a passkey or an approval brings back."""

    async def play(house):
        home = await house.open_account()
        name = house.name_of(home)
        away = await house.log_in_away(name)
        desk, line = SignInDesk(house.parts), _line_of(house, home)
        assert await desk.disown(house.now(away), line.id) == Disowned(True, Standing.UNCONFIRMED, False)
        doubted = house.now(home).device
        assert doubted.standing is Standing.UNCONFIRMED
        assert isinstance(await house.logins.begin(LoginForm(name, PASSWORD), returning(home)), NextStep)
        with pytest.raises(InsufficientAuthentication):
            await DeviceDesk(house.parts).revoke(house.now(away), doubted.id)
        assert house.now(home).device.standing is Standing.UNCONFIRMED
        again = await house.logins.welcome_by_passkey(home.session.member_id, returning(home))
        assert again.device.id == doubted.id
        assert again.device.standing is Standing.TRUSTED

    run(tmp_path, play)


def test_with_a_passkey_a_trusted_device_is_thrown_out_as_well(tmp_path):
    async def play(house):
        home = await house.open_account()
        away = await house.log_in_away(house.name_of(home))
        proven = house.parts.store.write(
            lambda at: sessions.prove(at, house.parts, away.session, Way.PASSKEY)
        ).result()
        present = Present(proven.session, house.now(away).device)
        line = _line_of(house, home)
        assert await SignInDesk(house.parts).disown(present, line.id) == Disowned(
            True, Standing.REVOKED, False
        )

    run(tmp_path, play)


def test_disowning_one_s_own_login_ends_it_too(tmp_path):
    async def play(house):
        home = await house.open_account()
        line = _line_of(house, home)
        done = await SignInDesk(house.parts).disown(house.now(home), line.id)
        assert done == Disowned(True, Standing.REVOKED, True)
        assert await house.sessions.present(home.session_token) is None

    run(tmp_path, play)


def test_a_login_that_opened_nothing_can_be_disowned_too(tmp_path):
    async def play(house):
        home = await house.open_account(HOME)
        await house.as_stranger(house.name_of(home))
        line = next(each for each in _lines(house, home) if each.result is LoginResult.CODE_ASKED)
        assert await SignInDesk(house.parts).disown(house.now(home), line.id) == Disowned(False, None, False)
        assert house.notices().count("notice:sign_in_disowned:2") == 2

    run(tmp_path, play)
