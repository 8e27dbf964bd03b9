"""The ledger: accounts, transfers, journal and checkpoints."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Make the tables."""
    _make_ledger_account()
    _make_ledger_transfer()
    _make_ledger_journal()
    _make_ledger_checkpoint()


def _make_ledger_account() -> None:
    op.create_table(
        "ledger_account",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("normal", sa.Text(), nullable=False),
        sa.Column("net_debit_max", sa.BigInteger(), nullable=True),
        sa.Column("net_credit_max", sa.BigInteger(), nullable=True),
        sa.Column("debits_posted", sa.BigInteger(), nullable=False),
        sa.Column("credits_posted", sa.BigInteger(), nullable=False),
        sa.Column("debits_pending", sa.BigInteger(), nullable=False),
        sa.Column("credits_pending", sa.BigInteger(), nullable=False),
        sa.Column("opened_at_us", sa.BigInteger(), nullable=False),
        sa.Column("closed_at_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_account")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_ledger_account_owner"), "ledger_account", ["owner"], unique=False)


def _make_ledger_transfer() -> None:
    op.create_table(
        "ledger_transfer",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("debit", sa.Text(), nullable=False),
        sa.Column("credit", sa.Text(), nullable=False),
        sa.Column("amount_yen", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("posted_yen", sa.BigInteger(), nullable=False),
        sa.Column("effective_on", sa.Text(), nullable=False),
        sa.Column("booked_at_us", sa.BigInteger(), nullable=False),
        sa.Column("expires_at_us", sa.BigInteger(), nullable=True),
        sa.Column("corrects", sa.Text(), nullable=True),
        sa.Column("details", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_transfer")),
        sa.UniqueConstraint("key", name=op.f("uq_ledger_transfer_key")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_ledger_transfer_expires_at_us",
        "ledger_transfer",
        ["expires_at_us"],
        unique=False,
        sqlite_where=sa.text("state = 'pending'"),
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_index(
        "uq_ledger_transfer_corrects",
        "ledger_transfer",
        ["corrects"],
        unique=True,
        sqlite_where=sa.text("corrects IS NOT NULL"),
        postgresql_where=sa.text("corrects IS NOT NULL"),
    )


def _make_ledger_journal() -> None:
    op.create_table(
        "ledger_journal",
        sa.Column(
            "position",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("transfer_id", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("debit", sa.Text(), nullable=False),
        sa.Column("credit", sa.Text(), nullable=False),
        sa.Column("pending_yen", sa.BigInteger(), nullable=False),
        sa.Column("posted_yen", sa.BigInteger(), nullable=False),
        sa.Column("effective_on", sa.Text(), nullable=False),
        sa.Column("booked_at_us", sa.BigInteger(), nullable=False),
        sa.Column("link", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_ledger_journal")),
    )
    op.create_index(
        "ix_ledger_journal_credit_effective_on", "ledger_journal", ["credit", "effective_on"], unique=False
    )
    op.create_index(
        "ix_ledger_journal_debit_effective_on", "ledger_journal", ["debit", "effective_on"], unique=False
    )


def _make_ledger_checkpoint() -> None:
    op.create_table(
        "ledger_checkpoint",
        sa.Column(
            "position",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("link", sa.LargeBinary(), nullable=False),
        sa.Column("totals", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_ledger_checkpoint")),
    )
