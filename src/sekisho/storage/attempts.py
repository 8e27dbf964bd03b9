"""The record of attempts: each decided attempt, and what came of it, in the order in which they happened."""

import asyncio
from collections.abc import Awaitable

import msgspec
from sqlalchemy import and_, select

from sekisho.guard.attempts import Attempt, ChallengeResult, Outcome
from sekisho.guard.decisions import Decision
from sekisho.kernel.clock import Clock
from sekisho.storage import outbox
from sekisho.storage.engine import Store
from sekisho.storage.gathering import Gathering
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
        self._gathering: Gathering | None = None

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

    def _append(self, entry: outbox.Entry) -> Awaitable[None]:
        loop = asyncio.get_running_loop()
        if self._gathering is None or self._gathering.loop is not loop:
            self._gathering = Gathering(
                self._store, loop, waiting_max=self._waiting_max, commit_s_max=self._commit_s_max
            )
        return self._gathering.append(entry)


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
