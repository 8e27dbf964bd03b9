"""The outbox, and the chain that seals what was moved from it to history."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables, with history at its beginning."""
    op.create_table(
        "outbox",
        sa.Column(
            "position",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            sa.Identity(always=True),
            nullable=False,
        ),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("position", name="pk_outbox"),
        sa.UniqueConstraint("subject", "kind", name="uq_outbox_subject_kind"),
        sqlite_autoincrement=True,
    )
    progress = op.create_table(
        "history_progress",
        sa.Column("only", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("planned_upto", sa.BigInteger(), nullable=False),
        sa.Column("sealed_upto", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("only", name="pk_history_progress"),
    )
    op.bulk_insert(progress, [{"only": 1, "planned_upto": 0, "sealed_upto": 0}])
    op.create_table(
        "seal",
        sa.Column("upto", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("entry", sa.LargeBinary(), nullable=False),
        sa.Column("link", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("upto", name="pk_seal"),
    )
