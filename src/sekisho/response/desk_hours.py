"""When people sit at the desk, and until when something has to be taken up: hours, weekends and holidays."""

import tomllib
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path

import holidays
import msgspec

from sekisho.kernel.clock import HOUR_US
from sekisho.kernel.japan import in_japan, japanese_us

HOURS = Path(__file__).with_name("desk_hours.toml")
DAYS_SEARCHED_MAX = 60
_WORKING_DAYS = 5


class DueKind(StrEnum):
    """How much something presses."""

    MONEY_IS_LEAVING = "money_is_leaving"
    """It goes on now."""

    ACCOUNT_ENTERED = "account_entered"
    """Somebody else was in an account, which is shut."""

    DAMAGE = "damage"
    """Money was lost."""

    OTHER = "other"
    """Everything else."""


class Span(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Hours: of the clock, or of the desk."""

    clock: int = 0
    working: int = 0


class DeskHours(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"opens": "from"}):
    """The hours of one desk, and within which of them something is due."""

    opens: str
    until: str
    closed: tuple[str, ...]
    due: dict[DueKind, Span]

    def is_open(self, at_us: int) -> bool:
        """Say whether somebody sits there at a time."""
        at = in_japan(at_us)
        return self._works_on(at.date()) and self._starts(at.date()) <= at < self._ends(at.date())

    def next_opening_us(self, at_us: int) -> int:
        """Return when somebody sits there next; the time itself while the desk is open."""
        if self.is_open(at_us):
            return at_us
        at = in_japan(at_us)
        for ahead in range(DAYS_SEARCHED_MAX):
            day = at.date() + timedelta(days=ahead)
            if self._works_on(day) and self._starts(day) > at:
                return japanese_us(self._starts(day))
        raise ValueError(f"the desk is closed for {DAYS_SEARCHED_MAX} days")

    def due_us(self, kind: DueKind, from_us: int) -> int:
        """Return until when something has to be taken up that came at a time."""
        span = self.due[kind]
        if span.clock:
            return from_us + span.clock * HOUR_US
        left, at_us = span.working * HOUR_US, self.next_opening_us(from_us)
        while True:
            end_us = japanese_us(self._ends(in_japan(at_us).date()))
            if at_us + left <= end_us:
                return at_us + left
            left -= end_us - at_us
            at_us = self.next_opening_us(end_us)

    def _works_on(self, day: date) -> bool:
        return (
            day.weekday() < _WORKING_DAYS
            and day.isoformat() not in self.closed
            and day not in _holidays(day.year)
        )

    def _starts(self, day: date) -> datetime:
        return in_japan(japanese_us(datetime.combine(day, time.fromisoformat(self.opens))))

    def _ends(self, day: date) -> datetime:
        return in_japan(japanese_us(datetime.combine(day, time.fromisoformat(self.until))))


@cache
def desk_hours() -> DeskHours:
    """Return the hours that the file says."""
    return msgspec.convert(tomllib.loads(HOURS.read_text(encoding="utf-8")), DeskHours)


def is_closed_day(day: date) -> bool:
    """Say whether offices in Japan are closed: weekend, national holiday, or turn of the year."""
    return day.weekday() >= _WORKING_DAYS or day in _holidays(day.year)


@cache
def _holidays(year: int) -> frozenset[date]:
    found = holidays.country_holidays("JP", years=year, categories=("public", "bank"))
    return frozenset(found)
