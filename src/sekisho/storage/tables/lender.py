"""The lender's contracts, and what happened under each."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text

from sekisho.storage.tables import metadata, sealed_column

# The terms stand in the contract: what is published later does not change what was agreed. The last five
# columns change with each borrowing and repayment, in the same unit of work as the books.
credit_contract = Table(
    "credit_contract",
    metadata,
    Column("id", Text, primary_key=True),
    Column("number", Text, nullable=False, unique=True),
    Column("member_id", Text, ForeignKey("member.id"), nullable=False, index=True),
    Column("terms_id", Text, nullable=False),
    Column("limit_yen", BigInteger, nullable=False),
    Column("rate", Integer, nullable=False),
    Column("delay_rate", Integer, nullable=False),
    Column("free_days", Integer, nullable=False),
    Column("due_day", Integer, nullable=False),
    Column("signed_on", Text, nullable=False),
    Column("signed_at_us", BigInteger, nullable=False),
    Column("principal_account", Text, nullable=False),
    Column("interest_account", Text, nullable=False),
    Column("delay_account", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("first_used_on", Text, nullable=True),
    Column("charged_until", Text, nullable=True),
    Column("payment_yen", BigInteger, nullable=False),
    Column("next_due_on", Text, nullable=True),
    Column("paid_in_term_yen", BigInteger, nullable=False),
)

# What the bureau said when an open line was looked at again, and what followed; the answer is in its query.
line_check = Table(
    "line_check",
    metadata,
    Column("id", Text, primary_key=True),
    Column("contract_id", Text, ForeignKey("credit_contract.id"), nullable=False),
    Column("query_id", Text, ForeignKey("bureau_query.id"), nullable=False, unique=True),
    Column("checked_on", Text, nullable=False),
    Column("findings", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Index("ix_line_check_contract_id_checked_on", "contract_id", "checked_on"),
)

# What a member declares of a newer income under a contract, and what came of it. `live` holds the contract's
# id until that is known: no contract has two under way. Amounts tell of somebody's money, and are sealed.
income_renewal = Table(
    "income_renewal",
    metadata,
    Column("id", Text, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("contract_id", Text, ForeignKey("credit_contract.id"), nullable=False),
    Column("member_id", Text, ForeignKey("member.id"), nullable=False),
    Column("live", Text, nullable=True, unique=True),
    Column("state", Text, nullable=False),
    Column("document", Text, nullable=False),
    sealed_column("declared", "income_renewal:{id}:declared"),
    sealed_column("proven", "income_renewal:{id}:proven", nullable=True),
    Column("refused_for", Text, nullable=False),
    Column("declared_at_us", BigInteger, nullable=False),
    Column("ended_at_us", BigInteger, nullable=True),
    Column("line_check_id", Text, ForeignKey("line_check.id"), nullable=True),
    Index("ix_income_renewal_contract_id_state", "contract_id", "state"),
    Index("ix_income_renewal_state_declared_at_us", "state", "declared_at_us"),
)

loan_event = Table(
    "loan_event",
    metadata,
    Column("id", Text, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("contract_id", Text, ForeignKey("credit_contract.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("way", Text, nullable=False),
    Column("amount_yen", BigInteger, nullable=False),
    Column("delay_yen", BigInteger, nullable=False),
    Column("interest_yen", BigInteger, nullable=False),
    Column("principal_yen", BigInteger, nullable=False),
    Column("overpaid_yen", BigInteger, nullable=False),
    Column("balance_yen", BigInteger, nullable=False),
    Column("payment_yen", BigInteger, nullable=False),
    Column("next_due_on", Text, nullable=True),
    Column("effective_on", Text, nullable=False),
    Column("booked_at_us", BigInteger, nullable=False),
    Column("transfer_id", Text, nullable=False),
    Column("request", LargeBinary, nullable=False),
    Index("ix_loan_event_contract_id_effective_on", "contract_id", "effective_on"),
)
