"""Logins when something is missing, busy or broken: no error tells who is a member, and nothing is lost."""

import asyncio
import threading

import pytest
from sqlalchemy import delete, update
from tests.identity.login_house import AWAY, PASSWORD, WRONG, code_in, returning, run

from sekisho.guard.answers import answer_without_guard
from sekisho.identity import members, sign_ins
from sekisho.identity.claims import LoginForm
from sekisho.identity.hashing import Hasher, HashingBusy
from sekisho.identity.leaked_lists import Leaks
from sekisho.identity.login_codes import NotRight
from sekisho.identity.logins import LoginDesk, NextStep
from sekisho.identity.members import MemberState
from sekisho.identity.sign_ins import LoginResult
from sekisho.identity.welcomes import Welcome
from sekisho.kernel.posture import OperationalError, Posture
from sekisho.storage.tables.members import password as password_table
from sekisho.storage.tables.personal_data import personal_item


def _write(house, statement):
    house.parts.store.write(lambda connection: connection.execute(statement)).result()


def _newest(house, welcomed):
    with house.parts.store.read() as connection:
        return sign_ins.of_member(connection, welcomed.session.member_id)[0]


def _desk(house, hasher):
    return LoginDesk(
        house.parts, house.guard, hasher, house.codes, Leaks(), leaks_down=Posture.OPEN, answer_floor_s=0.0
    )


@pytest.mark.parametrize(
    "trouble",
    [
        update(password_table).values(pepper="pepper-that-is-gone"),
        update(password_table).values(hash="$argon2id$damaged"),
        delete(password_table),
        delete(personal_item),
        update(personal_item).values(sealed=b"damaged"),
    ],
    ids=["no pepper", "damaged hash", "no password", "no number", "damaged number"],
)
def test_a_member_whose_data_are_damaged_looks_like_anybody_else(tmp_path, trouble):
    async def play(house):
        opened = await house.open_account()
        _write(house, trouble)
        before = len(house.sent())
        step = await house.as_stranger(house.name_of(opened))
        assert isinstance(step, NextStep)
        assert await house.enter(step, "000000") == NotRight(4)
        assert len(house.sent()) == before

    run(tmp_path, play)


def test_a_busy_hasher_holds_strangers_and_turns_known_ones_away(tmp_path):
    """Shed load shows on trusted devices alone; a stranger is answered as ever, and goes on later."""

    async def play(house):
        opened = await house.open_account()
        name = house.name_of(opened)
        busy = Hasher(house.parts.chance, threads=1, memory_kib=64, passes=1, waiting_max=1)
        house.logins = _desk(house, busy)
        gate = threading.Event()
        blocking = asyncio.create_task(busy.run(gate.wait))
        await asyncio.sleep(0)
        before = len(house.sent())
        step = await house.as_stranger(name)
        with pytest.raises(HashingBusy):
            await house.logins.begin(LoginForm(name, PASSWORD), returning(opened))
        assert len(house.sent()) == before
        gate.set()
        await blocking
        house.wait(31)
        await house.logins.send_again(step.step_token, AWAY)
        await house.logins.quiet()
        house.wait(5)
        assert isinstance(await house.enter(step, code_in(house.sent()[-1])), Welcome)
        busy.close()

    run(tmp_path, play)


@pytest.mark.parametrize("posture", Posture)
def test_without_the_guard_the_posture_decides(tmp_path, posture):
    """OPEN goes on as if allowed; CLOSED sends nothing to strangers, and the answer is the same."""

    async def play(house):
        opened = await house.open_account()
        without = answer_without_guard(posture).decision
        house.guard.action, house.guard.before_hash = without.action, without.before_hash
        before = len(house.sent())
        await house.as_stranger(house.name_of(opened))
        assert len(house.sent()) - before == (1 if posture is Posture.OPEN else 0)
        at_home = await house.logins.begin(LoginForm(house.name_of(opened), PASSWORD), returning(opened))
        assert isinstance(at_home, Welcome if posture is Posture.OPEN else NextStep)

    run(tmp_path, play)


def test_a_store_that_is_out_is_said_to_be_out_for_everybody(tmp_path):
    async def play(house):
        opened = await house.open_account()
        names = (house.name_of(opened), "nobody@example.jp")
        house.parts.store.close()
        for name in names:
            with pytest.raises(OperationalError):
                await house.logins.begin(LoginForm(name, PASSWORD), AWAY)

    run(tmp_path, play)


def test_a_wrong_code_behind_a_right_password_shows_in_the_history(tmp_path):
    async def play(house):
        opened = await house.open_account()
        step = await house.as_stranger(house.name_of(opened))
        house.wait(20)
        await house.enter(step, "000000")
        assert _newest(house, opened).result is LoginResult.CODE_WRONG
        await house.enter(step, code_in(house.sent()[-1]))
        assert _newest(house, opened).result is LoginResult.OPENED

    run(tmp_path, play)


def test_a_right_password_of_a_stopped_account_shows_in_the_history(tmp_path):
    async def play(house):
        opened = await house.open_account()
        member_id = opened.session.member_id
        house.parts.store.write(
            lambda at: members.set_state(at, house.parts, member_id, MemberState.FROZEN)
        ).result()
        await house.logins.begin(LoginForm(house.name_of(opened), PASSWORD), returning(opened))
        assert _newest(house, opened).result is LoginResult.STOPPED

    run(tmp_path, play)


def test_a_wrong_password_sends_no_second_code_however_often_it_is_asked_for(tmp_path):
    async def play(house):
        opened = await house.open_account()
        step = await house.as_stranger(house.name_of(opened), WRONG)
        before = len(house.sent())
        for _ in range(4):
            house.wait(60)
            assert await house.logins.send_again(step.step_token, AWAY) == step
            await house.logins.quiet()
        assert len(house.sent()) == before

    run(tmp_path, play)


def test_another_code_can_be_asked_for_and_the_newest_fits(tmp_path):
    async def play(house):
        opened = await house.open_account()
        step = await house.as_stranger(house.name_of(opened))
        first = code_in(house.sent()[-1])
        house.wait(60)
        await house.logins.send_again(step.step_token, AWAY)
        await house.logins.quiet()
        house.wait(20)
        second = code_in(house.sent()[-1])
        assert await house.enter(step, first) == NotRight(4)
        assert isinstance(await house.enter(step, second), Welcome)

    run(tmp_path, play)
