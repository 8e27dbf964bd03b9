"""Shared signals: partners, streams both ways, events sent and received, and what followed from them."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text

from sekisho.storage.tables import metadata, sealed_column

# An institution with which an operator agreed to share signals. `token_digest` finds it when it asks for its
# stream; `source_key` is sealed and agreed with this partner alone.
signal_partner = Table(
    "signal_partner",
    metadata,
    Column("issuer", Text, primary_key=True),
    Column("token_digest", LargeBinary, nullable=False, unique=True),
    Column("client_id", Text, nullable=False),
    sealed_column("source_key", "signal:source_key:{issuer}", nullable=True),
    Column("agreed_at_us", BigInteger, nullable=False),
)

# Which identifier a partner and we use for one of our members, mandates or links: nothing else about them
# ever travels.
agreed_subject = Table(
    "agreed_subject",
    metadata,
    Column("issuer", Text, primary_key=True),
    Column("digest", LargeBinary, primary_key=True),
    Column("subject", LargeBinary, nullable=False),
    Column("kind", Text, nullable=False),
    Column("about", Text, nullable=False),
    Column("agreed_at_us", BigInteger, nullable=False),
    Index("ix_agreed_subject_kind_about", "kind", "about"),
)

# What we transmit: one stream for each partner that asked for one.
signal_stream = Table(
    "signal_stream",
    metadata,
    Column("id", Text, primary_key=True),
    Column("issuer", Text, nullable=False, unique=True),
    Column("method", Text, nullable=False),
    Column("endpoint_url", Text, nullable=False),
    sealed_column("header", "signal:header:{id}", nullable=True),
    Column("events_requested", LargeBinary, nullable=False),
    Column("description", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("made_at_us", BigInteger, nullable=False),
    Column("verification_asked_us", BigInteger, nullable=False),
)

signal_subject = Table(
    "signal_subject",
    metadata,
    Column("stream_id", Text, ForeignKey("signal_stream.id", ondelete="CASCADE"), primary_key=True),
    Column("digest", LargeBinary, primary_key=True),
    Column("wanted", Boolean, nullable=False),
    Column("changed_at_us", BigInteger, nullable=False),
)

# `claims` are signed when they are sent, so that no key has to outlive the queue.
signal_outgoing = Table(
    "signal_outgoing",
    metadata,
    Column("jti", Text, primary_key=True),
    Column("stream_id", Text, ForeignKey("signal_stream.id", ondelete="CASCADE"), nullable=False),
    Column("event_type", Text, nullable=False),
    Column("claims", LargeBinary, nullable=False),
    Column("made_at_us", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("next_try_us", BigInteger, nullable=False),
    Column("leased_by", Text, nullable=False),
    Column("leased_until_us", BigInteger, nullable=False),
    Column("ended_at_us", BigInteger, nullable=True),
    Column("failure", Text, nullable=False),
    Index("ix_signal_outgoing_stream_id_state_next_try_us", "stream_id", "state", "next_try_us"),
    Index("ix_signal_outgoing_ended_at_us", "ended_at_us"),
)

# What we receive: a stream at a transmitter. `header_digest` finds it when the transmitter pushes; `token`
# is sealed and opens the transmitter's interface to us.
signal_feed = Table(
    "signal_feed",
    metadata,
    Column("issuer", Text, primary_key=True),
    Column("stream_id", Text, nullable=False),
    Column("audience", Text, nullable=False),
    Column("method", Text, nullable=False),
    Column("header_digest", LargeBinary, nullable=True, unique=True),
    sealed_column("token", "signal:token:{issuer}"),
    Column("metadata", LargeBinary, nullable=False),
    Column("state", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("verified_at_us", BigInteger, nullable=True),
    Column("made_at_us", BigInteger, nullable=False),
)

# Each event that was taken, by its issuer's name for it: for as long as a copy of it could be believed.
signal_received = Table(
    "signal_received",
    metadata,
    Column("issuer", Text, primary_key=True),
    Column("jti", Text, primary_key=True),
    Column("event_type", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("about", Text, nullable=False),
    Column("txn", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("issued_at_us", BigInteger, nullable=False),
    Column("received_at_us", BigInteger, nullable=False),
    Index("ix_signal_received_issuer_received_at_us", "issuer", "received_at_us"),
    Index("ix_signal_received_received_at_us", "received_at_us"),
)

# What a received event made us do, once for each action. What failed is tried again.
signal_action = Table(
    "signal_action",
    metadata,
    Column("issuer", Text, primary_key=True),
    Column("jti", Text, primary_key=True),
    Column("action", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("about", Text, nullable=False),
    Column("deed", LargeBinary, nullable=False),
    Column("state", Text, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("changed_at_us", BigInteger, nullable=False),
    Index("ix_signal_action_state_changed_at_us", "state", "changed_at_us"),
    Index("ix_signal_action_kind_about_changed_at_us", "kind", "about", "changed_at_us"),
)

# What the guard is told of somebody on a partner's word, for a while.
signal_evidence = Table(
    "signal_evidence",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("about", Text, nullable=False),
    Column("sign", Text, nullable=False),
    Column("issuer", Text, nullable=False),
    Column("jti", Text, nullable=False),
    Column("from_us", BigInteger, nullable=False),
    Column("until_us", BigInteger, nullable=False, index=True),
    Column("lifted_at_us", BigInteger, nullable=True),
    Column("lifted_by", Text, nullable=False),
    Index("ix_signal_evidence_kind_about", "kind", "about"),
)

# Keyed digests of hostile sources and devices, ours that went out and theirs that came in.
source_digest = Table(
    "source_digest",
    metadata,
    Column("issuer", Text, primary_key=True),
    Column("ours", Boolean, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("day", Integer, primary_key=True),
    Column("digest", LargeBinary, primary_key=True),
    Column("until_us", BigInteger, nullable=False, index=True),
)

# How far the outbox was read for what is to be announced.
signal_cursor = Table(
    "signal_cursor",
    metadata,
    Column("name", Text, primary_key=True),
    Column("position", BigInteger, nullable=False),
)
