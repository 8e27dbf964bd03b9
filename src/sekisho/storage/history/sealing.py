"""Move what happened from the outbox to history, and seal it.

A step plans a batch (durably, so that it is the same batch after a crash), writes its files, seals their
hashes in the chain together with the progress made, and then prunes the outbox. Ended anywhere, the next
step does what is left: nothing is lost, and nothing is written twice.
"""

import time
from collections.abc import Iterator
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, delete, func, insert, select, update

from sekisho.kernel import chain
from sekisho.kernel.clock import HOUR_US, Clock
from sekisho.storage import outbox
from sekisho.storage.engine import Store
from sekisho.storage.history.parquet import REST_S, HistoryFolder, WrittenFile
from sekisho.storage.tables.history import history_progress, seal
from sekisho.storage.tables.outbox import outbox as outbox_table

MOVE_LOCK = 0x5E_C1_50_03
ENTRIES_PER_BATCH_MAX = 20_000
READ_AT_ONCE = 500
# Small enough that a login which waits behind it does not feel it.
PRUNED_AT_ONCE = 500


class Moved(NamedTuple):
    """What a step did: entries moved to history, entries pruned from the outbox; whether there is more."""

    moved: int
    pruned: int
    more: bool = False


class SealedBatch(msgspec.Struct, frozen=True, kw_only=True):
    """What a link of the chain stands for: the positions from `first` to `upto`, and their files."""

    first: int
    upto: int
    entries: int
    sealed_us: int
    files: list[WrittenFile]


class HistoryFault(NamedTuple):
    """The first place where history is not what was sealed."""

    upto: int
    what: str


class Sealing:
    """Moves one store's outbox to one folder of history. One step at a time; call it from one worker thread.

    Entries stay in the outbox for `keep_us` after they happened, so that those who follow it can catch up.
    """

    def __init__(
        self,
        store: Store,
        history: HistoryFolder,
        *,
        clock: Clock,
        keep_us: int = HOUR_US,
        entries_per_batch_max: int = ENTRIES_PER_BATCH_MAX,
    ) -> None:
        self._store = store
        self._history = history
        self._clock = clock
        self._keep_us = keep_us
        self._entries_per_batch_max = entries_per_batch_max

    def step(self) -> Moved:
        """Move one batch, if there is anything to move, and prune. Raises OperationalError, and OSError."""
        with self._store.read() as connection:
            if not self._is_ours(connection):
                return Moved(0, 0)
            sealed_upto, planned_upto = _progress(connection)
            unfinished = planned_upto - sealed_upto
            limit = unfinished or self._entries_per_batch_max
            entries = _read(connection, sealed_upto, limit)
            if unfinished:
                entries = [entry for entry in entries if entry.position <= planned_upto]
            if entries:
                self._move(sealed_upto, entries)
                sealed_upto = entries[-1].position
            return Moved(len(entries), self._prune(sealed_upto), more=len(entries) == limit)

    def _is_ours(self, connection: Connection) -> bool:
        """On a server, other processes may be moving this outbox; who comes second leaves it to the first."""
        if not self._store.is_postgresql:
            return True
        return bool(connection.execute(select(func.pg_try_advisory_xact_lock(MOVE_LOCK))).scalar_one())

    def _move(self, sealed_upto: int, entries: list[outbox.StoredEntry]) -> None:
        upto = entries[-1].position
        self._store.write(lambda connection: _plan(connection, upto)).result()
        files = self._history.write(entries)
        batch = SealedBatch(
            first=sealed_upto + 1,
            upto=upto,
            entries=len(entries),
            sealed_us=self._clock.now_us(),
            files=files,
        )
        self._store.write(lambda connection: _seal(connection, batch)).result()

    def _prune(self, sealed_upto: int) -> int:
        before_us = self._clock.now_us() - self._keep_us
        pruned = 0
        while chunk := self._store.write(
            lambda connection: _prune(connection, sealed_upto, before_us)
        ).result():
            pruned += chunk
            if chunk < PRUNED_AT_ONCE:
                break
        return pruned


def first_fault(store: Store, history: HistoryFolder) -> HistoryFault | None:
    """Check all of history against its seals; None where each link, batch and file is as it was sealed."""
    with store.read() as connection:
        sealed_upto, _ = _progress(connection)
        seals = connection.execute(select(seal).order_by(seal.c.upto)).all()
    broken = chain.verify((row.entry, row.link) for row in seals)
    if broken is not None:
        return HistoryFault(seals[broken.position].upto, "the chain is broken")
    batches = [msgspec.json.decode(row.entry, type=SealedBatch) for row in seals]
    return next(_faults(batches, sealed_upto, history), None)


def _faults(batches: list[SealedBatch], sealed_upto: int, history: HistoryFolder) -> Iterator[HistoryFault]:
    moved_upto = 0
    for batch in batches:
        if batch.first != moved_upto + 1:
            yield HistoryFault(batch.upto, f"positions {moved_upto + 1} to {batch.first - 1} are missing")
        moved_upto = batch.upto
        for file in batch.files:
            found = history.sha256(file.name)
            if found is None:
                yield HistoryFault(batch.upto, f"{file.name} is missing")
            elif found != file.sha256:
                yield HistoryFault(batch.upto, f"{file.name} was changed")
    if moved_upto != sealed_upto:
        yield HistoryFault(sealed_upto, f"the seals end at {moved_upto}")


def _read(connection: Connection, after: int, limit: int) -> list[outbox.StoredEntry]:
    """Return at most so many entries after a position, read a few at a time, for the reason of `REST_S`."""
    entries: list[outbox.StoredEntry] = []
    while len(entries) < limit:
        wanted = min(READ_AT_ONCE, limit - len(entries))
        found = outbox.read_after(connection, after, limit=wanted)
        entries += found
        if len(found) < wanted:
            break
        after = found[-1].position
        time.sleep(REST_S)
    return entries


def _progress(connection: Connection) -> tuple[int, int]:
    row = connection.execute(select(history_progress)).one()
    return row.sealed_upto, row.planned_upto


def _plan(connection: Connection, upto: int) -> None:
    connection.execute(update(history_progress).values(planned_upto=upto))


def _seal(connection: Connection, batch: SealedBatch) -> None:
    newest = select(seal.c.link).order_by(seal.c.upto.desc()).limit(1)
    previous = connection.execute(newest).scalar_one_or_none() or chain.GENESIS
    entry = chain.canonical(batch)
    link = chain.link(previous, entry)
    connection.execute(insert(seal), {"upto": batch.upto, "entry": entry, "link": link})
    connection.execute(update(history_progress).values(sealed_upto=batch.upto))


def _prune(connection: Connection, sealed_upto: int, before_us: int) -> int:
    old = (
        select(outbox_table.c.position)
        .where(outbox_table.c.position <= sealed_upto, outbox_table.c.at_us < before_us)
        .order_by(outbox_table.c.position)
        .limit(PRUNED_AT_ONCE)
    )
    return connection.execute(delete(outbox_table).where(outbox_table.c.position.in_(old))).rowcount
