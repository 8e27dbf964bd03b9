"""Leases: a courier takes what is due for a short time, so that no two carry the same message at once.

Whoever dies with a message in hand loses the lease by time, and the message is due again.
"""

from typing import Any, NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, Select, select, update

from sekisho.kernel.chance import Chance
from sekisho.kernel.clock import DAY_US, MINUTE_US, SECOND_US
from sekisho.kernel.ids import MESSAGE, MessageId
from sekisho.messages.carriers import Declined, Handover, Later, Taken
from sekisho.messages.message import Channel, State, Urgency, is_secret, urgency_of
from sekisho.storage import outbox
from sekisho.storage.outbox import Entry
from sekisho.storage.tables.messages import message as table

LEASE_US = 30 * SECOND_US
FIRST_PAUSE_US = 2 * SECOND_US
PAUSE_US_MAX = 30 * MINUTE_US
PAUSE_GROWTH = 3
GIVE_UP_US = 3 * DAY_US
"""How long a message is tried that has no end of its own."""

_REASON_CHARACTERS_MAX = 200


class Lane(NamedTuple):
    """Messages of one channel and urgency. No lane waits for another."""

    channel: Channel
    urgency: Urgency

    @classmethod
    def of(cls, channel: Channel, kind: str) -> "Lane":
        """Return the lane in which messages of this kind go."""
        return cls(channel, urgency_of(kind))


class Space(NamedTuple):
    """How many more messages of a lane a courier can carry, and which it carries already.

    The latter are left out even if their lease is over, for a clock can jump.
    """

    lane: Lane
    slots: int
    carrying: frozenset[str]


class Leased(NamedTuple):
    """A message in a courier's hand: how often it was tried, this time included, and by which lease."""

    message_id: MessageId
    channel: Channel
    kind: str
    sealed: bytes
    made_at_us: int
    not_before_us: int
    not_after_us: int | None
    tries: int
    lease: str


class _End(NamedTuple):
    """What a message has come to."""

    state: State
    reference: str = ""
    failure: str = ""


def is_due(connection: Connection, space: Space, now_us: int) -> bool:
    """Tell whether a lane holds anything to carry now."""
    return connection.execute(_due(space, now_us).limit(1)).first() is not None


def lease(connection: Connection, space: Space, now_us: int, chance: Chance) -> list[Leased]:
    """Take what is due, those first that have waited longest; let go what came too late."""
    # Another courier on the same server passes over what this one has locked.
    due = _due(space, now_us).limit(space.slots).with_for_update(skip_locked=True)
    taken = []
    for row in connection.execute(due).all():
        leased = _leased(row, f"{chance.bits(64):016x}")
        if leased.not_after_us is not None and leased.not_after_us <= now_us:
            _close(connection, leased, _End(State.EXPIRED, failure=row.failure), now_us)
            continue
        connection.execute(
            update(table)
            .where(table.c.id == leased.message_id)
            .values(tries=leased.tries, leased_by=leased.lease, leased_until_us=now_us + LEASE_US)
        )
        taken.append(leased)
    return taken


def record(connection: Connection, leased: Leased, answer: Handover, now_us: int, chance: Chance) -> None:
    """Write down what the carrier answered.

    That it was taken is recorded once, whoever holds the lease by now; everything else only by its holder.
    """
    held = table.c.leased_by == leased.lease
    if isinstance(answer, Taken):
        _close(connection, leased, _End(State.SENT, reference=answer.reference), now_us)
    elif isinstance(answer, Declined):
        _close(connection, leased, _End(State.FAILED, failure=answer.reason), now_us, held)
    else:
        due_us = now_us + pause_us(leased.tries, answer, chance)
        state = _state_at(leased, due_us)
        if state is not State.WAITING:
            _close(connection, leased, _End(state, failure=answer.reason), now_us, held)
            return
        connection.execute(
            update(table)
            .where(table.c.id == leased.message_id, held)
            .values(next_try_us=due_us, leased_by="", leased_until_us=0, failure=_short(answer.reason))
        )


def pause_us(tries: int, answer: Later, chance: Chance) -> int:
    """Return how long to wait after so many tries: three times as long each time, and never all at once."""
    grown: int = PAUSE_GROWTH ** min(tries - 1, 16)
    pause = min(FIRST_PAUSE_US * grown, PAUSE_US_MAX)
    return max(pause * 3 // 4 + chance.below(pause // 2), answer.wait_us)


def _state_at(leased: Leased, due_us: int) -> State:
    """Say what a message is that would be tried next at this time: waiting, or past its end."""
    if leased.not_after_us is not None and due_us >= leased.not_after_us:
        return State.EXPIRED
    if due_us >= max(leased.made_at_us, leased.not_before_us) + GIVE_UP_US:
        return State.FAILED
    return State.WAITING


def _due(space: Space, now_us: int) -> Select[Any]:
    return (
        select(table)
        .where(
            table.c.state == State.WAITING.value,
            table.c.channel == space.lane.channel.value,
            table.c.urgency == space.lane.urgency.value,
            table.c.next_try_us <= now_us,
            table.c.leased_until_us <= now_us,
            table.c.id.not_in(space.carrying),
        )
        .order_by(table.c.next_try_us)
    )


def _leased(row: Row[Any], token: str) -> Leased:
    return Leased(
        message_id=MESSAGE.parse(row.id),
        channel=Channel(row.channel),
        kind=row.kind,
        sealed=row.sealed,
        made_at_us=row.made_at_us,
        not_before_us=row.not_before_us,
        not_after_us=row.not_after_us,
        tries=row.tries + 1,
        lease=token,
    )


def _close(
    connection: Connection, leased: Leased, end: _End, now_us: int, *conditions: ColumnElement[bool]
) -> None:
    """End a message that still waits; whose words are secret, they are wiped."""
    closing = update(table).where(
        table.c.id == leased.message_id, table.c.state == State.WAITING.value, *conditions
    )
    values: dict[str, str | int | bytes | None] = {
        "state": end.state.value,
        "sent_at_us": now_us if end.state is State.SENT else None,
        "reference": _short(end.reference),
        "failure": _short(end.failure),
        "leased_by": "",
        "leased_until_us": 0,
    }
    if is_secret(leased.kind):
        values["sealed"] = b""
    if connection.execute(closing.values(values)).rowcount:
        body = msgspec.json.encode({"kind": leased.kind, "tries": leased.tries})
        event = f"message:{leased.channel.value}:{end.state.value}"
        outbox.append(connection, [Entry(event, leased.message_id, now_us, body)])


def _short(text: str) -> str:
    return text[:_REASON_CHARACTERS_MAX]
