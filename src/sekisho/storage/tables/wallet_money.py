"""What members do with the money in their wallets: merchants, payments, refunds, settlements, sends."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, LargeBinary, Table, Text

from sekisho.storage.tables import metadata, sealed_column

merchant = Table(
    "merchant",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name_ja", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    Column("name_kana", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("city", Text, nullable=False),
    Column("fee_basis_points", BigInteger, nullable=False),
    Column("account", Text, nullable=False, unique=True),
    Column("bank", Text, nullable=False),
    Column("branch", Text, nullable=False),
    Column("bank_kind", Text, nullable=False),
    sealed_column("number_sealed", "merchant:account:{id}"),
    Column("state", Text, nullable=False),
    Column("opened_at_us", BigInteger, nullable=False),
)

# By which key of its registrar a merchant was registered: the same key again makes no second one.
merchant_registration = Table(
    "merchant_registration",
    metadata,
    Column("key", Text, primary_key=True),
    Column("merchant_id", Text, ForeignKey("merchant.id"), nullable=False, unique=True),
)

# What a shop shows for one purchase. Whoever scans it pays exactly this.
payment_request = Table(
    "payment_request",
    metadata,
    Column("id", Text, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("merchant_id", Text, ForeignKey("merchant.id"), nullable=False),
    Column("amount_yen", BigInteger, nullable=False),
    Column("reference", Text, nullable=False),
    Column("made_at_us", BigInteger, nullable=False),
    Column("expires_at_us", BigInteger, nullable=False),
)

# What a member shows at a till: good once, for a minute, up to a ceiling. Here is only its digest.
payment_code = Table(
    "payment_code",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("member_id", Text, ForeignKey("member.id"), nullable=False, index=True),
    Column("session_id", Text, nullable=False),
    Column("attempt_id", Text, nullable=False),
    Column("ceiling_yen", BigInteger, nullable=False),
    Column("shown_at_us", BigInteger, nullable=False),
    Column("expires_at_us", BigInteger, nullable=False),
    Column("ended_at_us", BigInteger, nullable=True),
)

payment = Table(
    "payment",
    metadata,
    Column("id", Text, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("member_id", Text, ForeignKey("member.id"), nullable=False),
    Column("merchant_id", Text, ForeignKey("merchant.id"), nullable=False),
    Column("way", Text, nullable=False),
    Column("amount_yen", BigInteger, nullable=False),
    Column("refunded_yen", BigInteger, nullable=False),
    Column("reference", Text, nullable=False),
    Column("request_id", Text, nullable=True, unique=True),
    Column("session_id", Text, nullable=False),
    Column("attempt_id", Text, nullable=False),
    Column("transfer_id", Text, nullable=False),
    Column("paid_at_us", BigInteger, nullable=False),
    Index("ix_payment_member_id_paid_at_us", "member_id", "paid_at_us"),
    Index("ix_payment_merchant_id_paid_at_us", "merchant_id", "paid_at_us"),
)

payment_refund = Table(
    "payment_refund",
    metadata,
    Column("id", Text, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("payment_id", Text, ForeignKey("payment.id"), nullable=False, index=True),
    Column("amount_yen", BigInteger, nullable=False),
    Column("transfer_id", Text, nullable=False),
    Column("at_us", BigInteger, nullable=False),
)

# What a merchant is paid out for the time up to a moment: gross less the fee, in one sum.
settlement = Table(
    "settlement",
    metadata,
    Column("id", Text, primary_key=True),
    Column("merchant_id", Text, ForeignKey("merchant.id"), nullable=False),
    Column("on_day", Text, nullable=False),
    Column("gross_yen", BigInteger, nullable=False),
    Column("fee_yen", BigInteger, nullable=False),
    Column("net_yen", BigInteger, nullable=False),
    Column("reference", Text, nullable=False, unique=True),
    Column("file_id", Text, nullable=False, index=True),
    Column("state", Text, nullable=False),
    Column("made_at_us", BigInteger, nullable=False),
    Index("uq_settlement_merchant_id_on_day", "merchant_id", "on_day", unique=True),
)

# Money from one wallet to another, by a phone number: it waits until it is accepted, and goes back if not.
# `phone_digest` finds what waits for whom without opening the number.
send = Table(
    "send",
    metadata,
    Column("id", Text, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("sender_id", Text, ForeignKey("member.id"), nullable=False, index=True),
    Column("phone_digest", LargeBinary, nullable=False, index=True),
    sealed_column("phone_sealed", "send:phone:{id}"),
    Column("receiver_id", Text, nullable=True),
    Column("amount_yen", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("session_id", Text, nullable=False),
    Column("attempt_id", Text, nullable=False),
    Column("requested_at_us", BigInteger, nullable=False),
    Column("sent_at_us", BigInteger, nullable=True),
    Column("expires_at_us", BigInteger, nullable=True, index=True),
    Column("ended_at_us", BigInteger, nullable=True),
)
