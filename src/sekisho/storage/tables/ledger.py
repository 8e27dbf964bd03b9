"""The ledger: accounts with their running totals, transfers, the journal that they derive from."""

from sqlalchemy import BigInteger, Column, Index, LargeBinary, Table, Text

from sekisho.storage.tables import metadata
from sekisho.storage.tables.outbox import POSITION

ledger_account = Table(
    "ledger_account",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("owner", Text, nullable=False, index=True),
    Column("normal", Text, nullable=False),
    Column("net_debit_max", BigInteger, nullable=True),
    Column("net_credit_max", BigInteger, nullable=True),
    Column("debits_posted", BigInteger, nullable=False),
    Column("credits_posted", BigInteger, nullable=False),
    Column("debits_pending", BigInteger, nullable=False),
    Column("credits_pending", BigInteger, nullable=False),
    Column("opened_at_us", BigInteger, nullable=False),
    Column("closed_at_us", BigInteger, nullable=True),
    sqlite_with_rowid=False,
)

ledger_transfer = Table(
    "ledger_transfer",
    metadata,
    Column("id", Text, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("request", LargeBinary, nullable=False),
    Column("kind", Text, nullable=False),
    Column("debit", Text, nullable=False),
    Column("credit", Text, nullable=False),
    Column("amount_yen", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("posted_yen", BigInteger, nullable=False),
    Column("effective_on", Text, nullable=False),
    Column("booked_at_us", BigInteger, nullable=False),
    Column("expires_at_us", BigInteger, nullable=True),
    Column("corrects", Text, nullable=True),
    Column("details", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

# Most transfers are neither pending nor corrections: they need not pay for these.
_PENDING = ledger_transfer.c.state == "pending"
Index(
    "ix_ledger_transfer_expires_at_us",
    ledger_transfer.c.expires_at_us,
    sqlite_where=_PENDING,
    postgresql_where=_PENDING,
)
_CORRECTION = ledger_transfer.c.corrects.is_not(None)
Index(
    "uq_ledger_transfer_corrects",
    ledger_transfer.c.corrects,
    unique=True,
    sqlite_where=_CORRECTION,
    postgresql_where=_CORRECTION,
)

# Nothing here is ever changed or deleted. What an entry does to the two accounts' totals stands in it, so
# that every balance can be derived again; `link` seals it together with all entries before it.
ledger_journal = Table(
    "ledger_journal",
    metadata,
    Column("position", POSITION, primary_key=True, autoincrement=False),
    Column("transfer_id", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("debit", Text, nullable=False),
    Column("credit", Text, nullable=False),
    Column("pending_yen", BigInteger, nullable=False),
    Column("posted_yen", BigInteger, nullable=False),
    Column("effective_on", Text, nullable=False),
    Column("booked_at_us", BigInteger, nullable=False),
    Column("link", LargeBinary, nullable=False),
    Index("ix_ledger_journal_debit_effective_on", "debit", "effective_on"),
    Index("ix_ledger_journal_credit_effective_on", "credit", "effective_on"),
)

ledger_checkpoint = Table(
    "ledger_checkpoint",
    metadata,
    Column("position", POSITION, primary_key=True, autoincrement=False),
    Column("at_us", BigInteger, nullable=False),
    Column("link", LargeBinary, nullable=False),
    Column("totals", LargeBinary, nullable=False),
)
