"""The wallet's links to banks, and the money over them."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Make the tables."""
    _make_bank_link()
    _make_linked_account()
    _make_linked_phone()
    _make_link_client_key()
    _make_bank_order()
    _make_bank_move()


def _make_bank_link() -> None:
    op.create_table(
        "bank_link",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("bank", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("strength", sa.Integer(), nullable=False),
        sa.Column("state_digest", sa.LargeBinary(), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("attempt_id", sa.Text(), nullable=False),
        sa.Column("approved_by", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("mandate_id", sa.Text(), nullable=True),
        sa.Column("holder_match", sa.Text(), nullable=False),
        sa.Column("review", sa.Text(), nullable=False),
        sa.Column("reviewed_by", sa.Text(), nullable=False),
        sa.Column("once_yen", sa.BigInteger(), nullable=False),
        sa.Column("month_yen", sa.BigInteger(), nullable=False),
        sa.Column("begun_at_us", sa.BigInteger(), nullable=False),
        sa.Column("return_until_us", sa.BigInteger(), nullable=False),
        sa.Column("returned_at_us", sa.BigInteger(), nullable=True),
        sa.Column("active_at_us", sa.BigInteger(), nullable=True),
        sa.Column("usable_from_us", sa.BigInteger(), nullable=True),
        sa.Column("first_until_us", sa.BigInteger(), nullable=True),
        sa.Column("first_yen", sa.BigInteger(), nullable=False),
        sa.Column("suspended_for", sa.Text(), nullable=False),
        sa.Column("ended_at_us", sa.BigInteger(), nullable=True),
        sa.Column("ended_for", sa.Text(), nullable=False),
        sa.Column("bank_to_tell", sa.Boolean(), nullable=False),
        sa.Column("next_tell_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_link")),
        sa.UniqueConstraint("key", name=op.f("uq_bank_link_key")),
        sa.UniqueConstraint("state_digest", name=op.f("uq_bank_link_state_digest")),
    )
    op.create_index("ix_bank_link_bank_mandate_id", "bank_link", ["bank", "mandate_id"], unique=False)
    op.create_index(
        "ix_bank_link_bank_to_tell_next_tell_us", "bank_link", ["bank_to_tell", "next_tell_us"], unique=False
    )
    op.create_index(op.f("ix_bank_link_member_id"), "bank_link", ["member_id"], unique=False)


def _make_linked_account() -> None:
    op.create_table(
        "linked_account",
        sa.Column("bank", sa.Text(), nullable=False),
        sa.Column("account_ref", sa.Text(), nullable=False),
        sa.Column("link_id", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("since_us", sa.BigInteger(), nullable=False),
        sa.Column("released_at_us", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["link_id"],
            ["bank_link.id"],
        ),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("bank", "account_ref", name=op.f("pk_linked_account")),
    )


def _make_linked_phone() -> None:
    op.create_table(
        "linked_phone",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("since_us", sa.BigInteger(), nullable=False),
        sa.Column("released_at_us", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_linked_phone")),
    )


def _make_link_client_key() -> None:
    op.create_table(
        "link_client_key",
        sa.Column("bank", sa.Text(), nullable=False),
        sa.Column("kid", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("public", sa.LargeBinary(), nullable=False),
        sa.Column("made_at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("bank", name=op.f("pk_link_client_key")),
    )


def _make_bank_order() -> None:
    op.create_table(
        "bank_order",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("link_id", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("amount_yen", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("bank_id", sa.Text(), nullable=False),
        sa.Column("maybe_heard", sa.Boolean(), nullable=False),
        sa.Column("ordered_at_us", sa.BigInteger(), nullable=False),
        sa.Column("not_after_us", sa.BigInteger(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_try_us", sa.BigInteger(), nullable=False),
        sa.Column("settled_at_us", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["link_id"],
            ["bank_link.id"],
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_order")),
        sa.UniqueConstraint("key", name=op.f("uq_bank_order_key")),
    )
    op.create_index(
        "ix_bank_order_link_id_ordered_at_us", "bank_order", ["link_id", "ordered_at_us"], unique=False
    )
    op.create_index("ix_bank_order_state_next_try_us", "bank_order", ["state", "next_try_us"], unique=False)


def _make_bank_move() -> None:
    op.create_table(
        "bank_move",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("link_id", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("amount_yen", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=True),
        sa.Column("transfer_id", sa.Text(), nullable=True),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("attempt_id", sa.Text(), nullable=False),
        sa.Column("approved_by", sa.Text(), nullable=False),
        sa.Column("requested_at_us", sa.BigInteger(), nullable=False),
        sa.Column("ordered_at_us", sa.BigInteger(), nullable=True),
        sa.Column("ended_at_us", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["link_id"],
            ["bank_link.id"],
        ),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_move")),
        sa.UniqueConstraint("key", name=op.f("uq_bank_move_key")),
        sa.UniqueConstraint("order_id", name=op.f("uq_bank_move_order_id")),
    )
    op.create_index(
        "ix_bank_move_member_id_requested_at_us", "bank_move", ["member_id", "requested_at_us"], unique=False
    )
