"""What a balance costs by the day: the ledger's method.

The day of borrowing does not count and the day of repayment does (片端入れ). A day costs a 365th of
the year's rate, and a 366th where it lies in a leap year. Fractions of a yen are kept through a whole period
and dropped once, at its end, also where it crosses a New Year.
Source of the formula: https://cash-information.com/archives/188.
"""

from calendar import isleap
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from sekisho.kernel.yen import Yen
from sekisho.lender.rates import Rate

YEAR_DAYS, LEAP_YEAR_DAYS = 365, 366


@dataclass(frozen=True, slots=True, kw_only=True)
class Charges:
    """What a period cost: interest for the days up to the due date, the delay charge for those after it."""

    interest: Yen
    delay: Yen
    free_days: int
    interest_days: int
    delay_days: int


def days_between(borrowed: date, repaid: date) -> int:
    """Count the days that cost interest. Raises ValueError where the repayment comes before the borrowing."""
    if repaid < borrowed:
        raise ValueError(f"repaid on {repaid}, before {borrowed}")
    return (repaid - borrowed).days


def interest(principal: Yen, rate: Rate, borrowed: date, repaid: date) -> Yen:
    """Return the interest on a principal that stood unchanged from one day to another, in whole yen.

    Raises ValueError where the repayment comes before the borrowing, or the principal is negative.
    """
    return _dropped(_exact(principal, rate, borrowed, repaid))


def charges(  # noqa: PLR0913 - the dates of a contract, each named at the call
    principal: Yen,
    *,
    since: date,
    until: date,
    rate: Rate,
    delay_rate: Rate,
    due: date | None,
    free_until: date | None = None,
) -> Charges:
    """Return what a principal cost from the day after `since` to `until`.

    Each day costs one thing: nothing up to `free_until`, the rate up to `due`, the delay rate after it. A
    delay ends the free days. Raises ValueError where `until` comes before `since`.
    """
    end_of_interest = until if due is None else min(max(due, since), until)
    start_of_interest = min(max(since, free_until or since), end_of_interest)
    return Charges(
        interest=interest(principal, rate, start_of_interest, end_of_interest),
        delay=interest(principal, delay_rate, end_of_interest, until),
        free_days=days_between(since, start_of_interest),
        interest_days=days_between(start_of_interest, end_of_interest),
        delay_days=days_between(end_of_interest, until),
    )


def _exact(principal: Yen, rate: Rate, borrowed: date, repaid: date) -> Fraction:
    if principal < Yen(0):
        raise ValueError(f"a principal is not negative: {principal}")
    shares = (Fraction(days, divisor) for days, divisor in _years(borrowed, repaid))
    return principal.amount * rate.a_year * sum(shares, Fraction())


def _years(borrowed: date, repaid: date) -> Iterator[tuple[int, int]]:
    """Yield, for each calendar year, how many of its days count and how many it has."""
    days_between(borrowed, repaid)
    begin = borrowed
    while begin < repaid:
        first = begin + timedelta(days=1)
        end = min(repaid, date(first.year, 12, 31))
        yield days_between(begin, end), LEAP_YEAR_DAYS if isleap(first.year) else YEAR_DAYS
        begin = end


def _dropped(exact: Fraction) -> Yen:
    return Yen(exact.numerator // exact.denominator)
