"""Until when a breach has to be reported: from the day of knowledge and the calendar, by dated rules."""

import tomllib
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import NamedTuple

import msgspec

from sekisho.response.desk_hours import is_closed_day

RULES = Path(__file__).with_name("deadlines.toml")


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"since": "from"}):
    """The rule that holds from a day (`since`, YYYY-MM-DD) on."""

    id: str
    since: str
    preliminary_days: tuple[int, int]
    final_days: int
    final_days_improper: int


class Deadlines(NamedTuple):
    """Until when both reports are due, and by which rule. `preliminary_from` is the early end of its span."""

    known_on: date
    preliminary_from: date
    preliminary_by: date
    final_by: date
    rule: str


@cache
def rules() -> tuple[Rule, ...]:
    """Return the rules, the oldest first."""
    read = tomllib.loads(RULES.read_text(encoding="utf-8"))["rule"]
    return tuple(sorted(msgspec.convert(read, list[Rule]), key=lambda one: one.since))


def deadlines(known_on: date, *, is_improper: bool) -> Deadlines:
    """Return the deadlines of a breach that was known on a day. `is_improper`: somebody meant harm."""
    held = [one for one in rules() if one.since <= known_on.isoformat()]
    rule = held[-1] if held else rules()[0]
    early, late = rule.preliminary_days
    days = rule.final_days_improper if is_improper else rule.final_days
    final = _day(known_on, days)
    while is_closed_day(final):
        final += timedelta(days=1)
    return Deadlines(known_on, _day(known_on, early), _day(known_on, late), final, rule.id)


def _day(known_on: date, number: int) -> date:
    # The day of knowledge is the first one.
    return known_on + timedelta(days=number - 1)
