"""Sessions, the devices that they run on, and the history of logins."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    text,
)

from sekisho.storage.tables import metadata

device = Table(
    "device",
    metadata,
    Column("id", Text, primary_key=True),
    Column("member_id", Text, ForeignKey("member.id"), nullable=False, index=True),
    Column("token_digest", LargeBinary, nullable=False, unique=True),
    Column("standing", Text, nullable=False),
    Column("user_agent", Text, nullable=False),
    Column("first_ip", Text, nullable=False),
    Column("first_seen_us", BigInteger, nullable=False),
    Column("last_seen_us", BigInteger, nullable=False),
    Column("trusted_at_us", BigInteger, nullable=True),
    Column("revoked_at_us", BigInteger, nullable=True),
    Column("wrong_passwords", Integer, nullable=False),
)

_OF_CAMPAIGN = text("campaign <> ''")

# `id` stays what it is for the life of a session, so that evidence can name it; the token changes on every
# change of level, and only its digest is kept.
session = Table(
    "session",
    metadata,
    Column("id", Text, primary_key=True),
    Column("token_digest", LargeBinary, nullable=False, unique=True),
    Column("member_id", Text, ForeignKey("member.id"), nullable=False),
    Column("device_id", Text, ForeignKey("device.id"), nullable=False),
    Column("level", Text, nullable=False),
    Column("proven_at_us", BigInteger, nullable=False),
    Column("opened_at_us", BigInteger, nullable=False),
    Column("last_seen_us", BigInteger, nullable=False),
    Column("ended_at_us", BigInteger, nullable=True),
    Column("ended_for", Text, nullable=False),
    Column("ip", Text, nullable=False),
    Column("user_agent", Text, nullable=False),
    Column("attempt_id", Text, nullable=False),
    Column("risk", Float, nullable=False),
    Column("campaign", Text, nullable=False),
    Column("password_leaked", Boolean, nullable=False),
    Column("form_key", LargeBinary, nullable=False),
    Column("bound_key", Text, nullable=False),
    Column("bound_challenge", Text, nullable=False),
    Column("bound_until_us", BigInteger, nullable=False),
    Index("ix_session_member_id_opened_at_us", "member_id", "opened_at_us"),
    # Nearly all sessions are of no campaign.
    Index("ix_session_campaign", "campaign", sqlite_where=_OF_CAMPAIGN, postgresql_where=_OF_CAMPAIGN),
)

# The newest proof of each way and purpose within a session. Its age is computed at each request.
step_up = Table(
    "step_up",
    metadata,
    Column("session_id", Text, ForeignKey("session.id"), primary_key=True),
    Column("way", Text, primary_key=True),
    Column("purpose", Text, primary_key=True),
    Column("at_us", BigInteger, nullable=False),
)

# One row for each stranger who typed a name and a password, whatever came of it, so that writing it tells
# nothing. `state` says what is behind it.
waiting_login = Table(
    "waiting_login",
    metadata,
    Column("token_digest", LargeBinary, primary_key=True),
    Column("member_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("code_id", Text, nullable=False),
    Column("code_subject", Text, nullable=False),
    Column("tries_left", Integer, nullable=False),
    Column("sign_in_id", Text, nullable=False),
    Column("attempt_id", Text, nullable=False),
    Column("risk", Float, nullable=False),
    Column("campaign", Text, nullable=False),
    Column("password_leaked", Boolean, nullable=False),
    Column("ip", Text, nullable=False),
    Column("begun_at_us", BigInteger, nullable=False, index=True),
)

sign_in = Table(
    "sign_in",
    metadata,
    Column("id", Text, primary_key=True),
    Column("member_id", Text, ForeignKey("member.id"), nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("way", Text, nullable=False),
    Column("result", Text, nullable=False),
    Column("ip", Text, nullable=False),
    Column("country", Text, nullable=False),
    Column("user_agent", Text, nullable=False),
    Column("device_id", Text, nullable=False),
    Column("session_id", Text, nullable=False),
    Column("attempt_id", Text, nullable=False),
    Column("disowned_at_us", BigInteger, nullable=True),
    Index("ix_sign_in_member_id_at_us", "member_id", "at_us"),
)
