"""Money: whole yen in a type of its own, so that no float and no bare number can pass for an amount."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

_AMOUNT = re.compile(r"(?P<minus>-?)(?P<sign>¥?)(?P<digits>[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?P<unit>円?)")


@dataclass(frozen=True, slots=True, order=True)
class Yen:
    """An amount of whole yen, negative where money is owed or taken away."""

    amount: int

    def __post_init__(self) -> None:
        # A bool is an int to Python, and an amount of True is always a mistake.
        if type(self.amount) is not int:
            raise TypeError(f"an amount is a whole number of yen, not {type(self.amount).__name__}")

    def __add__(self, other: "Yen") -> "Yen":
        return Yen(self.amount + other.amount) if isinstance(other, Yen) else NotImplemented

    def __sub__(self, other: "Yen") -> "Yen":
        return Yen(self.amount - other.amount) if isinstance(other, Yen) else NotImplemented

    def __neg__(self) -> "Yen":
        return Yen(-self.amount)

    def __bool__(self) -> bool:
        return self.amount != 0

    def __str__(self) -> str:
        return self.in_english()

    def in_japanese(self) -> str:
        """Write the amount as Japanese readers expect it: `-1,234円`."""
        return f"{self.amount:,}円"

    def in_english(self) -> str:
        """Write the amount as English readers expect it: `-¥1,234`."""
        return f"{'-' if self.amount < 0 else ''}¥{abs(self.amount):,}"

    @classmethod
    def parse(cls, text: str) -> "Yen":
        """Read an amount as people type it: `1234`, `¥1,234`, `-1,234円`, full-width digits and signs too.

        Raises ValueError for anything else: a fraction, a misplaced comma, another currency.
        """
        plain = unicodedata.normalize("NFKC", text).strip().replace("\N{MINUS SIGN}", "-")
        read = _AMOUNT.fullmatch(plain)
        if read is None or (read["sign"] and read["unit"]):
            raise ValueError(f"not an amount of yen: {text[:40]!r}")
        return cls(int(read["minus"] + read["digits"].replace(",", "")))


def total(amounts: Iterable[Yen]) -> Yen:
    """Add amounts up; no amounts make zero yen."""
    return Yen(sum(yen.amount for yen in amounts))
