"""Pause, stop or go on with a stream of ours: its receiver is told, unless it said so itself."""

from typing import NamedTuple

from sqlalchemy import Connection

from sekisho.identity.institution import Parts
from sekisho.sharing import outgoing, streams
from sekisho.sharing.announcements import queue_within
from sekisho.sharing.stream_events import StreamUpdated
from sekisho.sharing.streams import Status, Stream


class Change(NamedTuple):
    """What is to become of a stream's events, and why; `told` is for what was not the receiver's own wish."""

    status: Status
    reason: str = ""
    told: bool = True


def change_within(connection: Connection, parts: Parts, stream: Stream, change: Change) -> Stream:
    """Change what becomes of a stream's events."""
    status, reason, told = change
    changed = streams.set_status(connection, stream, status, reason)
    if status is Status.DISABLED:
        outgoing.drop_waiting(connection, stream.id, parts.clock.now_us())
    if told and status is not stream.status:
        queue_within(connection, parts, changed, StreamUpdated(status=status.value, reason=reason or None))
    return changed
