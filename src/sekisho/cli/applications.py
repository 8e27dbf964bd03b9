"""`sekisho applications`: what waits for a person at the lender, and a person's decision on record.

Exit codes: 0 done; 1 a part is down; 2 refused or misused.
"""

import asyncio
import json
from datetime import datetime
from typing import Any, NoReturn

import click

from sekisho.cli.at_institution import AS_JSON, BY, Place, Refused, at_institution, told
from sekisho.cli.loan import YenType
from sekisho.identity.identity_methods import Method
from sekisho.identity.person_checks import ManualCheck, NobodyTrusted
from sekisho.kernel.clock import rfc3339
from sekisho.kernel.posture import Posture
from sekisho.kernel.yen import Yen
from sekisho.lender.applications import State
from sekisho.lender.credit_bureau import BureauAnswer
from sekisho.lender.house import open_house
from sekisho.lender.identity_checks import IdentityDesk
from sekisho.lender.rates import Rate
from sekisho.lender.reviews import Decision, ReviewDesk, Sight

REASON = click.option("--reason", required=True, help="Why, for the record; the applicant does not see it.")
WAITING = (State.SUBMITTED, State.A_PERSON_DECIDES)


@click.group("applications")
def command() -> None:
    """See which applications for a line wait for a person, and decide them."""


@command.command("list")
@click.option(
    "--state",
    type=click.Choice([state.value for state in State]),
    help="Only these; what waits for a person if not given.",
)
@at_institution
def list_applications(place: Place, *, state: str | None) -> None:
    """Print the applications that wait, the longest first: id, state, since when, and the line wanted."""
    states = WAITING if state is None else (State(state),)
    with place.parts() as parts, told():
        desk = ReviewDesk(open_house(parts))
        found = [each for one in states for each in asyncio.run(desk.in_state(one))]
    for application in found:
        since, wanted = rfc3339(application.changed_at_us), application.said.wanted_yen
        click.echo(f"{application.id}\t{application.state}\t{since}\t{wanted}")


@command.command("show")
@click.argument("application_id")
@BY
@AS_JSON
@at_institution
def show(place: Place, *, application_id: str, by: str, as_json: bool) -> None:
    """Print what a decision stands on, without name and address; the look goes on record."""
    with place.parts() as parts, told():
        desk = ReviewDesk(open_house(parts))
        facts = _facts(asyncio.run(desk.look(application_id, by)))
    if as_json:
        click.echo(json.dumps(facts, ensure_ascii=False))
        return
    for name, value in facts.items():
        click.echo(
            f"{name}\t{value if isinstance(value, str | int) else json.dumps(value, ensure_ascii=False)}"
        )


@command.command("approve")
@click.argument("application_id")
@BY
@REASON
@click.option("--limit", type=YenType(), default=None, help="A smaller line than screening found.")
@at_institution
def approve(place: Place, *, application_id: str, by: str, reason: str, limit: Yen | None) -> None:
    """Offer the line that screening found, or a smaller one."""
    _decide(place, application_id, Decision(staff_id=by, granted=True, reason=reason, limit=limit))


@command.command("refuse")
@click.argument("application_id")
@BY
@REASON
@at_institution
def refuse(place: Place, *, application_id: str, by: str, reason: str) -> None:
    """Refuse an application; the applicant is told that a person decided, and whom to call."""
    _decide(place, application_id, Decision(staff_id=by, granted=False, reason=reason))


@command.command("check")
@click.argument("application_id")
@BY
@click.option(
    "--method",
    type=click.Choice([method.value for method in Method if method is not Method.JPKI]),
    required=True,
    help="The lawful way in which it was established who applies.",
)
@click.option("--on", "checked_on", type=click.DateTime(["%Y-%m-%d"]), required=True, help="The day of it.")
@click.option("--evidence", multiple=True, required=True, help="Where it lies; may be given more often.")
@click.option("--passed/--failed", required=True, help="What came of it.")
@click.option("--key", required=True, help="Makes it one check, however often it is sent.")
@at_institution
def check(  # noqa: PLR0913 - the command's options
    place: Place,
    *,
    application_id: str,
    by: str,
    method: str,
    checked_on: datetime,
    evidence: tuple[str, ...],
    passed: bool,
    key: str,
) -> None:
    """Write down that staff established who applies, or could not."""
    manual = ManualCheck(
        method=Method(method),
        staff_id=by,
        checked_on=checked_on.date(),
        passed=passed,
        evidence=evidence,
    )
    with place.parts() as parts, told():
        # Certificates are verified where the pages are; here nobody has to be trusted for that.
        desk = IdentityDesk(open_house(parts), NobodyTrusted(), on_outage=Posture.CLOSED)
        try:
            recorded = asyncio.run(desk.record(application_id, key, manual))
        except ValueError as wrong:
            _misused(wrong)
    click.echo(f"{recorded.id}\t{'passed' if recorded.passed else 'failed'}")


def _decide(place: Place, application_id: str, decision: Decision) -> None:
    with place.parts() as parts, told():
        try:
            decided = asyncio.run(ReviewDesk(open_house(parts)).decide(application_id, decision))
        except ValueError as wrong:
            _misused(wrong)
    click.echo(f"{decided.id}\t{decided.state}\t{decided.limit_yen}")


def _facts(sight: Sight) -> dict[str, Any]:
    application, said, found = sight.application, sight.application.said, sight.application.found
    return {
        "id": application.id,
        "state": application.state.value,
        "submitted_at": "" if application.submitted_at_us is None else rfc3339(application.submitted_at_us),
        "wanted_yen": said.wanted_yen,
        "income_yen": said.income_yen,
        "employed_months": said.employed_months,
        "owed_to_lenders_yen": said.owed_to_lenders_yen,
        "limit_yen": application.limit_yen,
        "rate_percent": Rate(application.rate).percent,
        "verdict": "" if found is None else found.verdict,
        "findings": [] if found is None else list(found.findings),
        "income_proven": found is not None and found.income_proven,
        "bureau": {} if sight.bureau is None else _said_by_bureau(sight.bureau),
        "checks": [
            {"method": one.method.value, "passed": one.passed, "by": one.staff_id, "faults": list(one.faults)}
            for one in sight.checks
        ],
        "decided_by": "" if sight.review is None else sight.review.staff_id,
    }


def _said_by_bureau(said: BureauAnswer) -> dict[str, str | int | bool]:
    """Return what the bureau said, without what would name the person."""
    return {
        "asked_on": said.asked_on.isoformat(),
        "owed_yen": said.owed_yen,
        "lenders": said.lenders,
        "delayed": said.delayed,
        "written_off": said.written_off,
        "applications_last_month": said.applications_last_month,
    }


def _misused(wrong: ValueError) -> NoReturn:
    raise Refused(str(wrong)) from wrong
