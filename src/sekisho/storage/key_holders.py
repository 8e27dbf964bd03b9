"""What still needs a key: counted over every table, before the key is taken away for good."""

from sqlalchemy import Connection, LargeBinary, func, select

from sekisho.storage.keyring import header_of
from sekisho.storage.tables import every_table
from sekisho.storage.tables.members import password


def held_by(connection: Connection, key_name: str) -> dict[str, int]:
    """Return how many data stand under a key, by `table.column`; nothing where it can be retired.

    It reads every table from end to end, whoever sealed what is in it. Raises OperationalError.
    """
    header = header_of(key_name)
    counts = {
        f"{table.name}.{column.name}": select(func.count())
        .select_from(table)
        .where(func.substr(column, 1, len(header)) == header)
        for table in every_table()
        for column in table.columns
        if isinstance(column.type, LargeBinary)
    }
    counts["password.pepper"] = select(func.count()).where(password.c.pepper == key_name)
    found = {place: connection.execute(count).scalar_one() for place, count in counts.items()}
    return {place: number for place, number in found.items() if number}
