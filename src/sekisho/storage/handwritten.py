"""Statements given straight to the driver, for the few paths where SQLAlchemy's share of the time is felt.

They run within the unit of work that is under way. Values are marked with `?` on every engine; rows are plain
tuples, and what the driver raises is what SQLAlchemy would have raised.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from sqlalchemy import Connection, exc


def fetch(connection: Connection, statement: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    """Run a query and return its rows."""
    with _cursor(connection, statement) as cursor:
        cursor.execute(_marked(statement, connection.dialect.paramstyle), values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def change(connection: Connection, statement: str, values: tuple[Any, ...]) -> int:
    """Run a change and return how many rows it touched."""
    with _cursor(connection, statement) as cursor:
        cursor.execute(_marked(statement, connection.dialect.paramstyle), values)
        count: int = cursor.rowcount
        return count


@contextmanager
def _cursor(connection: Connection, statement: str) -> Iterator[Any]:
    driver = connection.dialect.loaded_dbapi
    cursor = connection.connection.cursor()
    try:
        yield cursor
    except driver.Error as error:
        raise exc.DBAPIError.instance(
            statement, None, error, driver.Error, hide_parameters=True, dialect=connection.dialect
        ) from error
    finally:
        cursor.close()


@cache
def _marked(statement: str, style: str) -> str:
    return statement if style == "qmark" else statement.replace("?", "%s")
