"""What happened and is to be passed on: the outbox."""

from sqlalchemy import BigInteger, Column, Identity, Integer, LargeBinary, Table, Text, UniqueConstraint

from sekisho.storage.tables import metadata

# SQLite numbers rows by itself only where the key is an INTEGER; AUTOINCREMENT keeps it from reusing a
# number.
POSITION = BigInteger().with_variant(Integer(), "sqlite")

outbox = Table(
    "outbox",
    metadata,
    Column("position", POSITION, Identity(always=True), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    UniqueConstraint("subject", "kind"),
    sqlite_autoincrement=True,
)
