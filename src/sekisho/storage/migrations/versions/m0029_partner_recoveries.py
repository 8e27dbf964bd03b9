"""What of paid claims partners bear, and what came of it."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    """Make the tables."""
    _make_partner_recovery()
    _make_partner_receipt()
    _make_partner_receipt_part()


def _make_partner_recovery() -> None:
    op.create_table(
        "partner_recovery",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("claim_id", sa.Text(), nullable=False),
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("paid_yen", sa.BigInteger(), nullable=False),
        sa.Column("paid_at_us", sa.BigInteger(), nullable=False),
        sa.Column("asked_yen", sa.BigInteger(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("asked_at_us", sa.BigInteger(), nullable=True),
        sa.Column("ground", sa.Text(), nullable=False),
        sa.Column("given_up_yen", sa.BigInteger(), nullable=False),
        sa.Column("given_up_by", sa.Text(), nullable=False),
        sa.Column("given_up_at_us", sa.BigInteger(), nullable=True),
        sa.Column("given_up_why", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["claim_id"],
            ["claim.id"],
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partner_recovery")),
        sa.UniqueConstraint("claim_id", name=op.f("uq_partner_recovery_claim_id")),
    )
    op.create_index(
        "ix_partner_recovery_partner_campaign", "partner_recovery", ["partner", "campaign"], unique=False
    )


def _make_partner_receipt() -> None:
    op.create_table(
        "partner_receipt",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("way", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("yen", sa.BigInteger(), nullable=False),
        sa.Column("came_on", sa.Text(), nullable=False),
        sa.Column("entered_by", sa.Text(), nullable=False),
        sa.Column("entered_at_us", sa.BigInteger(), nullable=False),
        sa.Column("booked_by", sa.Text(), nullable=False),
        sa.Column("booked_at_us", sa.BigInteger(), nullable=True),
        sa.Column("posting", sa.Text(), nullable=False),
        sa.Column("turned_down_by", sa.Text(), nullable=False),
        sa.Column("turned_down_at_us", sa.BigInteger(), nullable=True),
        sa.Column("turned_down_why", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partner_receipt")),
    )
    op.create_index(op.f("ix_partner_receipt_partner"), "partner_receipt", ["partner"], unique=False)
    op.create_index(
        "uq_partner_receipt_number",
        "partner_receipt",
        ["way", "number"],
        unique=True,
        sqlite_where=sa.text("turned_down_at_us IS NULL"),
        postgresql_where=sa.text("turned_down_at_us IS NULL"),
    )


def _make_partner_receipt_part() -> None:
    op.create_table(
        "partner_receipt_part",
        sa.Column("receipt_id", sa.Text(), nullable=False),
        sa.Column("recovery_id", sa.Text(), nullable=False),
        sa.Column("yen", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["receipt_id"],
            ["partner_receipt.id"],
        ),
        sa.ForeignKeyConstraint(
            ["recovery_id"],
            ["partner_recovery.id"],
        ),
        sa.PrimaryKeyConstraint("receipt_id", "recovery_id", name=op.f("pk_partner_receipt_part")),
    )
    op.create_index(
        "ix_partner_receipt_part_recovery_id", "partner_receipt_part", ["recovery_id"], unique=False
    )
