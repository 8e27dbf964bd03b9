"""A small set of books for the tests: cash, a loan with a line, a wallet that cannot be overdrawn."""

from datetime import date
from inspect import signature
from typing import NamedTuple

from sekisho.kernel.chance import SeededChance
from sekisho.kernel.clock import SECOND_US, SetClock
from sekisho.kernel.yen import Yen
from sekisho.ledger.accounts import Side, find_account, open_account
from sekisho.ledger.transfers import Transfer
from sekisho.storage.engine import Store

NOW_US = 1_795_000_000 * SECOND_US
TODAY = date(2026, 11, 22)
LINE = Yen(500_000)


class Books(NamedTuple):
    """An open store with three accounts in it."""

    store: Store
    clock: SetClock
    chance: SeededChance
    cash: str
    loan: str
    wallet: str

    def do(self, verb, *arguments, **named):
        """Run one of the ledger's verbs in a unit of work of its own."""
        if "chance" in signature(verb).parameters:
            named.setdefault("chance", self.chance)
        return self.store.write(
            lambda connection: verb(connection, *arguments, clock=self.clock, **named)
        ).result()

    def account(self, account_id):
        """Return an account as it stands."""
        with self.store.read() as connection:
            return find_account(connection, account_id)

    def draw(self, key, yen, **fields):
        """Return a loan draw: the member owes more, and cash goes out."""
        return moved(key, self.loan, self.cash, yen, **fields)


def balance_of(connection, account_id) -> Yen:
    """Return the balance of an account that is there."""
    account = find_account(connection, account_id)
    assert account is not None
    return account.balance


def moved(key, debit, credit, yen, **fields):
    """Return a transfer that is effective today."""
    named = {"kind": "test", "effective_on": TODAY, **fields}
    return Transfer(key=key, debit=debit, credit=credit, amount=Yen(yen), **named)


def open_books(store):
    """Open the accounts: cash without limits, a loan of at most LINE, a wallet that cannot go below zero."""
    clock, chance = SetClock(NOW_US), SeededChance(1)

    def open_all(connection):
        def opened(kind, normal, **limits):
            return open_account(
                connection, kind=kind, owner=kind, normal=normal, clock=clock, chance=chance, **limits
            )

        return (
            opened("cash", Side.DEBIT),
            opened("loan", Side.DEBIT, net_debit_max=LINE, net_credit_max=Yen(0)),
            opened("wallet", Side.CREDIT, net_debit_max=Yen(0)),
        )

    return Books(store, clock, chance, *store.write(open_all).result())
