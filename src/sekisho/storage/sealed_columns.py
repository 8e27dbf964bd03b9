"""Which columns hold sealed data, what each datum is named in its seal, and sealing it under a new key."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from sqlalchemy import Column, ColumnElement, Connection, RowMapping, select, tuple_, update

from sekisho.storage.engine import Store
from sekisho.storage.keyring import Keyring, Unsealable
from sekisho.storage.tables import CONTEXT, every_table

Place = tuple[object, ...]
"""Where a row stands: the values of its primary key."""


class Batch(NamedTuple):
    """What one batch of a column did.

    Data sealed anew, rows that do not open, and where to go on (None: at the end).
    """

    column: str
    resealed: int
    unsealable: tuple[Place, ...]
    last: Place | None


def sealed_columns() -> list[Column[bytes]]:
    """Return every column that holds sealed data."""
    return [column for table in every_table() for column in table.columns if CONTEXT in column.info]


def context_of(column: Column[bytes], **row: object) -> str:
    """Return the context under which a row's datum is sealed; octets stand in it as hexadecimal digits."""
    return _context(column, row)


def reseal(
    connection: Connection,
    keyring: Keyring,
    column: Column[bytes],
    *,
    after: Place | None = None,
    limit: int = 200,
) -> Batch:
    """Seal up to `limit` data of a column under the newest key, in the order of its table's primary key.

    Begin with nothing in `after`, then give what came back as `last` until it is None. What is under the
    newest key already is left alone, so a run that was cut off can begin again. A datum that does not open is
    named by its row and left as it is: an older key is needed as long as there is one.
    """
    table = column.table
    key = list(table.primary_key.columns)
    wanted = select(table)
    if after is not None:
        wanted = wanted.where(tuple_(*key) > tuple_(*after))
    rows = connection.execute(wanted.order_by(*key).limit(limit)).mappings().all()
    resealed, unsealable = 0, []
    for row in rows:
        sealed, place = row[column.name], _place(row, key)
        # A datum that was wiped is empty, one that never was is null.
        if not sealed or keyring.is_current(sealed):
            continue
        context = _context(column, {str(name): value for name, value in row.items()})
        try:
            again = keyring.seal(keyring.open(sealed, context=context), context=context)
        except Unsealable:
            unsealable.append(place)
            continue
        its: list[ColumnElement[bool]] = [each == value for each, value in zip(key, place, strict=True)]
        # Who wrote the datum meanwhile knows it better than what was read here.
        moved = update(table).where(*its, column == sealed).values({column: again})
        resealed += connection.execute(moved).rowcount
    last = _place(rows[-1], key) if len(rows) == limit else None
    return Batch(str(column), resealed, tuple(unsealable), last)


def reseal_all(store: Store, keyring: Keyring) -> Iterator[Batch]:
    """Seal everything under the newest key, batch by batch, each in a short unit of work of its own.

    Raises OperationalError.
    """
    for column in sealed_columns():
        work = partial(reseal, keyring=keyring, column=column)
        batch = store.write(work).result()
        yield batch
        while batch.last is not None:
            batch = store.write(partial(work, after=batch.last)).result()
            yield batch


def _place(row: RowMapping, key: Sequence[ColumnElement[object]]) -> Place:
    return tuple(row[each] for each in key)


def _context(column: Column[bytes], row: Mapping[str, object]) -> str:
    written = {name: value.hex() if isinstance(value, bytes) else value for name, value in row.items()}
    return str(column.info[CONTEXT]).format_map(written)
