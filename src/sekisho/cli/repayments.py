"""`sekisho repayments`: transfers that came in for loans, and what goes back of them.

Exit codes: 0 done; 1 a part is down; 2 refused or misused; 3 the money waits as nobody's, or was too much.
"""

import asyncio
import sys
from datetime import datetime

import click

from sekisho.cli.at_institution import BY, Place, at_institution, told
from sekisho.cli.loan import YenType
from sekisho.kernel.yen import Yen
from sekisho.lender.house import open_house
from sekisho.lender.incoming_desk import IncomingDesk
from sekisho.lender.incoming_payments import Incoming
from sekisho.lender.kept_payments import KeptPaymentDesk

APART = 3


@click.group("repayments")
def command() -> None:
    """Enter transfers that came in for loans, and book what went back to members."""


@command.command("kept")
@click.option("--limit", type=click.IntRange(1, 10_000), default=200, show_default=True, help="How many.")
@at_institution
def kept(place: Place, *, limit: int) -> None:
    """Print what members paid too much and have not got back: key, contract number, yen, day."""
    with place.parts() as parts, told():
        found = asyncio.run(KeptPaymentDesk(open_house(parts)).waiting(limit=limit))
    for one in found:
        click.echo(f"{one.key}\t{one.contract_number}\t{one.amount.amount}\t{one.day}")


@command.command("give-back")
@click.argument("key")
@BY
@click.option("--reason", required=True, help="How it went back: the bank's number of the transfer.")
@at_institution
def give_back(place: Place, *, key: str, by: str, reason: str) -> None:
    """Book that what is kept under KEY went back to its member, after you made the transfer."""
    with place.parts() as parts, told():
        gone = asyncio.run(KeptPaymentDesk(open_house(parts)).give_back(key, by=by, reason=reason))
    click.echo(f"{gone.key}\t{gone.amount.amount}")


@command.command("take")
@click.argument("contract_number")
@click.option("--yen", type=YenType(), required=True, help="How much came.")
@click.option("--on", "day", type=click.DateTime(["%Y-%m-%d"]), required=True, help="The day that it came.")
@click.option(
    "--key", required=True, help="The bank's own number of the transfer: the same again does nothing."
)
@BY
@at_institution
def take(  # noqa: PLR0913 - the command's options
    place: Place, *, contract_number: str, yen: Yen, day: datetime, key: str, by: str
) -> None:
    """Repay the loan under CONTRACT_NUMBER with a transfer; print what it paid, or that the money waits."""
    with place.parts() as parts, told():
        came = Incoming(key, contract_number, yen, day.date())
        event = asyncio.run(IncomingDesk(open_house(parts)).take(came, by=by))
    if event is None:
        click.echo("Kept apart: no loan under this number owes anything.", err=True)
        sys.exit(APART)
    click.echo(f"{event.contract_id}\t{event.amount_yen}\t{event.effective_on}")
