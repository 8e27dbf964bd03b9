"""The lender's contracts and what happened under each."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Make the tables."""
    _make_credit_contract()
    _make_loan_event()


def _make_credit_contract() -> None:
    op.create_table(
        "credit_contract",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("terms_id", sa.Text(), nullable=False),
        sa.Column("limit_yen", sa.BigInteger(), nullable=False),
        sa.Column("rate", sa.Integer(), nullable=False),
        sa.Column("delay_rate", sa.Integer(), nullable=False),
        sa.Column("free_days", sa.Integer(), nullable=False),
        sa.Column("due_day", sa.Integer(), nullable=False),
        sa.Column("signed_on", sa.Text(), nullable=False),
        sa.Column("signed_at_us", sa.BigInteger(), nullable=False),
        sa.Column("principal_account", sa.Text(), nullable=False),
        sa.Column("interest_account", sa.Text(), nullable=False),
        sa.Column("delay_account", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("first_used_on", sa.Text(), nullable=True),
        sa.Column("charged_until", sa.Text(), nullable=True),
        sa.Column("payment_yen", sa.BigInteger(), nullable=False),
        sa.Column("next_due_on", sa.Text(), nullable=True),
        sa.Column("paid_in_term_yen", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credit_contract")),
        sa.UniqueConstraint("number", name=op.f("uq_credit_contract_number")),
    )
    op.create_index(op.f("ix_credit_contract_member_id"), "credit_contract", ["member_id"], unique=False)


def _make_loan_event() -> None:
    op.create_table(
        "loan_event",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("contract_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("way", sa.Text(), nullable=False),
        sa.Column("amount_yen", sa.BigInteger(), nullable=False),
        sa.Column("delay_yen", sa.BigInteger(), nullable=False),
        sa.Column("interest_yen", sa.BigInteger(), nullable=False),
        sa.Column("principal_yen", sa.BigInteger(), nullable=False),
        sa.Column("overpaid_yen", sa.BigInteger(), nullable=False),
        sa.Column("balance_yen", sa.BigInteger(), nullable=False),
        sa.Column("payment_yen", sa.BigInteger(), nullable=False),
        sa.Column("next_due_on", sa.Text(), nullable=True),
        sa.Column("effective_on", sa.Text(), nullable=False),
        sa.Column("booked_at_us", sa.BigInteger(), nullable=False),
        sa.Column("transfer_id", sa.Text(), nullable=False),
        sa.Column("request", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["contract_id"],
            ["credit_contract.id"],
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_loan_event")),
        sa.UniqueConstraint("key", name=op.f("uq_loan_event_key")),
    )
    op.create_index(
        "ix_loan_event_contract_id_effective_on", "loan_event", ["contract_id", "effective_on"], unique=False
    )
