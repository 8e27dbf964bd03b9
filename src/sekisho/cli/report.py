"""`sekisho report`: the paperwork after an attack, as PDF, out of the record, each figure with its query.

Exit codes: 0 done; 1 a part is down; 2 refused or misused.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import msgspec

from sekisho.cli.at_institution import AS_JSON, BY, Place, Refused, at_institution
from sekisho.identity import members
from sekisho.identity.institution import Parts
from sekisho.identity.personal_data import Item
from sekisho.kernel.clock import rfc3339
from sekisho.kernel.japan import in_japan
from sekisho.response import cases, containment_rows
from sekisho.response.access import access_member
from sekisho.response.reports import versions, wording
from sekisho.response.reports.breach import Kind, breach_report
from sekisho.response.reports.deadlines import deadlines
from sekisho.response.reports.evidence import Details, Evidence, gather, read_details
from sekisho.response.reports.member_letter import Addressee, contained_of, member_letter
from sekisho.response.reports.notices import partner_notice, police_report, public_notice
from sekisho.response.reports.phrases import LANGUAGES, Language, language_of
from sekisho.response.reports.sheets import Sheet, differences
from sekisho.response.reports.typesetting import typeset
from sekisho.storage.files import replace_file
from sekisho.storage.unit_of_work import Connection

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
HUNTED = Path("hunt") / "report.json"
Make = Callable[[Connection, Evidence], Sheet]


def report_options(command: Any) -> Any:  # noqa: ANN401 - whatever click makes of a function
    """Add what every report needs: what it is about, where it goes, and what only people know."""
    for option in (
        click.option("--details", type=FILE, help="What only people know, in TOML."),
        click.option("--hunt", type=FILE, help="The report.json of a hunt; that in hunt/ if not given."),
        click.option(
            "--language",
            type=click.Choice(LANGUAGES),
            help="Japanese if not given; a letter is in the language of its member.",
        ),
        click.option(
            "--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The PDF."
        ),
        click.argument("case"),
    ):
        command = option(command)
    return command


@click.group("report")
def command() -> None:
    """Write the paperwork after an attack. CASE is a case, or the campaign itself."""


@command.command("breach")
@report_options
@click.option(
    "--kind",
    type=click.Choice([kind.value for kind in Kind]),
    default=Kind.PRELIMINARY.value,
    show_default=True,
    help="The preliminary report, or the final one.",
)
@BY
@AS_JSON
@at_institution
def breach(place: Place, *, case: str, kind: str, **asked: Any) -> None:  # noqa: ANN401 - click has checked each option
    """Write the report of a breach of personal data: nine items and the deadlines."""
    which = Kind(kind)
    _write(place, f"breach_{which}", case, lambda at, of: breach_report(at, of, which), **asked)


@command.command("police")
@report_options
@BY
@AS_JSON
@at_institution
def police(place: Place, *, case: str, **asked: Any) -> None:  # noqa: ANN401 - click has checked each option
    """Write the report of an attack to the police."""
    _write(place, "police", case, police_report, **asked)


@command.command("partner")
@report_options
@click.option("--partner", default="", help="Which bank or service; that of the case if not given.")
@click.option("--name", default="", help="What it is called.")
@BY
@AS_JSON
@at_institution
def partner(place: Place, *, case: str, partner: str, name: str, **asked: Any) -> None:  # noqa: ANN401 - click has checked each option
    """Write the notice to a partner bank or service."""

    def make(connection: Connection, of: Evidence) -> Sheet:
        found = cases.find(connection, case)
        whom = partner or ("" if found is None else found.partner)
        if not whom:
            raise Refused("The case names no partner: say which with --partner.")
        return partner_notice(connection, of, whom, name)

    _write(place, f"partner_{partner}" if partner else "partner", case, make, **asked)


@command.command("public")
@report_options
@BY
@AS_JSON
@at_institution
def public(place: Place, *, case: str, **asked: Any) -> None:  # noqa: ANN401 - click has checked each option
    """Write the notice to the public, in its next version."""

    def make(connection: Connection, of: Evidence) -> Sheet:
        kind = versions.kind_in("public", of.language)
        return public_notice(connection, of, len(versions.of(connection, of.parts, kind, of.campaign)) + 1)

    _write(place, "public", case, make, **asked)


@command.command("member")
@report_options
@click.option("--reason", required=True, help="Why you have to see name and address, for the record.")
@BY
@AS_JSON
@at_institution
def member(place: Place, *, case: str, reason: str, **asked: Any) -> None:  # noqa: ANN401 - click has checked each option
    """Write the letter to the member of CASE: which of their data may have been seen."""
    with place.parts() as parts:
        to = parts.store.write(lambda at: _addressee(at, parts, case, by=asked["by"], reason=reason)).result()
        if asked["language"] is None:
            with parts.store.read() as at:
                asked["language"] = _language_of(at, case)

    def make(connection: Connection, of: Evidence) -> Sheet:
        member_id = cases.require(connection, case).member_id
        contained = contained_of(connection, of.campaign, member_id)
        if contained is None:
            raise Refused("This member's account was not shut in the campaign of the case.")
        return member_letter(connection, of, contained, to)

    _write(place, f"member_{case}", case, make, **asked)


@command.command("versions")
@click.argument("kind")
@click.argument("case")
@at_institution
def list_versions(place: Place, *, kind: str, case: str) -> None:
    """Print the versions of a report (breach_preliminary, police, public ...), and what changed in each."""
    with place.parts() as parts, parts.store.read() as connection:
        before: Sheet | None = None
        for one in versions.of(connection, parts, kind, _about(connection, case)):
            sent = "" if one.sent_at_us is None else rfc3339(one.sent_at_us)
            row = (str(one.version), rfc3339(one.made_at_us), one.made_by, sent or "not sent", one.sha256)
            click.echo("\t".join(row))
            changed = [] if before is None else differences(before, one.sheet)
            for where, was, now in changed:
                click.echo(f"\t{where}: {was!r} -> {now!r}")
            before = one.sheet


@command.command("sent")
@click.argument("kind")
@click.argument("case")
@click.argument("version", type=int)
@BY
@at_institution
def sent(place: Place, *, kind: str, case: str, version: int, by: str) -> None:
    """Keep that a version was sent, or published."""

    def work(connection: Connection, parts: Parts) -> None:
        versions.mark_sent(connection, parts, kind, _about(connection, case), version, by=by)

    with place.parts() as parts:
        parts.store.write(lambda at: work(at, parts)).result()


def _write(  # noqa: PLR0913 - what was typed
    place: Place,
    kind: str,
    case: str,
    make: Make,
    *,
    out: Path,
    hunt: Path | None,
    details: Path | None,
    language: Language | None,
    by: str,
    as_json: bool,
) -> None:
    file = hunt or place.data / HUNTED
    said = Details() if details is None else read_details(details)
    spoken = language or LANGUAGES[0]
    kind = versions.kind_in(kind, spoken)
    with place.parts() as parts:
        with parts.store.read() as connection:
            campaign = _about(connection, case)
            of = gather(
                connection,
                parts,
                campaign,
                hunt=file if file.exists() else None,
                details=said,
                language=spoken,
            )
            sheet = make(connection, of)
        made = typeset(sheet)
        version = parts.store.write(
            lambda at: versions.keep(at, parts, kind, campaign, (sheet, made.pdf), by=by)
        ).result()
        # A letter names its member: the file is for its owner alone.
        replace_file(out, made.pdf)
        due = deadlines(wording.known_on(of), is_improper=True)
        if as_json:
            told = {
                "kind": kind,
                "language": spoken,
                "about": campaign,
                "version": version.version,
                "pages": made.pages,
                "sha256": version.sha256,
                "preliminary_by": due.preliminary_by.isoformat(),
                "final_by": due.final_by.isoformat(),
                "figures": [msgspec.to_builtins(figure) for figure in sheet.figures],
            }
            click.echo(msgspec.json.encode(told).decode())
            return
        click.echo(f"{out}: version {version.version}, {made.pages} pages, of {in_japan(of.as_of_us):%F %R}")
        if kind.startswith("breach"):
            click.echo(
                f"Due: preliminary by {due.preliminary_by}, final by {due.final_by} (rule {due.rule})."
            )
        click.echo(f"Once it is sent: sekisho report sent {kind} {case} {version.version} --by ID")


def _addressee(connection: Connection, parts: Parts, case: str, *, by: str, reason: str) -> Addressee:
    member_id = cases.require(connection, case).member_id
    items = (Item.NAME, Item.HOME_ADDRESS)
    found = access_member(connection, parts, member_id, items, by=by, reason=reason)
    if set(found) != set(items):
        raise Refused("The member's name or address is not known.")
    return Addressee(found[Item.NAME], found[Item.HOME_ADDRESS])


def _language_of(connection: Connection, case: str) -> Language:
    found = members.find(connection, cases.require(connection, case).member_id)
    return language_of("" if found is None else found.language)


def _about(connection: Connection, case: str) -> str:
    """Return the campaign that a case, or what was typed in its place, is about. Raises Refused."""
    found = cases.find(connection, case)
    campaign = case if found is None else found.campaign
    if not campaign or (found is None and containment_rows.of_campaign(connection, campaign) is None):
        raise Refused(f"There is no case and no contained campaign {case!r}.")
    return campaign
