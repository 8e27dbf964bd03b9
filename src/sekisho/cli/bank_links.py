"""`sekisho bank-links`: a person's part in the wallet's links: reviews, stops, and movements that were lost.

Exit codes: 0 done; 1 a part is down; 2 refused or misused.
"""

import asyncio

import click

from sekisho.cli.at_institution import BY, REASON, Place
from sekisho.cli.at_wallet import at_wallet
from sekisho.kernel.clock import rfc3339
from sekisho.response.staff import Deed
from sekisho.wallet.house import open_house
from sekisho.wallet.link_reviews import Decision, LinkReviewDesk
from sekisho.wallet.link_stops import LinkStopDesk, StaffStop
from sekisho.wallet.lost_moves import LostMoveDesk

FRAUD = click.option("--fraud", is_flag=True, help="Tell the bank as well: its depositor may be a victim.")


@click.group("bank-links")
@at_wallet
def command() -> None:
    """Decide links whose names differ, stop links and let them go on, decide movements that were lost."""


@command.command("waiting")
@click.pass_obj
def waiting(place: Place) -> None:
    """Print the links that wait for a person: link, bank, member. No name is shown."""
    with place.parts() as parts:
        for link in asyncio.run(LinkReviewDesk(open_house(parts)).waiting()):
            click.echo(f"{link.id}\t{link.bank}\t{link.member_id}")


@command.command("review")
@click.argument("link_id")
@click.argument("decision", type=click.Choice(["approved", "turned-down"]))
@BY
@REASON
@click.pass_obj
def review(place: Place, *, link_id: str, decision: str, by: str, reason: str) -> None:
    """Make a link active that waits, or end it; print its state."""
    decided = Decision(link_id, decision == "approved", by, reason)
    with place.parts() as parts:
        click.echo(asyncio.run(LinkReviewDesk(open_house(parts)).decide(decided)).state)


@command.command("stop")
@click.argument("link_id")
@BY
@REASON
@FRAUD
@click.pass_obj
def stop(place: Place, *, link_id: str, by: str, reason: str, fraud: bool) -> None:
    """Stop a link until somebody resumes it; its member is told. Print its state."""
    with place.parts() as parts:
        desk = LinkStopDesk(open_house(parts))
        click.echo(asyncio.run(desk.stop(StaffStop(link_id, by, reason, fraud))).state)


@command.command("resume")
@click.argument("link_id")
@BY
@REASON
@click.pass_obj
def resume(place: Place, *, link_id: str, by: str, reason: str) -> None:
    """Let a link go on, whoever had stopped it; print its state."""
    with place.parts() as parts:
        desk = LinkStopDesk(open_house(parts))
        click.echo(asyncio.run(desk.resume(link_id, by=by, reason=reason)).state)


@command.command("end")
@click.argument("link_id")
@BY
@REASON
@FRAUD
@click.pass_obj
def end(place: Place, *, link_id: str, by: str, reason: str, fraud: bool) -> None:
    """End a link for good; print its state."""
    with place.parts() as parts:
        desk = LinkStopDesk(open_house(parts))
        click.echo(asyncio.run(desk.end(StaffStop(link_id, by, reason, fraud))).state)


@command.command("lost")
@click.pass_obj
def lost(place: Place) -> None:
    """Print the movements whose end the bank never told: id, link, direction, yen, since when."""
    with place.parts() as parts:
        for move in asyncio.run(LostMoveDesk(open_house(parts)).lost()):
            facts = (move.id, move.link_id, move.direction.value, str(move.amount_yen))
            click.echo("\t".join((*facts, rfc3339(move.requested_at_us))))


@command.command("decide-lost")
@click.argument("move_id")
@click.argument("found", type=click.Choice(["moved", "not-moved"]))
@BY
@REASON
@click.pass_obj
def decide_lost(place: Place, *, move_id: str, found: str, by: str, reason: str) -> None:
    """Book what the bank says of a lost movement: that it moved the money, or not. Print its state."""
    with place.parts() as parts:
        desk = LostMoveDesk(open_house(parts))
        click.echo(asyncio.run(desk.decide(move_id, Deed(by, reason), moved=found == "moved")).state)
