"""How far the outbox was followed: by a mark that moves in the unit of work of what was read."""

from sqlalchemy import Connection, insert, select, update

from sekisho.storage.outbox import last_position
from sekisho.storage.tables.signals import signal_cursor


def begin(connection: Connection, name: str) -> None:
    """Begin with what happens from now on, where it was not begun before."""
    if connection.execute(select(signal_cursor).where(signal_cursor.c.name == name)).first() is None:
        row = {"name": name, "position": last_position(connection)}
        connection.execute(insert(signal_cursor), row)


def position(connection: Connection, name: str, *, for_update: bool = False) -> int:
    """Return up to where was read; `for_update` keeps others from moving on until this work is over."""
    found = select(signal_cursor.c.position).where(signal_cursor.c.name == name)
    return int(connection.execute(found.with_for_update() if for_update else found).scalar_one())


def move(connection: Connection, name: str, upto: int) -> None:
    """Note up to where was read."""
    connection.execute(update(signal_cursor).where(signal_cursor.c.name == name).values(position=upto))
