"""`sekisho mandates`: what waits for a person at the bank's links, and a person's decision on record.

Exit codes: 0 done; 1 a part is down; 2 refused or misused; 3 nothing was changed.
"""

import asyncio
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import click

from sekisho.bank import counter, deposits, file_partners, mandates
from sekisho.bank.counter import Paper
from sekisho.bank.review_desk import ReviewDesk
from sekisho.cli.at_institution import BY, REASON, UNCHANGED, Refused
from sekisho.cli.bank_options import DATA, INSTITUTION, STORE, BankPlace
from sekisho.cli.loan import YenType
from sekisho.kernel.clock import rfc3339
from sekisho.kernel.yen import Yen
from sekisho.response.staff import Deed
from sekisho.storage.unit_of_work import Connection


@click.group("mandates")
@DATA
@STORE
@INSTITUTION
@click.pass_context
def command(context: click.Context, *, data: Path, store_url: str, file: Path | None) -> None:
    """See which links the watch holds and which debits were reported, and decide; take mandates on paper."""
    context.obj = BankPlace(data, store_url, file)


@command.command("waiting")
@click.pass_obj
def waiting(place: BankPlace) -> None:
    """Print what waits: held links (id, partner, since), then reports (id, number, mandate, yen, since)."""
    with place.bank() as bank:
        desk = ReviewDesk(bank)
        for one in asyncio.run(desk.held()):
            with bank.store.read() as connection:
                since = mandates.moves_of(connection, one.id)[-1].at_us
            click.echo(f"held\t{one.id}\t{one.partner}\t{rfc3339(since)}")
        for report in asyncio.run(desk.reported()):
            facts = (report.id, report.reference, report.mandate_id, str(report.amount_yen))
            click.echo("\t".join(("reported", *facts, rfc3339(report.reported_at_us))))


@command.command("show")
@click.argument("mandate_id")
@BY
@REASON
@click.pass_obj
def show(place: BankPlace, *, mandate_id: str, by: str, reason: str) -> None:
    """Print a mandate with its moves and orders; the look goes on record."""
    with place.bank() as bank:
        review = asyncio.run(ReviewDesk(bank).review(mandate_id, by=by, reason=reason))
    one = review.mandate
    click.echo(f"{one.id}\t{one.partner}\t{one.state}\t{one.ceiling_yen}/{one.month_ceiling_yen}\t{one.way}")
    for move in review.moves:
        click.echo(f"move\t{rfc3339(move.at_us)}\t{move.before or '-'}\t{move.after}\t{move.by}\t{move.why}")
    for order in review.orders:
        facts = (rfc3339(order.booked_at_us), order.direction, str(order.amount_yen), order.why, order.id)
        click.echo("\t".join(("order", *facts)))


@command.command("stop")
@click.argument("mandate_id")
@BY
@REASON
@click.pass_obj
def stop(place: BankPlace, *, mandate_id: str, by: str, reason: str) -> None:
    """Stop a link for the bank; its depositor is told."""
    with place.bank() as bank:
        _done(ReviewDesk(bank).stop(mandate_id, by=by, reason=reason))


@command.command("release")
@click.argument("mandate_id")
@BY
@REASON
@click.pass_obj
def release(place: BankPlace, *, mandate_id: str, by: str, reason: str) -> None:
    """Lift the bank's stop and the watch's; what the depositor or the partner has stopped stays stopped."""
    with place.bank() as bank:
        _done(ReviewDesk(bank).release(mandate_id, by=by, reason=reason))


@command.command("decide")
@click.argument("report_id")
@click.argument("decision", type=click.Choice(["fraud", "own"]))
@BY
@REASON
@click.pass_obj
def decide(place: BankPlace, *, report_id: str, decision: str, by: str, reason: str) -> None:
    """Decide a report: after `fraud` the link ends, after `own` it stays stopped for its depositor."""
    with place.bank() as bank:
        was_fraud = decision == "fraud"
        _done(ReviewDesk(bank).decide(report_id, was_fraud=was_fraud, by=by, reason=reason))


@command.command("register-collector")
@click.argument("code")
@click.option("--name-kana", required=True, help="The collector's name in half-width kana.")
@BY
@REASON
@click.pass_obj
def register_collector(place: BankPlace, *, code: str, name_kana: str, by: str, reason: str) -> None:
    """Register who sends files of debits or transfers, by a CODE of ten digits."""
    with place.bank() as bank:
        deed = Deed(by, reason)
        work = bank.store.write(lambda at: counter.register_collector(at, bank, code, name_kana, deed))
        click.echo(f"registered: {work.result().code}")


@command.command("lodge")
@click.argument("account")
@click.option("--collector", required=True, help="The collector's code, ten digits.")
@click.option("--ceiling-yen", type=YenType(), default=Yen(300_000), help="The most for one debit.")
@click.option("--month-ceiling-yen", type=YenType(), default=Yen(1_000_000), help="The most in a month.")
@BY
@REASON
@click.pass_obj
def lodge(  # noqa: PLR0913 - each is an option
    place: BankPlace,
    /,
    *,
    account: str,
    collector: str,
    ceiling_yen: Yen,
    month_ceiling_yen: Yen,
    by: str,
    reason: str,
) -> None:
    """Take a mandate that a depositor signed on paper, for ACCOUNT, such as 001-1234567; print its id."""
    branch, _, number = account.partition("-")

    def work(connection: Connection) -> str:
        one = deposits.find_by_number(connection, branch, number)
        if one is None or file_partners.find(connection, collector) is None:
            raise Refused("There is no such account, or no such collector.")
        paper = Paper(one, collector, ceiling_yen, month_ceiling_yen)
        return counter.lodge(connection, bank, paper, Deed(by, reason)).id

    with place.bank() as bank:
        try:
            click.echo(bank.store.write(work).result())
        except ValueError as failure:
            raise Refused(str(failure)) from failure


def _done(deed: Coroutine[Any, Any, bool]) -> None:
    if not asyncio.run(deed):
        click.echo("Nothing was changed.", err=True)
        sys.exit(UNCHANGED)
