"""When a payment is due: the 5th, 15th, 25th or last day of a month, put off while banks are closed."""

from calendar import monthrange
from collections.abc import Iterator
from datetime import date, timedelta
from enum import IntEnum
from functools import cache

import holidays

SATURDAY = 5


class DueDay(IntEnum):
    """The day of the month that a member chose; LAST is the last one, however long the month."""

    FIFTH = 5
    FIFTEENTH = 15
    TWENTY_FIFTH = 25
    LAST = 31


def is_bank_holiday(day: date) -> bool:
    """Say whether banks in Japan are closed: weekends, public holidays, and 31 December to 3 January."""
    return day.weekday() >= SATURDAY or day in _closed(day.year)


def next_business_day(day: date) -> date:
    """Return the day itself where banks are open, else the first one after it on which they are."""
    while is_bank_holiday(day):
        day += timedelta(days=1)
    return day


def due_dates(due_day: DueDay, after: date) -> Iterator[date]:
    """Yield the due dates after a day, without end, each put off to the next business day.

    A date that was put off is due on the later day, also where that is in the next month.
    """
    year, month = after.year, after.month
    # The month before may have been put off into this one.
    year, month = (year, month - 1) if month > 1 else (year - 1, 12)
    while True:
        last = monthrange(year, month)[1]
        due = next_business_day(date(year, month, min(due_day, last)))
        if due > after:
            yield due
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)  # noqa: PLR2004 - December


@cache
def _closed(year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("JP", years=year, categories=("public", "bank")))
