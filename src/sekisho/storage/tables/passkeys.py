"""Passkeys, whose they are, and the ceremonies in which they were made and used."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, LargeBinary, Table, Text

from sekisho.storage.tables import metadata

# What a member is called towards authenticators: a random value that says nothing about the member.
passkey_holder = Table(
    "passkey_holder",
    metadata,
    Column("member_id", Text, ForeignKey("member.id"), primary_key=True),
    Column("user_handle", LargeBinary, nullable=False, unique=True),
)

passkey = Table(
    "passkey",
    metadata,
    Column("credential_id", LargeBinary, primary_key=True),
    Column("member_id", Text, ForeignKey("member.id"), nullable=False, index=True),
    Column("public_key", LargeBinary, nullable=False),
    Column("sign_count", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("aaguid", Text, nullable=False),
    Column("transports", Text, nullable=False),
    Column("backup_eligible", Boolean, nullable=False),
    Column("backed_up", Boolean, nullable=False),
    Column("created_at_us", BigInteger, nullable=False),
    Column("last_used_at_us", BigInteger, nullable=True),
    Column("suspected_at_us", BigInteger, nullable=True),
    Column("revoked_at_us", BigInteger, nullable=True),
)

# A ceremony is written down when it ends well: from then on it cannot be used again, and what the member's
# key signed can be shown. One that was only begun lives in a sealed token at the browser.
ceremony = Table(
    "ceremony",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("member_id", Text, nullable=False, index=True),
    Column("session_id", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("nonce", LargeBinary, nullable=False),
    Column("expires_at_us", BigInteger, nullable=False),
    Column("used_at_us", BigInteger, nullable=False),
    Column("credential_id", LargeBinary, nullable=False),
    Column("answer", LargeBinary, nullable=False),
)
