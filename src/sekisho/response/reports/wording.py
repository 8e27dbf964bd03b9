"""What the reports have in common: who sends them, times and sums as Japanese pages write them."""

from datetime import date

from sekisho.kernel.japan import in_japan
from sekisho.kernel.yen import Yen
from sekisho.messages.notices import moment
from sekisho.response.functions import EVERY, functions
from sekisho.response.reports.evidence import Evidence
from sekisho.response.reports.figures import Figure
from sekisho.response.reports.sheets import in_cases
from sekisho.response.switches import State, Switch

UNKNOWN = "調査中"
DRAFT = "下書き（社外秘）"  # noqa: RUF001 - brackets of Japanese text


def sender(of: Evidence) -> tuple[str, ...]:
    """Return who sends it, line by line."""
    own, said = of.parts.institution, of.details
    organisation = said.organisation or own.name("ja")
    lines = (organisation, said.address, said.representative, said.contact or f"電話 {own.telephone}")
    return tuple(line for line in lines if line)


def day_in_words(day: date) -> str:
    """Write a day as Japanese pages do."""
    return f"{day.year}年{day.month}月{day.day}日"


def today(of: Evidence) -> str:
    """Return the day of the report in words."""
    return day_in_words(in_japan(of.as_of_us).date())


def made(of: Evidence) -> tuple[int, int, int, int, int, int]:
    """Return when it was made, for the document's own date."""
    at = in_japan(of.as_of_us)
    return (at.year, at.month, at.day, at.hour, at.minute, at.second)


def when(at_us: int | None) -> str:
    """Write a time, or say that it is being looked into."""
    return UNKNOWN if at_us is None else moment(at_us, "ja")


def known_on(of: Evidence) -> date:
    """Return the day of knowledge: as told, else that of the containment, else today."""
    if of.details.known_on:
        return date.fromisoformat(of.details.known_on)
    return in_japan(of.begun_at_us if of.begun_at_us is not None else of.as_of_us).date()


def in_yen(figure: Figure) -> str:
    """Write a sum with its place in the appendix."""
    return f"{Yen(figure.value).in_japanese()}〔{figure.number}〕"  # noqa: RUF001 - brackets of Japanese text


def cases_and_yen(found: tuple[Figure, Figure]) -> str:
    """Write how many cases of how much."""
    return f"{in_cases(found[0], '件')}、{in_yen(found[1])}"


def switch_lines(of: Evidence) -> list[str]:
    """Return what was switched off since the first entry and why, a line each."""
    since_us = of.first_entered_us if of.first_entered_us is not None else of.as_of_us
    meant = [one for one in of.switches if one.set_at_us >= since_us]
    # What nobody approved never stopped anything.
    took_effect = [one for one in reversed(meant) if one.approved_at_us is not None or not one.is_wide]
    return [_switch_line(one, of.as_of_us) for one in took_effect]


def _switch_line(one: Switch, now_us: int) -> str:
    name = "すべてのお取引" if one.scope.function == EVERY else functions()[one.scope.function].ja
    ended = when(one.lifted_at_us) if one.lifted_at_us is not None else ""
    until = f"（{ended}まで）" if ended else "（継続中）" if one.state(now_us) is State.ON else ""  # noqa: RUF001 - brackets of Japanese text
    return f"{when(one.from_us)}から{name}を停止{until}"
