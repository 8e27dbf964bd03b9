"""OpenID Connect: clients, authorisation codes, consents, tokens and the keys that sign."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text

from sekisho.storage.tables import metadata, sealed_column

openid_client = Table(
    "openid_client",
    metadata,
    Column("client_id", Text, primary_key=True),
    Column("secret_digest", LargeBinary, nullable=False),
    Column("settings", LargeBinary, nullable=False),
    Column("added_at_us", BigInteger, nullable=False),
    Column("removed_at_us", BigInteger, nullable=True),
)

# The id of each signed statement by which a client proved itself, until it could no longer be believed.
openid_assertion = Table(
    "openid_assertion",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("expires_at_us", BigInteger, nullable=False, index=True),
)

openid_code = Table(
    "openid_code",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("client_id", Text, nullable=False),
    Column("member_id", Text, ForeignKey("member.id"), nullable=False, index=True),
    Column("session_id", Text, nullable=False),
    Column("request", LargeBinary, nullable=False),
    Column("issued_at_us", BigInteger, nullable=False),
    Column("expires_at_us", BigInteger, nullable=False, index=True),
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
    Column("expires_at_us", BigInteger, nullable=False, index=True),
    Column("opened_at_us", BigInteger, nullable=True),
    Column("revoked_at_us", BigInteger, nullable=True),
)

# Which clients a session was used for, and whether they have heard of its end (`closed_at_us`).
openid_visit = Table(
    "openid_visit",
    metadata,
    Column("session_id", Text, primary_key=True),
    Column("client_id", Text, primary_key=True),
    Column("member_id", Text, ForeignKey("member.id"), nullable=False),
    Column("began_at_us", BigInteger, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("next_try_us", BigInteger, nullable=False),
    Column("closed_at_us", BigInteger, nullable=True),
    Index("ix_openid_visit_closed_at_us_next_try_us", "closed_at_us", "next_try_us"),
)

signing_key = Table(
    "signing_key",
    metadata,
    Column("kid", Text, primary_key=True),
    Column("algorithm", Text, nullable=False),
    sealed_column("sealed", "openid:signing_key:{kid}"),
    Column("public", LargeBinary, nullable=False),
    Column("made_at_us", BigInteger, nullable=False),
    Column("signs_from_us", BigInteger, nullable=False),
    Column("shown_until_us", BigInteger, nullable=True),
)
