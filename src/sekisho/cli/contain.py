"""`sekisho contain`: take the thief out of every account that a campaign entered, and tell each member.

Exit codes: 0 everybody who was to be shut is; 1 a part is down (run it again: it goes on where it was);
2 refused or misused; 3 somebody is proposed, and waits for a person's decision.
"""

import asyncio
import sys
from pathlib import Path

import click
import msgspec

from sekisho.cli.at_institution import AS_JSON, BY, Place, Refused, at_institution
from sekisho.cli.containments import containment_desk
from sekisho.identity.institution import Parts
from sekisho.kernel.clock import rfc3339
from sekisho.response import containment_rows
from sekisho.response.cohorts import Suspect, of_sessions, read_entered, together
from sekisho.response.containment import ContainmentDesk, ContainmentUnknown
from sekisho.response.containment_rows import Contained, Containment, Standing

EXIT_PROPOSED = 3
HUNTED = Path("hunt") / "entered.csv"


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What has become of a cohort."""

    containment: str
    campaign: str
    cohort: int
    standing: dict[str, int]


@click.command("contain")
@click.argument("campaign")
@click.option(
    "--entered",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The entered.csv of a hunt; that in the folder's hunt/ if not given.",
)
@click.option("--dry-run", is_flag=True, help="Say whom it would be, and touch nobody.")
@click.option("--approve", is_flag=True, help="Let a large cohort be shut, as a second person.")
@click.option("--member", default="", help="Decide about one member of the cohort; with the next four.")
@click.option("--shut", is_flag=True, help="Shut this member, who is proposed.")
@click.option("--leave", is_flag=True, help="Leave this member alone.")
@click.option("--undo", is_flag=True, help="Take back what was done: it was the member.")
@click.option("--proof", default="", help="How the member proved it; needed to undo.")
@click.option("--list", "as_list", is_flag=True, help="Print the cohort as a CSV.")
@BY
@AS_JSON
@at_institution
def command(  # noqa: PLR0913 - the command's options
    place: Place,
    *,
    campaign: str,
    entered: Path | None,
    dry_run: bool,
    approve: bool,
    member: str,
    shut: bool,
    leave: bool,
    undo: bool,
    proof: str,
    as_list: bool,
    by: str,
    as_json: bool,
) -> None:
    """Take the thief out of every account that CAMPAIGN entered, and tell each member.

    The cohort is who stands in the hunt's list under the campaign, and in whose sessions the guard knew it.
    Ended anywhere, run it again: it goes on where it was, and nobody is told twice.
    """
    if sum((shut, leave, undo)) != bool(member):
        raise click.UsageError("With --member goes one of --shut, --leave and --undo.")
    with place.parts() as parts:
        desk = containment_desk(parts)
        if member:
            _decide(parts, desk, campaign, member, undo=undo, shut=shut, proof=proof, by=by)
        elif dry_run:
            _print_cohort(_cohort(place, parts, campaign, entered))
            return
        else:
            cohort = _cohort(place, parts, campaign, entered)
            if not cohort and _begun(parts, campaign) is None:
                raise Refused(f"Nobody is known to have been entered by {campaign}.")
            begun = asyncio.run(desk.begin(campaign, cohort, by=by))
            if approve:
                asyncio.run(desk.approve(begun.id, by=by))
            _run(parts, desk, begun)
        _report(parts, campaign, as_list=as_list, as_json=as_json)


def _cohort(place: Place, parts: Parts, campaign: str, entered: Path | None) -> list[Suspect]:
    file = entered or place.data / HUNTED
    listed = read_entered(file, campaign) if entered or file.exists() else []
    with parts.store.read() as connection:
        return together(listed, of_sessions(connection, campaign))


def _begun(parts: Parts, campaign: str) -> Containment | None:
    with parts.store.read() as connection:
        return containment_rows.of_campaign(connection, campaign)


def _decide(  # noqa: PLR0913 - what was typed
    parts: Parts,
    desk: ContainmentDesk,
    campaign: str,
    member: str,
    *,
    undo: bool,
    shut: bool,
    proof: str,
    by: str,
) -> None:
    begun = _begun(parts, campaign)
    if begun is None:
        raise ContainmentUnknown(known=campaign)
    if undo:
        asyncio.run(desk.undo(begun.id, member, proof=proof, by=by))
        return
    asyncio.run(desk.decide(begun.id, member, contain=shut, by=by))
    asyncio.run(desk.run(begun.id))


def _run(parts: Parts, desk: ContainmentDesk, begun: Containment) -> None:
    with parts.store.read() as connection:
        waiting = containment_rows.counts(connection, [begun.id])[begun.id].get(Standing.WAITING, 0)
    with click.progressbar(length=waiting, label="Shutting accounts", file=sys.stderr) as bar:
        asyncio.run(desk.run(begun.id, progress=bar.update))


def _report(parts: Parts, campaign: str, *, as_list: bool, as_json: bool) -> None:
    with parts.store.read() as connection:
        begun = containment_rows.of_campaign(connection, campaign)
        if begun is None:
            raise ContainmentUnknown(known=campaign)
        standing = containment_rows.counts(connection, [begun.id])[begun.id]
        listed = containment_rows.members_of(connection, begun.id) if as_list else []
    if as_list:
        _print_contained(listed)
    else:
        counts = {each.value: count for each, count in sorted(standing.items())}
        report = Report(containment=begun.id, campaign=campaign, cohort=sum(counts.values()), standing=counts)
        click.echo(msgspec.json.encode(report).decode() if as_json else _in_words(report))
    if standing.get(Standing.PROPOSED) or standing.get(Standing.FAILED):
        raise SystemExit(EXIT_PROPOSED)


def _in_words(report: Report) -> str:
    parts = ", ".join(f"{count:,} {name}" for name, count in report.standing.items())
    return f"{report.containment}: {report.cohort:,} in the cohort of {report.campaign}: {parts}."


def _print_cohort(cohort: list[Suspect]) -> None:
    click.echo("member,first_entered_at,probability")
    for one in cohort:
        click.echo(f"{one.named},{rfc3339(one.entered_at_us)},{one.probability:.4f}")


def _print_contained(listed: list[Contained]) -> None:
    click.echo("member,probability,standing,told_by,case,note")
    for one in listed:
        told_by = " ".join(one.outcome.told_by)
        row = (one.named, f"{one.probability:.4f}", one.standing.value, told_by, one.case_id)
        click.echo(",".join((*row, one.outcome.note)))
