"""Members: who they are to us, how they are reached, and what they know."""

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, LargeBinary, Table, Text, UniqueConstraint

from sekisho.storage.tables import metadata, sealed_column

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
    Column("found_leaked_at_us", BigInteger, nullable=True),
)

# What waits for its codes: an account that is being opened, or a contact that is being changed. What was
# typed is sealed, and goes when the codes came or the time is over.
sign_up = Table(
    "sign_up",
    metadata,
    Column("token_digest", LargeBinary, primary_key=True),
    sealed_column("sealed", "sign_up:{token_digest}"),
    Column("email_code_id", Text, nullable=False),
    Column("mobile_code_id", Text, nullable=False),
    Column("email_proven_at_us", BigInteger, nullable=True),
    Column("mobile_proven_at_us", BigInteger, nullable=True),
    Column("ip", Text, nullable=False),
    Column("begun_at_us", BigInteger, nullable=False, index=True),
    Column("used_at_us", BigInteger, nullable=True),
)

contact_change = Table(
    "contact_change",
    metadata,
    Column("member_id", Text, ForeignKey("member.id"), primary_key=True),
    Column("kind", Text, primary_key=True),
    sealed_column("sealed", "contact_change:{member_id}:{kind}"),
    Column("code_id", Text, nullable=False),
    Column("asked_at_us", BigInteger, nullable=False),
)
