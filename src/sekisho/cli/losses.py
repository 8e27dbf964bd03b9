"""The books that know each institution's losses and partners; the ID keeps no money, and has none."""

from collections.abc import Callable, Mapping
from typing import Protocol

from sekisho.bank.house import open_house as open_bank
from sekisho.bank.losses import BankLosses
from sekisho.identity.institution import Parts
from sekisho.lender.house import open_house as open_lender
from sekisho.lender.losses import LenderLosses
from sekisho.response.claims import Losses
from sekisho.response.partner_books import PartnerBooks
from sekisho.wallet.house import open_house as open_wallet
from sekisho.wallet.losses import WalletLosses


class Books(Losses, PartnerBooks, Protocol):
    """Books that make losses good, and take what partners bear of them."""


_BOOKS: Mapping[str, Callable[[Parts], Books]] = {
    "lender": lambda parts: LenderLosses(open_lender(parts)),
    "wallet": lambda parts: WalletLosses(open_wallet(parts)),
    "bank": lambda parts: BankLosses(open_bank(parts)),
}


def books_of(parts: Parts) -> Books | None:
    """Return the books of an institution, None where it keeps none. Raises OperationalError."""
    opens = _BOOKS.get(parts.institution.key)
    return None if opens is None else opens(parts)
