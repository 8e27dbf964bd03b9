"""What staff did and saw, chained."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    """Make the tables."""
    _make_staff_act()


def _make_staff_act() -> None:
    op.create_table(
        "staff_act",
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("details", sa.LargeBinary(), nullable=False),
        sa.Column("link", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_staff_act")),
    )
    op.create_index("ix_staff_act_actor_at_us", "staff_act", ["actor", "at_us"], unique=False)
    op.create_index(op.f("ix_staff_act_at_us"), "staff_act", ["at_us"], unique=False)
    op.create_index("ix_staff_act_subject_at_us", "staff_act", ["subject", "at_us"], unique=False)
