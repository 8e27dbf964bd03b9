"""Calls that staff make, written down before they are made, and calls that members report."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Integer, Table, Text

from sekisho.storage.tables import metadata, sealed_column

# The code is sealed and not hashed: staff must read it to say it, and the member to compare it.
outbound_call = Table(
    "outbound_call",
    metadata,
    Column("id", Text, primary_key=True),
    Column("member_id", Text, ForeignKey("member.id"), nullable=False, index=True),
    Column("staff", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    sealed_column("sealed_code", "call:{id}"),
    Column("tries_left", Integer, nullable=False),
    Column("recorded_at_us", BigInteger, nullable=False),
    Column("expires_at_us", BigInteger, nullable=False),
    Column("ended_at_us", BigInteger, nullable=True),
    Column("result", Text, nullable=False),
)

# `call_id` is the recorded call that it may have been; what the member wrote is sealed.
call_report = Table(
    "call_report",
    metadata,
    Column("id", Text, primary_key=True),
    Column("member_id", Text, ForeignKey("member.id"), nullable=False, index=True),
    Column("called_at_us", BigInteger, nullable=False),
    Column("reported_at_us", BigInteger, nullable=False),
    Column("told_code", Boolean, nullable=False),
    Column("call_id", Text, nullable=False),
    sealed_column("sealed", "call_report:{id}"),
)
