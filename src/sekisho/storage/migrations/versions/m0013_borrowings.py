"""Payout accounts, transfer and debit orders, and the bank files they travel in."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Make the tables."""
    _make_payout_account()
    _make_bank_file()
    _make_transfer_order()
    _make_web_debit_order()


def _make_payout_account() -> None:
    op.create_table(
        "payout_account",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("bank", sa.Text(), nullable=False),
        sa.Column("registered_at_us", sa.BigInteger(), nullable=False),
        sa.Column("usable_from_us", sa.BigInteger(), nullable=False),
        sa.Column("cancelled_at_us", sa.BigInteger(), nullable=True),
        sa.Column("debits_stopped_at_us", sa.BigInteger(), nullable=True),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout_account")),
        sa.UniqueConstraint("key", name=op.f("uq_payout_account_key")),
    )
    op.create_index(op.f("ix_payout_account_member_id"), "payout_account", ["member_id"], unique=False)


def _make_bank_file() -> None:
    op.create_table(
        "bank_file",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("on_day", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("amount_yen", sa.BigInteger(), nullable=False),
        sa.Column("made_at_us", sa.BigInteger(), nullable=False),
        sa.Column("handed_over_us", sa.BigInteger(), nullable=True),
        sa.Column("result_digest", sa.LargeBinary(), nullable=True),
        sa.Column("result_at_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_file")),
        sa.UniqueConstraint("name", name=op.f("uq_bank_file_name")),
    )
    op.create_index(op.f("ix_bank_file_handed_over_us"), "bank_file", ["handed_over_us"], unique=False)


def _make_transfer_order() -> None:
    op.create_table(
        "transfer_order",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("contract_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("bank", sa.Text(), nullable=False),
        sa.Column("amount_yen", sa.BigInteger(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("requested_at_us", sa.BigInteger(), nullable=False),
        sa.Column("goes_out_us", sa.BigInteger(), nullable=True),
        sa.Column("approved_at_us", sa.BigInteger(), nullable=True),
        sa.Column("approved_by", sa.Text(), nullable=False),
        sa.Column("attempt_id", sa.Text(), nullable=False),
        sa.Column("loan_event_id", sa.Text(), nullable=True),
        sa.Column("transfer_id", sa.Text(), nullable=True),
        sa.Column("file_id", sa.Text(), nullable=True),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("ended_at_us", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["payout_account.id"],
        ),
        sa.ForeignKeyConstraint(
            ["contract_id"],
            ["credit_contract.id"],
        ),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfer_order")),
        sa.UniqueConstraint("key", name=op.f("uq_transfer_order_key")),
        sa.UniqueConstraint("reference", name=op.f("uq_transfer_order_reference")),
    )
    op.create_index(op.f("ix_transfer_order_file_id"), "transfer_order", ["file_id"], unique=False)
    op.create_index(op.f("ix_transfer_order_member_id"), "transfer_order", ["member_id"], unique=False)
    op.create_index(
        "ix_transfer_order_state_goes_out_us", "transfer_order", ["state", "goes_out_us"], unique=False
    )


def _make_web_debit_order() -> None:
    op.create_table(
        "web_debit_order",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("contract_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("bank", sa.Text(), nullable=False),
        sa.Column("amount_yen", sa.BigInteger(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("is_first", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("requested_at_us", sa.BigInteger(), nullable=False),
        sa.Column("approved_at_us", sa.BigInteger(), nullable=True),
        sa.Column("loan_event_id", sa.Text(), nullable=True),
        sa.Column("file_id", sa.Text(), nullable=True),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("ended_at_us", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["payout_account.id"],
        ),
        sa.ForeignKeyConstraint(
            ["contract_id"],
            ["credit_contract.id"],
        ),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_web_debit_order")),
        sa.UniqueConstraint("key", name=op.f("uq_web_debit_order_key")),
        sa.UniqueConstraint("reference", name=op.f("uq_web_debit_order_reference")),
    )
    op.create_index(op.f("ix_web_debit_order_file_id"), "web_debit_order", ["file_id"], unique=False)
    op.create_index(op.f("ix_web_debit_order_member_id"), "web_debit_order", ["member_id"], unique=False)
    op.create_index(
        "ix_web_debit_order_state_requested_at_us",
        "web_debit_order",
        ["state", "requested_at_us"],
        unique=False,
    )
