"""Members, their contacts and passwords."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the tables."""
    _make_member()
    _make_contact()
    _make_password()
    _make_sign_up()
    _make_contact_change()


def _make_member() -> None:
    op.create_table(
        "member",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("opened_at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member")),
        sa.UniqueConstraint("number", name=op.f("uq_member_number")),
    )


def _make_contact() -> None:
    op.create_table(
        "contact",
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("verified_at_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("member_id", "kind", name=op.f("pk_contact")),
        sa.UniqueConstraint("kind", "digest", name=op.f("uq_contact_kind_digest")),
    )


def _make_password() -> None:
    op.create_table(
        "password",
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("pepper", sa.Text(), nullable=False),
        sa.Column("set_at_us", sa.BigInteger(), nullable=False),
        sa.Column("strange_failures", sa.Integer(), nullable=False),
        sa.Column("invalidated_at_us", sa.BigInteger(), nullable=True),
        sa.Column("invalidated_for", sa.Text(), nullable=False),
        sa.Column("found_leaked_at_us", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("member_id", name=op.f("pk_password")),
    )


def _make_sign_up() -> None:
    op.create_table(
        "sign_up",
        sa.Column("token_digest", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("email_code_id", sa.Text(), nullable=False),
        sa.Column("mobile_code_id", sa.Text(), nullable=False),
        sa.Column("email_proven_at_us", sa.BigInteger(), nullable=True),
        sa.Column("mobile_proven_at_us", sa.BigInteger(), nullable=True),
        sa.Column("ip", sa.Text(), nullable=False),
        sa.Column("begun_at_us", sa.BigInteger(), nullable=False),
        sa.Column("used_at_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("token_digest", name=op.f("pk_sign_up")),
    )
    op.create_index(op.f("ix_sign_up_begun_at_us"), "sign_up", ["begun_at_us"], unique=False)


def _make_contact_change() -> None:
    op.create_table(
        "contact_change",
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("code_id", sa.Text(), nullable=False),
        sa.Column("asked_at_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"]),
        sa.PrimaryKeyConstraint("member_id", "kind", name=op.f("pk_contact_change")),
    )
