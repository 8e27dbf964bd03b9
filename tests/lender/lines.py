"""A lender with one member and one credit line, for the tests."""

from datetime import date
from typing import NamedTuple

from sqlalchemy import insert

from sekisho.kernel.chance import SeededChance
from sekisho.kernel.clock import SECOND_US, SetClock
from sekisho.kernel.yen import Yen
from sekisho.ledger.accounts import Side, find_account, open_account
from sekisho.lender.contracts import Agreement, Contract, find_contract, sign
from sekisho.lender.due_days import DueDay
from sekisho.lender.loan_events import Movement
from sekisho.lender.loans import LoanAccounts, Loans
from sekisho.lender.rates import Rate
from sekisho.lender.terms import published_terms
from sekisho.storage.engine import Store
from sekisho.storage.tables.members import member

NOW_US = 1_748_736_000 * SECOND_US
SIGNED = date(2025, 6, 1)
MEMBER = "mem_1"
BOOK = published_terms()


class Line(NamedTuple):
    """An open store with one line in it."""

    store: Store
    loans: Loans
    contract_id: str
    cash: str
    overpaid: str
    clock: SetClock

    def borrow(self, key, yen, day, **named):
        """Borrow by transfer."""
        movement = Movement(key, Yen(yen), day, "transfer", self.cash)
        return self.store.write(lambda c: self.loans.borrow(c, self.contract_id, movement, **named)).result()

    def reserve(self, key, yen, day, expires_at_us):
        """Keep a part of the line for cash."""
        movement = Movement(key, Yen(yen), day, "atm", self.cash)
        return self.store.write(
            lambda c: self.loans.reserve(c, self.contract_id, movement, expires_at_us=expires_at_us)
        ).result()

    def repay(self, key, yen, day):
        """Repay by web debit."""
        movement = Movement(key, Yen(yen), day, "web_debit", self.cash)
        return self.store.write(lambda c: self.loans.repay(c, self.contract_id, movement)).result()

    def end(self, day):
        """End the contract at the member's wish."""
        return self.store.write(lambda c: self.loans.end(c, self.contract_id, day, "member")).result()

    def signed_again(self, day):
        """Sign another contract like the first, and return its line."""
        named = agreement(interest_free=True)
        chance = SeededChance(int(self.contract().number))
        signed = self.store.write(
            lambda c: sign(c, named, BOOK, today=day, clock=self.clock, chance=chance)
        ).result()
        return self._replace(contract_id=signed.id)

    def contract(self) -> Contract:
        """Return the contract as it stands."""
        with self.store.read() as connection:
            found = find_contract(connection, self.contract_id)
        assert found is not None
        return found

    def position(self, day):
        """Return what is owed at the end of a day."""
        with self.store.read() as connection:
            return self.loans.position(connection, self.contract(), day)

    def history(self, first, last):
        """Return what happened."""
        with self.store.read() as connection:
            return self.loans.history(connection, self.contract_id, first, last)

    def balance(self, account):
        """Return an account's balance."""
        with self.store.read() as connection:
            found = find_account(connection, account)
        assert found is not None
        return found.balance


def agreement(**changes):
    """Return what a member signs: 500,000 yen at 17.8 %, due on the 5th."""
    named = {
        "member_id": MEMBER,
        "terms": BOOK.on(SIGNED),
        "limit": Yen(500_000),
        "rate": Rate.parse("17.8"),
        "due_day": DueDay.FIFTH,
        "interest_free": False,
    }
    return Agreement(**{**named, **changes})


def open_line(store, **changes):
    """Sign an agreement and return the line."""
    clock, chance = SetClock(NOW_US), SeededChance(1)

    def opened(connection):
        row = {"id": MEMBER, "number": "1", "state": "open", "language": "ja", "opened_at_us": NOW_US}
        connection.execute(insert(member).values({**_blank(member), **row}))

        def own(kind, normal):
            return open_account(
                connection, kind=kind, owner="lender", normal=normal, clock=clock, chance=chance
            )

        cash = own("cash", Side.DEBIT)
        own_accounts = LoanAccounts(
            own("interest_income", Side.CREDIT),
            own("delay_income", Side.CREDIT),
            own("overpaid", Side.CREDIT),
        )
        contract = sign(connection, agreement(**changes), BOOK, today=SIGNED, clock=clock, chance=chance)
        return cash, own_accounts, contract

    cash, own_accounts, contract = store.write(opened).result()
    loans = Loans(own_accounts, BOOK, clock=clock, chance=chance)
    return Line(store, loans, contract.id, cash, own_accounts.overpaid, clock)


def _blank(table):
    """Return a value for every column that must have one."""
    return {
        column.name: b"" if column.type.python_type is bytes else column.type.python_type()
        for column in table.c
        if not column.nullable
    }
