"""One-time codes, by their digest, and what each was asked for; and the tries that failed."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, Table, Text

from sekisho.storage.tables import metadata

# A row without a message (`sent` is false) is a decoy: nothing fits its digest. `lane` keeps strangers apart
# from members in their sessions, so that the ones cannot use up the limits of the others. Addresses are kept
# as they are counted: an IPv4 address or an IPv6 /64, and the /24 or /48 around it.
one_time_code = Table(
    "one_time_code",
    metadata,
    Column("id", Text, primary_key=True),
    Column("subject", Text, nullable=False),
    Column("lane", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("recipient_digest", LargeBinary, nullable=False),
    Column("block_digest", LargeBinary, nullable=False),
    Column("action", Text, nullable=False),
    Column("purpose_key", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("asked", LargeBinary, nullable=False),
    Column("asked_ip", Text, nullable=False),
    Column("asked_prefix", Text, nullable=False),
    Column("sent", Boolean, nullable=False),
    Column("issued_at_us", BigInteger, nullable=False),
    Column("expires_at_us", BigInteger, nullable=False),
    Column("tries_left", Integer, nullable=False),
    Column("used_at_us", BigInteger, nullable=True),
    Column("voided_at_us", BigInteger, nullable=True),
    Column("voided_for", Text, nullable=False),
    Column("strength", Text, nullable=False),
    Column("signs", Text, nullable=False),
    Index("ix_one_time_code_subject_issued_at_us", "subject", "issued_at_us"),
    Index("ix_one_time_code_recipient_digest_issued_at_us", "recipient_digest", "issued_at_us"),
    Index("ix_one_time_code_block_digest_issued_at_us", "block_digest", "issued_at_us"),
    Index("ix_one_time_code_asked_ip_issued_at_us", "asked_ip", "issued_at_us"),
    Index("ix_one_time_code_asked_prefix_issued_at_us", "asked_prefix", "issued_at_us"),
    Index("ix_one_time_code_issued_at_us", "issued_at_us"),
)

code_failure = Table(
    "code_failure",
    metadata,
    Column("id", Text, primary_key=True),
    Column("code_id", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("lane", Text, nullable=False),
    Column("ip", Text, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Index("ix_code_failure_subject_at_us", "subject", "at_us"),
    Index("ix_code_failure_ip_at_us", "ip", "at_us"),
    Index("ix_code_failure_at_us", "at_us"),
)
