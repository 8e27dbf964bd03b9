"""Open credit lines that were looked at again."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "line_check",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("contract_id", sa.Text(), nullable=False),
        sa.Column("query_id", sa.Text(), nullable=False),
        sa.Column("checked_on", sa.Text(), nullable=False),
        sa.Column("findings", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["contract_id"],
            ["credit_contract.id"],
        ),
        sa.ForeignKeyConstraint(
            ["query_id"],
            ["bureau_query.id"],
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_line_check")),
        sa.UniqueConstraint("query_id", name=op.f("uq_line_check_query_id")),
    )
    op.create_index(
        "ix_line_check_contract_id_checked_on", "line_check", ["contract_id", "checked_on"], unique=False
    )
