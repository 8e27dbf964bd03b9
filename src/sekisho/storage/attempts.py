"""The record of attempts: each decided attempt, and what came of it, in the order in which they happened.

Attempts that arrive while a commit is on its way are written together by the next one.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable
from concurrent.futures import Future
from contextlib import suppress

import msgspec
from sqlalchemy import Connection, and_, select

from sekisho.guard.attempts import Attempt, ChallengeResult, Outcome
from sekisho.guard.decisions import Decision
from sekisho.kernel.clock import Clock
from sekisho.kernel.posture import OperationalError
from sekisho.storage import outbox
from sekisho.storage.engine import Store
from sekisho.storage.tables.outbox import outbox as outbox_table

DECIDED = "attempt:decided"
SETTLED = "attempt:settled"

WAITING_MAX = 16_384
COMMIT_S_MAX = 5.0


class AttemptDecided(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An attempt was decided. `position` is its place in the record."""

    position: int
    attempt_id: str
    at_us: int
    attempt: Attempt
    decision: Decision


class AttemptSettled(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """It became known what came of an attempt. `position` is its place in the record."""

    position: int
    attempt_id: str
    at_us: int
    outcome: Outcome
    challenge: ChallengeResult


class RecordedAttempt(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An attempt with its decision, and what came of it as far as that is known."""

    position: int
    attempt_id: str
    at_us: int
    attempt: Attempt
    decision: Decision
    outcome: Outcome
    challenge: ChallengeResult


class _DecidedBody(msgspec.Struct, frozen=True):
    attempt: Attempt
    decision: Decision


class _SettledBody(msgspec.Struct, frozen=True):
    outcome: Outcome
    challenge: ChallengeResult


_NOT_SETTLED = _SettledBody(Outcome.UNKNOWN, ChallengeResult.NONE)

_encode = msgspec.json.Encoder().encode
_decode_decided = msgspec.json.Decoder(_DecidedBody).decode
_decode_settled = msgspec.json.Decoder(_SettledBody).decode

_Waiting = tuple[outbox.Entry, "asyncio.Future[None]"]


class AttemptStore:
    """Records attempts from one event loop at a time, and reads them back from any thread.

    What `record` and `settle` return is done once the record survives the loss of the process and of the
    power. It raises OperationalError, at the latest after `commit_s_max` seconds, where the store fails or
    is too slow; what was refused for slowness may still have been kept.
    """

    def __init__(
        self,
        store: Store,
        *,
        clock: Clock,
        waiting_max: int = WAITING_MAX,
        commit_s_max: float = COMMIT_S_MAX,
    ) -> None:
        self._store = store
        self._clock = clock
        self._waiting_max = waiting_max
        self._commit_s_max = commit_s_max
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: deque[_Waiting] = deque()
        self._unfinished: deque[tuple[float, asyncio.Future[None]]] = deque()
        self._flush_is_queued = False

    def record(self, attempt_id: str, attempt: Attempt, decision: Decision) -> Awaitable[None]:
        """Keep a decided attempt; the same id again changes nothing."""
        body = _encode(_DecidedBody(attempt, decision))
        return self._append(outbox.Entry(DECIDED, attempt_id, self._clock.now_us(), body))

    def settle(
        self, attempt_id: str, outcome: Outcome, challenge: ChallengeResult, at_us: int
    ) -> Awaitable[None]:
        """Keep what came of an attempt; a second settlement of the same attempt changes nothing."""
        body = _encode(_SettledBody(outcome, challenge))
        return self._append(outbox.Entry(SETTLED, attempt_id, at_us, body))

    def recent(self, count: int) -> list[RecordedAttempt]:
        """Return the newest attempts that are still in the outbox, newest first. Raises OperationalError."""
        decided, settled = outbox_table.alias("decided"), outbox_table.alias("settled")
        same_attempt = and_(settled.c.subject == decided.c.subject, settled.c.kind == SETTLED)
        newest = (
            select(decided, settled.c.body.label("settlement"))
            .select_from(decided.outerjoin(settled, same_attempt))
            .where(decided.c.kind == DECIDED)
            .order_by(decided.c.position.desc())
            .limit(count)
        )
        with self._store.read() as connection:
            return [_recorded(outbox.StoredEntry(*row[:-1]), row[-1]) for row in connection.execute(newest)]

    def since(self, position: int, *, limit: int = 10_000) -> list[AttemptDecided | AttemptSettled]:
        """Return what happened after a position, in order, at most so many. Raises OperationalError.

        With 0 it begins with the oldest that the outbox still holds.
        """
        after = (
            select(outbox_table)
            .where(outbox_table.c.position > position, outbox_table.c.kind.in_((DECIDED, SETTLED)))
            .order_by(outbox_table.c.position)
            .limit(limit)
        )
        with self._store.read() as connection:
            entries = [outbox.StoredEntry(*row) for row in connection.execute(after)]
        return [event for entry in entries if (event := event_of(entry)) is not None]

    def find(self, attempt_id: str) -> AttemptDecided | None:
        """Return a decided attempt that is still in the outbox, or None. Raises OperationalError."""
        its = (outbox_table.c.subject == attempt_id, outbox_table.c.kind == DECIDED)
        with self._store.read() as connection:
            row = connection.execute(select(outbox_table).where(*its)).one_or_none()
        return None if row is None else _decided(outbox.StoredEntry(*row))

    def last_position(self) -> int:
        """Return the position of the newest event, 0 where there is none. Raises OperationalError."""
        with self._store.read() as connection:
            return outbox.last_position(connection)

    def _append(self, entry: outbox.Entry) -> "asyncio.Future[None]":
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._move_to(loop)
        done: asyncio.Future[None] = loop.create_future()
        if len(self._waiting) >= self._waiting_max:
            done.set_exception(OperationalError("store", f"{self._waiting_max} records wait to be written"))
            return done
        self._waiting.append((entry, done))
        self._watch(loop, done)
        # The flag falls before a flush takes what waits: whoever still sees it up is sure to be taken along.
        if not self._flush_is_queued:
            self._flush_is_queued = True
            # After what the loop has at hand: a commit costs as much as some ten records.
            loop.call_soon(self._queue_flush, loop)
        return done

    def _move_to(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin on a loop; nobody waits on the one before, and what that had planned is not done."""
        self._loop = loop
        self._unfinished.clear()
        self._flush_is_queued = False

    def _queue_flush(self, loop: asyncio.AbstractEventLoop) -> None:
        taken: list[_Waiting] = []

        def flush(connection: Connection) -> None:
            taken.extend(self._take())
            outbox.append(connection, [entry for entry, _ in taken])

        def flushed(future: "Future[None]") -> None:
            # A loop that was closed meanwhile has nobody left who waits.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(self._finish, taken, future.exception())

        try:
            self._store.write(flush).add_done_callback(flushed)
        except OperationalError as closed:
            self._finish(taken, closed)

    def _take(self) -> list[_Waiting]:
        self._flush_is_queued = False
        return [self._waiting.popleft() for _ in range(len(self._waiting))]

    def _finish(self, taken: list[_Waiting], error: BaseException | None) -> None:
        # A transaction that could not even begin has left everybody waiting.
        for _, done in taken or (self._take() if error else ()):
            if not done.done():
                if error is None:
                    done.set_result(None)
                else:
                    done.set_exception(error)

    def _watch(self, loop: asyncio.AbstractEventLoop, done: "asyncio.Future[None]") -> None:
        if not self._unfinished:
            loop.call_later(self._commit_s_max, self._expire, loop)
        self._unfinished.append((loop.time() + self._commit_s_max, done))

    def _expire(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        while self._unfinished and (self._unfinished[0][1].done() or self._unfinished[0][0] <= now):
            done = self._unfinished.popleft()[1]
            if not done.done():
                done.set_exception(OperationalError("store", f"no commit within {self._commit_s_max} s"))
        if self._unfinished:
            loop.call_later(self._unfinished[0][0] - now, self._expire, loop)


def event_of(entry: outbox.StoredEntry) -> AttemptDecided | AttemptSettled | None:
    """Read an outbox entry as an event of an attempt, or return None where it is about something else."""
    if entry.kind == DECIDED:
        return _decided(entry)
    if entry.kind == SETTLED:
        return _settled(entry)
    return None


def _decided(entry: outbox.StoredEntry) -> AttemptDecided:
    body = _decode_decided(entry.body)
    return AttemptDecided(
        position=entry.position,
        attempt_id=entry.subject,
        at_us=entry.at_us,
        attempt=body.attempt,
        decision=body.decision,
    )


def _settled(entry: outbox.StoredEntry) -> AttemptSettled:
    body = _decode_settled(entry.body)
    return AttemptSettled(
        position=entry.position,
        attempt_id=entry.subject,
        at_us=entry.at_us,
        outcome=body.outcome,
        challenge=body.challenge,
    )


def _recorded(entry: outbox.StoredEntry, settlement: bytes | None) -> RecordedAttempt:
    decided = _decided(entry)
    settled = _decode_settled(settlement) if settlement else _NOT_SETTLED
    return RecordedAttempt(
        position=decided.position,
        attempt_id=decided.attempt_id,
        at_us=decided.at_us,
        attempt=decided.attempt,
        decision=decided.decision,
        outcome=settled.outcome,
        challenge=settled.challenge,
    )
