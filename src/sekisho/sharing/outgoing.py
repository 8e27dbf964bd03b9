"""Tokens on their way out: leased by whoever delivers them, tried again, and ended once.

Pushed or polled, a token is gone only when its receiver has said so. Whoever dies with one in hand loses the
lease by time; the receiver takes the same token a second time for what it is.
"""

from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, func, or_, select, update

from sekisho.kernel.chance import Chance
from sekisho.kernel.clock import DAY_US, HOUR_US, MINUTE_US, SECOND_US
from sekisho.sharing.announcements import WAITING
from sekisho.sharing.settings import SignalSettings
from sekisho.sharing.stream_events import STREAM_UPDATED
from sekisho.sharing.streams import PUSH, Status
from sekisho.storage.tables.signals import signal_outgoing as table
from sekisho.storage.tables.signals import signal_stream

LEASE_US = 30 * SECOND_US
FIRST_PAUSE_US = 2 * SECOND_US
PAUSE_US_MAX = 5 * MINUTE_US
PAUSE_GROWTH = 3
KEPT_US = 30 * DAY_US
"""How long it is kept what became of a token."""

_FAILURE_MAX = 200


class End(StrEnum):
    """What became of a token."""

    DELIVERED = "delivered"
    """Its receiver has it."""

    REFUSED = "refused"
    """Its receiver does not take it, whatever we do."""

    EXPIRED = "expired"
    """Nobody took it in time, or the stream was switched off."""


class Due(NamedTuple):
    """A token in hand: how often it was tried, this time included, and by which lease."""

    jti: str
    event_type: str
    claims: bytes
    made_at_us: int
    tries: int
    lease: str


class Outcome(NamedTuple):
    """What a try came to: the end of the token, or why it is tried again and not before when.

    `away` says that the receiver itself was not to be had, so that its other tokens need not be tried now.
    """

    end: End | None
    why: str = ""
    wait_us: int = 0
    away: bool = False


def streams_due(connection: Connection, now_us: int) -> list[str]:
    """Return the streams for which something is to be pushed now."""
    due = (
        select(table.c.stream_id)
        .join(signal_stream, signal_stream.c.id == table.c.stream_id)
        .where(signal_stream.c.method == PUSH, _deliverable(), _due(now_us))
        .distinct()
    )
    return list(connection.execute(due).scalars())


def lease(connection: Connection, stream_id: str, limit: int, now_us: int, chance: Chance) -> list[Due]:
    """Take what is to be pushed on a stream, the oldest first."""
    token = f"{chance.bits(64):016x}"
    due = (
        select(table)
        .join(signal_stream, signal_stream.c.id == table.c.stream_id)
        .where(table.c.stream_id == stream_id, _deliverable(), _due(now_us))
        .order_by(table.c.jti)
        .limit(limit)
        .with_for_update(of=table, skip_locked=True)
    )
    found = [_of(row, token) for row in connection.execute(due).all()]
    for one in found:
        mine = update(table).where(table.c.jti == one.jti)
        connection.execute(mine.values(tries=one.tries, leased_by=token, leased_until_us=now_us + LEASE_US))
    return found


def waiting_for(connection: Connection, stream_id: str, limit: int) -> list[Due]:
    """Return what a polling receiver has not acknowledged yet, the oldest first."""
    due = (
        select(table)
        .join(signal_stream, signal_stream.c.id == table.c.stream_id)
        .where(table.c.stream_id == stream_id, _deliverable(), table.c.state == WAITING)
        .order_by(table.c.jti)
        .limit(limit)
    )
    return [_of(row, "") for row in connection.execute(due)]


def has_ended(connection: Connection, stream_id: str, jti: str, outcome: Outcome, now_us: int) -> bool:
    """Note what became of a token, and tell whether it still waited: only its stream's receiver ends it."""
    if outcome.end is None:
        raise ValueError("a token that is tried again has not ended")
    values = {
        "state": outcome.end.value,
        "ended_at_us": now_us,
        "failure": outcome.why[:_FAILURE_MAX],
        "leased_by": "",
        "leased_until_us": 0,
    }
    its = and_(table.c.stream_id == stream_id, table.c.jti == jti, table.c.state == WAITING)
    return connection.execute(update(table).where(its).values(values)).rowcount == 1


