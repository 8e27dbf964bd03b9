"""`sekisho incomes`: newer incomes that members declared and no source knows, and what their documents say.

Exit codes: 0 done; 1 a part is down; 2 refused or misused.
"""

import asyncio

import click

from sekisho.cli.at_institution import BY, Place, Refused, at_institution, told
from sekisho.cli.loan import YenType
from sekisho.kernel.clock import rfc3339
from sekisho.kernel.yen import Yen
from sekisho.lender.house import open_house
from sekisho.lender.income_checks import IncomeDocument
from sekisho.lender.income_renewal_desk import IncomeReadingDesk
from sekisho.lender.income_renewals import NotTaken


@click.group("incomes")
def command() -> None:
    """See which declared incomes wait for a person, and write down what the documents say."""


@command.command("list")
@at_institution
def list_incomes(place: Place) -> None:
    """Print what waits, the longest first: id, contract number, document, since when."""
    with place.parts() as parts, told():
        found = asyncio.run(IncomeReadingDesk(open_house(parts)).waiting())
    for renewal, contract in found:
        since = rfc3339(renewal.declared_at_us)
        click.echo(f"{renewal.id}\t{contract.number}\t{renewal.paper}\t{since}")


@command.command("show")
@click.argument("renewal_id")
@BY
@at_institution
def show(place: Place, *, renewal_id: str, by: str) -> None:
    """Print what was declared; the look goes on record."""
    with place.parts() as parts, told():
        renewal, contract = asyncio.run(IncomeReadingDesk(open_house(parts)).look(renewal_id, by))
    facts = {
        "contract": contract.number,
        "state": renewal.state.value,
        "document": renewal.paper.value,
        "declared_yen": renewal.income_yen,
        "refused_for": renewal.refused_for,
    }
    for name, value in facts.items():
        click.echo(f"{name}\t{value}")


@command.command("read")
@click.argument("renewal_id")
@BY
@click.option("--yen", "income", type=YenType(), required=True, help="The income of the year that it shows.")
@click.option("--reference", required=True, help="Where the document lies.")
@at_institution
def read(place: Place, *, renewal_id: str, by: str, income: Yen, reference: str) -> None:
    """Write down what the document says; the line is looked at by it within a minute."""
    document = IncomeDocument(staff_id=by, reference=reference, income=income)
    with place.parts() as parts, told():
        try:
            renewal = asyncio.run(IncomeReadingDesk(open_house(parts)).read(renewal_id, document))
        except ValueError as wrong:
            raise Refused(str(wrong)) from wrong
    click.echo(f"{renewal.id}\t{renewal.state}")


@command.command("refuse")
@click.argument("renewal_id")
@click.argument("why", type=click.Choice([why.value for why in NotTaken]))
@BY
@at_institution
def refuse(place: Place, *, renewal_id: str, why: str, by: str) -> None:
    """Say why the document proves nothing; the member reads it on the site."""
    with place.parts() as parts, told():
        desk = IncomeReadingDesk(open_house(parts))
        renewal = asyncio.run(desk.refuse(renewal_id, NotTaken(why), by=by))
    click.echo(f"{renewal.id}\t{renewal.state}")
