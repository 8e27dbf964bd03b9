"""A guard whose memory outlives the process: taken up at the start, put away again and again, and at the end.

Between two snapshots the record of attempts is the memory: what was recorded after the snapshot is relived at
the next start. Whatever ends the process, nothing that was learnt from recorded attempts is lost.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from sekisho.guard.guard import Guard
from sekisho.guard.snapshot import BadSnapshot
from sekisho.kernel.posture import OperationalError
from sekisho.storage.memory.local import MemorySnapshot, SnapshotDamagedError, load_snapshot, save_snapshot
from sekisho.storage.memory.recovery import catch_up

if TYPE_CHECKING:
    from sekisho.guard.address_lists import AddressLists
    from sekisho.guard.policy import Policy
    from sekisho.storage.attempts import AttemptStore

log = structlog.get_logger(__name__)

SAVE_EVERY_S = 180.0


class KeptMemory:
    """A guard and the file that its memory is kept in. `failed_count` says how often saving failed."""

    def __init__(self, guard: Guard, attempts: "AttemptStore", path: Path) -> None:
        self.guard = guard
        self.failed_count = 0
        self._attempts = attempts
        self._path = path

    async def save(self) -> None:
        """Put the memory away. Call it on the event loop on which the guard decides.

        The loop stands still only while the memory is copied. A failure is logged and counted; the snapshot
        before stays, and the record holds what came since.
        """
        try:
            # The position comes first: what is decided meanwhile is relived twice, and never missed.
            position = await asyncio.to_thread(self._attempts.last_position)
            copy = self.guard.copy_memory()
            await asyncio.to_thread(
                lambda: save_snapshot(self._path, MemorySnapshot(position=position, memory=copy.pack()))
            )
        except (OperationalError, OSError) as failure:
            self.failed_count += 1
            log.warning("memory:saving:failed", failure=str(failure), failed_count=self.failed_count)

    @asynccontextmanager
    async def saving(self, *, every_s: float = SAVE_EVERY_S) -> AsyncIterator[None]:
        """Save every so many seconds while the block runs, and once when it is over."""
        task = asyncio.ensure_future(self._save_again_and_again(every_s))
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            await self.save()

    async def _save_again_and_again(self, every_s: float) -> None:
        while True:
            await asyncio.sleep(every_s)
            await self.save()


def remember(  # noqa: PLR0913 - the parts of a guard, each named at the call
    attempts: "AttemptStore",
    path: Path,
    *,
    key: bytes,
    policy: "Policy | None" = None,
    shadows: Sequence["Policy"] = (),
    lists: "AddressLists | None" = None,
) -> KeptMemory:
    """Return a guard that knows what it knew when the process before ended, however that ended.

    Without a file it begins with what the outbox still holds. Call it before anything is moved from the
    outbox to history. Raises SnapshotDamagedError where the file cannot be used (to begin without it, move it
    away), OperationalError where the store is down, and OSError.
    """
    kept = load_snapshot(path)
    if kept is None:
        guard, position = Guard(key=key, policy=policy, shadows=shadows, lists=lists), 0
    else:
        position = kept.position
        try:
            guard = Guard.restore(kept.memory, key=key, policy=policy, shadows=shadows, lists=lists)
        except BadSnapshot as refusal:
            raise SnapshotDamagedError(path, f"{refusal}; move it away to begin without it") from refusal
    catch_up(guard, attempts, position)
    return KeptMemory(guard, attempts, path)