def postpone(connection: Connection, due: Due, outcome: Outcome, *, next_us: int, last_us: int) -> None:
    """Put a token back, to be tried again at a time, or end it where that is too late."""
    held = and_(table.c.jti == due.jti, table.c.leased_by == due.lease, table.c.state == WAITING)
    values: dict[str, Any] = {"next_try_us": next_us}
    if next_us >= last_us:
        values = {"state": End.EXPIRED.value, "ended_at_us": next_us}
    freed = {"leased_by": "", "leased_until_us": 0, "failure": outcome.why[:_FAILURE_MAX]}
    connection.execute(update(table).where(held).values({**values, **freed}))


def give_back(connection: Connection, due: Due) -> None:
    """Put a token back that was not tried after all."""
    held = and_(table.c.jti == due.jti, table.c.leased_by == due.lease, table.c.state == WAITING)
    connection.execute(update(table).where(held).values(tries=due.tries - 1, leased_by="", leased_until_us=0))


def hold_back(connection: Connection, stream_id: str, until_us: int) -> None:
    """Let a stream's other tokens wait as well: its receiver is away, and need not be asked for each."""
    waits = and_(table.c.stream_id == stream_id, table.c.state == WAITING, table.c.next_try_us < until_us)
    connection.execute(update(table).where(waits).values(next_try_us=until_us))


def drop_waiting(connection: Connection, stream_id: str, now_us: int) -> int:
    """End what waits on a stream that was switched off, but for the word of it; return how many."""
    waits = and_(
        table.c.stream_id == stream_id, table.c.state == WAITING, table.c.event_type != STREAM_UPDATED
    )
    values = {"state": End.EXPIRED.value, "ended_at_us": now_us, "failure": "the stream is disabled"}
    return connection.execute(update(table).where(waits).values(values)).rowcount


def expire_waiting(connection: Connection, settings: SignalSettings, now_us: int) -> int:
    """End what nobody took in time; return how many."""
    before_us = now_us - settings.tried_days * DAY_US - HOUR_US
    late = and_(table.c.state == WAITING, table.c.made_at_us < before_us)
    values = {"state": End.EXPIRED.value, "ended_at_us": now_us, "failure": "nobody took it in time"}
    return connection.execute(update(table).where(late).values(values)).rowcount


def forget_ended(connection: Connection, now_us: int) -> None:
    """Forget what became of tokens long ago."""
    connection.execute(delete(table).where(table.c.ended_at_us < now_us - KEPT_US))


def counts(connection: Connection) -> dict[tuple[str, str], int]:
    """Return how many tokens there are by stream and state."""
    rows = select(table.c.stream_id, table.c.state, func.count()).group_by(table.c.stream_id, table.c.state)
    return {(stream_id, state): count for stream_id, state, count in connection.execute(rows)}


def pause_us(tries: int, chance: Chance) -> int:
    """Return how long to wait after so many tries: three times as long each time, and never all at once."""
    grown: int = PAUSE_GROWTH ** min(max(tries, 1) - 1, 16)
    pause = min(FIRST_PAUSE_US * grown, PAUSE_US_MAX)
    return pause * 3 // 4 + chance.below(pause // 2)


def _due(now_us: int) -> ColumnElement[bool]:
    return and_(table.c.state == WAITING, table.c.next_try_us <= now_us, table.c.leased_until_us <= now_us)


def _deliverable() -> ColumnElement[bool]:
    # That a stream was paused is told all the same.
    return or_(signal_stream.c.status == Status.ENABLED.value, table.c.event_type == STREAM_UPDATED)


def _of(row: Row[Any], token: str) -> Due:
    return Due(row.jti, row.event_type, row.claims, row.made_at_us, row.tries + 1, token)
