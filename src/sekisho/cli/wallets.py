"""`sekisho wallets`: who waits for an identity check, the decision on it, a wallet's stop and its end.

Exit codes: 0 done; 1 a part is down; 2 refused or misused; 3 nothing was changed.
"""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import click

from sekisho.cli.at_institution import BY, REASON, UNCHANGED, Place, Refused
from sekisho.cli.at_wallet import at_wallet
from sekisho.identity.identity_methods import Method
from sekisho.identity.person_checks import ManualCheck
from sekisho.kernel.clock import rfc3339
from sekisho.kernel.ids import MEMBER, MemberId
from sekisho.response.staff import Deed
from sekisho.wallet.house import open_house
from sekisho.wallet.staff_desk import WalletStaffDesk


@click.group("wallets")
@at_wallet
def command() -> None:
    """See who waits for an identity check, decide it, stop a wallet, let it go or close it."""


@command.command("waiting")
@click.pass_obj
def waiting(place: Place) -> None:
    """Print who waits: member, wallet, since when. No name is shown."""
    with _desk(place) as desk:
        for one in asyncio.run(desk.waiting()):
            click.echo(f"{one.member_id}\t{one.wallet_id}\t{rfc3339(one.at_us)}")


@command.command("claim")
@click.argument("member_id")
@BY
@REASON
@click.pass_obj
def claim(place: Place, *, member_id: str, by: str, reason: str) -> None:
    """Print who a member says to be; the look goes on record."""
    with _desk(place) as desk:
        person = asyncio.run(desk.claim(_member(member_id), Deed(by, reason))).person
    for line in (person.name, person.kana, person.birth_date, person.home_address):
        click.echo(line)


@command.command("check")
@click.argument("member_id")
@click.argument("result", type=click.Choice(["passed", "failed"]))
@click.option("--method", type=click.Choice([method.value for method in Method]), required=True, help="How.")
@click.option("--on", "day", type=click.DateTime(["%Y-%m-%d"]), required=True, help="On which day.")
@click.option("--evidence", multiple=True, required=True, help="Where the evidence lies; may be repeated.")
@click.option("--key", required=True, help="Your own number for it: the same again changes nothing.")
@BY
@click.pass_obj
def check(place: Place, /, member_id: str, result: str, **said: object) -> None:
    """Write down what was checked: how, when, with what result, by whom."""
    day = said["day"]
    manual = ManualCheck(
        method=Method(str(said["method"])),
        staff_id=str(said["by"]),
        checked_on=date.fromisoformat(str(day)[:10]),
        passed=result == "passed",
        evidence=tuple(said["evidence"]),  # type: ignore[arg-type] # click gives the texts of a repeated option
    )
    with _desk(place) as desk:
        try:
            made = asyncio.run(desk.decide(_member(member_id), str(said["key"]), manual))
        except ValueError as failure:
            raise Refused(str(failure)) from failure
    click.echo(f"{made.id}\t{'passed' if made.passed else 'failed'}\t{made.letter or '-'}")


@command.command("stop")
@click.argument("wallet_id")
@BY
@REASON
@click.pass_obj
def stop(place: Place, *, wallet_id: str, by: str, reason: str) -> None:
    """Stop a wallet: nothing moves, in or out."""
    with _desk(place) as desk:
        done = asyncio.run(desk.stop(wallet_id, Deed(by, reason)))
    sys.exit(0 if done else UNCHANGED)


@command.command("release")
@click.argument("wallet_id")
@BY
@REASON
@click.pass_obj
def release(place: Place, *, wallet_id: str, by: str, reason: str) -> None:
    """Let a stopped wallet go on."""
    with _desk(place) as desk:
        done = asyncio.run(desk.release(wallet_id, Deed(by, reason)))
    sys.exit(0 if done else UNCHANGED)


@command.command("close")
@click.argument("wallet_id")
@BY
@REASON
@click.pass_obj
def close(place: Place, *, wallet_id: str, by: str, reason: str) -> None:
    """Close an empty wallet for good, for a member who asked for it; its links end and the member is told."""
    with _desk(place) as desk:
        done = asyncio.run(desk.close(wallet_id, Deed(by, reason)))
    sys.exit(0 if done else UNCHANGED)


@contextmanager
def _desk(place: Place) -> Iterator[WalletStaffDesk]:
    with place.parts() as parts:
        yield WalletStaffDesk(open_house(parts))


def _member(text: str) -> MemberId:
    """Read a member's id. Raises Refused."""
    try:
        return MEMBER.parse(text)
    except ValueError as failure:
        raise Refused(str(failure)) from failure
