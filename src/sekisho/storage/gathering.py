"""Gather what one event loop has to write, and write it together.

A commit costs as much as some ten records. What the loop has at hand goes into one, and what arrives while
that is on its way goes into the next.
"""

import asyncio
from collections import deque
from concurrent.futures import Future
from contextlib import suppress

from sekisho.kernel.posture import OperationalError
from sekisho.storage import outbox
from sekisho.storage.engine import Store
from sekisho.storage.unit_of_work import Statement, Statements

_Waiting = tuple[outbox.Entry, "asyncio.Future[None]"]


class Gathering:
    """Appends entries to a store's outbox for one event loop, in the order in which they are given."""

    def __init__(
        self, store: Store, loop: asyncio.AbstractEventLoop, *, waiting_max: int, commit_s_max: float
    ) -> None:
        self.loop = loop
        self._store = store
        self._waiting_max = waiting_max
        self._commit_s_max = commit_s_max
        self._waiting: deque[_Waiting] = deque()
        self._unfinished: deque[tuple[float, asyncio.Future[None]]] = deque()
        self._flush_is_due = False
        self._watched = False

    def append(self, entry: outbox.Entry) -> "asyncio.Future[None]":
        """Add an entry. The future is done when it is committed.

        It raises OperationalError where the store fails, takes longer than `commit_s_max` seconds, or where
        `waiting_max` entries wait already.
        """
        done: asyncio.Future[None] = self.loop.create_future()
        if len(self._waiting) >= self._waiting_max:
            done.set_exception(OperationalError("store", f"{self._waiting_max} records wait to be written"))
            return done
        self._waiting.append((entry, done))
        self._watch(done)
        # The mark falls before a flush takes what waits: whoever still sees it up is sure to be taken along.
        if not self._flush_is_due:
            self._flush_is_due = True
            self.loop.call_soon(self._flush)
        return done

    def _flush(self) -> None:
        taken: list[_Waiting] = []

        def make() -> list[Statement]:
            taken.extend(self._take())
            return outbox.appending([entry for entry, _ in taken], postgresql=self._store.is_postgresql)

        def written(future: "Future[None]") -> None:
            # A loop that was closed meanwhile has nobody left who waits.
            with suppress(RuntimeError):
                self.loop.call_soon_threadsafe(self._finish, taken, future.exception())

        try:
            self._store.write(Statements(make)).add_done_callback(written)
        except OperationalError as closed:
            self._finish(taken, closed)

    def _take(self) -> list[_Waiting]:
        self._flush_is_due = False
        return [self._waiting.popleft() for _ in range(len(self._waiting))]

    def _finish(self, taken: list[_Waiting], error: BaseException | None) -> None:
        # A transaction that could not even begin has left everybody waiting.
        for _, done in taken or (self._take() if error else ()):
            if not done.done():
                if error is None:
                    done.set_result(None)
                else:
                    done.set_exception(error)
        self._forget_finished()

    def _watch(self, done: "asyncio.Future[None]") -> None:
        if not self._watched:
            self._watched = True
            self.loop.call_later(self._commit_s_max, self._expire)
        self._unfinished.append((self.loop.time() + self._commit_s_max, done))

    def _forget_finished(self) -> None:
        unfinished = self._unfinished
        while unfinished and unfinished[0][1].done():
            unfinished.popleft()

    def _expire(self) -> None:
        now = self.loop.time()
        self._forget_finished()
        while self._unfinished and self._unfinished[0][0] <= now:
            self._unfinished.popleft()[1].set_exception(
                OperationalError("store", f"no commit within {self._commit_s_max} s")
            )
            self._forget_finished()
        self._watched = bool(self._unfinished)
        if self._watched:
            self.loop.call_later(self._unfinished[0][0] - now, self._expire)
