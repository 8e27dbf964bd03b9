"""`sekisho range`: play attacks against a guard of one's own and read the scoreboard, without a page."""

import sys
from pathlib import Path
from socket import socket
from tempfile import TemporaryDirectory

import click
import structlog

from sekisho.cli.embedded import LOOPBACK, Stopping, new_key, open_embedded, serving
from sekisho.cli.play_screen import PlayScreen
from sekisho.kernel.chance import SystemChance
from sekisho.kernel.clock import SystemClock
from sekisho.range.play import ARGON2, LOGIN_HOST, PLAYS, SCALES, Play, Scale
from sekisho.web.server import listening_socket, run

WARNING = 30


@click.group("range")
def command() -> None:
    """Play attacks on a small invented world and see what the guard does."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(WARNING))


@command.command("list")
def list_plays() -> None:
    """Say what can be played, and how large."""
    for name, about in PLAYS.items():
        click.echo(f"{name:<14}{about}")
    click.echo()
    for name, scale in SCALES.items():
        click.echo(
            f"--scale {name:<8}{scale.members:>7,} members, {scale.tries:,} hostile attempts, "
            f"{scale.length_s} seconds"
        )


@command.command("play")
@click.argument("name", type=click.Choice(list(PLAYS)))
@click.option(
    "--scale", type=click.Choice(list(SCALES)), default="laptop", show_default=True, help="The world's size."
)
@click.option("--seed", default=1, show_default=True, help="The same seed plays the same world and attack.")
@click.option("--solves-puzzles", is_flag=True, help="Let the attacker solve puzzles like a browser.")
def play_one(*, name: str, scale: str, seed: int, solves_puzzles: bool) -> None:
    """Play an attack over HTTP against a fresh guard on a free port, and print the scoreboard."""
    del name  # there is one play so far, and click has checked its name
    run(lambda: _play(listening_socket(LOOPBACK, 0), SCALES[scale], seed, solves_puzzles=solves_puzzles))


async def _play(listener: socket, scale: Scale, seed: int, *, solves_puzzles: bool) -> None:
    clock, chance, stopping = SystemClock(), SystemChance(), Stopping()
    screen = PlayScreen(terminal=sys.stdout.isatty())
    with TemporaryDirectory(prefix="sekisho-range-") as data:
        embedded = open_embedded(Path(data), clock=clock, chance=chance, closing=lambda: bool(stopping))
        play = Play(scale, seed=seed, clock=clock, hasher=ARGON2, solves_puzzles=solves_puzzles)
        try:
            past = play.live_the_past(embedded.guard)
            click.echo(
                f"{past.attempts:,} ordinary login attempts lie behind us, {past.asked:,} asked for more."
            )
            url = f"http://{LOOPBACK}:{listener.getsockname()[1]}"
            site = play.open_house(url, new_key(embedded.keys, "range", chance))
            async with serving(embedded.application({LOGIN_HOST: site}), listener, stopping):
                board = await stopping.unless_asked(play.run(url, screen.tell))
                if board is not None:
                    screen.close(board)
        finally:
            await play.close()
            embedded.close()
