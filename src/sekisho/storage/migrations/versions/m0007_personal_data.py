"""Personal data, changes and reveals."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the tables."""
    _make_personal_item()
    _make_personal_change()
    _make_reveal()


def _make_personal_item() -> None:
    op.create_table(
        "personal_item",
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("changed_at_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("member_id", "item", name=op.f("pk_personal_item")),
    )


def _make_personal_change() -> None:
    op.create_table(
        "personal_change",
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("member_id", "item", "at_us", name=op.f("pk_personal_change")),
    )


def _make_reveal() -> None:
    op.create_table(
        "reveal",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reveal")),
    )
    op.create_index("ix_reveal_member_id_at_us", "reveal", ["member_id", "at_us"], unique=False)
    op.create_index("ix_reveal_session_id", "reveal", ["session_id"], unique=False)
