"""The embedded handset, mailbox and letter box: where messages end when no gateway is set.

They keep the newest messages, sealed, so that a person who tries the program can read what a member would
have got.
"""

import asyncio
from collections.abc import Mapping
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, delete, select

from sekisho.kernel.clock import Clock
from sekisho.kernel.ids import MESSAGE, MessageId
from sekisho.messages.carriers import Handover, Parcel, Taken
from sekisho.messages.message import Channel
from sekisho.messages.queue import Contents, insert_once
from sekisho.storage.engine import Store
from sekisho.storage.keyring import Keyring
from sekisho.storage.sealed_columns import context_of
from sekisho.storage.tables.messages import delivered as table

KEPT_MAX = 500


class Delivered(NamedTuple):
    """A message as it lies on the handset, in the mailbox or in the letter box."""

    message_id: MessageId
    channel: Channel
    to: str
    subject: str
    text: str
    delivered_at_us: int


class Handset:
    """Takes every message and keeps the newest. The same message again changes nothing."""

    def __init__(self, store: Store, keyring: Keyring, clock: Clock) -> None:
        self._store = store
        self._keyring = keyring
        self._clock = clock

    async def carry(self, parcel: Parcel) -> Handover:
        """Keep one message. Raises OperationalError where the store is down."""
        contents = Contents(to=parcel.to, subject=parcel.subject, text=parcel.text, language=parcel.language)
        row = {
            "message_id": parcel.message_id,
            "channel": parcel.channel.value,
            "recipient": _recipient(self._keyring, parcel.to),
            "sealed": self._keyring.seal(msgspec.json.encode(contents), context=_context(parcel.message_id)),
            "delivered_at_us": self._clock.now_us(),
        }
        await asyncio.wrap_future(self._store.write(lambda connection: _keep(connection, row)))
        return Taken("handset")


def delivered(
    connection: Connection,
    keyring: Keyring,
    *,
    channel: Channel | None = None,
    to: str = "",
    limit: int = 50,
) -> list[Delivered]:
    """Return what lies there, the newest first: all, or one channel's, or one recipient's.

    Raises Unsealable where the keys are not those with which it was kept.
    """
    newest = select(table).order_by(table.c.delivered_at_us.desc(), table.c.message_id.desc()).limit(limit)
    if channel is not None:
        newest = newest.where(table.c.channel == channel.value)
    if to:
        newest = newest.where(table.c.recipient == _recipient(keyring, to))
    return [
        _opened(keyring, MESSAGE.parse(row.message_id), row.channel, row.sealed, row.delivered_at_us)
        for row in connection.execute(newest)
    ]


def _keep(connection: Connection, row: Mapping[str, object]) -> None:
    insert_once(connection, table, row)
    oldest_kept = (
        select(table.c.delivered_at_us)
        .order_by(table.c.delivered_at_us.desc())
        .offset(KEPT_MAX - 1)
        .limit(1)
        .scalar_subquery()
    )
    connection.execute(delete(table).where(table.c.delivered_at_us < oldest_kept))


def _opened(
    keyring: Keyring, message_id: MessageId, channel: str, sealed: bytes, delivered_at_us: int
) -> Delivered:
    contents = msgspec.json.decode(keyring.open(sealed, context=_context(message_id)), type=Contents)
    return Delivered(
        message_id, Channel(channel), contents.to, contents.subject, contents.text, delivered_at_us
    )


def _recipient(keyring: Keyring, to: str) -> bytes:
    return keyring.digest(to, context="delivered:recipient")


def _context(message_id: MessageId) -> str:
    return context_of(table.c.sealed, message_id=message_id)
