"""The bank's house: its own accounts in the books, and the parts that everything in this room stands on."""

import asyncio
from collections.abc import Callable
from datetime import date
from typing import NamedTuple, TypeVar

from sqlalchemy import Connection

from sekisho.bank.branches import MISAKI, BankProfile
from sekisho.identity.institution import Institution, Parts
from sekisho.kernel.chance import Chance
from sekisho.kernel.clock import Clock
from sekisho.kernel.ids import AccountId
from sekisho.kernel.japan import day_in_japan
from sekisho.kernel.yen import Yen
from sekisho.ledger.accounts import Side, accounts_of, open_account
from sekisho.ledger.journal import take_turn
from sekisho.storage.engine import Store
from sekisho.storage.keyring import Keyring

Result = TypeVar("Result")

OWNER = "bank"
"""Who owns the house's accounts in the ledger."""

PARTNER_SETTLEMENT = "partner_settlement"
"""The kind of the account that the bank keeps for each partner: what it collected for it, less what it paid."""


class HouseAccounts(NamedTuple):
    """The bank's own accounts in the ledger, by id.

    `cash` is what lies in the vault; `interbank` what other banks owe us, less what we owe them; `unclaimed`
    what came in and belongs to no account of ours.
    """

    cash: str
    interbank: str
    unclaimed: str


class _Limits(NamedTuple):
    """On which side an account stands, and by how much it may stand on the other one (None: at will)."""

    normal: Side
    wrong_way_max: Yen | None


_LIMITS = {
    "cash": _Limits(Side.DEBIT, None),
    "interbank": _Limits(Side.DEBIT, None),
    "unclaimed": _Limits(Side.CREDIT, Yen(0)),
}


class BankParts(NamedTuple):
    """What every desk of the bank stands on: identity's parts, who the bank is, and its own accounts."""

    parts: Parts
    profile: BankProfile
    accounts: HouseAccounts

    @property
    def institution(self) -> Institution:
        """The bank's names and where it lives."""
        return self.parts.institution

    @property
    def store(self) -> Store:
        """Where everything is kept."""
        return self.parts.store

    @property
    def keyring(self) -> Keyring:
        """What seals personal data."""
        return self.parts.keyring

    @property
    def clock(self) -> Clock:
        """What tells the time."""
        return self.parts.clock

    @property
    def chance(self) -> Chance:
        """What draws ids and keys."""
        return self.parts.chance

    def today(self) -> date:
        """Return the day that it is in Japan, by which bookings count."""
        return day_in_japan(self.clock.now_us())

    async def written(self, work: Callable[[Connection], Result]) -> Result:
        """Do a unit of work and return what it returned. Raises what it raised, and OperationalError."""
        return await asyncio.wrap_future(self.store.write(work))

    async def read(self, look: Callable[[Connection], Result]) -> Result:
        """Read from one state of the store, beside the event loop. Raises OperationalError."""

        def reading() -> Result:
            with self.store.read() as connection:
                return look(connection)

        return await asyncio.to_thread(reading)


def open_house(parts: Parts, profile: BankProfile = MISAKI) -> BankParts:
    """Open the bank's accounts where they are new, and return what its desks stand on.

    Raises OperationalError.
    """
    accounts = parts.store.write(
        lambda connection: open_bank_accounts(connection, clock=parts.clock, chance=parts.chance)
    ).result()
    return BankParts(parts, profile, accounts)


def open_bank_accounts(connection: Connection, *, clock: Clock, chance: Chance) -> HouseAccounts:
    """Return the bank's own accounts, and open those that are missing. Doing it again changes nothing."""
    take_turn(connection)
    there = {account.kind: account.id for account in accounts_of(connection, OWNER)}
    for kind, limits in _LIMITS.items():
        if kind in there:
            continue
        there[kind] = open_account(
            connection,
            kind=kind,
            owner=OWNER,
            normal=limits.normal,
            net_debit_max=limits.wrong_way_max if limits.normal is Side.CREDIT else None,
            net_credit_max=limits.wrong_way_max if limits.normal is Side.DEBIT else None,
            clock=clock,
            chance=chance,
        )
    return HouseAccounts(**{kind: there[kind] for kind in HouseAccounts._fields})


def open_settlement(connection: Connection, client_id: str, *, clock: Clock, chance: Chance) -> AccountId:
    """Return the account through which a partner's debits and credits are settled, and open it where new.

    It may stand on both sides: a partner whose payouts exceed its debits owes us the difference until it has
    settled, and how much that may be is for the partner's terms to say.
    """
    take_turn(connection)
    for account in accounts_of(connection, f"partner:{client_id}"):
        if account.kind == PARTNER_SETTLEMENT:
            return AccountId(account.id)
    return open_account(
        connection,
        kind=PARTNER_SETTLEMENT,
        owner=f"partner:{client_id}",
        normal=Side.CREDIT,
        clock=clock,
        chance=chance,
    )
