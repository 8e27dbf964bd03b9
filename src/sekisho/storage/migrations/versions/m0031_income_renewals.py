"""Newer incomes that members declare under a contract."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "income_renewal",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("contract_id", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("live", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("declared", sa.LargeBinary(), nullable=False),
        sa.Column("proven", sa.LargeBinary(), nullable=True),
        sa.Column("refused_for", sa.Text(), nullable=False),
        sa.Column("declared_at_us", sa.BigInteger(), nullable=False),
        sa.Column("ended_at_us", sa.BigInteger(), nullable=True),
        sa.Column("line_check_id", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["contract_id"],
            ["credit_contract.id"],
            name=op.f("fk_income_renewal_contract_id_credit_contract"),
        ),
        sa.ForeignKeyConstraint(
            ["line_check_id"],
            ["line_check.id"],
            name=op.f("fk_income_renewal_line_check_id_line_check"),
        ),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
            name=op.f("fk_income_renewal_member_id_member"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_income_renewal")),
        sa.UniqueConstraint("key", name=op.f("uq_income_renewal_key")),
        sa.UniqueConstraint("live", name=op.f("uq_income_renewal_live")),
    )
    op.create_index(
        "ix_income_renewal_contract_id_state", "income_renewal", ["contract_id", "state"], unique=False
    )
    op.create_index(
        "ix_income_renewal_state_declared_at_us", "income_renewal", ["state", "declared_at_us"], unique=False
    )
