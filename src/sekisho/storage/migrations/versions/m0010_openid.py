"""What an OpenID Connect provider keeps."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Make the tables."""
    _make_openid_client()
    _make_openid_assertion()
    _make_openid_code()
    _make_openid_consent()
    _make_openid_token()
    _make_openid_visit()
    _make_signing_key()


def _make_openid_client() -> None:
    op.create_table(
        "openid_client",
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("secret_digest", sa.LargeBinary(), nullable=False),
        sa.Column("settings", sa.LargeBinary(), nullable=False),
        sa.Column("added_at_us", sa.BigInteger(), nullable=False),
        sa.Column("removed_at_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("client_id", name=op.f("pk_openid_client")),
    )


def _make_openid_assertion() -> None:
    op.create_table(
        "openid_assertion",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_openid_assertion")),
    )
    op.create_index(
        op.f("ix_openid_assertion_expires_at_us"), "openid_assertion", ["expires_at_us"], unique=False
    )


def _make_openid_code() -> None:
    op.create_table(
        "openid_code",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("request", sa.LargeBinary(), nullable=False),
        sa.Column("issued_at_us", sa.BigInteger(), nullable=False),
        sa.Column("expires_at_us", sa.BigInteger(), nullable=False),
        sa.Column("used_at_us", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_openid_code")),
    )
    op.create_index(op.f("ix_openid_code_member_id"), "openid_code", ["member_id"], unique=False)
    op.create_index(op.f("ix_openid_code_expires_at_us"), "openid_code", ["expires_at_us"], unique=False)


def _make_openid_consent() -> None:
    op.create_table(
        "openid_consent",
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("given_at_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("member_id", "client_id", name=op.f("pk_openid_consent")),
    )


def _make_openid_token() -> None:
    op.create_table(
        "openid_token",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("code_digest", sa.LargeBinary(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("issued_at_us", sa.BigInteger(), nullable=False),
        sa.Column("expires_at_us", sa.BigInteger(), nullable=False),
        sa.Column("opened_at_us", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at_us", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_openid_token")),
    )
    for column in ("code_digest", "member_id", "expires_at_us"):
        op.create_index(op.f(f"ix_openid_token_{column}"), "openid_token", [column], unique=False)


def _make_openid_visit() -> None:
    op.create_table(
        "openid_visit",
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("began_at_us", sa.BigInteger(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_try_us", sa.BigInteger(), nullable=False),
        sa.Column("closed_at_us", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("session_id", "client_id", name=op.f("pk_openid_visit")),
    )
    op.create_index(
        "ix_openid_visit_closed_at_us_next_try_us",
        "openid_visit",
        ["closed_at_us", "next_try_us"],
        unique=False,
    )


def _make_signing_key() -> None:
    op.create_table(
        "signing_key",
        sa.Column("kid", sa.Text(), nullable=False),
        sa.Column("algorithm", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("public", sa.LargeBinary(), nullable=False),
        sa.Column("made_at_us", sa.BigInteger(), nullable=False),
        sa.Column("signs_from_us", sa.BigInteger(), nullable=False),
        sa.Column("shown_until_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("kid", name=op.f("pk_signing_key")),
    )
