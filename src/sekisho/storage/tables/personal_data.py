"""Personal data, sealed item by item, who changed which of them, and who saw which of them when."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Table, Text

from sekisho.storage.tables import metadata, sealed_column

personal_item = Table(
    "personal_item",
    metadata,
    Column("member_id", Text, ForeignKey("member.id"), primary_key=True),
    Column("item", Text, primary_key=True),
    sealed_column("sealed", "personal:{member_id}:{item}"),
    Column("changed_at_us", BigInteger, nullable=False),
)

# That an item changed, when and in which session; never what it was before.
personal_change = Table(
    "personal_change",
    metadata,
    Column("member_id", Text, ForeignKey("member.id"), primary_key=True),
    Column("item", Text, primary_key=True),
    Column("at_us", BigInteger, primary_key=True, autoincrement=False),
    Column("session_id", Text, nullable=False),
    Column("actor", Text, nullable=False),
)

reveal = Table(
    "reveal",
    metadata,
    Column("id", Text, primary_key=True),
    Column("member_id", Text, ForeignKey("member.id"), nullable=False),
    Column("session_id", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("item", Text, nullable=False),
    Column("form", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Index("ix_reveal_member_id_at_us", "member_id", "at_us"),
    Index("ix_reveal_session_id", "session_id"),
)
