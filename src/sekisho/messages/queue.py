"""Messages that wait: queued in the caller's unit of work, so that a deed and its message stay together.

What a message says and to whom it goes is sealed at rest; the rest of the row is what the courier needs.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, Table, select
from sqlalchemy.dialects import postgresql, sqlite

from sekisho.kernel.chance import Chance
from sekisho.kernel.clock import Clock
from sekisho.kernel.ids import MESSAGE, MessageId
from sekisho.messages.message import Channel, Message, State, require_usable, urgency_of
from sekisho.storage.keyring import Keyring
from sekisho.storage.sealed_columns import context_of
from sekisho.storage.tables.messages import message as table

# Both know ON CONFLICT, which the plain insert does not.
_INSERTS: dict[str, Callable[[Table], sqlite.Insert | postgresql.Insert]] = {
    "postgresql": postgresql.insert,
    "sqlite": sqlite.insert,
}


class Contents(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a message that is sealed: to whom it goes, and its words."""

    to: str
    subject: str
    text: str
    language: str


class Told(NamedTuple):
    """A message as its member's history of notices shows it: when, by which way, what became of it."""

    message_id: MessageId
    channel: Channel
    kind: str
    state: State
    made_at_us: int
    sent_at_us: int | None


def queue(
    connection: Connection, message: Message, *, keyring: Keyring, clock: Clock, chance: Chance
) -> MessageId:
    """Queue a message, to be sent once this unit of work is committed.

    Asked again with the same `dedupe`, it changes nothing and returns the message that was queued first.
    Raises MessageUnusable.
    """
    require_usable(message)
    message_id = MESSAGE.new(clock, chance)
    values = {
        "id": message_id,
        "dedupe": message.dedupe,
        "member_id": message.member_id,
        "channel": message.channel.value,
        "kind": message.kind,
        "urgency": urgency_of(message.kind).value,
        "sealed": seal(keyring, message_id, message),
        "state": State.WAITING.value,
        "made_at_us": clock.now_us(),
        "not_before_us": message.not_before_us,
        "not_after_us": message.not_after_us,
        "tries": 0,
        "next_try_us": max(clock.now_us(), message.not_before_us),
        "leased_by": "",
        "leased_until_us": 0,
        "sent_at_us": None,
        "reference": "",
        "failure": "",
    }
    if insert_once(connection, table, values):
        return message_id
    first = select(table.c.id).where(table.c.dedupe == message.dedupe)
    return MESSAGE.parse(connection.execute(first).scalar_one())


def insert_once(connection: Connection, into: Table, values: Mapping[str, object]) -> bool:
    """Add a row, unless one is there that must be unique; tell whether it was added."""
    insert = _INSERTS[connection.dialect.name](into).on_conflict_do_nothing()
    # Without the option, PostgreSQL's driver is not asked how many rows there were.
    return connection.execute(insert.execution_options(preserve_rowcount=True), dict(values)).rowcount > 0


def told_to(connection: Connection, member_id: str, *, limit: int = 100) -> list[Told]:
    """Return a member's messages, the newest first. What they said is not among it."""
    columns = (
        table.c.id,
        table.c.channel,
        table.c.kind,
        table.c.state,
        table.c.made_at_us,
        table.c.sent_at_us,
    )
    newest = (
        select(*columns)
        .where(table.c.member_id == member_id)
        .order_by(table.c.made_at_us.desc(), table.c.id.desc())
        .limit(limit)
    )
    return [
        Told(MESSAGE.parse(row.id), Channel(row.channel), row.kind, State(row.state), *row[4:])
        for row in connection.execute(newest)
    ]


def seal(keyring: Keyring, message_id: MessageId, message: Message) -> bytes:
    """Seal what a message says, bound to its row."""
    contents = Contents(to=message.to, subject=message.subject, text=message.text, language=message.language)
    return keyring.seal(msgspec.json.encode(contents), context=_context(message_id))


def unseal(keyring: Keyring, message_id: MessageId, sealed: bytes) -> Contents:
    """Open what was sealed in this row. Raises Unsealable."""
    return msgspec.json.decode(keyring.open(sealed, context=_context(message_id)), type=Contents)


def _context(message_id: MessageId) -> str:
    return context_of(table.c.sealed, id=message_id)
