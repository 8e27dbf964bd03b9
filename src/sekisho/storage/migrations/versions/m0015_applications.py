"""Applications for a credit line, their checks and decisions, and the documents."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Make the tables."""
    _make_loan_application()
    _make_identity_check()
    _make_identity_challenge()
    _make_income_check()
    _make_bureau_query()
    _make_application_review()
    _make_loan_document()
    _make_document_delivery()
    _make_delivery_consent()


def _make_loan_application() -> None:
    op.create_table(
        "loan_application",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("live", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("said", sa.LargeBinary(), nullable=False),
        sa.Column("who", sa.LargeBinary(), nullable=True),
        sa.Column("found", sa.LargeBinary(), nullable=True),
        sa.Column("drafted_at_us", sa.BigInteger(), nullable=False),
        sa.Column("submitted_at_us", sa.BigInteger(), nullable=True),
        sa.Column("changed_at_us", sa.BigInteger(), nullable=False),
        sa.Column("expires_at_us", sa.BigInteger(), nullable=False),
        sa.Column("terms_id", sa.Text(), nullable=False),
        sa.Column("limit_yen", sa.BigInteger(), nullable=False),
        sa.Column("rate", sa.Integer(), nullable=False),
        sa.Column("free_days", sa.Boolean(), nullable=False),
        sa.Column("document_id", sa.Text(), nullable=True),
        sa.Column("contract_id", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_loan_application")),
        sa.UniqueConstraint("key", name=op.f("uq_loan_application_key")),
        sa.UniqueConstraint("live", name=op.f("uq_loan_application_live")),
    )
    op.create_index(op.f("ix_loan_application_member_id"), "loan_application", ["member_id"], unique=False)
    op.create_index(
        "ix_loan_application_state_expires_at_us",
        "loan_application",
        ["state", "expires_at_us"],
        unique=False,
    )


def _make_identity_check() -> None:
    op.create_table(
        "identity_check",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("application_id", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("letter", sa.Text(), nullable=False),
        sa.Column("checked_on", sa.Text(), nullable=False),
        sa.Column("staff_id", sa.Text(), nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.Column("faults", sa.Text(), nullable=False),
        sa.Column("evidence", sa.LargeBinary(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["loan_application.id"],
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_check")),
        sa.UniqueConstraint("key", name=op.f("uq_identity_check_key")),
    )
    op.create_index(
        op.f("ix_identity_check_application_id"), "identity_check", ["application_id"], unique=False
    )


def _make_identity_challenge() -> None:
    op.create_table(
        "identity_challenge",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("application_id", sa.Text(), nullable=False),
        sa.Column("expires_at_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["loan_application.id"],
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_identity_challenge")),
    )
    op.create_index(
        op.f("ix_identity_challenge_application_id"), "identity_challenge", ["application_id"], unique=False
    )


def _make_income_check() -> None:
    op.create_table(
        "income_check",
        sa.Column("application_id", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("staff_id", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["loan_application.id"],
        ),
        sa.PrimaryKeyConstraint("application_id", name=op.f("pk_income_check")),
    )


def _make_bureau_query() -> None:
    op.create_table(
        "bureau_query",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("application_id", sa.Text(), nullable=False),
        sa.Column("asked_at_us", sa.BigInteger(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("trouble", sa.Text(), nullable=False),
        sa.Column("answered_at_us", sa.BigInteger(), nullable=True),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["loan_application.id"],
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bureau_query")),
    )
    op.create_index(op.f("ix_bureau_query_application_id"), "bureau_query", ["application_id"], unique=False)


def _make_application_review() -> None:
    op.create_table(
        "application_review",
        sa.Column("application_id", sa.Text(), nullable=False),
        sa.Column("staff_id", sa.Text(), nullable=False),
        sa.Column("granted", sa.Boolean(), nullable=False),
        sa.Column("limit_yen", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["loan_application.id"],
        ),
        sa.PrimaryKeyConstraint("application_id", name=op.f("pk_application_review")),
    )


def _make_loan_document() -> None:
    op.create_table(
        "loan_document",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("made_at_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_loan_document")),
        sa.UniqueConstraint("subject", name=op.f("uq_loan_document_subject")),
    )
    op.create_index(op.f("ix_loan_document_member_id"), "loan_document", ["member_id"], unique=False)
    op.create_index(op.f("ix_loan_document_sha256"), "loan_document", ["sha256"], unique=False)


def _make_document_delivery() -> None:
    op.create_table(
        "document_delivery",
        sa.Column("document_id", sa.Text(), nullable=False),
        sa.Column("way", sa.Text(), nullable=False),
        sa.Column("staff_id", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["document_id"],
            ["loan_document.id"],
        ),
        sa.PrimaryKeyConstraint("document_id", "way", name=op.f("pk_document_delivery")),
    )


def _make_delivery_consent() -> None:
    op.create_table(
        "delivery_consent",
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("given_at_us", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("wording", sa.Text(), nullable=False),
        sa.Column("withdrawn_at_us", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("member_id", "given_at_us", name=op.f("pk_delivery_consent")),
    )
