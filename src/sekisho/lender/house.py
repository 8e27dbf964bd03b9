"""The lender's house: its own accounts in the books, and the parts that everything in this room stands on."""

from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection

from sekisho.identity.house_parts import HouseParts
from sekisho.identity.institution import Parts
from sekisho.kernel.chance import Chance
from sekisho.kernel.clock import Clock
from sekisho.kernel.yen import Yen
from sekisho.ledger.accounts import Side
from sekisho.ledger.own_accounts import OwnLimits, open_own_accounts
from sekisho.lender.loans import LoanAccounts, Loans
from sekisho.lender.terms import TermsBook, published_terms

OWNER = "lender"
"""Who owns the house's accounts in the ledger."""


class HouseAccounts(NamedTuple):
    """The lender's own accounts in the ledger, by id. A clearing account stands at zero when all is settled.

    `bank` is our account at a bank; `atm_cash` what the network of machines holds for us;
    `transfer_clearing` what was lent by transfer and has not left the bank yet; `web_debit_clearing` what
    was collected from members' banks and has not come in yet; `unclaimed` what came in and nobody knows for
    whom; `overpaid` what members paid too much, and get back; `fraud_loss` what was lent to a thief.
    """

    bank: str
    atm_cash: str
    transfer_clearing: str
    web_debit_clearing: str
    unclaimed: str
    interest_income: str
    delay_income: str
    overpaid: str
    fraud_loss: str

    @property
    def of_loans(self) -> LoanAccounts:
        """Return those that every loan books on."""
        return LoanAccounts(self.interest_income, self.delay_income, self.overpaid)


# What is cleared can't be cleared twice: the account would have to cross zero.
_NEVER = Yen(0)
_LIMITS = {
    "bank": OwnLimits(Side.DEBIT, None),
    "atm_cash": OwnLimits(Side.DEBIT, None),
    "transfer_clearing": OwnLimits(Side.CREDIT, _NEVER),
    "web_debit_clearing": OwnLimits(Side.DEBIT, _NEVER),
    "unclaimed": OwnLimits(Side.CREDIT, _NEVER),
    "interest_income": OwnLimits(Side.CREDIT, None),
    "delay_income": OwnLimits(Side.CREDIT, None),
    "overpaid": OwnLimits(Side.CREDIT, _NEVER),
    "fraud_loss": OwnLimits(Side.DEBIT, None),
}


@dataclass(frozen=True, slots=True)
class LenderParts(HouseParts):
    """What every desk of the lender stands on: identity's parts, the terms, the loans and the accounts."""

    book: TermsBook
    accounts: HouseAccounts
    loans: Loans


def open_house(parts: Parts, book: TermsBook | None = None) -> LenderParts:
    """Open the lender's accounts where they are new, and return what its desks stand on.

    Raises OperationalError.
    """
    accounts = parts.store.write(
        lambda connection: open_lender_accounts(connection, clock=parts.clock, chance=parts.chance)
    ).result()
    terms = book or published_terms()
    loans = Loans(accounts.of_loans, terms, clock=parts.clock, chance=parts.chance)
    return LenderParts(parts, terms, accounts, loans)


def open_lender_accounts(connection: Connection, *, clock: Clock, chance: Chance) -> HouseAccounts:
    """Return the lender's own accounts, and open those that are missing. Doing it again changes nothing."""
    there = open_own_accounts(connection, OWNER, _LIMITS, clock=clock, chance=chance)
    return HouseAccounts(**there)
