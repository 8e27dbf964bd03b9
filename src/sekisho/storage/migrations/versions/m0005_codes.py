"""One-time codes."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the tables."""
    _make_one_time_code()
    _make_code_failure()


def _make_one_time_code() -> None:
    op.create_table(
        "one_time_code",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("recipient_digest", sa.LargeBinary(), nullable=False),
        sa.Column("purpose", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("asked", sa.LargeBinary(), nullable=False),
        sa.Column("asked_ip", sa.Text(), nullable=False),
        sa.Column("issued_at_us", sa.BigInteger(), nullable=False),
        sa.Column("expires_at_us", sa.BigInteger(), nullable=False),
        sa.Column("tries_left", sa.Integer(), nullable=False),
        sa.Column("used_at_us", sa.BigInteger(), nullable=True),
        sa.Column("voided_at_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_one_time_code")),
    )
    op.create_index(
        "ix_one_time_code_asked_ip_issued_at_us", "one_time_code", ["asked_ip", "issued_at_us"], unique=False
    )
    op.create_index(
        "ix_one_time_code_recipient_digest_issued_at_us",
        "one_time_code",
        ["recipient_digest", "issued_at_us"],
        unique=False,
    )
    op.create_index(
        "ix_one_time_code_subject_issued_at_us", "one_time_code", ["subject", "issued_at_us"], unique=False
    )


def _make_code_failure() -> None:
    op.create_table(
        "code_failure",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("code_id", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("ip", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_code_failure")),
    )
    op.create_index(op.f("ix_code_failure_ip"), "code_failure", ["ip"], unique=False)
    op.create_index(op.f("ix_code_failure_subject"), "code_failure", ["subject"], unique=False)
