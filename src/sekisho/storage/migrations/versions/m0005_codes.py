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
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("recipient_digest", sa.LargeBinary(), nullable=False),
        sa.Column("block_digest", sa.LargeBinary(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("purpose_key", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("asked", sa.LargeBinary(), nullable=False),
        sa.Column("asked_ip", sa.Text(), nullable=False),
        sa.Column("asked_prefix", sa.Text(), nullable=False),
        sa.Column("sent", sa.Boolean(), nullable=False),
        sa.Column("issued_at_us", sa.BigInteger(), nullable=False),
        sa.Column("expires_at_us", sa.BigInteger(), nullable=False),
        sa.Column("tries_left", sa.Integer(), nullable=False),
        sa.Column("used_at_us", sa.BigInteger(), nullable=True),
        sa.Column("voided_at_us", sa.BigInteger(), nullable=True),
        sa.Column("voided_for", sa.Text(), nullable=False),
        sa.Column("strength", sa.Text(), nullable=False),
        sa.Column("signs", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_one_time_code")),
    )
    for name in ("subject", "recipient_digest", "block_digest", "asked_ip", "asked_prefix"):
        op.create_index(f"ix_one_time_code_{name}_issued_at_us", "one_time_code", [name, "issued_at_us"])
    op.create_index("ix_one_time_code_issued_at_us", "one_time_code", ["issued_at_us"])


def _make_code_failure() -> None:
    op.create_table(
        "code_failure",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("code_id", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("ip", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_code_failure")),
    )
    for name in ("subject", "ip"):
        op.create_index(f"ix_code_failure_{name}_at_us", "code_failure", [name, "at_us"])
    op.create_index("ix_code_failure_at_us", "code_failure", ["at_us"])
