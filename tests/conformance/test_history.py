"""The outbox goes to history whole, once and sealed, wherever the process is ended on the way."""

import asyncio

import msgspec
import pyarrow.parquet as pq
import pytest
from sqlalchemy import delete, func, select, update
from tests.storage.attempt_samples import ALLOWED, CHALLENGED, FULL, NOON_US, PLAIN

from sekisho.guard.attempts import ChallengeResult, Outcome
from sekisho.kernel.clock import DAY_US, HOUR_US, SetClock
from sekisho.storage import outbox
from sekisho.storage.attempts import AttemptStore
from sekisho.storage.files import replace_file
from sekisho.storage.history import parquet
from sekisho.storage.history.parquet import HistoryFolder
from sekisho.storage.history.sealing import MOVE_LOCK, Moved, Sealing, first_fault
from sekisho.storage.tables.history import seal


@pytest.fixture
def clock():
    return SetClock(NOON_US)


@pytest.fixture
def history(tmp_path):
    return HistoryFolder(tmp_path / "history")


@pytest.fixture
def sealing(store, history, clock):
    return Sealing(store, history, clock=clock)


def record(store, clock, names, *, settled=()):
    attempts = AttemptStore(store, clock=clock)

    async def steps():
        for name in names:
            await attempts.record(name, FULL, CHALLENGED)
        for name in settled:
            await attempts.settle(name, Outcome.SUCCESS, ChallengeResult.PASSED, clock.now_us())

    asyncio.run(steps())


def in_history(history):
    table = history.attempts_between(0, NOON_US + 10 * DAY_US)
    return dict(zip(table["attempt_id"].to_pylist(), table["outcome"].to_pylist(), strict=True))


def in_outbox(store):
    with store.read() as connection:
        return [entry.subject for entry in outbox.read_after(connection, 0, limit=10_000)]


def test_history_holds_what_happened_and_the_seals_hold(store, history, sealing, clock):
    record(store, clock, ["att_1", "att_2"], settled=["att_2"])
    assert sealing.step() == Moved(moved=3, pruned=0)
    assert in_history(history) == {"att_1": "", "att_2": "success"}
    assert first_fault(store, history) is None
    assert sealing.step() == Moved(moved=0, pruned=0)


def test_what_came_of_an_attempt_may_be_told_after_it_was_moved(store, history, sealing, clock):
    record(store, clock, ["att_1"])
    sealing.step()
    clock.advance(2 * DAY_US)
    record(store, clock, [], settled=["att_1"])
    sealing.step()
    assert in_history(history) == {"att_1": "success"}


def test_the_outbox_is_pruned_of_what_was_moved_and_is_old(store, history, sealing, clock):
    record(store, clock, ["old"])
    clock.advance(HOUR_US)
    record(store, clock, ["young"])
    assert sealing.step() == Moved(moved=2, pruned=0)
    clock.advance(1)
    assert sealing.step() == Moved(moved=0, pruned=1)
    assert in_outbox(store) == ["young"]
    assert set(in_history(history)) == {"old", "young"}


def test_old_entries_that_were_not_moved_are_not_pruned(store, history, clock):
    record(store, clock, [f"att_{number}" for number in range(5)])
    clock.advance(2 * HOUR_US)
    sealing = Sealing(store, history, clock=clock, entries_per_batch_max=2)
    full = Moved(2, 2, more=True)
    assert [sealing.step() for _ in range(4)] == [full, full, Moved(1, 1), Moved(0, 0)]
    assert in_outbox(store) == []
    assert len(in_history(history)) == 5
    assert first_fault(store, history) is None


def test_more_than_one_pruning_is_taken_where_much_is_old(store, history, clock):
    entries = [outbox.Entry("note", str(number), 0, b"{}") for number in range(1_250)]
    store.write(lambda connection: outbox.append(connection, entries)).result()
    assert Sealing(store, history, clock=clock).step() == Moved(1_250, 1_250)


class Crash(BaseException):
    """The process ends here."""


class CrashingAt:
    """Counts what reaches the disk, and ends the process just before the n-th time."""

    def __init__(self, step, monkeypatch, store):
        self.left = step
        write = store.write
        monkeypatch.setattr(store, "write", lambda work: self.passing(write, work))
        monkeypatch.setattr(parquet, "replace_file", lambda *args: self.passing(replace_file, *args))

    def passing(self, call, *args):
        if self.left == 0:
            raise Crash
        self.left -= 1
        return call(*args)


