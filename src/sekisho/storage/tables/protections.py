"""What protects a member for a while: holds, and recoveries that take their time."""

from sqlalchemy import BigInteger, Column, ForeignKey, Table, Text

from sekisho.storage.tables import metadata

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
)

recovery = Table(
    "recovery",
    metadata,
    Column("id", Text, primary_key=True),
    Column("member_id", Text, ForeignKey("member.id"), nullable=False, index=True),
    Column("device_id", Text, nullable=False),
    Column("asked_at_us", BigInteger, nullable=False),
    Column("due_at_us", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("ended_at_us", BigInteger, nullable=True),
)
