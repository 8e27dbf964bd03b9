"""Switches: what is switched off, for whom and how long; whom one names; what was done with it."""

from sqlalchemy import BigInteger, Boolean, Column, Float, ForeignKey, Identity, Integer, Table, Text

from sekisho.storage.tables import metadata
from sekisho.storage.tables.outbox import POSITION

# What a switch stops never changes: another scope is another switch. Only what people decided about it is
# filled in later. Empty texts and nulls of the scope mean that it does not ask for that fact.
switch = Table(
    "switch",
    metadata,
    Column("id", Text, primary_key=True),
    Column("function", Text, nullable=False),
    Column("direction", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("partner", Text, nullable=False),
    Column("applies_to", Text, nullable=False),
    Column("names_members", Integer, nullable=False),
    Column("risk_from", Float, nullable=True),
    Column("device_younger_us", BigInteger, nullable=True),
    Column("from_us", BigInteger, nullable=False),
    Column("until_us", BigInteger, nullable=True, index=True),
    Column("reason", Text, nullable=False),
    Column("told_ja", Text, nullable=False),
    Column("told_en", Text, nullable=False),
    Column("open_ways", Text, nullable=False),
    Column("is_wide", Boolean, nullable=False),
    Column("urgent_until_us", BigInteger, nullable=True),
    Column("set_by", Text, nullable=False),
    Column("set_at_us", BigInteger, nullable=False),
    Column("approved_by", Text, nullable=False),
    Column("approved_at_us", BigInteger, nullable=True),
    Column("lift_asked_by", Text, nullable=False),
    Column("lifted_by", Text, nullable=False),
    Column("lifted_at_us", BigInteger, nullable=True, index=True),
    Column("expiry_told_at_us", BigInteger, nullable=True),
)

switch_member = Table(
    "switch_member",
    metadata,
    Column("switch_id", Text, ForeignKey("switch.id"), primary_key=True),
    Column("member_id", Text, primary_key=True),
)

switch_deed = Table(
    "switch_deed",
    metadata,
    Column("position", POSITION, Identity(always=True), primary_key=True),
    Column("switch_id", Text, ForeignKey("switch.id"), nullable=False, index=True),
    Column("deed", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("note", Text, nullable=False),
    sqlite_autoincrement=True,
)
