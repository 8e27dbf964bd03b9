"""Money on its way between members' banks and the lender: accounts, orders, and the files they travel in."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text

from sekisho.storage.tables import metadata, sealed_column

# Each account that a member ever registered, sealed. Loans go to the newest one whose time has come;
# `digest` finds an account again without opening it.
payout_account = Table(
    "payout_account",
    metadata,
    Column("id", Text, primary_key=True),
    Column("member_id", Text, ForeignKey("member.id"), nullable=False, index=True),
    Column("key", Text, nullable=False, unique=True),
    sealed_column("sealed", "payout:{member_id}:{id}"),
    Column("digest", LargeBinary, nullable=False),
    Column("bank", Text, nullable=False),
    Column("registered_at_us", BigInteger, nullable=False),
    Column("usable_from_us", BigInteger, nullable=False),
    Column("cancelled_at_us", BigInteger, nullable=True),
    Column("debits_stopped_at_us", BigInteger, nullable=True),
    Column("session_id", Text, nullable=False),
)

# A file that goes to the bank: written down whole before it is handed over, so that it can be handed over
# again, to the byte, by whoever comes after a crash. Its result is taken once.
bank_file = Table(
    "bank_file",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("on_day", Text, nullable=False),
    Column("name", Text, nullable=False, unique=True),
    sealed_column("sealed", "bank_file:{id}"),
    Column("rows", Integer, nullable=False),
    Column("amount_yen", BigInteger, nullable=False),
    Column("made_at_us", BigInteger, nullable=False),
    Column("handed_over_us", BigInteger, nullable=True, index=True),
    Column("result_digest", LargeBinary, nullable=True),
    Column("result_at_us", BigInteger, nullable=True),
)

transfer_order = Table(
    "transfer_order",
    metadata,
    Column("id", Text, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("member_id", Text, ForeignKey("member.id"), nullable=False, index=True),
    Column("contract_id", Text, ForeignKey("credit_contract.id"), nullable=False),
    Column("account_id", Text, ForeignKey("payout_account.id"), nullable=False),
    Column("bank", Text, nullable=False),
    Column("amount_yen", BigInteger, nullable=False),
    Column("reference", Text, nullable=False, unique=True),
    Column("state", Text, nullable=False),
    Column("session_id", Text, nullable=False),
    Column("requested_at_us", BigInteger, nullable=False),
    Column("goes_out_us", BigInteger, nullable=True),
    Column("approved_at_us", BigInteger, nullable=True),
    Column("approved_by", Text, nullable=False),
    Column("attempt_id", Text, nullable=False),
    Column("loan_event_id", Text, nullable=True),
    Column("transfer_id", Text, nullable=True),
    Column("file_id", Text, nullable=True, index=True),
    Column("result", Text, nullable=False),
    Column("ended_at_us", BigInteger, nullable=True),
    Index("ix_transfer_order_state_goes_out_us", "state", "goes_out_us"),
)

web_debit_order = Table(
    "web_debit_order",
    metadata,
    Column("id", Text, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("member_id", Text, ForeignKey("member.id"), nullable=False, index=True),
    Column("contract_id", Text, ForeignKey("credit_contract.id"), nullable=False),
    Column("account_id", Text, ForeignKey("payout_account.id"), nullable=False),
    Column("bank", Text, nullable=False),
    Column("amount_yen", BigInteger, nullable=False),
    Column("reference", Text, nullable=False, unique=True),
    Column("is_first", Boolean, nullable=False),
    Column("state", Text, nullable=False),
    Column("session_id", Text, nullable=False),
    Column("requested_at_us", BigInteger, nullable=False),
    Column("approved_at_us", BigInteger, nullable=True),
    Column("loan_event_id", Text, nullable=True),
    Column("file_id", Text, nullable=True, index=True),
    Column("result", Text, nullable=False),
    Column("ended_at_us", BigInteger, nullable=True),
    Index("ix_web_debit_order_state_requested_at_us", "state", "requested_at_us"),
)
