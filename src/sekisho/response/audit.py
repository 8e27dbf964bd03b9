"""The audit: everything that staff do and see is one act, written in the unit of work that it is part of.

The acts are a chain, so that nobody changes or takes away one of them without its showing; and each act's
link goes to the outbox, and from there into sealed history, so that the end cannot be cut off either.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, func, insert, select

from sekisho.kernel import chain
from sekisho.response.staff import Deed, require_staff
from sekisho.storage import outbox
from sekisho.storage.history.parquet import HistoryFolder
from sekisho.storage.tables.audit import staff_act
from sekisho.storage.tables.outbox import outbox as outbox_table

EVENT = "staff:acted"
READ_AT_ONCE = 2_000
TEXT_MAX = 400


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody did or saw. `subject` is the id of what it was done to; `details` hold no personal data.

    `act` is a verb with its room: `switch:set`, `case:step`, `member:seen`.
    """

    actor: str
    act: str
    subject: str
    reason: str = ""
    details: Mapping[str, object] = {}


class Recorded(NamedTuple):
    """An act as it stands in the record."""

    position: int
    at_us: int
    actor: str
    act: str
    subject: str
    reason: str
    details: dict[str, object]
    link: bytes


class AuditFault(NamedTuple):
    """The first place where the record is not what was sealed."""

    position: int
    what: str


class _Anchor(msgspec.Struct, frozen=True):
    """What the outbox says of an act: its place and its link in hexadecimal."""

    position: int
    link: str


def record(connection: Connection, act: Act, *, at_us: int) -> int:
    """Write an act down and return its position. Call it in the unit of work that does what it tells."""
    _take_turn(connection)
    newest = select(staff_act.c.position, staff_act.c.link).order_by(staff_act.c.position.desc()).limit(1)
    last = connection.execute(newest).one_or_none()
    position, before = (1, chain.GENESIS) if last is None else (last.position + 1, last.link)
    values = {
        "position": position,
        "at_us": at_us,
        "actor": act.actor,
        "act": act.act,
        "subject": act.subject,
        "reason": act.reason[:TEXT_MAX],
        "details": chain.canonical(act.details),
    }
    link = chain.link(before, _sealed(values))
    connection.execute(insert(staff_act), {**values, "link": link})
    anchor = msgspec.json.encode(_Anchor(position, link.hex()))
    outbox.append(connection, [outbox.Entry(EVENT, f"staff_act:{position}", at_us, anchor)])
    return position


def record_deed(
    connection: Connection, deed: Deed, act: str, subject: str, *, at_us: int, **details: object
) -> int:
    """Write down what a member of staff does and why, as `record` does. Raises StaffIdUnusable."""
    done = Act(actor=require_staff(deed.by), act=act, subject=subject, reason=deed.reason, details=details)
    return record(connection, done, at_us=at_us)


def search(  # noqa: PLR0913 - any of these may be asked for
    connection: Connection,
    *,
    actor: str = "",
    subject: str = "",
    act: str = "",
    from_us: int = 0,
    before_us: int | None = None,
    limit: int = 200,
) -> list[Recorded]:
    """Return acts, the newest first. `act` may be the beginning of one: `switch:`."""
    found = select(staff_act).where(staff_act.c.at_us >= from_us)
    for column, wanted in ((staff_act.c.actor, actor), (staff_act.c.subject, subject)):
        found = found.where(column == wanted) if wanted else found
    if act:
        found = found.where(staff_act.c.act.startswith(act, autoescape=True))
    if before_us is not None:
        found = found.where(staff_act.c.at_us < before_us)
    rows = connection.execute(found.order_by(staff_act.c.position.desc()).limit(limit))
    return [_recorded(row) for row in rows]


def all_acts(connection: Connection) -> Iterator[Recorded]:
    """Yield every act in order, for an auditor."""
    last = 0
    while True:
        some = select(staff_act).where(staff_act.c.position > last).order_by(staff_act.c.position)
        rows = connection.execute(some.limit(READ_AT_ONCE)).all()
        yield from (_recorded(row) for row in rows)
        if len(rows) < READ_AT_ONCE:
            return
        last = rows[-1].position


def first_fault(connection: Connection, history: HistoryFolder | None = None) -> AuditFault | None:
    """Check the chain, that no act is missing, and that its end is the one that was passed on; or None.

    With a folder of history, the links that were sealed there are compared as well.
    """
    before, expected = chain.GENESIS, 1
    links: dict[int, bytes] = {}
    for row in _rows(connection):
        if row["position"] != expected:
            return AuditFault(expected, "acts are missing")
        link = chain.link(before, _sealed(row))
        if link != row["link"]:
            return AuditFault(expected, "the chain is broken")
        links[expected] = before = link
        expected += 1
    for anchor in _anchors(connection, history):
        if links.get(anchor.position, b"").hex() != anchor.link:
            return AuditFault(anchor.position, "it is not the act that was passed on")
    return None


def count(connection: Connection) -> int:
    """Return how many acts there are."""
    return int(connection.execute(select(func.count()).select_from(staff_act)).scalar_one())


def _rows(connection: Connection) -> Iterator[dict[str, object]]:
    last = 0
    while True:
        some = select(staff_act).where(staff_act.c.position > last).order_by(staff_act.c.position)
        rows = [dict(row) for row in connection.execute(some.limit(READ_AT_ONCE)).mappings()]
        yield from rows
        if len(rows) < READ_AT_ONCE:
            return
        last = int(str(rows[-1]["position"]))


def _anchors(connection: Connection, history: HistoryFolder | None) -> Iterator[_Anchor]:
    if history is not None:
        for kind, body in history.events():
            if kind == EVENT:
                yield msgspec.json.decode(body, type=_Anchor)
    waiting = select(outbox_table.c.body).where(outbox_table.c.kind == EVENT)
    for body in connection.execute(waiting).scalars():
        yield msgspec.json.decode(body, type=_Anchor)


def _sealed(values: Mapping[str, object]) -> bytes:
    """Return what of an act goes into its link: everything but the link."""
    details = values["details"]
    assert isinstance(details, bytes)  # noqa: S101 - it was made or read as octets
    kept = {name: value for name, value in values.items() if name not in {"link", "details"}}
    return chain.canonical(kept | {"details": details.decode()})


def _take_turn(connection: Connection) -> None:
    # Who writes to SQLite has it alone. On a server the outbox's own turn is taken, which each act needs in
    # any case: a lock more, taken before it here and after it there, would be a deadlock.
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(outbox.APPEND_LOCK)))


def _recorded(row: object) -> Recorded:
    found = msgspec.convert(row, _Row, from_attributes=True, builtin_types=(bytes,))
    return Recorded(
        found.position,
        found.at_us,
        found.actor,
        found.act,
        found.subject,
        found.reason,
        msgspec.json.decode(found.details, type=dict[str, object]),
        found.link,
    )


class _Row(msgspec.Struct, frozen=True):
    position: int
    at_us: int
    actor: str
    act: str
    subject: str
    reason: str
    details: bytes
    link: bytes
