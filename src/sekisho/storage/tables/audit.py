"""What staff did and saw: one row an act, each sealed together with all before it; and glass they broke."""

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

# One record that was opened to one session against the role, until when, and what an auditor said of it.
broken_glass = Table(
    "broken_glass",
    metadata,
    Column("id", Text, primary_key=True),
    Column("staff_id", Text, nullable=False),
    Column("session_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("broken_at_us", BigInteger, nullable=False),
    Column("until_us", BigInteger, nullable=False),
    Column("seen_by", Text, nullable=False),
    Column("seen_at_us", BigInteger, nullable=True),
    Column("remark", Text, nullable=False),
    Index("ix_broken_glass_session_id_subject", "session_id", "subject"),
    Index("ix_broken_glass_seen_at_us", "seen_at_us"),
)
