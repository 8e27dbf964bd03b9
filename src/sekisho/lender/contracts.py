"""Contracts: a credit line that was signed, by terms of its own, with its accounts in the ledger."""

from datetime import date
from enum import StrEnum

import msgspec
from sqlalchemy import Connection, insert, select, update

from sekisho.kernel.chance import Chance
from sekisho.kernel.clock import Clock
from sekisho.kernel.ids import CONTRACT
from sekisho.kernel.yen import Yen
from sekisho.ledger.accounts import Side, open_account
from sekisho.lender.due_days import DueDay
from sekisho.lender.rates import Rate
from sekisho.lender.terms import Terms, TermsBook
from sekisho.storage.tables.lender import credit_contract

NUMBER_DIGITS = 10


class ContractState(StrEnum):
    """What a contract allows."""

    OPEN = "open"
    """Borrowing and repaying."""

    CLOSED_TO_BORROWING = "closed_to_borrowing"
    """Repaying alone."""

    ENDED = "ended"
    """Nothing is owed any more, and nothing can be borrowed."""


class Contract(msgspec.Struct, frozen=True, kw_only=True):
    """A credit line as it stands. Amounts are whole yen, rates thousandths of a per cent, days ISO dates.

    `charged_until` is the day up to which interest was charged; `paid_in_term_yen` is what was paid since the
    last due date was met.
    """

    id: str
    number: str
    member_id: str
    terms_id: str
    limit_yen: int
    rate: int
    delay_rate: int
    free_days: int
    due_day: int
    signed_on: str
    signed_at_us: int
    principal_account: str
    interest_account: str
    delay_account: str
    state: str
    first_used_on: str | None
    charged_until: str | None
    payment_yen: int
    next_due_on: str | None
    paid_in_term_yen: int


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    """What a member signs. `number` stands in its document already; where it is empty, one is drawn."""

    member_id: str
    terms: Terms
    limit: Yen
    rate: Rate
    due_day: DueDay
    interest_free: bool
    number: str = ""


class NotWithinTerms(ValueError):  # noqa: N818 - an answer about an agreement, and told as one
    """A limit or a rate that the terms or the law do not allow."""


def require_lawful(agreement: Agreement, book: TermsBook) -> None:
    """Raise NotWithinTerms where an agreement breaks its terms or the Interest Rate Restriction Act."""
    terms = agreement.terms
    if not terms.limit_min_yen <= agreement.limit.amount <= terms.limit_max_yen:
        raise NotWithinTerms(f"a line of {agreement.limit} under {terms.id}")
    if not terms.rate_min <= agreement.rate <= terms.rate_max:
        raise NotWithinTerms(f"{agreement.rate} under {terms.id}")
    # The cap goes by what is owed, and all of the line may be owed one day.
    if agreement.rate > book.legal_cap(agreement.limit):
        raise NotWithinTerms(f"{agreement.rate} for {agreement.limit}: the law allows less")


def sign(  # noqa: PLR0913 - an agreement, the book it must keep to, and when
    connection: Connection,
    agreement: Agreement,
    book: TermsBook,
    *,
    today: date,
    clock: Clock,
    chance: Chance,
) -> Contract:
    """Open a line with its accounts, in the caller's unit of work. Raises NotWithinTerms."""
    require_lawful(agreement, book)

    def receivable(kind: str, most: Yen | None) -> str:
        return open_account(
            connection,
            kind=kind,
            owner=agreement.member_id,
            normal=Side.DEBIT,
            net_debit_max=most,
            net_credit_max=Yen(0),
            clock=clock,
            chance=chance,
        )

    contract = Contract(
        id=CONTRACT.new(clock, chance),
        number=agreement.number or free_number(connection, chance),
        member_id=agreement.member_id,
        terms_id=agreement.terms.id,
        limit_yen=agreement.limit.amount,
        rate=agreement.rate.thousandths,
        delay_rate=agreement.terms.delay_rate.thousandths,
        free_days=agreement.terms.interest_free_days if agreement.interest_free else 0,
        due_day=agreement.due_day.value,
        signed_on=today.isoformat(),
        signed_at_us=clock.now_us(),
        principal_account=receivable("loan_principal", agreement.limit),
        interest_account=receivable("loan_interest", None),
        delay_account=receivable("loan_delay", None),
        state=ContractState.OPEN.value,
        first_used_on=None,
        charged_until=None,
        payment_yen=0,
        next_due_on=None,
        paid_in_term_yen=0,
    )
    connection.execute(insert(credit_contract), msgspec.structs.asdict(contract))
    return contract


def find_contract(connection: Connection, contract_id: str) -> Contract | None:
    """Return a contract by its id."""
    its = select(credit_contract).where(credit_contract.c.id == contract_id)
    row = connection.execute(its).mappings().one_or_none()
    return None if row is None else Contract(**row)


def contract_of(connection: Connection, member_id: str) -> Contract | None:
    """Return a member's newest contract."""
    its = (
        select(credit_contract)
        .where(credit_contract.c.member_id == member_id)
        .order_by(credit_contract.c.id.desc())
        .limit(1)
    )
    row = connection.execute(its).mappings().one_or_none()
    return None if row is None else Contract(**row)


def contract_numbered(connection: Connection, number: str) -> Contract | None:
    """Return a contract by the number that stands in its document."""
    row = connection.execute(select(credit_contract).where(credit_contract.c.number == number)).mappings()
    found = row.one_or_none()
    return None if found is None else Contract(**found)


def change_contract(connection: Connection, contract: Contract) -> None:
    """Write down what changes in a contract from one event to the next."""
    changing = {
        name: getattr(contract, name)
        for name in (
            "state",
            "first_used_on",
            "charged_until",
            "payment_yen",
            "next_due_on",
            "paid_in_term_yen",
        )
    }
    connection.execute(update(credit_contract).where(credit_contract.c.id == contract.id).values(changing))


def set_state(connection: Connection, contract_id: str, state: ContractState) -> None:
    """Change what a contract allows."""
    its = update(credit_contract).where(credit_contract.c.id == contract_id)
    connection.execute(its.values(state=state.value))


def free_number(connection: Connection, chance: Chance) -> str:
    """Draw a number that no contract has. Two who draw at once are told apart by the table."""
    while True:
        number = f"{chance.below(10**NUMBER_DIGITS):0{NUMBER_DIGITS}d}"
        taken = select(credit_contract.c.id).where(credit_contract.c.number == number)
        if connection.execute(taken).one_or_none() is None:
            return number
