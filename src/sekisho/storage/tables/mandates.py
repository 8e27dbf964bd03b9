"""Mandates, what was debited and credited under them, reports by depositors, and files of collectors."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
)

from sekisho.storage.tables import metadata, sealed_column

# What a depositor allows a partner to do with an account. `stops` names who has stopped it; debits and
# credits are apart from it, and each of its moves is a row in mandate_move.
mandate = Table(
    "mandate",
    metadata,
    Column("id", Text, primary_key=True),
    Column("partner", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("deposit_id", Text, ForeignKey("deposit.id"), nullable=False, index=True),
    Column("user_ref", Text, nullable=False),
    Column("actions", Text, nullable=False),
    Column("ceiling_yen", BigInteger, nullable=False),
    Column("month_ceiling_yen", BigInteger, nullable=False),
    Column("way", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("stops", Text, nullable=False),
    Column("moves", Integer, nullable=False),
    Column("stop_digest", LargeBinary, nullable=True, unique=True),
    Column("requested_at_us", BigInteger, nullable=False),
    Column("active_from_us", BigInteger, nullable=True),
    Column("first_debit_at_us", BigInteger, nullable=True),
    Index("ix_mandate_partner_deposit_id", "partner", "deposit_id"),
)

mandate_move = Table(
    "mandate_move",
    metadata,
    Column("mandate_id", Text, ForeignKey("mandate.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("at_us", BigInteger, nullable=False),
    Column("before", Text, nullable=False),
    Column("after", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("why", Text, nullable=False),
)

# What a partner asked for under a mandate, once by its key, and what came of it: the answer that is given
# whenever the same is asked again. `month` is the calendar month in Japan that a debit counts in.
mandate_order = Table(
    "mandate_order",
    metadata,
    Column("id", Text, primary_key=True),
    Column("partner", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("request", LargeBinary, nullable=False),
    Column("direction", Text, nullable=False),
    Column("mandate_id", Text, nullable=False, index=True),
    Column("deposit_id", Text, nullable=False),
    Column("amount_yen", BigInteger, nullable=False),
    Column("reference", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("month", Text, nullable=False),
    Column("is_first", Boolean, nullable=False),
    Column("transfer_id", Text, nullable=True),
    Column("booked_at_us", BigInteger, nullable=False),
    UniqueConstraint("partner", "direction", "key"),
    Index("ix_mandate_order_deposit_id_partner_month", "deposit_id", "partner", "month"),
    Index("ix_mandate_order_partner_booked_at_us", "partner", "booked_at_us"),
)

# A depositor said "that was not me". `reference` is what people say on the telephone.
mandate_report = Table(
    "mandate_report",
    metadata,
    Column("id", Text, primary_key=True),
    Column("reference", Text, nullable=False, unique=True),
    Column("mandate_id", Text, ForeignKey("mandate.id"), nullable=False, index=True),
    Column("by", Text, nullable=False),
    Column("orders", Text, nullable=False),
    Column("amount_yen", BigInteger, nullable=False),
    Column("reported_at_us", BigInteger, nullable=False),
    Column("decision", Text, nullable=False),
    Column("decided_at_us", BigInteger, nullable=True),
)

# Who may send the bank files: a collector or payer with a code of ten digits, and the account that it is
# settled through.
file_partner = Table(
    "file_partner",
    metadata,
    Column("code", Text, primary_key=True),
    Column("name_kana", Text, nullable=False),
    Column("settlement_account", Text, nullable=False),
    Column("registered_at_us", BigInteger, nullable=False),
    Column("removed_at_us", BigInteger, nullable=True),
)

# A file that was taken, whole, with its result, so that the same file again gets the same result.
taken_file = Table(
    "taken_file",
    metadata,
    Column("id", Text, primary_key=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("partner", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("on_day", Text, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("amount_yen", BigInteger, nullable=False),
    sealed_column("sealed", "taken_file:{id}"),
    Column("taken_at_us", BigInteger, nullable=False),
    Index("ix_taken_file_partner_on_day", "partner", "on_day"),
)

# What a file moved, row by row. The same reference of the same sender is taken once a day.
taken_row = Table(
    "taken_row",
    metadata,
    Column("file_id", Text, ForeignKey("taken_file.id"), primary_key=True),
    Column("record", Integer, primary_key=True),
    Column("partner", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("on_day", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("result", Text, nullable=False),
    Column("transfer_id", Text, nullable=True),
    UniqueConstraint("partner", "kind", "on_day", "reference"),
)
