"""Shared signals: streams, their subjects, and events sent and received."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Make the tables."""
    _make_signal_partner()
    _make_agreed_subject()
    _make_signal_stream()
    _make_signal_subject()
    _make_signal_outgoing()
    _make_signal_feed()
    _make_signal_received()
    _make_signal_action()
    _make_signal_evidence()
    _make_source_digest()
    _make_signal_cursor()


def _make_signal_partner() -> None:
    op.create_table(
        "signal_partner",
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("token_digest", sa.LargeBinary(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("source_key", sa.LargeBinary(), nullable=True),
        sa.Column("agreed_at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("issuer", name=op.f("pk_signal_partner")),
        sa.UniqueConstraint("token_digest", name=op.f("uq_signal_partner_token_digest")),
    )


def _make_agreed_subject() -> None:
    op.create_table(
        "agreed_subject",
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("agreed_at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("issuer", "digest", name=op.f("pk_agreed_subject")),
    )
    op.create_index("ix_agreed_subject_kind_about", "agreed_subject", ["kind", "about"], unique=False)


def _make_signal_stream() -> None:
    op.create_table(
        "signal_stream",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("endpoint_url", sa.Text(), nullable=False),
        sa.Column("header", sa.LargeBinary(), nullable=True),
        sa.Column("events_requested", sa.LargeBinary(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("made_at_us", sa.BigInteger(), nullable=False),
        sa.Column("verification_asked_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signal_stream")),
        sa.UniqueConstraint("issuer", name=op.f("uq_signal_stream_issuer")),
    )


def _make_signal_subject() -> None:
    op.create_table(
        "signal_subject",
        sa.Column("stream_id", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("wanted", sa.Boolean(), nullable=False),
        sa.Column("changed_at_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["stream_id"], ["signal_stream.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("stream_id", "digest", name=op.f("pk_signal_subject")),
    )


def _make_signal_outgoing() -> None:
    op.create_table(
        "signal_outgoing",
        sa.Column("jti", sa.Text(), nullable=False),
        sa.Column("stream_id", sa.Text(), nullable=False),
        sa.Column("event_type", sa.Text(), nullable=False),
        sa.Column("claims", sa.LargeBinary(), nullable=False),
        sa.Column("made_at_us", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_try_us", sa.BigInteger(), nullable=False),
        sa.Column("leased_by", sa.Text(), nullable=False),
        sa.Column("leased_until_us", sa.BigInteger(), nullable=False),
        sa.Column("ended_at_us", sa.BigInteger(), nullable=True),
        sa.Column("failure", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["stream_id"], ["signal_stream.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("jti", name=op.f("pk_signal_outgoing")),
    )
    op.create_index("ix_signal_outgoing_ended_at_us", "signal_outgoing", ["ended_at_us"], unique=False)
    op.create_index(
        "ix_signal_outgoing_stream_id_state_next_try_us",
        "signal_outgoing",
        ["stream_id", "state", "next_try_us"],
        unique=False,
    )


def _make_signal_feed() -> None:
    op.create_table(
        "signal_feed",
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("stream_id", sa.Text(), nullable=False),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("header_digest", sa.LargeBinary(), nullable=True),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("metadata", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("verified_at_us", sa.BigInteger(), nullable=True),
        sa.Column("made_at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("issuer", name=op.f("pk_signal_feed")),
        sa.UniqueConstraint("header_digest", name=op.f("uq_signal_feed_header_digest")),
    )


def _make_signal_received() -> None:
    op.create_table(
        "signal_received",
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("jti", sa.Text(), nullable=False),
        sa.Column("event_type", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("txn", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("issued_at_us", sa.BigInteger(), nullable=False),
        sa.Column("received_at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("issuer", "jti", name=op.f("pk_signal_received")),
    )
    op.create_index(
        "ix_signal_received_issuer_received_at_us",
        "signal_received",
        ["issuer", "received_at_us"],
        unique=False,
    )
    op.create_index("ix_signal_received_received_at_us", "signal_received", ["received_at_us"], unique=False)


def _make_signal_action() -> None:
    op.create_table(
        "signal_action",
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("jti", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("deed", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("changed_at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("issuer", "jti", "action", "kind", name=op.f("pk_signal_action")),
    )
    op.create_index(
        "ix_signal_action_kind_about_changed_at_us",
        "signal_action",
        ["kind", "about", "changed_at_us"],
        unique=False,
    )
    op.create_index(
        "ix_signal_action_state_changed_at_us", "signal_action", ["state", "changed_at_us"], unique=False
    )


def _make_signal_evidence() -> None:
    op.create_table(
        "signal_evidence",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("sign", sa.Text(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("jti", sa.Text(), nullable=False),
        sa.Column("from_us", sa.BigInteger(), nullable=False),
        sa.Column("until_us", sa.BigInteger(), nullable=False),
        sa.Column("lifted_at_us", sa.BigInteger(), nullable=True),
        sa.Column("lifted_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signal_evidence")),
    )
    op.create_index("ix_signal_evidence_kind_about", "signal_evidence", ["kind", "about"], unique=False)
    op.create_index(op.f("ix_signal_evidence_until_us"), "signal_evidence", ["until_us"], unique=False)


def _make_source_digest() -> None:
    op.create_table(
        "source_digest",
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("ours", sa.Boolean(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("until_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("issuer", "ours", "kind", "day", "digest", name=op.f("pk_source_digest")),
    )
    op.create_index(op.f("ix_source_digest_until_us"), "source_digest", ["until_us"], unique=False)


def _make_signal_cursor() -> None:
    op.create_table(
        "signal_cursor",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_signal_cursor")),
    )
