"""What the reports have in common: who sends them, of which day, and what was switched off."""

from datetime import date

from sekisho.kernel.japan import in_japan
from sekisho.response.functions import EVERY, functions
from sekisho.response.reports.evidence import Evidence
from sekisho.response.reports.phrases import Say
from sekisho.response.switches import State, Switch


def sender(of: Evidence) -> tuple[str, ...]:
    """Return who sends it, line by line."""
    own, said = of.parts.institution, of.details
    organisation = said.organisation or own.name(of.language)
    lines = (organisation, said.address, said.representative, said.contact or telephone(of))
    return tuple(line for line in lines if line)


def telephone(of: Evidence) -> str:
    """Return where the institution is called."""
    return of.say("telephone", number=of.parts.institution.telephone)


def today(of: Evidence) -> str:
    """Return the day of the report in words."""
    return of.say.day(in_japan(of.as_of_us).date())


def made(of: Evidence) -> tuple[int, int, int, int, int, int]:
    """Return when it was made, for the document's own date."""
    at = in_japan(of.as_of_us)
    return (at.year, at.month, at.day, at.hour, at.minute, at.second)


def known_on(of: Evidence) -> date:
    """Return the day of knowledge: as told, else that of the containment, else today."""
    if of.details.known_on:
        return date.fromisoformat(of.details.known_on)
    return in_japan(of.begun_at_us if of.begun_at_us is not None else of.as_of_us).date()


def switch_lines(of: Evidence) -> list[str]:
    """Return what was switched off since the first entry and why, a line each."""
    since_us = of.first_entered_us if of.first_entered_us is not None else of.as_of_us
    meant = [one for one in of.switches if one.set_at_us >= since_us]
    # What nobody approved never stopped anything.
    took_effect = [one for one in reversed(meant) if one.approved_at_us is not None or not one.is_wide]
    return [_switch_line(of.say, one, of.as_of_us) for one in took_effect]


def _switch_line(say: Say, one: Switch, now_us: int) -> str:
    scope = one.scope.function
    name = say("every_function") if scope == EVERY else functions()[scope].words(say.language)
    until = ""
    if one.lifted_at_us is not None:
        until = say("switched_until", when=say.when(one.lifted_at_us))
    elif one.state(now_us) is State.ON:
        until = say("switched_still")
    return say("switched", since=say.when(one.from_us), name=name, until=until)
