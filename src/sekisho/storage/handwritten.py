"""Statements given straight to the driver, for the few paths where SQLAlchemy's share of the time is felt.

Their results are plain rows, and what the driver raises is what SQLAlchemy would have raised.
"""

from functools import cache
from typing import Any

from sqlalchemy import Connection, exc


def handwritten(connection: Connection, statement: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    """Run a statement within the unit of work that is under way, and return its rows, none for a change.

    Values are marked with `?` on every engine.
    """
    dialect = connection.dialect
    driver = dialect.loaded_dbapi
    cursor = connection.connection.cursor()
    try:
        cursor.execute(_marked(statement, dialect.paramstyle), values)
        return list(cursor.fetchall()) if cursor.description else []
    except driver.Error as error:
        raise exc.DBAPIError.instance(
            statement, None, error, driver.Error, hide_parameters=True, dialect=dialect
        ) from error
    finally:
        cursor.close()


@cache
def _marked(statement: str, style: str) -> str:
    return statement if style == "qmark" else statement.replace("?", "%s")
