"""Sessions: how long they live, what ends them, and what a request learns of them."""

import asyncio

import pytest
from sqlalchemy import select
from tests.identity.login_house import AWAY, HOME, PASSWORD, returning, run

from sekisho.identity import sessions
from sekisho.identity.assurance import Level, Way
from sekisho.identity.claims import LoginForm
from sekisho.identity.sessions import AGE_US_MAX, IDLE_US_MAX, Ended, form_token
from sekisho.kernel.clock import HOUR_US, MINUTE_US, SECOND_US
from sekisho.storage.tables.sessions import session as session_table

IDLE_S, AGE_S = IDLE_US_MAX / SECOND_US, AGE_US_MAX / SECOND_US


async def _now(house, welcomed):
    return await house.sessions.present(welcomed.session_token)


def test_a_session_idles_out_and_use_keeps_it(tmp_path):
    async def play(house):
        opened = await house.open_account()
        for _ in range(5):
            house.wait(IDLE_S - 1)
            assert await _now(house, opened) is not None
        house.wait(IDLE_S)
        assert await _now(house, opened) is None

    run(tmp_path, play)


def test_no_use_keeps_a_session_beyond_twelve_hours(tmp_path):
    async def play(house):
        opened = await house.open_account()
        for _ in range(int(AGE_S / 600) - 1):
            house.wait(600)
            assert await _now(house, opened) is not None
        house.wait(600)
        assert await _now(house, opened) is None

    run(tmp_path, play)


def test_seeing_a_session_costs_a_write_once_a_minute(tmp_path):
    async def play(house):
        opened = await house.open_account()
        begun_us = opened.session.last_seen_us
        house.wait(59)
        await _now(house, opened)
        assert house.now(opened).session.last_seen_us == begun_us
        house.wait(1)
        await _now(house, opened)
        assert house.now(opened).session.last_seen_us == begun_us + MINUTE_US

    run(tmp_path, play)


def test_a_glance_keeps_no_session_alive(tmp_path):
    """A page that asks by itself does not stand in for somebody who is there."""

    async def play(house):
        opened = await house.open_account()
        for _ in range(2):
            house.wait(IDLE_S / 2 - 1)
            assert await house.sessions.glance(opened.session_token) is not None
        house.wait(2)
        assert await house.sessions.glance(opened.session_token) is None
        assert await house.sessions.glance("") is None

    run(tmp_path, play)


def test_a_late_sight_revives_nothing(tmp_path):
    """Two requests at the last moment: the slower one must not bring back what has idled out meanwhile."""

    async def play(house):
        opened = await house.open_account()
        house.wait(IDLE_S)
        now_us = house.clock.now_us()
        house.parts.store.write(lambda at: sessions.seen(at, opened.session.id, now_us)).result()
        assert await _now(house, opened) is None

    run(tmp_path, play)


def test_only_the_digest_of_a_token_is_kept(tmp_path):
    async def play(house):
        opened = await house.open_account()
        with house.parts.store.read() as connection:
            row = connection.execute(select(session_table)).one()
        assert opened.session_token.encode() not in row.token_digest
        assert len(row.token_digest) == 32
        assert await house.sessions.present(row.token_digest.hex()) is None

    run(tmp_path, play)


@pytest.mark.parametrize("token", ["", "x", "\ud800", "a" * 1_000_000, "ses_" + "0" * 32])
def test_a_hostile_token_opens_nothing(tmp_path, token):
    async def play(house):
        await house.open_account()
        assert await house.sessions.present(token) is None

    run(tmp_path, play)


def test_a_session_s_id_is_no_token(tmp_path):
    async def play(house):
        opened = await house.open_account()
        assert await house.sessions.present(opened.session.id) is None

    run(tmp_path, play)


def test_a_step_up_changes_the_token_and_keeps_the_id(tmp_path):
    async def play(house):
        opened = await house.open_account()
        raised = house.parts.store.write(
            lambda at: sessions.prove(at, house.parts, opened.session, Way.PASSKEY)
        ).result()
        assert raised.session.id == opened.session.id
        assert raised.session.level is Level.PASSKEY
        assert await house.sessions.present(opened.session_token) is None
        assert await house.sessions.present(raised.token) is not None
        again = house.parts.store.write(
            lambda at: sessions.prove(at, house.parts, raised.session, Way.CODE, purpose="x")
        ).result()
        assert again.session.level is Level.PASSKEY
        assert {proof.way for proof in again.session.proofs} == {Way.PASSKEY, Way.CODE}

    run(tmp_path, play)


def test_members_see_and_end_their_own_sessions_alone(tmp_path):
    async def play(house):
        one = await house.open_account()
        away = await house.log_in_away(house.name_of(one))
        other = await house.open_account(arrival=AWAY)
        listed = await house.sessions.all_of(one.session)
        assert {present.session.id for present in listed} == {one.session.id, away.session.id}
        assert not await house.sessions.end_one(one.session, other.session.id)
        assert await _now(house, other) is not None
        assert await house.sessions.end_one(one.session, away.session.id)
        assert not await house.sessions.end_one(one.session, away.session.id)
        assert await _now(house, away) is None
        assert await _now(house, one) is not None

    run(tmp_path, play)


def test_ending_the_others_leaves_this_one(tmp_path):
    async def play(house):
        one = await house.open_account()
        away = await house.log_in_away(house.name_of(one))
        assert await house.sessions.end_others(one.session) == 1
        assert await _now(house, away) is None
        assert await _now(house, one) is not None
        await house.sessions.log_out(one.session)
        assert await _now(house, one) is None
        assert house.now(one).session.ended_for == Ended.LOGOUT

    run(tmp_path, play)


def test_containment_ends_every_session_at_once(tmp_path):
    async def play(house):
        one = await house.open_account()
        away = await house.log_in_away(house.name_of(one))
        member_id = one.session.member_id
        ended = house.parts.store.write(
            lambda at: sessions.end_all(at, house.parts, member_id, Ended.CONTAINED)
        ).result()
        assert ended == 2
        assert await _now(house, one) is None
        assert await _now(house, away) is None
        assert len(house.events("member:session:ended")) == 2

    run(tmp_path, play)


def test_a_clock_set_back_ends_nothing_and_revives_nothing(tmp_path):
    async def play(house):
        opened = await house.open_account()
        await house.sessions.log_out(opened.session)
        back = await house.logins.begin(LoginForm(house.name_of(opened), PASSWORD), returning(opened, HOME))
        house.clock.advance(-HOUR_US)
        assert await _now(house, opened) is None
        assert await _now(house, back) is not None

    run(tmp_path, play)


def test_a_form_s_token_is_of_one_session_and_one_route(tmp_path):
    async def play(house):
        one, other = (await house.open_account()).session, (await house.open_account()).session
        token = form_token(one, "password")
        assert form_token(one, "password") == token
        assert len({token, form_token(one, "logout"), form_token(other, "password")}) == 3

    run(tmp_path, play)


def test_requests_of_one_session_at_once_all_find_it(tmp_path):
    async def play(house):
        opened = await house.open_account()
        house.wait(61)
        found = await asyncio.gather(*(_now(house, opened) for _ in range(20)))
        assert all(present is not None for present in found)

    run(tmp_path, play)