@pytest.mark.parametrize("crash_at", range(7))
def test_a_crash_between_any_two_steps_loses_nothing_and_doubles_nothing(
    store, history, clock, monkeypatch, crash_at
):
    """Seven things reach the disk: the plan, two days, outcomes and notes, the seal, the pruning."""
    record(store, clock, ["att_1", "att_2"], settled=["att_1"])
    later = AttemptStore(store, clock=clock)
    asyncio.run(next_day_attempt(later))
    note = [outbox.Entry("note", "n", NOON_US, b"{}")]
    store.write(lambda connection: outbox.append(connection, note)).result()

    with monkeypatch.context() as patched:
        CrashingAt(crash_at, patched, store)
        with pytest.raises(Crash):
            Sealing(store, history, clock=clock).step()
    # More has happened before somebody starts again.
    record(store, clock, ["att_4"], settled=["att_2"])
    while Sealing(store, history, clock=clock, entries_per_batch_max=3).step().moved:
        pass

    assert in_history(history) == {"att_1": "success", "att_2": "success", "att_3": "", "att_4": ""}
    files = [path for path in history.folder.rglob("*") if path.is_file()]
    rows = sum(pq.read_metadata(path).num_rows for path in files)
    assert rows == 7
    assert first_fault(store, history) is None


async def next_day_attempt(attempts):
    await attempts.record("att_3", msgspec.structs.replace(PLAIN, time_us=PLAIN.time_us + DAY_US), ALLOWED)


def test_seven_is_all_that_reaches_the_disk(store, history, clock, monkeypatch):
    """The test above would pass for the wrong reason if a step had more places to crash at."""
    record(store, clock, ["att_1", "att_2"], settled=["att_1"])
    asyncio.run(next_day_attempt(AttemptStore(store, clock=clock)))
    note = [outbox.Entry("note", "n", NOON_US, b"{}")]
    store.write(lambda connection: outbox.append(connection, note)).result()
    crashing = CrashingAt(7, monkeypatch, store)
    Sealing(store, history, clock=clock).step()
    assert crashing.left == 0


def sealed_days(store, history, sealing, clock):
    for day in range(3):
        record(store, clock, [f"att_{day}"])
        sealing.step()
    return sorted(history.folder.rglob("*.parquet"))


def test_a_changed_file_is_named(store, history, sealing, clock):
    _, changed, _ = sealed_days(store, history, sealing, clock)
    changed.write_bytes(changed.read_bytes().replace(b"att_1", b"att_9"))
    fault = first_fault(store, history)
    assert fault is not None
    assert fault.what == f"{changed.relative_to(history.folder)} was changed"


def test_a_missing_file_is_named(store, history, sealing, clock):
    first, *_ = sealed_days(store, history, sealing, clock)
    first.unlink()
    fault = first_fault(store, history)
    assert fault is not None
    assert fault.what == f"{first.relative_to(history.folder)} is missing"


def test_a_forged_seal_is_named(store, history, sealing, clock):
    sealed_days(store, history, sealing, clock)
    with store.read() as connection:
        _, second, _ = connection.execute(select(seal).order_by(seal.c.upto)).all()
    forged = second.entry.replace(b'"entries":1', b'"entries":0')
    store.write(
        lambda connection: connection.execute(
            update(seal).where(seal.c.upto == second.upto).values(entry=forged)
        )
    ).result()
    fault = first_fault(store, history)
    assert fault == (second.upto, "the chain is broken")


@pytest.mark.parametrize(
    ("taken_out", "what"),
    [(0, "the chain is broken"), (1, "the chain is broken"), (2, "the seals end at 2")],
)
def test_a_seal_that_was_taken_out_shows(store, history, sealing, clock, taken_out, what):
    sealed_days(store, history, sealing, clock)
    with store.read() as connection:
        upto = connection.execute(select(seal.c.upto).order_by(seal.c.upto)).scalars().all()[taken_out]
    store.write(lambda connection: connection.execute(delete(seal).where(seal.c.upto == upto))).result()
    fault = first_fault(store, history)
    assert fault is not None
    assert fault.what == what


def test_two_workers_on_one_server_do_not_move_the_same_entries(store, sealing, clock):
    """While one works, the other leaves the outbox to it; a file has one process, and that has one worker."""
    record(store, clock, ["att_1"])
    with store.read() as connection:
        if store.is_postgresql:
            connection.execute(select(func.pg_advisory_xact_lock(MOVE_LOCK)))
            assert sealing.step() == Moved(0, 0)
    assert sealing.step() == Moved(1, 0)


def test_an_empty_outbox_writes_nothing(history, sealing):
    assert sealing.step() == Moved(0, 0)
    assert not history.folder.exists()
    assert history.attempts_between(0, NOON_US).num_rows == 0


def test_plain_attempts_keep_what_is_not_known_apart_from_no(store, history, sealing, clock):
    asyncio.run(record_plain(AttemptStore(store, clock=clock)))
    sealing.step()
    (row,) = history.attempts_between(0, NOON_US + DAY_US).to_pylist()
    assert (row["known"], row["device_valid"], row["leaked"], row["amount_yen"]) == (None, None, None, None)


async def record_plain(attempts):
    await attempts.record("att_1", PLAIN, ALLOWED)
