"""What a stranger sees and how long it takes are the same, whatever is behind it."""

import asyncio

import msgspec
import pytest
from tests.identity.login_house import AWAY, PASSWORD, WRONG, run
from tests.identity.telling_apart import in_turns, told_apart

from sekisho.guard.decisions import Action
from sekisho.identity.claims import LoginForm
from sekisho.identity.login_codes import CodeForm, NotRight
from sekisho.identity.logins import NextStep
from sekisho.kernel.chance import SeededChance

TURNS = 20
FLOOR_S = 0.06

# One of a kind that an attacker would like to tell apart: the name's number and what the guard says to it.
KINDS = {
    "nobody": ("nobody@example.jp", PASSWORD, Action.ALLOW, False),
    "wrong": ("", WRONG, Action.ALLOW, False),
    "right": ("", PASSWORD, Action.ALLOW, False),
    "right, challenged after the hash": ("", PASSWORD, Action.CHALLENGE, False),
    "right, held before the hash": ("", PASSWORD, Action.PUZZLE, True),
    "right, denied": ("", PASSWORD, Action.DENY, True),
    "nobody, denied": ("nobody@example.jp", PASSWORD, Action.DENY, True),
}


def _shape(step):
    """Return what is seen of a next step but for what is random in it."""
    return (
        type(step),
        len(step.step_token),
        len(step.puzzle.challenge),
        step.puzzle.bits,
        step.expires_at_us,
    )


def _no_times() -> dict[str, list[float]]:
    return {kind: [] for kind in KINDS}


async def _timed(work):
    loop = asyncio.get_running_loop()
    begun_s = loop.time()
    heard = await work
    return heard, loop.time() - begun_s


def test_no_stranger_can_tell_what_is_behind_the_next_step(tmp_path):
    """Status, body and time of the login form, with hashes of full cost behind it."""

    async def play(house):
        opened = await house.open_account()
        name = house.name_of(opened)
        shapes: set[object] = set()

        async def take():
            times = _no_times()
            for kind in in_turns(KINDS, TURNS, SeededChance(len(shapes))):
                typed_name, password, action, before_hash = KINDS[kind]
                house.guard.action, house.guard.before_hash = action, before_hash
                form = LoginForm(typed_name or name, password)
                step, took_s = await _timed(house.logins.begin(form, AWAY))
                await house.logins.quiet()
                shapes.add(_shape(step))
                times[kind].append(took_s)
                assert took_s >= FLOOR_S
            return times

        assert await told_apart(take, "nobody") == {}
        assert len(shapes) == 1

    run(tmp_path, play, floor_s=FLOOR_S, memory_kib=19 * 1024)


def test_no_stranger_can_tell_a_code_from_a_decoy(tmp_path):
    """The same for the page on which the code is entered, with a wrong code."""

    async def play(house):
        opened = await house.open_account()
        name = house.name_of(opened)

        async def take():
            times = _no_times()
            for kind in in_turns(KINDS, TURNS, SeededChance(2)):
                typed_name, password, action, before_hash = KINDS[kind]
                house.guard.action, house.guard.before_hash = action, before_hash
                step = await house.logins.begin(LoginForm(typed_name or name, password), AWAY)
                assert isinstance(step, NextStep)
                await house.logins.quiet()
                house.wait(120)
                form = CodeForm(step.step_token, "000000")
                heard, took_s = await _timed(house.logins.take_code(form, AWAY))
                assert heard == NotRight(4)
                times[kind].append(took_s)
            return times

        assert await told_apart(take, "nobody") == {}

    run(tmp_path, play, floor_s=0.03)


@pytest.mark.parametrize("hashed", ["nobody", "right"])
def test_the_test_itself_sees_a_difference_of_a_hash(tmp_path, hashed):
    """With no floor under the answers, a hash that is waited for would show: the measure is fine enough."""

    async def play(house):
        async def take():
            times: dict[str, list[float]] = {"nobody": [], "right": []}
            for kind in in_turns(times, TURNS, SeededChance(3)):
                work = house.hasher.verify(None, bytes(32)) if kind == hashed else asyncio.sleep(0)
                times[kind].append((await _timed(work))[1])
            return times

        assert await told_apart(take, "nobody") == {"right": 1 if hashed == "right" else -1}

    run(tmp_path, play, memory_kib=19 * 1024)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_leaves_one_waiting_login_and_asks_the_guard_once(tmp_path, kind):
    typed_name, password, action, before_hash = KINDS[kind]

    async def play(house):
        opened = await house.open_account()
        house.guard.action, house.guard.before_hash = action, before_hash
        await house.as_stranger(typed_name or house.name_of(opened), password)
        assert len(house.guard.asked) == 1
        house.wait(601)
        assert await house.logins.sweep() == 1

    run(tmp_path, play)


def test_no_password_or_code_is_in_the_store(tmp_path):
    """What waits, what is queued and what happened hold neither a password nor a code in the clear."""

    async def play(house):
        opened = await house.open_account()
        await house.as_stranger(house.name_of(opened))
        house.wait(601)
        await house.logins.sweep()
        bodies = b"".join(msgspec.json.encode(entry.body.decode()) for entry in house.all_events())
        assert PASSWORD.encode() not in bodies
        for sent in house.sent():
            assert sent.to.encode() not in bodies

    run(tmp_path, play)
    raw = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert PASSWORD.encode() not in raw
    assert b"taro1@example.jp" not in raw
    assert b"+819012340001" not in raw
