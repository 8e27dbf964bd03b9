"""The smartphone ATM: its machines, their sessions with a member's app, the cash that moves, and PINs."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Text

from sekisho.storage.tables import metadata

# The place is what we know of a machine, never what it says of itself: members approve it by name.
atm_machine = Table(
    "atm_machine",
    metadata,
    Column("id", Text, primary_key=True),
    Column("network", Text, nullable=False),
    Column("place", Text, nullable=False),
    Column("registered_at_us", BigInteger, nullable=False),
    Column("closed_at_us", BigInteger, nullable=True),
)

# The nonce of the QR code is not kept: it is a keyed digest of the row's id. `purpose_key` is what was
# approved; another amount has another one. `answer_key` and `answer` are the last request at the machine and
# what was answered, so that a request whose answer was lost counts once.
atm_session = Table(
    "atm_session",
    metadata,
    Column("id", Text, primary_key=True),
    Column("opening_key", Text, nullable=False, unique=True),
    Column("machine_id", Text, ForeignKey("atm_machine.id"), nullable=False),
    Column("state", Text, nullable=False),
    Column("opened_at_us", BigInteger, nullable=False),
    Column("expires_at_us", BigInteger, nullable=False),
    Column("member_id", Text, nullable=False),
    Column("session_id", Text, nullable=False),
    Column("claimed_at_us", BigInteger, nullable=True),
    Column("direction", Text, nullable=False),
    Column("amount_yen", BigInteger, nullable=False),
    Column("fee_yen", BigInteger, nullable=False),
    Column("purpose_key", Text, nullable=False),
    Column("attempt_id", Text, nullable=False),
    Column("order_id", Text, nullable=False),
    Column("wrong_numbers", Integer, nullable=False),
    Column("answer_key", Text, nullable=False),
    Column("answer", Text, nullable=False),
    Index("ix_atm_session_state_expires_at_us", "state", "expires_at_us"),
)

# One movement of cash. `moved_yen` is what the machine says that it gave or kept, once that is known.
atm_order = Table(
    "atm_order",
    metadata,
    Column("id", Text, primary_key=True),
    Column("atm_session_id", Text, ForeignKey("atm_session.id"), nullable=False, unique=True),
    Column("machine_id", Text, nullable=False),
    Column("member_id", Text, nullable=False),
    Column("contract_id", Text, nullable=False),
    Column("direction", Text, nullable=False),
    Column("amount_yen", BigInteger, nullable=False),
    Column("fee_yen", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("transfer_id", Text, nullable=False),
    Column("made_at_us", BigInteger, nullable=False),
    Column("not_after_us", BigInteger, nullable=False),
    Column("asked_at_us", BigInteger, nullable=True),
    Column("next_query_us", BigInteger, nullable=False),
    Column("queries", Integer, nullable=False),
    Column("moved_yen", BigInteger, nullable=True),
    Column("settled_at_us", BigInteger, nullable=True),
    Column("loan_event_id", Text, nullable=False),
    Index("ix_atm_order_state_next_query_us", "state", "next_query_us"),
    Index("ix_atm_order_machine_id_made_at_us", "machine_id", "made_at_us"),
)

# Where our books and a machine's day do not agree, and a person has to look.
atm_discrepancy = Table(
    "atm_discrepancy",
    metadata,
    Column("machine_id", Text, primary_key=True),
    Column("order_id", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("ours_yen", BigInteger, nullable=True),
    Column("theirs_yen", BigInteger, nullable=True),
    Column("found_at_us", BigInteger, nullable=False),
    Column("resolved_at_us", BigInteger, nullable=True),
    Column("resolved_by", Text, nullable=False),
)

# Four digits are soon tried: `tries_left` is taken before the hash is compared, never after.
atm_pin = Table(
    "atm_pin",
    metadata,
    Column("member_id", Text, ForeignKey("member.id"), primary_key=True),
    Column("hash", Text, nullable=False),
    Column("pepper", Text, nullable=False),
    Column("set_at_us", BigInteger, nullable=False),
    Column("tries_left", Integer, nullable=False),
)
