"""The other papers: the report to the police, the notice to a partner bank, the notice to the public."""

from sqlalchemy import Connection

from sekisho.response.case_stages import Basis
from sekisho.response.reports import wording
from sekisho.response.reports.evidence import Evidence
from sekisho.response.reports.figures import Figures
from sekisho.response.reports.sheets import Section, Sheet, kept, without_queries

HUNTED = ("hostile_attempts", "members_tried", "addresses", "providers", "countries")
"""The figures of a hunt that the police are told, in this order."""


def police_report(connection: Connection, of: Evidence) -> Sheet:
    """Return the report of an attack to the police: what happened when, what was lost, what is kept."""
    figures, say = Figures(connection, of.campaign, of.as_of_us), of.say
    happened = _happened(of, figures)
    lost = (
        (say("damage_declared"), say.cases_and_yen(figures.damage(Basis.DECLARED))),
        (say("damage_confirmed"), say.cases_and_yen(figures.damage(Basis.CONFIRMED))),
        (say("damage_compensated"), say.cases_and_yen(figures.compensated())),
    )
    return Sheet(
        title=say("police_title"),
        subtitle=say("as_of", when=say.when(of.as_of_us)),
        mark=say("draft"),
        day=wording.today(of),
        to=say("to_office", name=of.details.police or say("police_station")),
        sender=wording.sender(of),
        opening=(say("police_opening"),),
        sections=(
            Section(
                heading=say("police_outline"),
                rows=happened,
                paragraphs=(of.details.outline,) if of.details.outline else (),
            ),
            Section(heading=say("police_lost"), rows=lost),
            Section(heading=say("police_deeds"), paragraphs=("\n".join(_deeds(of)),)),
            Section(heading=say("police_evidence"), rows=_evidence(of)),
        ),
        closing=(of.details.other,) if of.details.other else (),
        figures=kept(figures.kept, say),
        made=wording.made(of),
        language=of.language,
    )


def partner_notice(connection: Connection, of: Evidence, partner: str, name: str) -> Sheet:
    """Return the notice to a partner bank or service: what concerns it, and what we ask it to do."""
    figures, say = Figures(connection, of.campaign, of.as_of_us), of.say
    rows = tuple(
        (say(f"damage_{basis}"), say.cases_and_yen(figures.damage(basis, partner=partner)))
        for basis in (Basis.DECLARED, Basis.SUSPECTED, Basis.CONFIRMED)
    )
    recovered = figures.recovered(partner)
    if recovered["asked"].value:
        rows += tuple((say(f"partner_{name}"), say.yen(figure)) for name, figure in recovered.items())
    switched = wording.switch_lines(of) or [say("partner_unswitched")]
    desk = "\n".join((say("partner_desk"), wording.telephone(of)))
    sheet = Sheet(
        title=say("partner_title"),
        subtitle=say("as_of", when=say.when(of.as_of_us)),
        mark=say("draft"),
        day=wording.today(of),
        to=say("to_office", name=name or partner),
        sender=wording.sender(of),
        opening=(say("partner_opening"),),
        sections=(
            Section(heading=say("partner_damage"), rows=rows),
            Section(heading=say("partner_deeds"), paragraphs=("\n".join(switched),)),
            Section(heading=say("partner_wishes"), paragraphs=(say("partner_ask"), desk)),
        ),
        figures=kept(figures.kept, say),
        made=wording.made(of),
        language=of.language,
    )
    return without_queries(sheet)


def public_notice(connection: Connection, of: Evidence, version: int) -> Sheet:
    """Return the notice to the public. Its figures and their queries are kept with the version."""
    figures, say, own = Figures(connection, of.campaign, of.as_of_us), of.say, of.parts.institution
    entered, confirmed = figures.count("members"), figures.damage(Basis.CONFIRMED)
    what = say(
        "public_opening", members=say.counted(entered, "members"), cases=say.counted(confirmed[0], "cases")
    )
    switched = "\n".join(wording.switch_lines(of)) or say("public_unswitched")
    money = say("public_compensation", number=own.telephone, hours=own.desk_hours.get(of.language, ""))
    sheet = Sheet(
        title=say("public_title"),
        subtitle=say("public_version", version=str(version), when=say.when(of.as_of_us)),
        mark=say("draft"),
        day=wording.today(of),
        to=say("public_to"),
        sender=wording.sender(of),
        opening=(what,),
        sections=(
            Section(heading=say("public_concerned"), paragraphs=(say("public_each"),)),
            Section(heading=say("public_switched"), paragraphs=(switched,)),
            Section(heading=say("public_money"), paragraphs=(money,)),
            Section(heading=say("public_same_password"), paragraphs=(say("public_change_it"),)),
        ),
        figures=kept(figures.kept, say),
        made=wording.made(of),
        language=of.language,
    )
    return without_queries(sheet)


def _happened(of: Evidence, figures: Figures) -> tuple[tuple[str, str], ...]:
    say = of.say
    members = say.counted(figures.count("members"), "members")
    return (
        (say("police_kind"), say("police_list_attack")),
        (say("police_first"), say.when(of.first_entered_us)),
        (say("police_last"), say.when(of.last_entered_us)),
        (say("police_begun"), say.when(of.begun_at_us)),
        (say("police_members"), members),
        *(
            (
                say(f"police_{name}"),
                say.counted(figures.keep(round(of.hunt[name].value), of.hunt[name].query), name),
            )
            for name in HUNTED
            if name in of.hunt
        ),
    )


def _deeds(of: Evidence) -> list[str]:
    return [of.say("police_contained", when=of.say.when(of.begun_at_us)), *wording.switch_lines(of)]


def _evidence(of: Evidence) -> tuple[tuple[str, str], ...]:
    say = of.say
    kinds = ("evidence_attempts", "evidence_reveals", "evidence_ledger")
    rows = tuple((say(kind), say(f"{kind}_what")) for kind in kinds)
    return (*rows, (say("evidence_seal"), of.seal or say("evidence_unsealed")))
