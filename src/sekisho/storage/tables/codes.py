"""One-time codes, by their digest, and what each was asked for."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, Table, Text

from sekisho.storage.tables import metadata

one_time_code = Table(
    "one_time_code",
    metadata,
    Column("id", Text, primary_key=True),
    Column("subject", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("recipient_digest", LargeBinary, nullable=False),
    Column("purpose", LargeBinary, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("asked", LargeBinary, nullable=False),
    Column("asked_ip", Text, nullable=False),
    Column("issued_at_us", BigInteger, nullable=False),
    Column("expires_at_us", BigInteger, nullable=False),
    Column("tries_left", Integer, nullable=False),
    Column("used_at_us", BigInteger, nullable=True),
    Column("voided_at_us", BigInteger, nullable=True),
    Index("ix_one_time_code_subject_issued_at_us", "subject", "issued_at_us"),
    Index("ix_one_time_code_recipient_digest_issued_at_us", "recipient_digest", "issued_at_us"),
    Index("ix_one_time_code_asked_ip_issued_at_us", "asked_ip", "issued_at_us"),
)

code_failure = Table(
    "code_failure",
    metadata,
    Column("id", Text, primary_key=True),
    Column("code_id", Text, nullable=False),
    Column("subject", Text, nullable=False, index=True),
    Column("ip", Text, nullable=False, index=True),
    Column("at_us", BigInteger, nullable=False),
)
