"""The wallet's links to banks, whose each account and phone is, and what banks were asked to move."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text

from sekisho.storage.tables import metadata, sealed_column

# A link from its beginning to its end. `sealed` holds what nobody else may have: first the secrets of the
# way to the bank and back, then the tokens with their key and the account as it is shown.
bank_link = Table(
    "bank_link",
    metadata,
    Column("id", Text, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("member_id", Text, ForeignKey("member.id"), nullable=False, index=True),
    Column("bank", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("strength", Integer, nullable=False),
    Column("state_digest", LargeBinary, nullable=False, unique=True),
    Column("session_id", Text, nullable=False),
    Column("attempt_id", Text, nullable=False),
    Column("approved_by", Text, nullable=False),
    sealed_column("sealed", "bank_link:{id}"),
    Column("mandate_id", Text, nullable=True),
    Column("holder_match", Text, nullable=False),
    Column("review", Text, nullable=False),
    Column("reviewed_by", Text, nullable=False),
    Column("once_yen", BigInteger, nullable=False),
    Column("month_yen", BigInteger, nullable=False),
    Column("begun_at_us", BigInteger, nullable=False),
    Column("return_until_us", BigInteger, nullable=False),
    Column("returned_at_us", BigInteger, nullable=True),
    Column("active_at_us", BigInteger, nullable=True),
    Column("usable_from_us", BigInteger, nullable=True),
    Column("first_until_us", BigInteger, nullable=True),
    Column("first_yen", BigInteger, nullable=False),
    Column("suspended_for", Text, nullable=False),
    Column("ended_at_us", BigInteger, nullable=True),
    Column("ended_for", Text, nullable=False),
    Column("bank_to_tell", Boolean, nullable=False),
    Column("next_tell_us", BigInteger, nullable=False),
    Index("ix_bank_link_bank_mandate_id", "bank", "mandate_id"),
    Index("ix_bank_link_bank_to_tell_next_tell_us", "bank_to_tell", "next_tell_us"),
)

# One account, one wallet: the key is the account as its bank names it to us. A row stays when its link has
# ended, and says since when the account is free again.
linked_account = Table(
    "linked_account",
    metadata,
    Column("bank", Text, primary_key=True),
    Column("account_ref", Text, primary_key=True),
    Column("link_id", Text, ForeignKey("bank_link.id"), nullable=False),
    Column("member_id", Text, ForeignKey("member.id"), nullable=False),
    Column("since_us", BigInteger, nullable=False),
    Column("released_at_us", BigInteger, nullable=True),
)

# One phone, one wallet: a keyed digest of the number that was verified when the wallet began to link.
linked_phone = Table(
    "linked_phone",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("member_id", Text, ForeignKey("member.id"), nullable=False),
    Column("since_us", BigInteger, nullable=False),
    Column("released_at_us", BigInteger, nullable=True),
)

# By which key each bank knows us.
link_client_key = Table(
    "link_client_key",
    metadata,
    Column("bank", Text, primary_key=True),
    Column("kid", Text, nullable=False),
    sealed_column("sealed", "link_client_key:{bank}"),
    Column("public", LargeBinary, nullable=False),
    Column("made_at_us", BigInteger, nullable=False),
)

# Money that a bank was asked to move under a link, once by its key. `maybe_heard` says that the bank may know
# of it: from then on it is asked about, and is over only by the bank's word, or by its silence after
# `not_after_us`.
bank_order = Table(
    "bank_order",
    metadata,
    Column("id", Text, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("link_id", Text, ForeignKey("bank_link.id"), nullable=False),
    Column("direction", Text, nullable=False),
    Column("amount_yen", BigInteger, nullable=False),
    Column("text", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("result", Text, nullable=False),
    Column("bank_id", Text, nullable=False),
    Column("maybe_heard", Boolean, nullable=False),
    Column("ordered_at_us", BigInteger, nullable=False),
    Column("not_after_us", BigInteger, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("next_try_us", BigInteger, nullable=False),
    Column("settled_at_us", BigInteger, nullable=True),
    Index("ix_bank_order_link_id_ordered_at_us", "link_id", "ordered_at_us"),
    Index("ix_bank_order_state_next_try_us", "state", "next_try_us"),
)

# Money between a wallet and its linked account, from the wish to the bank's word.
bank_move = Table(
    "bank_move",
    metadata,
    Column("id", Text, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("member_id", Text, ForeignKey("member.id"), nullable=False),
    Column("link_id", Text, ForeignKey("bank_link.id"), nullable=False),
    Column("direction", Text, nullable=False),
    Column("amount_yen", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("result", Text, nullable=False),
    Column("order_id", Text, nullable=True, unique=True),
    Column("transfer_id", Text, nullable=True),
    Column("session_id", Text, nullable=False),
    Column("attempt_id", Text, nullable=False),
    Column("approved_by", Text, nullable=False),
    Column("requested_at_us", BigInteger, nullable=False),
    Column("ordered_at_us", BigInteger, nullable=True),
    Column("ended_at_us", BigInteger, nullable=True),
    Index("ix_bank_move_member_id_requested_at_us", "member_id", "requested_at_us"),
)
