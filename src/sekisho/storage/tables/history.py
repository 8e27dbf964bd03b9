"""How far the outbox was moved to history, and the chain that seals what was moved."""

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, Table

from sekisho.storage.tables import metadata

history_progress = Table(
    "history_progress",
    metadata,
    Column("only", Integer, primary_key=True, autoincrement=False),
    Column("planned_upto", BigInteger, nullable=False),
    Column("sealed_upto", BigInteger, nullable=False),
)

seal = Table(
    "seal",
    metadata,
    Column("upto", BigInteger, primary_key=True, autoincrement=False),
    Column("entry", LargeBinary, nullable=False),
    Column("link", LargeBinary, nullable=False),
)
