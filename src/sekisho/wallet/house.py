"""The wallet's house: its own accounts in the books, and the parts that everything in this room stands on."""

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

OWNER = "wallet"
"""Who owns the house's accounts in the ledger."""


class HouseAccounts(NamedTuple):
    """The wallet's own accounts in the ledger, by id. A clearing account stands at zero when all is settled.

    `bank_receivable` is what banks have debited for charges and not handed over yet, and our money there;
    `payout_clearing` what left wallets for banks and has not arrived; `merchants_payable` what merchants are
    owed; `sends_waiting` what was sent and not accepted yet; `fee_income` what we earn; `suspense` what came
    in and nobody knows for whom; `fraud_loss` what a thief took and we made good.
    """

    bank_receivable: str
    payout_clearing: str
    merchants_payable: str
    sends_waiting: str
    fee_income: str
    suspense: str
    fraud_loss: str


# What waits for somebody can't be handed out twice: the account would have to cross zero.
_NEVER = Yen(0)
_LIMITS = {
    "bank_receivable": OwnLimits(Side.DEBIT, None),
    "payout_clearing": OwnLimits(Side.CREDIT, _NEVER),
    "merchants_payable": OwnLimits(Side.CREDIT, _NEVER),
    "sends_waiting": OwnLimits(Side.CREDIT, _NEVER),
    "fee_income": OwnLimits(Side.CREDIT, None),
    "suspense": OwnLimits(Side.CREDIT, _NEVER),
    "fraud_loss": OwnLimits(Side.DEBIT, None),
}


@dataclass(frozen=True, slots=True)
class WalletParts(HouseParts):
    """What every desk of the wallet stands on: identity's parts and the wallet's own accounts."""

    accounts: HouseAccounts


def open_house(parts: Parts) -> WalletParts:
    """Open the wallet's own accounts where they are new, and return what its desks stand on.

    Raises OperationalError.
    """
    accounts = parts.store.write(
        lambda connection: open_wallet_accounts(connection, clock=parts.clock, chance=parts.chance)
    ).result()
    return WalletParts(parts, accounts)


def open_wallet_accounts(connection: Connection, *, clock: Clock, chance: Chance) -> HouseAccounts:
    """Return the wallet's own accounts, and open those that are missing. Doing it again changes nothing."""
    there = open_own_accounts(connection, OWNER, _LIMITS, clock=clock, chance=chance)
    return HouseAccounts(**there)
