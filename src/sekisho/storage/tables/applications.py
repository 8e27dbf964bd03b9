"""The way to a credit line: applications, what was checked of them, who decided, and the documents."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text

from sekisho.storage.tables import metadata, sealed_column

# `live` holds the member's id until the application has ended: no member has two under way. What was said is
# sealed, and so is what was found, because both tell of somebody's money.
loan_application = Table(
    "loan_application",
    metadata,
    Column("id", Text, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("member_id", Text, ForeignKey("member.id"), nullable=False, index=True),
    Column("live", Text, nullable=True, unique=True),
    Column("state", Text, nullable=False),
    sealed_column("said", "application:{id}:said"),
    sealed_column("who", "application:{id}:who", nullable=True),
    sealed_column("found", "application:{id}:found", nullable=True),
    Column("drafted_at_us", BigInteger, nullable=False),
    Column("submitted_at_us", BigInteger, nullable=True),
    Column("changed_at_us", BigInteger, nullable=False),
    Column("expires_at_us", BigInteger, nullable=False),
    Column("terms_id", Text, nullable=False),
    Column("limit_yen", BigInteger, nullable=False),
    Column("rate", Integer, nullable=False),
    Column("free_days", Boolean, nullable=False),
    Column("document_id", Text, nullable=True),
    Column("contract_id", Text, nullable=True),
    Index("ix_loan_application_state_expires_at_us", "state", "expires_at_us"),
)

# One row for each try, lawful or not, passed or not; kept for seven years.
identity_check = Table(
    "identity_check",
    metadata,
    Column("id", Text, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("application_id", Text, ForeignKey("loan_application.id"), nullable=False, index=True),
    Column("method", Text, nullable=False),
    Column("letter", Text, nullable=False),
    Column("checked_on", Text, nullable=False),
    Column("staff_id", Text, nullable=False),
    Column("passed", Boolean, nullable=False),
    Column("faults", Text, nullable=False),
    sealed_column("evidence", "identity_check:{id}"),
    Column("at_us", BigInteger, nullable=False),
)

identity_challenge = Table(
    "identity_challenge",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("application_id", Text, ForeignKey("loan_application.id"), nullable=False, index=True),
    Column("expires_at_us", BigInteger, nullable=False),
)

income_check = Table(
    "income_check",
    metadata,
    Column("application_id", Text, ForeignKey("loan_application.id"), primary_key=True),
    Column("source", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("staff_id", Text, nullable=False),
    sealed_column("sealed", "income_check:{application_id}"),
    Column("at_us", BigInteger, nullable=False),
)

# Written before the bureau is asked: a question whose answer was lost is asked again under the same id.
bureau_query = Table(
    "bureau_query",
    metadata,
    Column("id", Text, primary_key=True),
    Column("application_id", Text, ForeignKey("loan_application.id"), nullable=False, index=True),
    Column("asked_at_us", BigInteger, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("trouble", Text, nullable=False),
    Column("answered_at_us", BigInteger, nullable=True),
    sealed_column("answer", "bureau_query:{id}", nullable=True),
)

application_review = Table(
    "application_review",
    metadata,
    Column("application_id", Text, ForeignKey("loan_application.id"), primary_key=True),
    Column("staff_id", Text, nullable=False),
    Column("granted", Boolean, nullable=False),
    Column("limit_yen", BigInteger, nullable=False),
    sealed_column("reason", "review:{application_id}"),
    Column("at_us", BigInteger, nullable=False),
)

# A document is what its octets are: `sha256` names them, and they are kept sealed as they were made.
loan_document = Table(
    "loan_document",
    metadata,
    Column("id", Text, primary_key=True),
    Column("subject", Text, nullable=False, unique=True),
    Column("member_id", Text, ForeignKey("member.id"), nullable=False, index=True),
    Column("kind", Text, nullable=False),
    Column("sha256", Text, nullable=False, index=True),
    sealed_column("sealed", "document:{member_id}:{id}"),
    Column("pages", Integer, nullable=False),
    Column("made_at_us", BigInteger, nullable=False),
)

document_delivery = Table(
    "document_delivery",
    metadata,
    Column("document_id", Text, ForeignKey("loan_document.id"), primary_key=True),
    Column("way", Text, primary_key=True),
    Column("staff_id", Text, nullable=False),
    Column("at_us", BigInteger, nullable=False),
)

delivery_consent = Table(
    "delivery_consent",
    metadata,
    Column("member_id", Text, ForeignKey("member.id"), primary_key=True),
    Column("given_at_us", BigInteger, primary_key=True, autoincrement=False),
    Column("session_id", Text, nullable=False),
    Column("wording", Text, nullable=False),
    Column("withdrawn_at_us", BigInteger, nullable=True),
)
