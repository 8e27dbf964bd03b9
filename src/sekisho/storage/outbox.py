"""The outbox: what happened, written in the same unit of work as what it changed, and passed on afterwards.

Entries are numbered in the order in which they become visible, so that whoever has read up to a position has
missed nothing.
"""

from collections.abc import Sequence
from functools import cache
from itertools import chain
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from sekisho.storage.tables.outbox import outbox
from sekisho.storage.unit_of_work import Statement

APPEND_LOCK = 0x5E_C1_50_02
# Many rows go in by one statement, because the interpreter is given away at each. No more than this, so that
# each number of rows has a statement of its own that stays prepared.
ROWS_PER_STATEMENT_MAX = 64


class Entry(NamedTuple):
    """One thing that happened: its kind (`attempt:decided`), the id of its subject, and a body in JSON."""

    kind: str
    subject: str
    at_us: int
    body: bytes


class StoredEntry(NamedTuple):
    """An entry and its position, the first being 1 or more."""

    position: int
    kind: str
    subject: str
    at_us: int
    body: bytes


def append(connection: Connection, entries: Sequence[Entry]) -> None:
    """Add entries. One that is there already, by kind and subject, is left as it is."""
    for statement in appending(entries, postgresql=connection.dialect.name == "postgresql"):
        connection.exec_driver_sql(*statement)


def appending(entries: Sequence[Entry], *, postgresql: bool) -> list[Statement]:
    """Return the statements that add entries: a single one where they are few and the store is SQLite."""
    statements: list[Statement] = []
    if postgresql:
        # Positions are drawn before they are visible: whoever appends waits until the one before has
        # committed.
        statements.append((f"SELECT pg_advisory_xact_lock({APPEND_LOCK})", ()))
    mark = "%s" if postgresql else "?"
    for start in range(0, len(entries), ROWS_PER_STATEMENT_MAX):
        rows = entries[start : start + ROWS_PER_STATEMENT_MAX]
        statements.append((_insert(mark, len(rows)), tuple(chain.from_iterable(rows))))
    return statements


@cache
def _insert(mark: str, rows: int) -> str:
    row = f"({mark}, {mark}, {mark}, {mark})"
    return (
        "INSERT INTO outbox (kind, subject, at_us, body) VALUES "  # noqa: S608 - marks only, values are bound
        + ", ".join([row] * rows)
        + " ON CONFLICT DO NOTHING"
    )


def read_after(connection: Connection, position: int, *, limit: int) -> list[StoredEntry]:
    """Return the entries after a position in their order, at most so many."""
    after = select(outbox).where(outbox.c.position > position).order_by(outbox.c.position).limit(limit)
    return [StoredEntry(*row) for row in connection.execute(after)]


def last_position(connection: Connection) -> int:
    """Return the position of the newest entry that is still kept, 0 where there is none."""
    newest = select(func.coalesce(func.max(outbox.c.position), 0))
    return int(connection.execute(newest).scalar_one())
