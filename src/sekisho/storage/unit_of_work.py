"""Units of work: what is written together is kept together, or not at all.

All writes of a process go through one thread. It takes what waits in its queue, up to a limit, gives each
unit of work a savepoint of its own, and commits them together, so that many small writes share one flush to
disk.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import closing, contextmanager
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

import pysqlite3
from sqlalchemy import Connection, Engine, exc

from sekisho.kernel.posture import OperationalError

__all__ = ["Connection", "Statement", "Statements", "Work", "Writer", "as_outage", "outages_named"]

Result = TypeVar("Result")
Work = Callable[[Connection], Result]
Statement = tuple[str, tuple[Any, ...]]
"""SQL in the driver's own words, and its values."""

WORKS_PER_COMMIT_MAX = 64

# What a database says when it is itself in trouble; the rest of what it says is about what it was asked.
OUTAGES = (
    exc.InterfaceError,
    exc.InternalError,
    exc.OperationalError,
    exc.PendingRollbackError,
    exc.TimeoutError,
    pysqlite3.InterfaceError,
    pysqlite3.InternalError,
    pysqlite3.OperationalError,
)

_Queued = tuple[Work[Any], "Future[Any]"]


class Statements:
    """A unit of work that only runs statements, which it makes when its turn has come.

    A single statement is a transaction of its own: where it is alone, the writer saves the rest. That counts,
    because a thread that goes to the database and comes back has to get the interpreter from a busy event
    loop each time.
    """

    def __init__(self, make: Callable[[], list[Statement]]) -> None:
        self.make = make

    def __call__(self, connection: Connection) -> None:
        """Make the statements and run them within a transaction."""
        _run_all(connection, self.make())


class _Failure:
    """A unit of work that was rolled back, and why."""

    def __init__(self, error: Exception) -> None:
        self.error = as_outage(error)


class Writer:
    """The one thread that writes. Units of work run in the order in which they were submitted."""

    def __init__(self, engine: Engine, *, works_per_commit_max: int = WORKS_PER_COMMIT_MAX) -> None:
        self._engine = engine
        self._works_per_commit_max = works_per_commit_max
        self._commits_each_statement = engine.dialect.name == "sqlite"
        self._queue: SimpleQueue[_Queued | None] = SimpleQueue()
        self._closing = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    def submit(self, work: Work[Result]) -> "Future[Result]":
        """Queue a unit of work. The future is done when it is committed, and carries what the work returned.

        What the work raises rolls back this unit alone and comes out of the future; an OperationalError says
        that the store itself failed. The work must not use its connection after it returned.
        """
        future: Future[Result] = Future()
        with self._closing:
            if self._closed:
                raise OperationalError("store", "closed")
            self._queue.put((work, future))
        return future

    def close(self) -> None:
        """Commit what was submitted, then end the thread."""
        with self._closing:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        last = False
        while not last:
            batch, last = self._take()
            if batch:
                self._commit(batch)

    def _take(self) -> tuple[list[_Queued], bool]:
        batch: list[_Queued] = []
        queued = self._queue.get()
        while queued is not None:
            if queued[1].set_running_or_notify_cancel():
                batch.append(queued)
            if len(batch) >= self._works_per_commit_max:
                return batch, False
            try:
                queued = self._queue.get_nowait()
            except Empty:
                return batch, False
        return batch, True

    def _commit(self, batch: list[_Queued]) -> None:
        try:
            results = self._run_alone(batch[0][0]) if len(batch) == 1 else self._run_together(batch)
        except Exception as error:  # noqa: BLE001 - whatever it was, those who wait must hear of it
            results = [_Failure(error)] * len(batch)
        for (_, future), result in zip(batch, results, strict=True):
            if isinstance(result, _Failure):
                future.set_exception(result.error)
            else:
                future.set_result(result)

    def _run_together(self, batch: list[_Queued]) -> list[Any]:
        with self._engine.begin() as connection:
            return [_run_in_savepoint(connection, work) for work, _ in batch]

    def _run_alone(self, work: Work[Any]) -> list[Any]:
        # A unit that is alone in its transaction needs no savepoint: rolling back takes nobody else along.
        if self._commits_each_statement and isinstance(work, Statements):
            statements = work.make()
            if len(statements) == 1:
                self._run_single(statements[0])
                return [None]
            work = partial(_run_all, statements=statements)
        with self._engine.begin() as connection:
            return [work(connection)]

    def _run_single(self, statement: Statement) -> None:
        with closing(self._engine.raw_connection()) as connection:
            connection.cursor().execute(*statement)


def _run_all(connection: Connection, statements: list[Statement]) -> None:
    for statement in statements:
        connection.exec_driver_sql(*statement)


def _run_in_savepoint(connection: Connection, work: Work[Any]) -> Any:  # noqa: ANN401 - what the work returns
    savepoint = connection.begin_nested()
    try:
        result = work(connection)
    except Exception as error:  # noqa: BLE001 - it belongs to this unit's future, not to the thread
        savepoint.rollback()
        return _Failure(error)
    savepoint.commit()
    return result


@contextmanager
def outages_named() -> Iterator[None]:
    """Raise OperationalError where a database within complains about itself."""
    try:
        yield
    except exc.SQLAlchemyError as error:
        outage = as_outage(error)
        if outage is error:
            raise
        raise outage from error


def as_outage(error: Exception) -> Exception:
    """Turn a database's complaint about itself into an OperationalError; leave everything else as it is."""
    # SQLite says plainly "database error" where the file is damaged or is none of its own.
    if isinstance(error, OUTAGES) or type(error) in (exc.DatabaseError, pysqlite3.DatabaseError):
        return OperationalError("store", str(getattr(error, "orig", None) or error))
    return error
