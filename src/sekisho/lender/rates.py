"""Interest rates: exact, in per cent a year, so that no float is ever near money."""

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import total_ordering

_PERCENT = re.compile(r"[0-9]{1,2}(?:\.[0-9]{1,3})?")


@total_ordering
@dataclass(frozen=True, slots=True)
class Rate:
    """A yearly rate in thousandths of a per cent: 17.8 % is 17,800."""

    thousandths: int

    def __post_init__(self) -> None:
        # A bool is an int to Python, and a rate of True is always a mistake.
        if type(self.thousandths) is not int or self.thousandths < 0:
            raise ValueError(f"a rate is a whole number of thousandths of a per cent: {self.thousandths!r}")

    def __lt__(self, other: "Rate") -> bool:
        return self.thousandths < other.thousandths

    def __str__(self) -> str:
        return f"{self.percent}%"

    @property
    def percent(self) -> str:
        """Write the rate as terms do, with one decimal or as many as it has: `18.0`, `14.975`."""
        whole, rest = divmod(self.thousandths, 1_000)
        decimals = f"{rest:03d}".rstrip("0") or "0"
        return f"{whole}.{decimals}"

    @property
    def a_year(self) -> Fraction:
        """Return the exact share of the principal that a year costs."""
        return Fraction(self.thousandths, 100_000)

    @classmethod
    def parse(cls, text: str) -> "Rate":
        """Read `17.8`, in per cent a year. Raises ValueError for anything else."""
        if not _PERCENT.fullmatch(text):
            raise ValueError(f"not a rate in per cent a year: {text[:20]!r}")
        whole, _, decimals = text.partition(".")
        return cls(int(whole) * 1_000 + int(decimals.ljust(3, "0")))
