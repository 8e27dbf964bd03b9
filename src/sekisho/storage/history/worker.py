"""The worker that moves the outbox to history while everything else goes on."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import structlog

from sekisho.kernel.clock import Clock
from sekisho.kernel.posture import OperationalError
from sekisho.storage.engine import Store
from sekisho.storage.history.parquet import HistoryFolder
from sekisho.storage.history.sealing import Moved, Sealing

log = structlog.get_logger(__name__)

EVERY_S = 60.0


@contextmanager
def moving_to_history(store: Store, folder: Path, *, clock: Clock) -> Iterator[None]:
    """Move a store's outbox to a folder of history for as long as the block runs."""
    worker = SealingWorker(Sealing(store, HistoryFolder(folder), clock=clock))
    worker.start()
    try:
        yield
    finally:
        worker.close()


class Mover(Protocol):
    """Moves one batch at each step: `Sealing`."""

    def step(self) -> Moved:
        """Move one batch, if there is anything to move."""
        ...


class SealingWorker:
    """One thread that moves and seals what has gathered, every `every_s` seconds, until it is closed.

    What fails is logged, counted in `failed_count` and tried again; until then all stays in the outbox.
    """

    def __init__(self, sealing: Mover, *, every_s: float = EVERY_S) -> None:
        self.failed_count = 0
        self._sealing = sealing
        self._every_s = every_s
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="history-worker", daemon=True)

    def start(self) -> None:
        """Begin; what gathered before is moved at once."""
        self._thread.start()

    def close(self) -> None:
        """Finish the step that is under way, and end; the rest is moved after the next start."""
        self._closing.set()
        self._thread.join()

    def move_all(self) -> int:
        """Move what has gathered and return how many entries that were.

        What happens meanwhile waits for the next time: hunted for, it would make a file of every few entries.
        """
        moved, more = 0, True
        try:
            while more and not self._closing.is_set():
                step = self._sealing.step()
                moved, more = moved + step.moved, step.more
        except (OperationalError, OSError) as failure:
            self.failed_count += 1
            log.warning("history:sealing:failed", failure=str(failure), failed_count=self.failed_count)
        return moved

    def _run(self) -> None:
        while not self._closing.is_set():
            self.move_all()
            self._closing.wait(self._every_s)
