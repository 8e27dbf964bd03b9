"""The terms of the credit line: dated, with their sources, as `terms.toml` holds them."""

import datetime as dt
import tomllib
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec

from sekisho.kernel.yen import Yen
from sekisho.lender.rates import Rate

_FILE = Path(__file__).with_name("terms.toml")
_NO_LIMIT_YEN = 10**15
_RATES = {"rate", "rate_min", "rate_max", "delay_rate"}


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What a new contract is made by from a day on. A contract that was made keeps its own terms."""

    id: str
    from_: dt.date = msgspec.field(name="from")
    limit_min_yen: int
    limit_max_yen: int
    rate_min: Rate
    rate_max: Rate
    delay_rate: Rate
    interest_free_days: int
    age_min: int
    age_max: int
    source: str


class PaymentBand(msgspec.Struct, frozen=True, kw_only=True):
    """How much is paid each month after the last borrowing, for balances up to a limit.

    `share` is in ten-thousandths of the balance; `payments_max` is the longest term in months.
    """

    share: int
    payments_max: int
    source: str
    up_to_yen: int = _NO_LIMIT_YEN


class LegalCap(msgspec.Struct, frozen=True, kw_only=True):
    """The highest rate that the law allows from a principal on."""

    from_yen: int
    rate: Rate
    source: str


class AtmFee(msgspec.Struct, frozen=True, kw_only=True):
    """What an ATM charges for amounts up to a limit, tax included."""

    fee_yen: int
    source: str
    up_to_yen: int = _NO_LIMIT_YEN


class TermsBook(msgspec.Struct, frozen=True, kw_only=True):
    """All terms there ever were, in the order of their days; bands and caps in the order of their limits."""

    terms: tuple[Terms, ...]
    payment_bands: tuple[PaymentBand, ...]
    legal_caps: tuple[LegalCap, ...]
    atm_fees: tuple[AtmFee, ...]

    def __post_init__(self) -> None:
        """Refuse a book that is out of order: it would be read wrongly without anybody noticing."""
        in_order = (
            all(one.from_ < other.from_ for one, other in pairwise(self.terms))
            and all(one.up_to_yen < other.up_to_yen for one, other in pairwise(self.payment_bands))
            and all(one.up_to_yen < other.up_to_yen for one, other in pairwise(self.atm_fees))
            and all(one.from_yen < other.from_yen for one, other in pairwise(self.legal_caps))
        )
        if not in_order or not all((self.terms, self.payment_bands, self.legal_caps, self.atm_fees)):
            raise ValueError("terms, bands, caps and fees stand in their order, and each has one at least")

    def on(self, day: dt.date) -> Terms:
        """Return the terms of a contract made on a day. Raises LookupError before the first terms."""
        held = [terms for terms in self.terms if terms.from_ <= day]
        if not held:
            raise LookupError(f"no terms on {day}")
        return held[-1]

    def named(self, terms_id: str) -> Terms:
        """Return the terms of this id. Raises LookupError where there are none."""
        for terms in self.terms:
            if terms.id == terms_id:
                return terms
        raise LookupError(f"no terms are called {terms_id[:40]!r}")

    def band(self, balance: Yen) -> PaymentBand:
        """Return the band of a balance."""
        return next(band for band in self.payment_bands if balance.amount <= band.up_to_yen)

    def legal_cap(self, principal: Yen) -> Rate:
        """Return the highest rate that the law allows for a principal of 0 or more."""
        return [cap.rate for cap in self.legal_caps if cap.from_yen <= principal.amount][-1]

    def atm_fee(self, amount: Yen) -> Yen:
        """Return what an ATM charges for paying an amount out or in."""
        return Yen(next(fee.fee_yen for fee in self.atm_fees if amount.amount <= fee.up_to_yen))


def read_terms(text: str) -> TermsBook:
    """Read a book of terms. Raises msgspec.ValidationError and ValueError where it cannot be one."""
    book = {name: [_with_rates(row) for row in rows] for name, rows in tomllib.loads(text).items()}
    return msgspec.convert(book, TermsBook)


@cache
def published_terms() -> TermsBook:
    """Return the book that comes with the program."""
    return read_terms(_FILE.read_text(encoding="utf-8"))


def _with_rates(row: dict[str, Any]) -> dict[str, Any]:
    # A rate stands in the file as people write it, and as a text, so that it never was a float.
    return {name: Rate.parse(value) if name in _RATES else value for name, value in row.items()}
