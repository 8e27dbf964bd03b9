"""A guard's memory is put away while it decides, and the store's health is known without asking for it."""

import asyncio
from threading import Event

import pytest
from tests.guard.small_world import KEY, START_S, visit

from sekisho.guard.attempts import ChallengeResult, Outcome
from sekisho.guard.guard import Guard
from sekisho.kernel.clock import SetClock
from sekisho.kernel.posture import OperationalError
from sekisho.storage.attempts import AttemptStore
from sekisho.storage.engine import open_store
from sekisho.storage.health import StoreHealth
from sekisho.storage.memory.keeping import KeptMemory, remember
from sekisho.storage.memory.local import MemorySnapshot, SnapshotDamagedError, load_snapshot


@pytest.fixture
def store(tmp_path):
    opened = open_store(f"sqlite:///{tmp_path / 'sekisho.db'}")
    yield opened
    opened.close()


@pytest.fixture
def attempts(store):
    return AttemptStore(store, clock=SetClock(START_S * 1_000_000))


@pytest.fixture
def kept(attempts, tmp_path):
    guard = Guard(key=KEY, addresses=1 << 12, devices=1 << 12)
    return KeptMemory(guard, attempts, tmp_path / "memory")


async def come(kept, attempts, attempt_id, *, member=1, settled=True):
    """Let a member come and pass, on record."""
    attempt = visit(member, START_S)
    decision = kept.guard.assess(attempt)
    await attempts.record(attempt_id, attempt, decision)
    if settled:
        kept.guard.learn(attempt, decision, Outcome.SUCCESS)
        await attempts.settle(attempt_id, Outcome.SUCCESS, ChallengeResult.NONE, START_S * 1_000_000)


def test_what_was_learnt_before_and_after_the_snapshot_is_there_after_a_start(kept, attempts, tmp_path):
    async def life():
        await come(kept, attempts, "att_1")
        await kept.save()
        await come(kept, attempts, "att_2")
        await come(kept, attempts, "att_3", member=2)

    asyncio.run(life())
    again = remember(attempts, tmp_path / "memory", key=KEY)
    assert again.guard.snapshot() == kept.guard.snapshot()
    assert len(again.guard.recollection.members.profiles) == 2


def test_a_block_that_ends_puts_the_memory_away(kept, attempts, tmp_path):
    async def life():
        async with kept.saving():
            await come(kept, attempts, "att_1")

    asyncio.run(life())
    put_away = load_snapshot(tmp_path / "memory")
    assert put_away == MemorySnapshot(position=2, memory=kept.guard.snapshot())
    assert attempts.last_position() == 2


def test_memory_that_cannot_be_put_away_is_counted_and_the_snapshot_before_stays(kept, attempts, tmp_path):
    async def life():
        await kept.save()
        before = load_snapshot(tmp_path / "memory")
        await come(kept, attempts, "att_1")
        (tmp_path / ".memory.part").mkdir()
        await kept.save()
        assert kept.failed_count == 1
        assert load_snapshot(tmp_path / "memory") == before
        (tmp_path / ".memory.part").rmdir()
        await kept.save()
        assert load_snapshot(tmp_path / "memory") != before

    asyncio.run(life())


def test_a_memory_under_another_key_is_refused_with_what_to_do(kept, attempts, tmp_path):
    asyncio.run(kept.save())
    with pytest.raises(SnapshotDamagedError, match="under another key; move it away to begin without it"):
        remember(attempts, tmp_path / "memory", key=KEY[::-1])


def test_health_follows_the_store(store):
    async def look(health, answer_s_max=5.0):
        await health.look(answer_s_max=answer_s_max)
        return health.is_up

    assert asyncio.run(look(StoreHealth(store)))
    go_on = Event()
    held_up = store.write(lambda _connection: go_on.wait(10))
    assert not asyncio.run(look(StoreHealth(store), answer_s_max=0.05))
    go_on.set()
    assert held_up.result(10)
    store.close()
    health = StoreHealth(store)
    assert health.is_up
    assert not asyncio.run(look(health))
    with pytest.raises(OperationalError):
        store.write(print)
