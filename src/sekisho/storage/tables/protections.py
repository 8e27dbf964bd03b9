"""What protects a member for a while: holds, and recoveries that take their time."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Text, text

from sekisho.storage.tables import metadata

_ON = text("lifted_at_us IS NULL")

hold = Table(
    "hold",
    metadata,
    Column("id", Text, primary_key=True),
    Column("member_id", Text, ForeignKey("member.id"), nullable=False, index=True),
    Column("kind", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("from_us", BigInteger, nullable=False),
    Column("until_us", BigInteger, nullable=True),
    Column("lifted_at_us", BigInteger, nullable=True),
    Column("lifted_by", Text, nullable=False),
    # Those that were never lifted, to count them.
    Index("ix_hold_on", "kind", "until_us", "member_id", sqlite_where=_ON, postgresql_where=_ON),
)

# The wait is counted as it passes (`counted_us`, up to `counted_at_us`), so that a clock that jumps ahead
# cannot shorten it; `due_at_us` is what is expected from there on.
recovery = Table(
    "recovery",
    metadata,
    Column("id", Text, primary_key=True),
    Column("member_id", Text, ForeignKey("member.id"), nullable=False, index=True),
    Column("device_id", Text, nullable=False),
    Column("country", Text, nullable=False),
    Column("asked_at_us", BigInteger, nullable=False),
    Column("due_at_us", BigInteger, nullable=False),
    Column("counted_us", BigInteger, nullable=False),
    Column("counted_at_us", BigInteger, nullable=False),
    Column("days_told", Integer, nullable=False),
    Column("hold_id", Text, nullable=False),
    Column("state", Text, nullable=False, index=True),
    Column("ended_at_us", BigInteger, nullable=True),
)

# One at a time, however many processes are asked at once.
Index(
    "uq_recovery_waiting",
    recovery.c.member_id,
    unique=True,
    sqlite_where=text("state = 'waiting'"),
    postgresql_where=text("state = 'waiting'"),
)
