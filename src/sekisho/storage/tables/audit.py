"""What staff did and saw: one row an act, each sealed together with all before it."""

from sqlalchemy import BigInteger, Column, Index, LargeBinary, Table, Text

from sekisho.storage.tables import metadata

staff_act = Table(
    "staff_act",
    metadata,
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("at_us", BigInteger, nullable=False, index=True),
    Column("actor", Text, nullable=False),
    Column("act", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("details", LargeBinary, nullable=False),
    Column("link", LargeBinary, nullable=False),
    Index("ix_staff_act_actor_at_us", "actor", "at_us"),
    Index("ix_staff_act_subject_at_us", "subject", "at_us"),
)
