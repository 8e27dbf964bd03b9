"""What a stranger sees and how long it takes are the same, whatever is behind it."""

import asyncio
import statistics

import msgspec
import pytest
from tests.identity.login_house import AWAY, PASSWORD, WRONG, run

from sekisho.guard.decisions import Action
from sekisho.identity.claims import LoginForm
from sekisho.identity.login_codes import CodeForm, NotRight
from sekisho.identity.logins import NextStep

ROUNDS = 40
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


def _ranks(one, other):
    """Return Mann and Whitney's U of two samples as a share: 0.5 where neither tends to be the larger."""
    wins = sum((a > b) + 0.5 * (a == b) for a in one for b in other)
    return wins / (len(one) * len(other))


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
    """Status, body and time of the login form, with hashes of full cost behind it.

    Of two kinds, neither is slower than the other so often that 0.25 or 0.75 of all pairs would show it
    (with 40 answers each, chance alone strays past that once in ten thousand times), and their medians lie
    within five milliseconds.
    """

    async def play(house):
        opened = await house.open_account()
        name = house.name_of(opened)
        shapes, times = set(), _no_times()
        for _ in range(ROUNDS):
            for kind, (typed_name, password, action, before_hash) in KINDS.items():
                house.guard.action, house.guard.before_hash = action, before_hash
                form = LoginForm(typed_name or name, password)
                step, took_s = await _timed(house.logins.begin(form, AWAY))
                await house.logins.quiet()
                shapes.add(_shape(step))
                times[kind].append(took_s)
        assert len(shapes) == 1
        reference = times["nobody"]
        for kind, taken in times.items():
            assert 0.25 < _ranks(reference, taken) < 0.75, (kind, statistics.median(taken))
            assert abs(statistics.median(taken) - statistics.median(reference)) < 0.005, kind
            assert min(taken) >= FLOOR_S

    run(tmp_path, play, floor_s=FLOOR_S, memory_kib=19 * 1024)


def test_no_stranger_can_tell_a_code_from_a_decoy(tmp_path):
    """The same for the page on which the code is entered, with a wrong code."""

    async def play(house):
        opened = await house.open_account()
        name = house.name_of(opened)
        times = _no_times()
        for _ in range(ROUNDS // 2):
            for kind, (typed_name, password, action, before_hash) in KINDS.items():
                house.guard.action, house.guard.before_hash = action, before_hash
                step = await house.logins.begin(LoginForm(typed_name or name, password), AWAY)
                assert isinstance(step, NextStep)
                await house.logins.quiet()
                house.wait(120)
                form = CodeForm(step.step_token, "000000")
                heard, took_s = await _timed(house.logins.take_code(form, AWAY))
                assert heard == NotRight(4)
                times[kind].append(took_s)
        reference = times["nobody"]
        for kind, taken in times.items():
            assert 0.15 < _ranks(reference, taken) < 0.85, (kind, statistics.median(taken))
            assert abs(statistics.median(taken) - statistics.median(reference)) < 0.005, kind

    run(tmp_path, play, floor_s=0.03)


def test_the_test_itself_sees_a_difference_of_a_hash(tmp_path):
    """With no floor under the answers, a hash that is waited for would show: the measure is fine enough."""

    async def play(house):
        times: dict[bool, list[float]] = {True: [], False: []}
        peppered = bytes(32)
        for _ in range(ROUNDS // 2):
            for hashed in (True, False):
                work = house.hasher.verify(None, peppered) if hashed else asyncio.sleep(0)
                times[hashed].append((await _timed(work))[1])
        assert _ranks(times[True], times[False]) > 0.9

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
