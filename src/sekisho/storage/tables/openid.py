"""OpenID Connect: clients, authorisation codes, consents, tokens and the keys that sign."""

from sqlalchemy import BigInteger, Column, ForeignKey, LargeBinary, Table, Text

from sekisho.storage.tables import metadata

openid_client = Table(
    "openid_client",
    metadata,
    Column("client_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("secret_digest", LargeBinary, nullable=False),
    Column("settings", LargeBinary, nullable=False),
    Column("added_at_us", BigInteger, nullable=False),
    Column("removed_at_us", BigInteger, nullable=True),
)

openid_code = Table(
    "openid_code",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("client_id", Text, nullable=False),
    Column("member_id", Text, ForeignKey("member.id"), nullable=False),
    Column("session_id", Text, nullable=False),
    Column("request", LargeBinary, nullable=False),
    Column("issued_at_us", BigInteger, nullable=False),
    Column("expires_at_us", BigInteger, nullable=False),
    Column("used_at_us", BigInteger, nullable=True),
)

openid_consent = Table(
    "openid_consent",
    metadata,
    Column("member_id", Text, ForeignKey("member.id"), primary_key=True),
    Column("client_id", Text, primary_key=True),
    Column("scopes", Text, nullable=False),
    Column("given_at_us", BigInteger, nullable=False),
)

openid_token = Table(
    "openid_token",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("code_digest", LargeBinary, nullable=False, index=True),
    Column("client_id", Text, nullable=False),
    Column("member_id", Text, ForeignKey("member.id"), nullable=False, index=True),
    Column("session_id", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("issued_at_us", BigInteger, nullable=False),
    Column("expires_at_us", BigInteger, nullable=False),
    Column("revoked_at_us", BigInteger, nullable=True),
)

signing_key = Table(
    "signing_key",
    metadata,
    Column("kid", Text, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("public", LargeBinary, nullable=False),
    Column("made_at_us", BigInteger, nullable=False),
    Column("signs_from_us", BigInteger, nullable=False),
    Column("shown_until_us", BigInteger, nullable=True),
)
