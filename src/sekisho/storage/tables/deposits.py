"""The bank's depositors and their accounts, and what partners were allowed to do with them."""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
)

from sekisho.storage.tables import metadata, sealed_column

# Who the depositor is: name in kana, birth date and telephone on file are one sealed datum. A holder who uses
# the online bank is also a member, and the two rows point at each other through `member_id`.
depositor = Table(
    "depositor",
    metadata,
    Column("id", Text, primary_key=True),
    Column("member_id", Text, ForeignKey("member.id"), nullable=True, unique=True),
    sealed_column("sealed", "depositor:{id}"),
    Column("language", Text, nullable=False),
    Column("taken_on_at_us", BigInteger, nullable=False),
)

deposit = Table(
    "deposit",
    metadata,
    Column("id", Text, primary_key=True),
    Column("branch", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("depositor_id", Text, ForeignKey("depositor.id"), nullable=False, index=True),
    Column("ledger_account", Text, nullable=False, unique=True),
    Column("state", Text, nullable=False),
    Column("state_reason", Text, nullable=False),
    Column("state_since_us", BigInteger, nullable=False),
    Column("opened_at_us", BigInteger, nullable=False),
    UniqueConstraint("branch", "number"),
)

# The PIN of the cash card. What strangers mistype on the web is counted beside it and locks the web alone.
deposit_pin = Table(
    "deposit_pin",
    metadata,
    Column("deposit_id", Text, ForeignKey("deposit.id"), primary_key=True),
    Column("hash", Text, nullable=False),
    Column("pepper", Text, nullable=False),
    Column("set_at_us", BigInteger, nullable=False),
    Column("web_wrong", Integer, nullable=False),
    Column("web_wrong_since_us", BigInteger, nullable=False),
    Column("web_locked_until_us", BigInteger, nullable=False),
)

link_partner = Table(
    "link_partner",
    metadata,
    Column("client_id", Text, primary_key=True),
    Column("settings", LargeBinary, nullable=False),
    Column("settlement_account", Text, nullable=False),
    Column("registered_at_us", BigInteger, nullable=False),
    Column("removed_at_us", BigInteger, nullable=True),
)

# What was used once and may not be used again: client assertions and DPoP proofs, until they are too old.
link_proof = Table(
    "link_proof",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("expires_at_us", BigInteger, nullable=False, index=True),
)

# A request that a partner pushed, and how far the browser that came for it has got. `sealed` holds the
# request itself; `visit_digest` ties it to the one browser that opened it.
link_request = Table(
    "link_request",
    metadata,
    Column("id", Text, primary_key=True),
    Column("uri_digest", LargeBinary, nullable=False, unique=True),
    Column("client_id", Text, nullable=False),
    sealed_column("sealed", "link_request:{id}"),
    Column("pushed_at_us", BigInteger, nullable=False, index=True),
    Column("state", Text, nullable=False),
    Column("visit_digest", LargeBinary, nullable=True, unique=True),
    Column("visit_until_us", BigInteger, nullable=False),
    Column("tries_left", Integer, nullable=False),
    Column("deposit_id", Text, nullable=False),
    Column("code_id", Text, nullable=False),
    Column("code_subject", Text, nullable=False),
    Column("attempt_id", Text, nullable=False),
    Column("way", Text, nullable=False),
    Column("ended_at_us", BigInteger, nullable=True),
)

# What a depositor allowed a partner: the consent stands until it is revoked, the tokens stand on it.
link_consent = Table(
    "link_consent",
    metadata,
    Column("id", Text, primary_key=True),
    Column("client_id", Text, nullable=False),
    Column("deposit_id", Text, ForeignKey("deposit.id"), nullable=False, index=True),
    Column("mandate_id", Text, nullable=False, unique=True),
    sealed_column("sealed", "link_consent:{id}"),
    Column("way", Text, nullable=False),
    Column("given_at_us", BigInteger, nullable=False),
    Column("revoked_at_us", BigInteger, nullable=True),
)

link_code = Table(
    "link_code",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("consent_id", Text, ForeignKey("link_consent.id"), nullable=False),
    Column("bound", LargeBinary, nullable=False),
    Column("issued_at_us", BigInteger, nullable=False),
    Column("expires_at_us", BigInteger, nullable=False, index=True),
    Column("used_at_us", BigInteger, nullable=True),
)

link_token = Table(
    "link_token",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("consent_id", Text, ForeignKey("link_consent.id"), nullable=False),
    Column("client_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("key_thumbprint", Text, nullable=False),
    Column("issued_at_us", BigInteger, nullable=False),
    Column("expires_at_us", BigInteger, nullable=False, index=True),
    Column("revoked_at_us", BigInteger, nullable=True),
    Index("ix_link_token_consent_id", "consent_id"),
)
