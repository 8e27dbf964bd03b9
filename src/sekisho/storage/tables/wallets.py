"""Wallets, who their members were proven to be, and the logins with the ID that open them."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, LargeBinary, Table, Text

from sekisho.storage.tables import metadata, sealed_column

# One wallet a member. The level follows from what was proven and when: the phone, the person.
wallet = Table(
    "wallet",
    metadata,
    Column("id", Text, primary_key=True),
    Column("member_id", Text, ForeignKey("member.id"), nullable=False, unique=True),
    Column("account", Text, nullable=False, unique=True),
    Column("state", Text, nullable=False),
    Column("stopped_for", Text, nullable=False),
    Column("opened_at_us", BigInteger, nullable=False),
    Column("state_at_us", BigInteger, nullable=False),
    Column("phone_proven_at_us", BigInteger, nullable=True),
    Column("verified_at_us", BigInteger, nullable=True),
)

# The person as proven, sealed apart from what members may change about themselves. The digest keeps one
# person from having two wallets, and names nobody.
wallet_person = Table(
    "wallet_person",
    metadata,
    Column("member_id", Text, ForeignKey("member.id"), primary_key=True),
    Column("check_id", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False, unique=True),
    sealed_column("sealed", "wallet_person:{member_id}"),
    Column("at_us", BigInteger, nullable=False),
)

# Who a member says to be, sealed, until it was checked.
wallet_claim = Table(
    "wallet_claim",
    metadata,
    Column("member_id", Text, ForeignKey("member.id"), primary_key=True),
    sealed_column("sealed", "wallet_claim:{member_id}"),
    Column("at_us", BigInteger, nullable=False),
)

wallet_identity_check = Table(
    "wallet_identity_check",
    metadata,
    Column("id", Text, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("member_id", Text, ForeignKey("member.id"), nullable=False, index=True),
    Column("method", Text, nullable=False),
    Column("letter", Text, nullable=False),
    Column("checked_on", Text, nullable=False),
    Column("staff_id", Text, nullable=False),
    Column("passed", Boolean, nullable=False),
    Column("faults", Text, nullable=False),
    sealed_column("evidence", "identity_check:{id}"),
    Column("at_us", BigInteger, nullable=False),
)

wallet_identity_challenge = Table(
    "wallet_identity_challenge",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("member_id", Text, ForeignKey("member.id"), nullable=False, index=True),
    Column("expires_at_us", BigInteger, nullable=False),
)

# Whose login with an ID (issuer and subject) opens which member's account.
federated_login = Table(
    "federated_login",
    metadata,
    Column("issuer", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("member_id", Text, ForeignKey("member.id"), nullable=False, unique=True),
    Column("first_at_us", BigInteger, nullable=False),
    Column("last_at_us", BigInteger, nullable=False),
)

# Our key towards an ID, by which we prove to be its client.
federated_client_key = Table(
    "federated_client_key",
    metadata,
    Column("issuer", Text, primary_key=True),
    Column("kid", Text, nullable=False),
    sealed_column("sealed", "relying:client_key:{issuer}"),
    Column("public", LargeBinary, nullable=False),
    Column("made_at_us", BigInteger, nullable=False),
)

# Which session here came of which session there, so that its end there ends it here.
federated_session = Table(
    "federated_session",
    metadata,
    Column("session_id", Text, ForeignKey("session.id"), primary_key=True),
    Column("issuer", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("sid", Text, nullable=False, index=True),
    Column("at_us", BigInteger, nullable=False),
)

# The ids of logout tokens, until they could no longer be believed.
federated_logout = Table(
    "federated_logout",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("expires_at_us", BigInteger, nullable=False, index=True),
)
