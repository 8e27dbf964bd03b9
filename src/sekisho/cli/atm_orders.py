"""`sekisho atm-orders`: orders at machines that nobody could book, and what a person found out.

Exit codes: 0 done; 1 a part is down; 2 refused or misused.
"""

import asyncio

import click

from sekisho.cli.at_institution import BY, Place, Refused, at_institution, told
from sekisho.kernel.clock import rfc3339
from sekisho.kernel.yen import Yen
from sekisho.lender.atm_disputes import Decision, DisputeDesk
from sekisho.lender.house import open_house

REASON = click.option("--reason", required=True, help="What was found out, for the record.")


@click.group("atm-orders")
def command() -> None:
    """See which orders at machines wait for a person, and say what was moved."""


@command.command("list")
@at_institution
def list_orders(place: Place) -> None:
    """Print what does not agree: order, machine, what kind, our yen, theirs, and since when."""
    with place.parts() as parts, told():
        findings = asyncio.run(DisputeDesk(open_house(parts)).findings())
    for one in findings:
        ours, theirs = ("" if yen is None else str(yen) for yen in (one.ours_yen, one.theirs_yen))
        since = rfc3339(one.found_at_us)
        click.echo(f"{one.order_id}\t{one.machine_id}\t{one.kind}\t{ours}\t{theirs}\t{since}")


@command.command("decide")
@click.argument("order_id")
@BY
@click.option("--moved", type=click.IntRange(min=0), required=True, help="What was really moved, in yen.")
@REASON
@at_institution
def decide(place: Place, *, order_id: str, by: str, moved: int, reason: str) -> None:
    """Book what was moved under a disputed order: 0 frees what was kept apart."""
    with place.parts() as parts, told():
        desk = DisputeDesk(open_house(parts))
        try:
            order = asyncio.run(desk.decide(order_id, Decision(by, Yen(moved), reason)))
        except ValueError as wrong:
            raise Refused(str(wrong)) from wrong
    click.echo(f"{order.id}\t{order.state}\t{order.moved_yen}")


@command.command("close")
@click.argument("order_id")
@BY
@REASON
@at_institution
def close(place: Place, *, order_id: str, by: str, reason: str) -> None:
    """Close what was found about an order that needs no booking here, settled with the network."""
    with place.parts() as parts, told():
        try:
            closed = asyncio.run(DisputeDesk(open_house(parts)).close(order_id, by, reason))
        except ValueError as wrong:
            raise Refused(str(wrong)) from wrong
    click.echo(f"{order_id}\tclosed\t{closed}")
