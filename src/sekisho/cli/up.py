"""`sekisho up`: the checkpoint with its live page on one port, and an attack to watch where one is wanted."""

import shutil
import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from socket import socket
from typing import NamedTuple

import click
import structlog

from sekisho.cli.bank_house import COUNTER_HOST
from sekisho.cli.embedded import (
    CONSOLE_HOST,
    GUARD_HOST,
    LOOPBACK,
    Embedded,
    Stopping,
    new_key,
    open_embedded,
    serving,
)
from sekisho.cli.guard_options import GuardOptions, guard_options
from sekisho.cli.institutions import BANK, ID, LENDER, POST_HOST, WALLET, Institutions, Machine
from sekisho.cli.play_screen import PlayScreen
from sekisho.cli.played_lender import ATM_HOST
from sekisho.cli.played_outside import CARD_HOST
from sekisho.cli.played_shop import SHOP_HOST
from sekisho.console.staff import Enrolment
from sekisho.kernel.chance import SystemChance
from sekisho.kernel.clock import SystemClock
from sekisho.kernel.posture import OperationalError, Posture
from sekisho.kernel.refusals import Refusal
from sekisho.range.login_log import LoginLog
from sekisho.range.play import ARGON2, LOGIN_HOST, SCALES, Play, Scale
from sekisho.web.proxies import ProxyTrust
from sekisho.web.server import listening_socket, run

FIRST_KEY = "first"
RANGE_KEY = "range"
LOG = "logins.ndjson"
WARNING = 30
NAMED = {"Lender": LENDER, "ID": ID, "Wallet": WALLET, "Bank": BANK}


class Demo(NamedTuple):
    """What the demo plays."""

    scale: Scale
    seed: int


@click.command("up")
@click.option("--port", default=8470, show_default=True, help="The port on this machine's loopback address.")
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("var"),
    show_default=True,
    help="Where the record, the keys and the guard's memory are kept.",
)
@click.option("--demo", "--attack", is_flag=True, help="Play a list-type attack on a small invented world.")
@click.option(
    "--scale", type=click.Choice(list(SCALES)), default="laptop", show_default=True, help="The demo's size."
)
@click.option("--seed", default=1, show_default=True, help="The demo's seed: same seed, same world.")
@guard_options
def command(  # noqa: PLR0913 - the command's options
    *, port: int, data: Path, demo: bool, scale: str, seed: int, adding: GuardOptions
) -> None:
    """Serve the guard and its live page on this machine; with --demo, watch an attack being stopped."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(WARNING))
    try:
        listener = listening_socket(LOOPBACK, port)
    except OSError as failure:
        raise click.ClickException(
            f"Port {port} cannot be used: {failure.strerror}. Choose another: sekisho up --port {port + 1}"
        ) from failure
    try:
        run(lambda: _up(listener, data, Demo(SCALES[scale], seed) if demo else None, adding))
    except Refusal as refusal:
        raise click.ClickException(refusal.told) from refusal
    except OperationalError as outage:
        raise click.ClickException(f"A part is down: {outage}") from outage
    click.echo("\nSekisho has ended; nothing is lost.")


async def _up(listener: socket, data: Path, demo: Demo | None, adding: GuardOptions) -> None:
    clock, chance, stopping = SystemClock(), SystemChance(), Stopping()
    if demo is not None:
        data = data / "demo"
        # The demo's world is invented anew each time; a real record in the folder above is not touched.
        shutil.rmtree(data, ignore_errors=True)
    async with AsyncExitStack() as ending:
        embedded = open_embedded(
            data, clock=clock, chance=chance, closing=lambda: bool(stopping), adding=adding
        )
        ending.callback(embedded.close)
        port = listener.getsockname()[1]
        # Whatever asks from this machine may be a proxy: nobody else reaches the port.
        proxies = ProxyTrust.parse([LOOPBACK])
        machine = Machine(clock, chance, adding, Posture.CLOSED, proxies)
        institutions = Institutions(data, port, machine, embedded.listener)
        ending.callback(institutions.close)
        key = new_key(embedded.keys, FIRST_KEY, chance) if not embedded.keys.all() else ""
        others = institutions.applications()
        play: Play | None = None
        if demo is not None:
            play = _prepared(demo, embedded, clock, LoginLog(data / LOG))
            range_key = new_key(embedded.keys, RANGE_KEY, chance)
            others[LOGIN_HOST] = play.open_house(f"http://{LOOPBACK}:{port}", range_key)
            # The house closes when the server has: until then somebody may stand at its door.
            ending.push_async_callback(play.close)
        application = embedded.application(others)
        async with embedded.living(), institutions.living(), serving(application, listener, stopping) as url:
            _welcome(port, data, key, institutions.first_people)
            if adding.in_the_shadow:
                click.echo(f"{adding.in_the_shadow}\n")
            if play is not None:
                await stopping.unless_asked(_played(play, url, data))
            await stopping.asked.wait()


def _prepared(demo: Demo, embedded: Embedded, clock: SystemClock, log: LoginLog) -> Play:
    click.echo(f"Inventing a lender with {demo.scale.members:,} members and three weeks of their logins ...")
    play = Play(demo.scale, seed=demo.seed, clock=clock, hasher=ARGON2, log=log)
    past = play.live_the_past(embedded.guard)
    click.echo(f"The guard has seen {past.attempts:,} ordinary login attempts.")
    return play


async def _played(play: Play, url: str, data: Path) -> None:
    screen = PlayScreen(terminal=sys.stdout.isatty())
    click.echo(f"An ordinary day begins; after {play.scale.calm_s} seconds somebody comes with a list.\n")
    screen.close(await play.run(url, screen.tell))
    click.echo("  Who was entered? The login service kept its log, and the hunt reads it:\n")
    click.echo(f"    sekisho hunt {data / LOG} --out {data / 'hunt'}\n")
    click.echo("  The page stays open, and members go on coming for a while. Ctrl-C ends Sekisho.")
    await play.go_on(url)


def _welcome(port: int, data: Path, key: str, people: Mapping[str, Enrolment]) -> None:
    click.echo("\nSekisho is up.\n")
    click.echo(f"  Live page   http://{CONSOLE_HOST}:{port}")
    for name, kind in NAMED.items():
        click.echo(f"  {name:<11} http://{kind.key}.localhost:{port}/login")
    click.echo(f"  ATM         http://{ATM_HOST}:{port}   a machine for cash")
    click.echo(f"  Shop        http://{SHOP_HOST}:{port}   a till that takes payments from wallets")
    click.echo(f"  Card        http://{CARD_HOST}:{port}   stands for a card that says who somebody is")
    click.echo(f"  Counter     http://{COUNTER_HOST}:{port}   opens accounts at the bank")
    click.echo(f"  Post        http://{POST_HOST}:{port}   what members' handsets and mailboxes get")
    click.echo(f"  Guard       http://{GUARD_HOST}:{port}/v1/attempts")
    click.echo(f"  Data        {data}")
    if people:
        click.echo(f"  Desks       http://{CONSOLE_HOST}:{port}/enrol   each code makes one passkey")
    for name, enrolment in people.items():
        click.echo(f"              {name}: {enrolment.code}")
    if key:
        click.echo(f"  API key     {key}")
        click.echo("              shown this once; what is kept is its hash")
    click.echo("\nCtrl-C ends it.\n")
