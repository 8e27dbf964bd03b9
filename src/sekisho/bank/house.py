"""The bank's house: its own accounts in the books, and the parts that everything in this room stands on."""

from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection

from sekisho.bank.branches import MISAKI, BankProfile
from sekisho.identity.house_parts import HouseParts
from sekisho.identity.institution import Parts
from sekisho.kernel.chance import Chance
from sekisho.kernel.clock import Clock
from sekisho.kernel.ids import AccountId
from sekisho.kernel.yen import Yen
from sekisho.ledger.accounts import Side, accounts_of, open_account
from sekisho.ledger.journal import take_turn
from sekisho.ledger.own_accounts import OwnLimits, open_own_accounts

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


@dataclass(frozen=True, slots=True)
class BankParts(HouseParts):
    """What every desk of the bank stands on: identity's parts, who the bank is, and its own accounts."""

    profile: BankProfile
    accounts: HouseAccounts


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
