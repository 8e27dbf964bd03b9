"""The tables of a store, one file a noun; the migrations make them, and a test holds the two together."""

from importlib import import_module
from pkgutil import iter_modules

from sqlalchemy import Column, LargeBinary, MetaData, Table

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    },
)

CONTEXT = "context"


def sealed_column(name: str, context: str, *, nullable: bool = False) -> Column[bytes]:
    """Return a column of sealed data. `context` names each datum by its row, as in `case:{id}`."""
    return Column(name, LargeBinary, nullable=nullable, info={CONTEXT: context})


def every_table() -> list[Table]:
    """Return the tables of all rooms, parents first; a program has only those in `metadata` that it uses."""
    for module in iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
    return metadata.sorted_tables
