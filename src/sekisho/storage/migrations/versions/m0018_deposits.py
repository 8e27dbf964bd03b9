"""The bank's deposits, their holders, and the authorisation of links."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Make the tables."""
    _make_depositor()
    _make_deposit()
    _make_deposit_pin()
    _make_link_partner()
    _make_link_proof()
    _make_link_request()
    _make_link_consent()
    _make_link_code()
    _make_link_token()


def _make_depositor() -> None:
    op.create_table(
        "depositor",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Text(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("taken_on_at_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_depositor")),
        sa.UniqueConstraint("member_id", name=op.f("uq_depositor_member_id")),
    )


def _make_deposit() -> None:
    op.create_table(
        "deposit",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("branch", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("depositor_id", sa.Text(), nullable=False),
        sa.Column("ledger_account", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("state_reason", sa.Text(), nullable=False),
        sa.Column("state_since_us", sa.BigInteger(), nullable=False),
        sa.Column("opened_at_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["depositor_id"],
            ["depositor.id"],
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deposit")),
        sa.UniqueConstraint("branch", "number", name=op.f("uq_deposit_branch_number")),
        sa.UniqueConstraint("ledger_account", name=op.f("uq_deposit_ledger_account")),
    )
    op.create_index(op.f("ix_deposit_depositor_id"), "deposit", ["depositor_id"], unique=False)


def _make_deposit_pin() -> None:
    op.create_table(
        "deposit_pin",
        sa.Column("deposit_id", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("pepper", sa.Text(), nullable=False),
        sa.Column("set_at_us", sa.BigInteger(), nullable=False),
        sa.Column("web_wrong", sa.Integer(), nullable=False),
        sa.Column("web_wrong_since_us", sa.BigInteger(), nullable=False),
        sa.Column("web_locked_until_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deposit_id"],
            ["deposit.id"],
        ),
        sa.PrimaryKeyConstraint("deposit_id", name=op.f("pk_deposit_pin")),
    )


def _make_link_partner() -> None:
    op.create_table(
        "link_partner",
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("settings", sa.LargeBinary(), nullable=False),
        sa.Column("settlement_account", sa.Text(), nullable=False),
        sa.Column("registered_at_us", sa.BigInteger(), nullable=False),
        sa.Column("removed_at_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("client_id", name=op.f("pk_link_partner")),
    )


def _make_link_proof() -> None:
    op.create_table(
        "link_proof",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_link_proof")),
    )
    op.create_index(op.f("ix_link_proof_expires_at_us"), "link_proof", ["expires_at_us"], unique=False)


def _make_link_request() -> None:
    op.create_table(
        "link_request",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("uri_digest", sa.LargeBinary(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("pushed_at_us", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("visit_digest", sa.LargeBinary(), nullable=True),
        sa.Column("visit_until_us", sa.BigInteger(), nullable=False),
        sa.Column("tries_left", sa.Integer(), nullable=False),
        sa.Column("deposit_id", sa.Text(), nullable=False),
        sa.Column("code_id", sa.Text(), nullable=False),
        sa.Column("code_subject", sa.Text(), nullable=False),
        sa.Column("attempt_id", sa.Text(), nullable=False),
        sa.Column("way", sa.Text(), nullable=False),
        sa.Column("ended_at_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_link_request")),
        sa.UniqueConstraint("uri_digest", name=op.f("uq_link_request_uri_digest")),
        sa.UniqueConstraint("visit_digest", name=op.f("uq_link_request_visit_digest")),
    )
    op.create_index(op.f("ix_link_request_pushed_at_us"), "link_request", ["pushed_at_us"], unique=False)


def _make_link_consent() -> None:
    op.create_table(
        "link_consent",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("deposit_id", sa.Text(), nullable=False),
        sa.Column("mandate_id", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("way", sa.Text(), nullable=False),
        sa.Column("given_at_us", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at_us", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["deposit_id"],
            ["deposit.id"],
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_link_consent")),
        sa.UniqueConstraint("mandate_id", name=op.f("uq_link_consent_mandate_id")),
    )
    op.create_index(op.f("ix_link_consent_deposit_id"), "link_consent", ["deposit_id"], unique=False)


def _make_link_code() -> None:
    op.create_table(
        "link_code",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("consent_id", sa.Text(), nullable=False),
        sa.Column("bound", sa.LargeBinary(), nullable=False),
        sa.Column("issued_at_us", sa.BigInteger(), nullable=False),
        sa.Column("expires_at_us", sa.BigInteger(), nullable=False),
        sa.Column("used_at_us", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["consent_id"],
            ["link_consent.id"],
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_link_code")),
    )
    op.create_index(op.f("ix_link_code_expires_at_us"), "link_code", ["expires_at_us"], unique=False)


def _make_link_token() -> None:
    op.create_table(
        "link_token",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("consent_id", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key_thumbprint", sa.Text(), nullable=False),
        sa.Column("issued_at_us", sa.BigInteger(), nullable=False),
        sa.Column("expires_at_us", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at_us", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["consent_id"],
            ["link_consent.id"],
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_link_token")),
    )
    op.create_index("ix_link_token_consent_id", "link_token", ["consent_id"], unique=False)
    op.create_index(op.f("ix_link_token_expires_at_us"), "link_token", ["expires_at_us"], unique=False)
