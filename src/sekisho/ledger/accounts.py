"""Accounts: what is owed to us and by us, each with its normal side and its limits.

An account keeps four totals: debits and credits, each posted and pending. Limits are net amounts by side: a
credit line of 500,000 yen is a debit-normal account whose debits may exceed its credits by 500,000 at most
and whose credits may never exceed its debits; a wallet that cannot be overdrawn is a credit-normal one with a
net debit of zero at most. What is pending counts against a limit and never in favour of it.
"""

from enum import StrEnum

import msgspec
from sqlalchemy import Connection, insert, select, update

from sekisho.kernel.chance import Chance
from sekisho.kernel.clock import Clock
from sekisho.kernel.ids import ACCOUNT, AccountId
from sekisho.kernel.yen import Yen
from sekisho.storage.tables.ledger import ledger_account


class Side(StrEnum):
    """The two sides of an account."""

    DEBIT = "debit"
    """What we own or are owed: cash, loans."""

    CREDIT = "credit"
    """What we owe or have earned: deposits, wallets, interest income."""


class Account(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An account as it stands, in whole yen. A limit of None is none at all."""

    id: str
    kind: str
    owner: str
    normal: str
    net_debit_max: int | None
    net_credit_max: int | None
    debits_posted: int
    credits_posted: int
    debits_pending: int
    credits_pending: int
    opened_at_us: int
    closed_at_us: int | None

    @property
    def balance(self) -> Yen:
        """Return what is posted, positive on the account's normal side."""
        net = self.debits_posted - self.credits_posted
        return Yen(net if self.normal == Side.DEBIT else -net)

    def room(self, side: Side) -> Yen | None:
        """Return how much more may be debited or credited now; None where nothing limits it."""
        if side is Side.DEBIT:
            if self.net_debit_max is None:
                return None
            return Yen(self.net_debit_max - self.debits_posted - self.debits_pending + self.credits_posted)
        if self.net_credit_max is None:
            return None
        return Yen(self.net_credit_max - self.credits_posted - self.credits_pending + self.debits_posted)


def open_account(  # noqa: PLR0913 - what an account is, each named at the call
    connection: Connection,
    *,
    kind: str,
    owner: str,
    normal: Side,
    clock: Clock,
    chance: Chance,
    net_debit_max: Yen | None = None,
    net_credit_max: Yen | None = None,
) -> AccountId:
    """Open an empty account and return its id. `kind` is the institution's own word, such as `loan`."""
    account_id = ACCOUNT.new(clock, chance)
    row = {
        "id": account_id,
        "kind": kind,
        "owner": owner,
        "normal": normal.value,
        "net_debit_max": None if net_debit_max is None else net_debit_max.amount,
        "net_credit_max": None if net_credit_max is None else net_credit_max.amount,
        "debits_posted": 0,
        "credits_posted": 0,
        "debits_pending": 0,
        "credits_pending": 0,
        "opened_at_us": clock.now_us(),
    }
    connection.execute(insert(ledger_account), row)
    return account_id


def find_account(connection: Connection, account_id: str) -> Account | None:
    """Return an account, or None where there is none of that id."""
    row = connection.execute(select(ledger_account).where(ledger_account.c.id == account_id)).one_or_none()
    return None if row is None else Account(**row._mapping)  # noqa: SLF001 - how SQLAlchemy names it


def accounts_of(connection: Connection, owner: str) -> list[Account]:
    """Return an owner's accounts, oldest first."""
    its = select(ledger_account).where(ledger_account.c.owner == owner).order_by(ledger_account.c.id)
    return [Account(**row) for row in connection.execute(its).mappings()]


def change_limits(
    connection: Connection, account_id: str, *, net_debit_max: Yen | None, net_credit_max: Yen | None
) -> None:
    """Set both limits anew; a balance beyond a new limit stays, and may only come nearer to it."""
    limits = {
        "net_debit_max": None if net_debit_max is None else net_debit_max.amount,
        "net_credit_max": None if net_credit_max is None else net_credit_max.amount,
    }
    its = update(ledger_account).where(ledger_account.c.id == account_id)
    connection.execute(its.values(limits))


def close_account(connection: Connection, account_id: str, *, clock: Clock) -> bool:
    """Close an account that stands at zero with nothing pending; return whether it could be closed."""
    empty = (
        ledger_account.c.debits_posted == ledger_account.c.credits_posted,
        ledger_account.c.debits_pending == 0,
        ledger_account.c.credits_pending == 0,
        ledger_account.c.closed_at_us.is_(None),
    )
    its = update(ledger_account).where(ledger_account.c.id == account_id, *empty)
    return connection.execute(its.values(closed_at_us=clock.now_us())).rowcount == 1
