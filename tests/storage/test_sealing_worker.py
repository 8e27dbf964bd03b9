import threading

import pytest

from sekisho.kernel.clock import SetClock
from sekisho.kernel.posture import OperationalError
from sekisho.storage import outbox
from sekisho.storage.engine import open_store
from sekisho.storage.history.parquet import HistoryFolder
from sekisho.storage.history.sealing import Moved, Sealing
from sekisho.storage.history.worker import SealingWorker, moving_to_history


class Steps:
    """Takes the given steps one after the other, then says that it is through and has nothing more to do."""

    def __init__(self, *steps):
        self.steps = list(steps)
        self.through = threading.Event()

    def step(self):
        if not self.steps:
            self.through.set()
            return Moved(0, 0)
        step = self.steps.pop(0)
        if isinstance(step, Exception):
            raise step
        return step


def test_all_that_has_gathered_is_moved_at_once():
    worker = SealingWorker(Steps(Moved(20_000, 0, more=True), Moved(500, 0), Moved(3, 0)))
    assert worker.move_all() == 20_500, "what comes meanwhile waits, lest every few entries become a file"
    assert worker.failed_count == 0


@pytest.mark.parametrize(
    "failure", [OperationalError("store", "closed"), OSError(28, "No space left on device")]
)
def test_an_outage_is_counted_and_tried_again(failure):
    worker = SealingWorker(Steps(Moved(10, 0, more=True), failure, Moved(5, 0)))
    assert worker.move_all() == 10
    assert worker.failed_count == 1
    assert worker.move_all() == 5


def test_the_thread_goes_on_after_an_outage_until_it_is_closed():
    steps = Steps(OperationalError("store", "closed"), Moved(5, 0))
    worker = SealingWorker(steps, every_s=0.001)
    worker.start()
    assert steps.through.wait(10)
    worker.close()
    assert worker.failed_count == 1


def test_a_worker_empties_a_real_outbox(tmp_path):
    store = open_store(f"sqlite:///{tmp_path}/sekisho.db")
    entries = [outbox.Entry("note", str(number), 0, b"{}") for number in range(25)]
    store.write(lambda connection: outbox.append(connection, entries)).result()
    history = HistoryFolder(tmp_path / "history")
    worker = SealingWorker(Sealing(store, history, clock=SetClock(1), entries_per_batch_max=10))
    assert worker.move_all() == 25
    store.close()


def test_leaving_the_block_ends_the_worker(tmp_path):
    store = open_store(f"sqlite:///{tmp_path}/sekisho.db")
    before = threading.active_count()
    with moving_to_history(store, tmp_path / "history", clock=SetClock(1)):
        assert threading.active_count() == before + 1
    assert threading.active_count() == before
    store.close()
