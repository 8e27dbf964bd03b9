"""Wallets, who their members were proven to be, and the logins with the ID that open them."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Make the tables."""
    _make_wallet()
    _make_wallet_person()
    _make_wallet_claim()
    _make_wallet_identity_check()
    _make_wallet_identity_challenge()
    _make_federated_login()
    _make_federated_client_key()
    _make_federated_session()
    _make_federated_logout()


def _make_wallet() -> None:
    op.create_table(
        "wallet",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("stopped_for", sa.Text(), nullable=False),
        sa.Column("opened_at_us", sa.BigInteger(), nullable=False),
        sa.Column("state_at_us", sa.BigInteger(), nullable=False),
        sa.Column("phone_proven_at_us", sa.BigInteger(), nullable=True),
        sa.Column("verified_at_us", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wallet")),
        sa.UniqueConstraint("account", name=op.f("uq_wallet_account")),
        sa.UniqueConstraint("member_id", name=op.f("uq_wallet_member_id")),
    )


def _make_wallet_person() -> None:
    op.create_table(
        "wallet_person",
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("check_id", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("member_id", name=op.f("pk_wallet_person")),
        sa.UniqueConstraint("digest", name=op.f("uq_wallet_person_digest")),
    )


def _make_wallet_claim() -> None:
    op.create_table(
        "wallet_claim",
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("member_id", name=op.f("pk_wallet_claim")),
    )


def _make_wallet_identity_check() -> None:
    op.create_table(
        "wallet_identity_check",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("letter", sa.Text(), nullable=False),
        sa.Column("checked_on", sa.Text(), nullable=False),
        sa.Column("staff_id", sa.Text(), nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.Column("faults", sa.Text(), nullable=False),
        sa.Column("evidence", sa.LargeBinary(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wallet_identity_check")),
        sa.UniqueConstraint("key", name=op.f("uq_wallet_identity_check_key")),
    )
    op.create_index(
        op.f("ix_wallet_identity_check_member_id"), "wallet_identity_check", ["member_id"], unique=False
    )


def _make_wallet_identity_challenge() -> None:
    op.create_table(
        "wallet_identity_challenge",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("expires_at_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_wallet_identity_challenge")),
    )
    op.create_index(
        op.f("ix_wallet_identity_challenge_member_id"),
        "wallet_identity_challenge",
        ["member_id"],
        unique=False,
    )


def _make_federated_login() -> None:
    op.create_table(
        "federated_login",
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("first_at_us", sa.BigInteger(), nullable=False),
        sa.Column("last_at_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("issuer", "subject", name=op.f("pk_federated_login")),
        sa.UniqueConstraint("member_id", name=op.f("uq_federated_login_member_id")),
    )


def _make_federated_client_key() -> None:
    op.create_table(
        "federated_client_key",
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("kid", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("public", sa.LargeBinary(), nullable=False),
        sa.Column("made_at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("issuer", name=op.f("pk_federated_client_key")),
    )


def _make_federated_session() -> None:
    op.create_table(
        "federated_session",
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["session.id"],
        ),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_federated_session")),
    )
    op.create_index(op.f("ix_federated_session_sid"), "federated_session", ["sid"], unique=False)


def _make_federated_logout() -> None:
    op.create_table(
        "federated_logout",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_federated_logout")),
    )
    op.create_index(
        op.f("ix_federated_logout_expires_at_us"), "federated_logout", ["expires_at_us"], unique=False
    )
