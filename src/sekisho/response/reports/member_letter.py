"""The letter to one member: what happened, which of their data may have been seen, and what to do."""

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection

from sekisho.identity.personal_data import Item
from sekisho.identity.purposes import item_in_words
from sekisho.identity.reveals import Form, Seen
from sekisho.response import cases, containment_rows
from sekisho.response.containment_rows import Contained, Standing
from sekisho.response.reports import wording
from sekisho.response.reports.evidence import Evidence
from sekisho.response.reports.phrases import Say
from sekisho.response.reports.sheets import Section, Sheet


class Addressee(NamedTuple):
    """To whom it goes: name and address, as they are kept."""

    name: str
    address: str


def contained_of(connection: Connection, campaign: str, member_id: str) -> Contained | None:
    """Return where a member stands in a campaign's containment, where the account was shut."""
    begun = containment_rows.of_campaign(connection, campaign)
    found = None if begun is None else containment_rows.member(connection, begun.id, member_id)
    return found if found is not None and found.standing is Standing.DONE else None


def member_letter(connection: Connection, of: Evidence, contained: Contained, to: Addressee) -> Sheet:
    """Return the letter to a member whose account was shut."""
    seen = cases.exposed(
        connection, contained.member_id, from_us=contained.entered_at_us, until_us=contained.at_us
    )
    say, own = of.say, of.parts.institution
    return Sheet(
        title=say("member_title"),
        subtitle="",
        mark="",
        day=wording.today(of),
        to=say("member_to", address=to.address, name=to.name),
        sender=wording.sender(of),
        opening=(say("member_opening"),),
        sections=(
            Section(
                heading=say("member_happened"),
                rows=(
                    (say("member_entered"), say.when(contained.entered_at_us)),
                    (say("member_stopped"), say.when(contained.at_us)),
                    (say("member_cause"), of.details.cause or say("member_own_cause")),
                ),
            ),
            Section(heading=say("member_seen"), rows=_items(say, seen)),
            Section(heading=say("member_deeds"), paragraphs=(say("member_contained"),)),
            Section(heading=say("member_wishes"), paragraphs=(say("member_log_in"), say("member_change_it"))),
        ),
        closing=(
            say("member_never_asked"),
            say("member_desk", number=own.telephone, hours=own.desk_hours.get(of.language, "")),
            say("member_case", case=contained.case_id),
        ),
        appendix=False,
        made=wording.made(of),
        language=of.language,
    )


def _items(say: Say, seen: Iterable[Seen]) -> tuple[tuple[str, str], ...]:
    forms: dict[Item, bool] = {}
    for look in seen:
        forms[look.item] = forms.get(look.item, False) or look.form is not Form.MASKED
    rows = tuple(
        (
            _headed(item_in_words(item, say.language)),
            say("member_in_full" if forms[item] else "member_masked"),
        )
        for item in Item
        if item in forms
    )
    return rows or ((say("member_shown"), say("member_nothing_shown")),)


def _headed(words: str) -> str:
    # They continue a sentence elsewhere; here they begin a row.
    return words[:1].upper() + words[1:]
