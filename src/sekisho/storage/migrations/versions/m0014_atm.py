"""The smartphone ATM: machines, sessions, orders, discrepancies and PINs."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Make the tables."""
    _make_atm_machine()
    _make_atm_session()
    _make_atm_order()
    _make_atm_discrepancy()
    _make_atm_pin()


def _make_atm_machine() -> None:
    op.create_table(
        "atm_machine",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("network", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("registered_at_us", sa.BigInteger(), nullable=False),
        sa.Column("closed_at_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_atm_machine")),
    )


def _make_atm_session() -> None:
    op.create_table(
        "atm_session",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("opening_key", sa.Text(), nullable=False),
        sa.Column("machine_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("opened_at_us", sa.BigInteger(), nullable=False),
        sa.Column("expires_at_us", sa.BigInteger(), nullable=False),
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("claimed_at_us", sa.BigInteger(), nullable=True),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("amount_yen", sa.BigInteger(), nullable=False),
        sa.Column("fee_yen", sa.BigInteger(), nullable=False),
        sa.Column("purpose_key", sa.Text(), nullable=False),
        sa.Column("attempt_id", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("wrong_numbers", sa.Integer(), nullable=False),
        sa.Column("answer_key", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["machine_id"],
            ["atm_machine.id"],
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_atm_session")),
        sa.UniqueConstraint("opening_key", name=op.f("uq_atm_session_opening_key")),
    )
    op.create_index(
        "ix_atm_session_state_expires_at_us", "atm_session", ["state", "expires_at_us"], unique=False
    )


def _make_atm_order() -> None:
    op.create_table(
        "atm_order",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("atm_session_id", sa.Text(), nullable=False),
        sa.Column("machine_id", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("contract_id", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("amount_yen", sa.BigInteger(), nullable=False),
        sa.Column("fee_yen", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("transfer_id", sa.Text(), nullable=False),
        sa.Column("made_at_us", sa.BigInteger(), nullable=False),
        sa.Column("not_after_us", sa.BigInteger(), nullable=False),
        sa.Column("asked_at_us", sa.BigInteger(), nullable=True),
        sa.Column("next_query_us", sa.BigInteger(), nullable=False),
        sa.Column("queries", sa.Integer(), nullable=False),
        sa.Column("moved_yen", sa.BigInteger(), nullable=True),
        sa.Column("settled_at_us", sa.BigInteger(), nullable=True),
        sa.Column("loan_event_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["atm_session_id"],
            ["atm_session.id"],
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_atm_order")),
        sa.UniqueConstraint("atm_session_id", name=op.f("uq_atm_order_atm_session_id")),
    )
    op.create_index(
        "ix_atm_order_machine_id_made_at_us", "atm_order", ["machine_id", "made_at_us"], unique=False
    )
    op.create_index("ix_atm_order_state_next_query_us", "atm_order", ["state", "next_query_us"], unique=False)


def _make_atm_discrepancy() -> None:
    op.create_table(
        "atm_discrepancy",
        sa.Column("machine_id", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("ours_yen", sa.BigInteger(), nullable=True),
        sa.Column("theirs_yen", sa.BigInteger(), nullable=True),
        sa.Column("found_at_us", sa.BigInteger(), nullable=False),
        sa.Column("resolved_at_us", sa.BigInteger(), nullable=True),
        sa.Column("resolved_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("machine_id", "order_id", "kind", name=op.f("pk_atm_discrepancy")),
    )


def _make_atm_pin() -> None:
    op.create_table(
        "atm_pin",
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("pepper", sa.Text(), nullable=False),
        sa.Column("set_at_us", sa.BigInteger(), nullable=False),
        sa.Column("tries_left", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("member_id", name=op.f("pk_atm_pin")),
    )
