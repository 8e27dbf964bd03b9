"""Members: who they are to us, how they are reached, and what they know."""

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, LargeBinary, Table, Text, UniqueConstraint

from sekisho.storage.tables import metadata

member = Table(
    "member",
    metadata,
    Column("id", Text, primary_key=True),
    Column("number", Text, nullable=False, unique=True),
    Column("state", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("opened_at_us", BigInteger, nullable=False),
)

# What a member is reached by. The value itself is a personal item; here is only what finds it again: a keyed
# digest, so that one mobile number is one member's and a stolen file names nobody.
contact = Table(
    "contact",
    metadata,
    Column("member_id", Text, ForeignKey("member.id"), primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("digest", LargeBinary, nullable=False),
    Column("verified_at_us", BigInteger, nullable=False),
    UniqueConstraint("kind", "digest"),
)

password = Table(
    "password",
    metadata,
    Column("member_id", Text, ForeignKey("member.id"), primary_key=True),
    Column("hash", Text, nullable=False),
    Column("pepper", Text, nullable=False),
    Column("set_at_us", BigInteger, nullable=False),
    Column("strange_failures", Integer, nullable=False),
    Column("invalidated_at_us", BigInteger, nullable=True),
    Column("invalidated_for", Text, nullable=False),
)
