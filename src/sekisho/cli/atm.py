"""`sekisho atm`: one simulated smartphone ATM as a process of its own, against a lender."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from socket import socket
from typing import TYPE_CHECKING, NamedTuple, cast

import click
import httpx

from sekisho.kernel.chance import SystemChance
from sekisho.kernel.clock import SystemClock
from sekisho.lender.atm_network import Certificates
from sekisho.range.atm.lender_line import HttpsLenderLine
from sekisho.range.atm.machine import Machine
from sekisho.range.atm.screen import ScreenSite
from sekisho.range.atm.site import MachineSite
from sekisho.range.atm.teller import Teller
from sekisho.range.atm.vault import Jam, Vault
from sekisho.web.mutual_tls import peer_of, serving_peers
from sekisho.web.server import listening_socket, run, serve

if TYPE_CHECKING:
    from sekisho.web.asgi import App

LOOPBACK = "127.0.0.1"


class Choices(NamedTuple):
    """What the operator of one machine chose."""

    machine_id: str
    place: str
    lender_url: str
    lender_name: str
    certificates: Certificates
    data: Path
    fill_yen: int
    before_note: Callable[[int], None] | None


def _file(name: str, text: str) -> Callable[[click.decorators.FC], click.decorators.FC]:
    path = click.Path(path_type=Path, exists=True, dir_okay=False)
    return click.option(name, required=True, type=path, help=text)


@click.command("atm")
@click.option("--machine", "machine_id", default="0001", show_default=True, help="The machine's id.")
@click.option("--place", default="", help="What the label on the machine says.")
@click.option("--lender", "lender_url", required=True, help="Where the lender answers machines: https://...")
@click.option("--lender-name", required=True, help="The name in the lender's certificate.")
@_file("--authority", "The certificate of the authority that both sides trust, in PEM.")
@_file("--certificate", "The network's own certificate, in PEM.")
@_file("--key", "The key to it, in PEM.")
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("var/atm"),
    show_default=True,
    help="Where the machine keeps its journal and its cash.",
)
@click.option("--port", default=8480, show_default=True, help="The port for the lender; 0 takes a free one.")
@click.option("--screen-port", default=8481, show_default=True, help="The port of the screen.")
@click.option(
    "--fill", "fill_yen", default=1_000_000, show_default=True, help="Cash in a new machine, in yen."
)
@click.option("--jam-after", "jam_yen", type=int, help="Let the notes jam after so many yen of an order.")
@click.option("--die-after", "die_yen", type=int, help="Cut the power after so many yen of an order.")
def command(  # noqa: PLR0913 - the command's options
    *,
    machine_id: str,
    place: str,
    lender_url: str,
    lender_name: str,
    authority: Path,
    certificate: Path,
    key: Path,
    data: Path,
    port: int,
    screen_port: int,
    fill_yen: int,
    jam_yen: int | None,
    die_yen: int | None,
) -> None:
    """Run one simulated smartphone ATM: for the lender over mutual TLS, for people as a page."""
    before_note = None if jam_yen is None and die_yen is None else _fault(jam_yen, die_yen)
    choices = Choices(
        machine_id,
        place,
        lender_url,
        lender_name,
        Certificates(authority, certificate, key),
        data / machine_id,
        fill_yen,
        before_note,
    )
    try:
        doors = listening_socket(LOOPBACK, port), listening_socket(LOOPBACK, screen_port)
    except OSError as failure:
        raise click.ClickException(f"A port cannot be used: {failure.strerror}.") from failure
    try:
        run(lambda: _stand(choices, *doors))
    except OSError as failure:
        raise click.ClickException(f"A certificate cannot be used: {failure}.") from failure


async def _stand(choices: Choices, for_lender: socket, for_people: socket) -> None:
    async with AsyncExitStack() as standing:
        machine = _machine(choices)
        standing.callback(machine.close)
        context = choices.certificates.for_client()
        client = await standing.enter_async_context(httpx.AsyncClient(verify=context))
        teller = Teller(machine, HttpsLenderLine(client, choices.lender_url), SystemChance())
        site = cast("App", MachineSite(machine, choices.lender_name, peer_of))
        await standing.enter_async_context(serving_peers(site, for_lender, choices.certificates.for_server()))
        await standing.enter_async_context(_telling(teller))
        lender_port, screen_port = (door.getsockname()[1] for door in (for_lender, for_people))
        click.echo(f"  ATM {machine.machine_id}   http://{LOOPBACK}:{screen_port}")
        click.echo(f"  For the lender   https://{LOOPBACK}:{lender_port}")
        click.echo(f"  Cash in it   {machine.vault.stock_yen:,} yen\n\nCtrl-C ends it.")
        await serve(cast("App", ScreenSite(teller, choices.place)), for_people)


def _machine(choices: Choices) -> Machine:
    new = not (choices.data / "vault.ndjson").exists()
    vault = Vault(choices.data / "vault.ndjson", before_note=choices.before_note)
    if new:
        vault.fill(choices.fill_yen)
    return Machine(choices.machine_id, choices.data, vault, SystemClock())


@asynccontextmanager
async def _telling(teller: Teller) -> AsyncIterator[None]:
    telling = asyncio.ensure_future(teller.keep_telling())
    try:
        yield
    finally:
        telling.cancel()
        await asyncio.wait({telling})


def _fault(jam_yen: int | None, die_yen: int | None) -> Callable[[int], None]:
    def before_note(out_yen: int) -> None:
        if die_yen is not None and out_yen >= die_yen:
            os.kill(os.getpid(), signal.SIGKILL)
        if jam_yen is not None and out_yen >= jam_yen:
            raise Jam

    return before_note
