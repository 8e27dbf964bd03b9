"""The bank's mandates, debits and credits, and files with other institutions."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Make the tables."""
    _make_mandate()
    _make_mandate_move()
    _make_mandate_order()
    _make_mandate_report()
    _make_file_partner()
    _make_taken_file()
    _make_taken_row()


def _make_mandate() -> None:
    op.create_table(
        "mandate",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("deposit_id", sa.Text(), nullable=False),
        sa.Column("user_ref", sa.Text(), nullable=False),
        sa.Column("actions", sa.Text(), nullable=False),
        sa.Column("ceiling_yen", sa.BigInteger(), nullable=False),
        sa.Column("month_ceiling_yen", sa.BigInteger(), nullable=False),
        sa.Column("way", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("stops", sa.Text(), nullable=False),
        sa.Column("moves", sa.Integer(), nullable=False),
        sa.Column("stop_digest", sa.LargeBinary(), nullable=True),
        sa.Column("requested_at_us", sa.BigInteger(), nullable=False),
        sa.Column("active_from_us", sa.BigInteger(), nullable=True),
        sa.Column("first_debit_at_us", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["deposit_id"],
            ["deposit.id"],
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mandate")),
        sa.UniqueConstraint("stop_digest", name=op.f("uq_mandate_stop_digest")),
    )
    op.create_index(op.f("ix_mandate_deposit_id"), "mandate", ["deposit_id"], unique=False)
    op.create_index("ix_mandate_partner_deposit_id", "mandate", ["partner", "deposit_id"], unique=False)


def _make_mandate_move() -> None:
    op.create_table(
        "mandate_move",
        sa.Column("mandate_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["mandate_id"],
            ["mandate.id"],
        ),
        sa.PrimaryKeyConstraint("mandate_id", "number", name=op.f("pk_mandate_move")),
    )


def _make_mandate_order() -> None:
    op.create_table(
        "mandate_order",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request", sa.LargeBinary(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("mandate_id", sa.Text(), nullable=False),
        sa.Column("deposit_id", sa.Text(), nullable=False),
        sa.Column("amount_yen", sa.BigInteger(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("is_first", sa.Boolean(), nullable=False),
        sa.Column("transfer_id", sa.Text(), nullable=True),
        sa.Column("booked_at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mandate_order")),
        sa.UniqueConstraint(
            "partner", "direction", "key", name=op.f("uq_mandate_order_partner_direction_key")
        ),
    )
    op.create_index(
        "ix_mandate_order_deposit_id_partner_month",
        "mandate_order",
        ["deposit_id", "partner", "month"],
        unique=False,
    )
    op.create_index(op.f("ix_mandate_order_mandate_id"), "mandate_order", ["mandate_id"], unique=False)
    op.create_index(
        "ix_mandate_order_partner_booked_at_us", "mandate_order", ["partner", "booked_at_us"], unique=False
    )


def _make_mandate_report() -> None:
    op.create_table(
        "mandate_report",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("mandate_id", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("orders", sa.Text(), nullable=False),
        sa.Column("amount_yen", sa.BigInteger(), nullable=False),
        sa.Column("reported_at_us", sa.BigInteger(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("decided_at_us", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["mandate_id"],
            ["mandate.id"],
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mandate_report")),
        sa.UniqueConstraint("reference", name=op.f("uq_mandate_report_reference")),
    )
    op.create_index(op.f("ix_mandate_report_mandate_id"), "mandate_report", ["mandate_id"], unique=False)


def _make_file_partner() -> None:
    op.create_table(
        "file_partner",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name_kana", sa.Text(), nullable=False),
        sa.Column("settlement_account", sa.Text(), nullable=False),
        sa.Column("registered_at_us", sa.BigInteger(), nullable=False),
        sa.Column("removed_at_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_file_partner")),
    )


def _make_taken_file() -> None:
    op.create_table(
        "taken_file",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("on_day", sa.Text(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("amount_yen", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("taken_at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_taken_file")),
        sa.UniqueConstraint("digest", name=op.f("uq_taken_file_digest")),
    )
    op.create_index("ix_taken_file_partner_on_day", "taken_file", ["partner", "on_day"], unique=False)


def _make_taken_row() -> None:
    op.create_table(
        "taken_row",
        sa.Column("file_id", sa.Text(), nullable=False),
        sa.Column("record", sa.Integer(), nullable=False),
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("on_day", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("transfer_id", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["file_id"],
            ["taken_file.id"],
        ),
        sa.PrimaryKeyConstraint("file_id", "record", name=op.f("pk_taken_row")),
        sa.UniqueConstraint(
            "partner", "kind", "on_day", "reference", name=op.f("uq_taken_row_partner_kind_on_day_reference")
        ),
    )
