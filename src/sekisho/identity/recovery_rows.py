"""The table of recoveries."""

from enum import StrEnum
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from sekisho.identity import devices, sessions
from sekisho.identity.holds import lift
from sekisho.identity.institution import Parts
from sekisho.identity.sessions import Ended
from sekisho.kernel.ids import DeviceId, HoldId, MemberId, RecoveryId
from sekisho.storage import outbox
from sekisho.storage.tables.protections import recovery


class RecoveryState(StrEnum):
    """What has become of a recovery. Only the first can still change."""

    WAITING = "waiting"
    """Its time runs, and it can be cancelled."""

    CANCELLED = "cancelled"
    """It was cancelled: its device is out."""

    COMPLETED = "completed"
    """It is over, and its device is trusted."""


class Recovery(NamedTuple):
    """One recovery as it is kept. `country` is where it was asked for, empty where that is not known."""

    id: RecoveryId
    member_id: MemberId
    device_id: DeviceId
    country: str
    asked_at_us: int
    due_at_us: int
    counted_us: int
    counted_at_us: int
    days_told: int
    hold_id: HoldId
    state: RecoveryState
    ended_at_us: int | None


_COLUMNS = tuple(recovery.c[name] for name in Recovery._fields)


def add(connection: Connection, new: Recovery) -> bool:
    """Write a new recovery; False where another one was written at the same moment, which ends this work."""
    try:
        connection.execute(insert(recovery), new._asdict())
    except IntegrityError:
        return False
    return True


def waiting_of(connection: Connection, member_id: MemberId, *, to_change: bool = False) -> Recovery | None:
    """Return the recovery of a member that waits, or None; `to_change` keeps others from changing it."""
    own = select(*_COLUMNS).where(
        recovery.c.member_id == member_id, recovery.c.state == RecoveryState.WAITING
    )
    row = connection.execute(own.with_for_update() if to_change else own).one_or_none()
    return None if row is None else _of(tuple(row))


def all_waiting(connection: Connection) -> list[Recovery]:
    """Return every recovery that waits, the oldest first."""
    waiting = select(*_COLUMNS).where(recovery.c.state == RecoveryState.WAITING).order_by(recovery.c.id)
    return [_of(tuple(row)) for row in connection.execute(waiting.with_for_update())]


def count(connection: Connection, of: Recovery) -> None:
    """Write down how much of the wait has passed."""
    connection.execute(
        update(recovery)
        .where(recovery.c.id == of.id)
        .values(
            due_at_us=of.due_at_us,
            counted_us=of.counted_us,
            counted_at_us=of.counted_at_us,
            days_told=of.days_told,
        )
    )


def complete(connection: Connection, of: Recovery, now_us: int) -> None:
    """Write down that a recovery is over."""
    connection.execute(
        update(recovery)
        .where(recovery.c.id == of.id)
        .values(state=RecoveryState.COMPLETED, ended_at_us=now_us)
    )


def cancel_waiting(connection: Connection, parts: Parts, member_id: MemberId, *, by: str) -> Recovery | None:
    """Cancel what waits and return it; the device that asked is thrown out, and money is free again."""
    waiting = waiting_of(connection, member_id, to_change=True)
    if waiting is None:
        return None
    now_us = parts.clock.now_us()
    connection.execute(
        update(recovery)
        .where(recovery.c.id == waiting.id)
        .values(state=RecoveryState.CANCELLED, ended_at_us=now_us)
    )
    lift(connection, parts, waiting.hold_id, by=by)
    devices.revoke(connection, parts, waiting.device_id)
    sessions.end_on_device(connection, parts, waiting.device_id, Ended.DEVICE_REVOKED)
    body = msgspec.json.encode({"by": by})
    outbox.append(connection, [outbox.Entry("member:recovery:cancelled", waiting.id, now_us, body)])
    return waiting


def _of(row: tuple[object, ...]) -> Recovery:
    return msgspec.convert(row, Recovery)
