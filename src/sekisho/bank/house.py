"""The bank's house: its own accounts in the books, and the parts that everything in this room stands on."""

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
from sekisho.ledger.own_accounts import OwnLimits, open_own_accounts
from sekisho.storage.engine import Store
from sekisho.storage.keyring import Keyring

Result = TypeVar("Result")

OWNER = "bank"
"""Who owns the house's accounts in the ledger."""

PARTNER_SETTLEMENT = "partner_settlement"
"""The kind of the account that each partner has: what was collected for it, less what was paid out."""


class HouseAccounts(NamedTuple):
    """The bank's own accounts in the ledger, by id.

    `cash` is what lies in the vault; `interbank` what other banks owe us, less what we owe them; `unclaimed`
    what came in and belongs to no account of ours; `fraud_loss` what a thief had debited and we made good.
    """

    cash: str
    interbank: str
    unclaimed: str
    fraud_loss: str


_LIMITS = {
    "cash": OwnLimits(Side.DEBIT, None),
    "interbank": OwnLimits(Side.DEBIT, None),
    "unclaimed": OwnLimits(Side.CREDIT, Yen(0)),
    "fraud_loss": OwnLimits(Side.DEBIT, None),
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
        return await self.parts.written(work)

    async def read(self, look: Callable[[Connection], Result]) -> Result:
        """Read from one state of the store, beside the event loop. Raises OperationalError."""
        return await self.parts.read(look)


def open_house(parts: Parts, profile: BankProfile = MISAKI) -> BankParts:
    """Open the bank's accounts where they are new, and return what its desks stand on.

    Raises OperationalError.
    """

    def work(connection: Connection) -> HouseAccounts:
        kinds = open_own_accounts(connection, OWNER, _LIMITS, clock=parts.clock, chance=parts.chance)
        return HouseAccounts(**kinds)

    return BankParts(parts, profile, parts.store.write(work).result())


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
