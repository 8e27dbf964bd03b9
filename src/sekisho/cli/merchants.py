"""`sekisho merchants`: the shops that a wallet is taken at: register one, list them, stop one, let it go on.

Exit codes: 0 done; 1 a part is down; 2 refused or misused; 3 nothing was changed.
"""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from sekisho.cli.at_institution import BY, REASON, UNCHANGED, Place
from sekisho.cli.at_wallet import at_wallet
from sekisho.kernel.clock import rfc3339
from sekisho.linking.zengin import BankAccount
from sekisho.response.staff import Deed
from sekisho.wallet.house import open_house
from sekisho.wallet.merchant_desk import MerchantDesk
from sekisho.wallet.merchants import NewMerchant


@click.group("merchants")
@at_wallet
def command() -> None:
    """Register shops, see what each is owed, stop one and let it go on."""


@command.command("list")
@click.pass_obj
def list_merchants(place: Place) -> None:
    """Print every shop: id, state, its two names, what it is owed in yen, since when."""
    with _desk(place) as desk:
        for one, owed in asyncio.run(desk.all()):
            names = (one.name_ja, one.name_en)
            click.echo("\t".join((one.id, one.state, *names, str(owed.amount), rfc3339(one.opened_at_us))))


@command.command("register")
@click.option("--name-ja", required=True, help="Its name as members read it, 25 characters at most.")
@click.option("--name-en", required=True, help="Its name in Latin letters, as it stands in its codes.")
@click.option("--city", required=True, help="Where it is, in Latin letters, 15 at most.")
@click.option("--category", default="5999", show_default=True, help="What it sells: four digits, ISO 18245.")
@click.option("--fee-basis-points", type=int, default=200, show_default=True, help="Our fee; 100 are 1 %.")
@click.option("--holder-kana", required=True, help="The holder of its bank account, as banks write names.")
@click.option("--bank", required=True, help="The code of its bank, four digits.")
@click.option("--branch", required=True, help="The branch, three digits.")
@click.option("--kind", type=click.Choice(["1", "2"]), default="1", show_default=True, help="2 is current.")
@click.option("--number", required=True, help="The account's number, seven digits.")
@click.option("--key", required=True, help="Your own number for it: the same again registers nothing.")
@BY
@REASON
@click.pass_obj
def register(place: Place, /, key: str, by: str, reason: str, **said: str) -> None:
    """Register a shop, which takes payments from then on; print its id."""
    account = BankAccount(*(said[name] for name in ("bank", "branch", "kind", "number")))
    new = NewMerchant(
        name_ja=said["name_ja"],
        name_en=said["name_en"],
        holder_kana=said["holder_kana"],
        city=said["city"],
        account=account,
        category=said["category"],
        fee_basis_points=int(said["fee_basis_points"]),
    )
    with _desk(place) as desk:
        click.echo(asyncio.run(desk.register(key, new, Deed(by, reason))).id)


@command.command("code")
@click.argument("merchant_id")
@click.pass_obj
def code(place: Place, *, merchant_id: str) -> None:
    """Print the text of the code that hangs at a shop's till; members type the amount."""
    with _desk(place) as desk:
        click.echo(asyncio.run(desk.code(merchant_id)))


@command.command("stop")
@click.argument("merchant_id")
@BY
@REASON
@click.pass_obj
def stop(place: Place, *, merchant_id: str, by: str, reason: str) -> None:
    """Let a shop take no more payments; refunds and settlements go on."""
    with _desk(place) as desk:
        done = asyncio.run(desk.stop(merchant_id, Deed(by, reason)))
    sys.exit(0 if done else UNCHANGED)


@command.command("resume")
@click.argument("merchant_id")
@BY
@REASON
@click.pass_obj
def resume(place: Place, *, merchant_id: str, by: str, reason: str) -> None:
    """Let a shop take payments again."""
    with _desk(place) as desk:
        done = asyncio.run(desk.resume(merchant_id, Deed(by, reason)))
    sys.exit(0 if done else UNCHANGED)


@contextmanager
def _desk(place: Place) -> Iterator[MerchantDesk]:
    with place.parts() as parts:
        yield MerchantDesk(open_house(parts))
