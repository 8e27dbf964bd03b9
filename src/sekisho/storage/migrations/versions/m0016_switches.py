"""Switches: what is switched off, for whom, how long."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Make the tables."""
    _make_switch()
    _make_switch_member()
    _make_switch_deed()


def _make_switch() -> None:
    op.create_table(
        "switch",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("function", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("applies_to", sa.Text(), nullable=False),
        sa.Column("names_members", sa.Integer(), nullable=False),
        sa.Column("risk_from", sa.Float(), nullable=True),
        sa.Column("device_younger_us", sa.BigInteger(), nullable=True),
        sa.Column("from_us", sa.BigInteger(), nullable=False),
        sa.Column("until_us", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("told_ja", sa.Text(), nullable=False),
        sa.Column("told_en", sa.Text(), nullable=False),
        sa.Column("open_ways", sa.Text(), nullable=False),
        sa.Column("is_wide", sa.Boolean(), nullable=False),
        sa.Column("urgent_until_us", sa.BigInteger(), nullable=True),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("set_at_us", sa.BigInteger(), nullable=False),
        sa.Column("approved_by", sa.Text(), nullable=False),
        sa.Column("approved_at_us", sa.BigInteger(), nullable=True),
        sa.Column("lift_asked_by", sa.Text(), nullable=False),
        sa.Column("lifted_by", sa.Text(), nullable=False),
        sa.Column("lifted_at_us", sa.BigInteger(), nullable=True),
        sa.Column("expiry_told_at_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_switch")),
    )
    op.create_index(op.f("ix_switch_lifted_at_us"), "switch", ["lifted_at_us"], unique=False)
    op.create_index(op.f("ix_switch_until_us"), "switch", ["until_us"], unique=False)


def _make_switch_member() -> None:
    op.create_table(
        "switch_member",
        sa.Column("switch_id", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["switch_id"],
            ["switch.id"],
        ),
        sa.PrimaryKeyConstraint("switch_id", "member_id", name=op.f("pk_switch_member")),
    )


def _make_switch_deed() -> None:
    op.create_table(
        "switch_deed",
        sa.Column(
            "position",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            sa.Identity(always=True),
            nullable=False,
        ),
        sa.Column("switch_id", sa.Text(), nullable=False),
        sa.Column("deed", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["switch_id"],
            ["switch.id"],
        ),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_switch_deed")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_switch_deed_switch_id"), "switch_deed", ["switch_id"], unique=False)
