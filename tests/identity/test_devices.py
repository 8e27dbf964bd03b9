"""Devices: which are trusted, who may say so, and what throwing one out takes with it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.identity.login_house import AWAY, HOME, returning, run

from sekisho.identity import devices, sessions
from sekisho.identity.assurance import InsufficientAuthentication, Standing, Way
from sekisho.identity.device_desk import DeviceDesk, approval_of
from sekisho.identity.devices import TOKENS_PER_BROWSER_MAX, tokens_in
from sekisho.identity.session_desk import Present


def _proven(house, welcomed, way, purpose=""):
    opened = house.parts.store.write(
        lambda at: sessions.prove(at, house.parts, welcomed.session, way, purpose=purpose)
    ).result()
    return Present(opened.session, house.now(welcomed).device)


def test_a_trusted_device_approves_another_with_a_fresh_proof(tmp_path):
    async def play(house):
        home = await house.open_account()
        away = await house.log_in_away(house.name_of(home))
        desk = DeviceDesk(house.parts)
        for proven in (house.now(home), _proven(house, home, Way.CODE, "device_trusted:another")):
            with pytest.raises(InsufficientAuthentication):
                await desk.approve(proven, away.device.id, HOME)
        proven = _proven(house, home, Way.CODE, approval_of(away.device).key)
        assert await desk.approve(proven, away.device.id, HOME)
        assert house.now(away).device.standing is Standing.TRUSTED
        assert house.notices().count("notice:device_approved:1") == 2
        assert not await desk.approve(proven, away.device.id, HOME)

    run(tmp_path, play)


def test_an_unconfirmed_device_approves_nothing_even_with_a_passkey(tmp_path):
    """Its way to trust is the passkey itself; trust is not handed on from a device that has none."""

    async def play(house):
        home = await house.open_account()
        name = house.name_of(home)
        one = await house.log_in_away(name)
        house.wait(120)
        other = await house.log_in_away(name, AWAY)
        proven = _proven(house, one, Way.PASSKEY)
        with pytest.raises(InsufficientAuthentication) as refused:
            await DeviceDesk(house.parts).approve(proven, other.device.id, AWAY)
        assert Way.CODE not in refused.value.answer.ways

    run(tmp_path, play)


def test_another_member_s_device_is_not_there(tmp_path):
    async def play(house):
        one, other = await house.open_account(), await house.open_account(arrival=AWAY)
        desk, proven = DeviceDesk(house.parts), _proven(house, one, Way.PASSKEY)
        assert not await desk.approve(proven, other.device.id, HOME)
        assert not await desk.revoke(proven, other.device.id)
        assert not await desk.revoke(proven, "no such device")
        assert house.now(other).device.standing is Standing.TRUSTED
        assert [device.id for device in await desk.all_of(proven)] == [one.device.id]

    run(tmp_path, play)


def test_an_unconfirmed_device_is_thrown_out_at_once_with_its_sessions(tmp_path):
    async def play(house):
        home = await house.open_account()
        away = await house.log_in_away(house.name_of(home))
        assert await DeviceDesk(house.parts).revoke(house.now(home), away.device.id)
        assert await house.sessions.present(away.session_token) is None
        assert house.now(away).device.standing is Standing.REVOKED

    run(tmp_path, play)


def test_a_stolen_session_cannot_throw_the_member_s_device_out(tmp_path):
    async def play(house):
        home = await house.open_account()
        away = await house.log_in_away(house.name_of(home))
        desk = DeviceDesk(house.parts)
        with pytest.raises(InsufficientAuthentication):
            await desk.revoke(house.now(away), home.device.id)
        assert await house.sessions.present(home.session_token) is not None
        assert await desk.revoke(_proven(house, away, Way.PASSKEY), home.device.id)
        assert await house.sessions.present(home.session_token) is None

    run(tmp_path, play)


def test_a_revoked_device_is_not_trusted_again(tmp_path):
    async def play(house):
        home = await house.open_account()

        def work(connection):
            assert devices.revoke(connection, house.parts, home.device.id)
            assert not devices.revoke(connection, house.parts, home.device.id)
            assert not devices.trust(connection, house.parts, home.device.id)
            enrolled = devices.enrol(
                connection, house.parts, home.session.member_id, returning(home), Standing.TRUSTED
            )
            assert enrolled.is_new
            assert enrolled.device.id != home.device.id

        house.parts.store.write(work).result()

    run(tmp_path, play)


def test_a_code_does_not_lower_a_trusted_device(tmp_path):
    async def play(house):
        home = await house.open_account()
        enrolled = house.parts.store.write(
            lambda at: devices.enrol(
                at, house.parts, home.session.member_id, returning(home), Standing.UNCONFIRMED
            )
        ).result()
        assert not enrolled.is_new
        assert enrolled.device.standing is Standing.TRUSTED
        assert enrolled.cookie == home.device_cookie

    run(tmp_path, play)


def test_a_browser_remembers_four_members(tmp_path):
    async def play(house):
        arrival = HOME
        for _ in range(TOKENS_PER_BROWSER_MAX + 1):
            arrival = returning(await house.open_account(arrival=arrival))
        assert len(tokens_in(arrival.device_token)) == TOKENS_PER_BROWSER_MAX
        with house.parts.store.read() as connection:
            here = devices.of_browser(connection, arrival.device_token)
        assert len({device.member_id for device in here}) == TOKENS_PER_BROWSER_MAX

    run(tmp_path, play)


@given(st.text(max_size=400))
def test_a_hostile_cookie_names_few_tokens_or_none(cookie):
    assert len(tokens_in(cookie)) <= TOKENS_PER_BROWSER_MAX
    devices.claimed_id(cookie)
