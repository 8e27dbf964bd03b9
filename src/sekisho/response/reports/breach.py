"""The report of a breach of personal data: nine items, preliminary and final, with their deadlines.

The preliminary one says what is known so far; the final one says all of it. Not legal advice: a person reads
it, completes what only people know, and sends it.
"""

from enum import StrEnum

from sqlalchemy import Connection

from sekisho.response.case_stages import Basis
from sekisho.response.reports import wording
from sekisho.response.reports.deadlines import Deadlines, deadlines
from sekisho.response.reports.evidence import Evidence
from sekisho.response.reports.figures import Figures
from sekisho.response.reports.phrases import Say
from sekisho.response.reports.sheets import Section, Sheet, kept

HUNTED = frozenset({"hostile_attempts", "members_tried", "addresses"})
"""The figures of a hunt that the outline states, all of them or none."""


class Kind(StrEnum):
    """Which of the two reports it is."""

    PRELIMINARY = "preliminary"
    """速報: promptly, what is known."""

    FINAL = "final"
    """確報: all of it."""


def breach_report(connection: Connection, of: Evidence, kind: Kind) -> Sheet:
    """Return the report of a campaign's breach."""
    figures = Figures(connection, of.campaign, of.as_of_us)
    # Whoever logs in with another one's password means no good; that is the longer span of the two.
    due = deadlines(wording.known_on(of), is_improper=True)
    say = of.say
    return Sheet(
        title=say("breach_title", kind=say(f"breach_{kind}")),
        subtitle=say("as_of", when=say.when(of.as_of_us)),
        mark=say("draft"),
        day=wording.today(of),
        to=say("to_office", name=of.details.authority or say("authority")),
        sender=wording.sender(of),
        opening=(say("breach_opening"),),
        sections=(
            _deadlines(say, due, kind),
            *_nine_items(of, figures),
        ),
        figures=kept(figures.kept, say),
        made=wording.made(of),
        language=of.language,
    )


def _deadlines(say: Say, due: Deadlines, kind: Kind) -> Section:
    span = say("breach_span", early=say.day(due.preliminary_from), late=say.day(due.preliminary_by))
    return Section(
        heading=say("breach_deadlines"),
        rows=(
            (say("breach_known_on"), say.day(due.known_on)),
            (say("breach_preliminary_by"), span),
            (say("breach_final_by"), say.day(due.final_by)),
            (say("breach_this"), say(f"breach_{kind}")),
        ),
    )


def _nine_items(of: Evidence, figures: Figures) -> tuple[Section, ...]:
    say, said = of.say, of.details
    return (
        Section(heading=say("breach_outline"), paragraphs=_outline(of, figures)),
        Section(heading=say("breach_items"), rows=_items(say, figures)),
        Section(heading=say("breach_persons"), rows=_persons(say, figures)),
        Section(heading=say("breach_cause"), paragraphs=(said.cause or _cause(of),)),
        Section(heading=say("breach_secondary"), rows=_secondary(of, figures)),
        Section(heading=say("breach_towards"), rows=_towards_persons(of, figures)),
        Section(heading=say("breach_publication"), paragraphs=(_publication(of),)),
        Section(heading=say("breach_measures"), paragraphs=_measures(of)),
        Section(heading=say("breach_other"), paragraphs=(said.other or _other(of),)),
    )


def _outline(of: Evidence, figures: Figures) -> tuple[str, ...]:
    if of.details.outline:
        return (of.details.outline,)
    say = of.say
    hunted = {
        name: say.counted(figures.keep(round(found.value), found.query), name)
        for name, found in of.hunt.items()
        if name in HUNTED
    }
    attempts = ""
    if len(hunted) == len(HUNTED):
        attempts = say(
            "breach_attempts",
            attempts=hunted["hostile_attempts"],
            tried=hunted["members_tried"],
            addresses=hunted["addresses"],
        )
    entered = say(
        "breach_entered",
        members=say.counted(figures.count("members"), "members"),
        first=say.when(of.first_entered_us),
        last=say.when(of.last_entered_us),
        begun=say.when(of.begun_at_us),
    )
    return (say("breach_attack", attempts=attempts).rstrip(), entered)


def _items(say: Say, figures: Figures) -> tuple[tuple[str, str], ...]:
    shown, masked = figures.items(masked=False), figures.items(masked=True)
    rows = [
        (say(f"item_{item}"), say(how, members=say.counted(count, "members")))
        for how, found in (("breach_shown", shown), ("breach_masked", masked))
        for item, count in found
    ]
    return tuple(rows) or ((say("breach_items_shown"), say("breach_no_items")),)


def _persons(say: Say, figures: Figures) -> tuple[tuple[str, str], ...]:
    return (
        (say("breach_persons_entered"), say.counted(figures.count("members"), "members")),
        (say("breach_persons_seen"), say.counted(figures.count("seen"), "members")),
        (say("breach_persons_undone"), say.counted(figures.count("undone"), "members")),
    )


def _cause(of: Evidence) -> str:
    return of.say("breach_own_cause") + (of.say("breach_no_leak") if of.seal else "")


def _secondary(of: Evidence, figures: Figures) -> tuple[tuple[str, str], ...]:
    say = of.say
    rows = [
        (say("damage_declared"), say.cases_and_yen(figures.damage(Basis.DECLARED))),
        (say("breach_confirmed"), say.cases_and_yen(figures.damage(Basis.CONFIRMED))),
        (say("breach_compensated"), say.cases_and_yen(figures.compensated())),
    ]
    if of.details.secondary:
        rows.append((say("breach_secondary_more"), of.details.secondary))
    return tuple(rows)


def _towards_persons(of: Evidence, figures: Figures) -> tuple[tuple[str, str], ...]:
    say = of.say
    counted = [
        (say(f"breach_{name}"), say.counted(figures.count(name), "members"))
        for name in ("contained", "queued", "told")
    ]
    return (*counted, (say("breach_desk"), wording.telephone(of)))


def _publication(of: Evidence) -> str:
    say = of.say
    if not of.published_us:
        return say("breach_unpublished")
    return say("breach_published", days=say("between").join(say.when(at_us) for at_us in of.published_us))


def _measures(of: Evidence) -> tuple[str, ...]:
    lines = wording.switch_lines(of)
    own = of.details.measures or of.say("breach_own_measures")
    switched = ("\n".join((of.say("breach_switched"), *lines)),) if lines else ()
    return (own, *switched)


def _other(of: Evidence) -> str:
    police = of.say("breach_police", police=of.details.police) if of.details.police else ""
    chain = of.say("breach_sealed", seal=of.seal[:16]) if of.seal else ""
    return f"{police}{chain}".rstrip() or of.say("breach_nothing")
