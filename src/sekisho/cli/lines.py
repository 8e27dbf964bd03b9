"""`sekisho lines`: which credit lines lend no more and why, and the end of one that its member asked for.

Exit codes: 0 done; 1 a part is down; 2 refused or misused; 3 nothing was changed.
"""

import asyncio
import json
import sys

import click

from sekisho.cli.at_institution import AS_JSON, BY, UNCHANGED, Place, at_institution, told
from sekisho.lender.contract_ends import ContractEndDesk
from sekisho.lender.contracts import ContractState
from sekisho.lender.house import open_house
from sekisho.lender.line_checks import NOT_CHECKED, Standing, standing


@click.group("lines")
def command() -> None:
    """See which credit lines are closed to borrowing, and why; end one for its member."""


@command.command("list")
@click.option(
    "--state",
    type=click.Choice([state.value for state in ContractState]),
    default=ContractState.CLOSED_TO_BORROWING.value,
    show_default=True,
    help="Which lines.",
)
@click.option("--limit", type=click.IntRange(1, 10_000), default=200, show_default=True, help="How many.")
@AS_JSON
@at_institution
def list_lines(place: Place, *, state: str, limit: int, as_json: bool) -> None:
    """Print lines, the ones that wait longest for a look first: number, state, last look, findings."""
    with place.parts() as parts, told():
        found = asyncio.run(parts.read(lambda at: standing(at, ContractState(state), limit)))
    if as_json:
        click.echo(json.dumps([_facts(one) for one in found], ensure_ascii=False))
        return
    for one in found:
        click.echo(f"{one.number}\t{one.state}\t{one.last_on}\t{','.join(_why(one))}")


@command.command("end")
@click.argument("number")
@BY
@click.option("--reason", required=True, help="How the member asked for it, for the record.")
@at_institution
def end_line(place: Place, *, number: str, by: str, reason: str) -> None:
    """End the contract NUMBER, under which nothing is owed, for a member who asked for it."""
    with place.parts() as parts, told():
        desk = ContractEndDesk(open_house(parts))
        ended = asyncio.run(desk.end_at_request(number, by=by, reason=reason))
    sys.exit(0 if ended else UNCHANGED)


def _why(one: Standing) -> list[str]:
    closed = one.state is ContractState.CLOSED_TO_BORROWING
    return [each.value for each in one.findings] or ([NOT_CHECKED] if closed else [])


def _facts(one: Standing) -> dict[str, object]:
    return {
        "number": one.number,
        "state": one.state.value,
        "last_on": one.last_on.isoformat(),
        "findings": _why(one),
    }
