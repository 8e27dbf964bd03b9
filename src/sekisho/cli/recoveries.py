"""`sekisho recoveries`: what partners bear of what was made good: asked for, come in, given up.

Exit codes: 0 done; 1 a part is down; 2 refused or misused; 3 entered, and waiting for a second person.
"""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import NamedTuple

import click

from sekisho.cli.at_institution import BY, REASON, Place, Refused, at_institution
from sekisho.cli.loan import YenType
from sekisho.cli.losses import books_of
from sekisho.identity.institution import Parts
from sekisho.kernel.yen import Yen
from sekisho.response.partner_receipts import Came, ReceiptDesk
from sekisho.response.partner_recoveries import RecoveryDesk, Wanted
from sekisho.response.recovery_rows import Way

WAITS = 3
CAMPAIGN = click.option("--campaign", default="", help="Of which campaign; those without one if not given.")


class _Desks(NamedTuple):
    recoveries: RecoveryDesk
    receipts: ReceiptDesk
    parts: Parts


@contextmanager
def _desks(place: Place) -> Iterator[_Desks]:
    with place.parts() as parts:
        books = books_of(parts)
        if books is None:
            raise Refused("This institution keeps no money of members.")
        yield _Desks(RecoveryDesk(parts, books), ReceiptDesk(parts, books), parts)


@click.group("recoveries")
def command() -> None:
    """See what partners bear of paid claims, ask them, and enter what came; another person books it."""


@command.command("list")
@at_institution
def list_recoveries(place: Place) -> None:
    """Print by campaign and partner: claims, yen paid, asked, come, given up, open; then what waits."""
    with _desks(place) as desks:
        summed = asyncio.run(desks.recoveries.summed(as_of_us=desks.parts.clock.now_us()))
        receipts = asyncio.run(desks.receipts.newest())
    for row in summed.rows:
        click.echo("\t".join(("sum", *map(str, row))))
    for one in receipts:
        if one.waits:
            facts = (one.id, one.partner, one.way.value, one.number, str(one.yen), one.came_on)
            click.echo("\t".join(("waits", *facts, one.entered_by)))


@command.command("ask")
@click.argument("partner")
@CAMPAIGN
@click.option("--share", type=int, default=100, show_default=True, help="Of each claim, in per cent.")
@click.option("--ground", required=True, help="By which agreement the partner bears it.")
@BY
@at_institution
def ask(  # noqa: PLR0913 - each is an option
    place: Place, *, partner: str, campaign: str, share: int, ground: str, by: str
) -> None:
    """Keep that PARTNER was asked for what it was not asked for before; print claims and yen."""
    wanted = Wanted(partner, campaign, share, ground)
    with _desks(place) as desks:
        expected = asyncio.run(desks.recoveries.asking(wanted))
        asyncio.run(desks.recoveries.ask(wanted, expected, by=by))
    click.echo(f"{expected.claims}\t{expected.yen}")


@command.command("came")
@click.argument("partner")
@click.option("--number", required=True, help="The bank's own number of the transfer, or the agreement's.")
@click.option("--yen", "amount", type=YenType(), required=True, help="How much came.")
@click.option("--on", "day", type=click.DateTime(["%Y-%m-%d"]), required=True, help="On which day.")
@click.option(
    "--way",
    type=click.Choice([way.value for way in Way]),
    default=Way.TRANSFER.value,
    show_default=True,
    help="How the partner paid.",
)
@click.option("--campaign", default=None, help="For this campaign; for what was paid first if not given.")
@BY
@at_institution
def came(  # noqa: PLR0913 - each is an option
    place: Place,
    *,
    partner: str,
    number: str,
    amount: Yen,
    day: datetime,
    way: str,
    campaign: str | None,
    by: str,
) -> None:
    """Enter money of PARTNER, once by its number, and print its receipt; somebody else books it."""
    entered = Came(partner, campaign, Way(way), number, amount.amount, day.date())
    with _desks(place) as desks:
        parts = asyncio.run(desks.receipts.counts_for(entered))
        receipt = asyncio.run(desks.receipts.enter(entered, parts, by=by))
    click.echo(receipt.id)
    sys.exit(WAITS)


@command.command("book")
@click.argument("receipt_id")
@BY
@at_institution
def book(place: Place, *, receipt_id: str, by: str) -> None:
    """Book a receipt, as somebody else than who entered it; print the transfer's id."""
    with _desks(place) as desks:
        click.echo(asyncio.run(desks.receipts.book(receipt_id, by=by)).posting)


@command.command("turn-down")
@click.argument("receipt_id")
@REASON
@BY
@at_institution
def turn_down(place: Place, *, receipt_id: str, reason: str, by: str) -> None:
    """Let a receipt count for nothing that was entered wrongly."""
    with _desks(place) as desks:
        asyncio.run(desks.receipts.turn_down(receipt_id, by=by, why=reason))


@command.command("give-up")
@click.argument("partner")
@CAMPAIGN
@REASON
@BY
@at_institution
def give_up(place: Place, *, partner: str, campaign: str, reason: str, by: str) -> None:
    """Ask PARTNER no more for what is open, as somebody else than who asked; print claims and yen."""
    with _desks(place) as desks:
        expected = asyncio.run(desks.recoveries.giving_up(partner, campaign))
        asyncio.run(desks.recoveries.give_up(partner, campaign, expected, by=by, why=reason))
    click.echo(f"{expected.claims}\t{expected.yen}")
