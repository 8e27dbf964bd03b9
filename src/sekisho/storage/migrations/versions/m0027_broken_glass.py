"""Glass that staff broke, and which records are their own."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    """Make the tables."""
    _make_broken_glass()
    _make_staff_own_record()


def _make_broken_glass() -> None:
    op.create_table(
        "broken_glass",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("staff_id", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("broken_at_us", sa.BigInteger(), nullable=False),
        sa.Column("until_us", sa.BigInteger(), nullable=False),
        sa.Column("seen_by", sa.Text(), nullable=False),
        sa.Column("seen_at_us", sa.BigInteger(), nullable=True),
        sa.Column("remark", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_broken_glass")),
    )
    op.create_index(
        "ix_broken_glass_session_id_subject", "broken_glass", ["session_id", "subject"], unique=False
    )
    op.create_index("ix_broken_glass_seen_at_us", "broken_glass", ["seen_at_us"], unique=False)


def _make_staff_own_record() -> None:
    op.create_table(
        "staff_own_record",
        sa.Column("staff_id", sa.Text(), nullable=False),
        sa.Column("institution", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("named_at_us", sa.BigInteger(), nullable=False),
        sa.Column("named_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["staff_id"],
            ["staff.member_id"],
        ),
        sa.PrimaryKeyConstraint("staff_id", "institution", "member_id", name=op.f("pk_staff_own_record")),
    )
