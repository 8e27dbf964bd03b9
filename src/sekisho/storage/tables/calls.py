"""Calls that staff make, written down before they are made, and calls that members report."""

from sqlalchemy import BigInteger, Column, ForeignKey, Table, Text

from sekisho.storage.tables import metadata

outbound_call = Table(
    "outbound_call",
    metadata,
    Column("id", Text, primary_key=True),
    Column("member_id", Text, ForeignKey("member.id"), nullable=False, index=True),
    Column("staff", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("recorded_at_us", BigInteger, nullable=False),
    Column("expires_at_us", BigInteger, nullable=False),
    Column("ended_at_us", BigInteger, nullable=True),
    Column("result", Text, nullable=False),
)

call_report = Table(
    "call_report",
    metadata,
    Column("id", Text, primary_key=True),
    Column("member_id", Text, ForeignKey("member.id"), nullable=False, index=True),
    Column("called_at_us", BigInteger, nullable=False),
    Column("reported_at_us", BigInteger, nullable=False),
    Column("number_shown", Text, nullable=False),
    Column("asked_for", Text, nullable=False),
    Column("told_code", Text, nullable=False),
    Column("words", Text, nullable=False),
)
