"""`sekisho what-if`: the last days again, under the policy of now and under another one, side by side."""

import sys
from pathlib import Path

import click
import msgspec

from sekisho.campaigns.known_ends import hunted
from sekisho.campaigns.logs.faults import Faults, UnusableLog
from sekisho.campaigns.logs.formats import ReadingOptions
from sekisho.campaigns.logs.ordered import in_time_order
from sekisho.campaigns.logs.reading import stream_logs
from sekisho.campaigns.what_if import Side, WhatIf, compare, since
from sekisho.cli.guard_options import lists_option, read_policy
from sekisho.cli.log_options import log_options, tell_faults
from sekisho.cli.replay import GUARD_KEY, UNUSABLE
from sekisho.guard.address_lists import AddressLists
from sekisho.guard.guard import Guard
from sekisho.guard.policy import Policy, default_policy
from sekisho.kernel.clock import DAY_US

WARM_UP_DAYS = 14
"""For so many days before the span the guards live and learn: one without a past asks nobody."""

FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command("what-if")
@click.argument("logs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--policy", "tried", required=True, type=FILE, callback=read_policy, help="The policy to try.")
@click.option(
    "--now", type=FILE, callback=read_policy, help="The policy of now; the default one if not given."
)
@click.option("--from-us", type=int, default=0, help="Count from this time on (microseconds, UTC).")
@click.option(
    "--warm-up-days",
    type=click.IntRange(0),
    default=WARM_UP_DAYS,
    show_default=True,
    help="For so many days before that, live through what happened without counting it.",
)
@click.option(
    "--hunt", type=FILE, help="The attempts.parquet of a hunt in the same logs, to know campaigns by."
)
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The JSON.")
@lists_option
@log_options
def command(  # noqa: PLR0913, PLR0917 - one argument an option
    logs: tuple[Path, ...],
    tried: Policy,
    now: Policy | None,
    from_us: int,
    warm_up_days: int,
    hunt: Path | None,
    out: Path,
    lists: AddressLists | None,
    reading: ReadingOptions,
) -> None:
    """Compare two policies over past attempts; prints `done total` as it goes on."""
    in_force = now or default_policy()
    sides = (_side(in_force, lists), _side(tried, lists))
    faults = Faults()
    try:
        hostile = None if hunt is None else hunted(hunt)
        with in_time_order(
            since(stream_logs(logs, faults, reading), from_us - warm_up_days * DAY_US)
        ) as attempts:
            found = compare(
                attempts,
                sides,
                from_us=from_us,
                hostile=hostile,
                tell=lambda done: click.echo(f"{done} {len(attempts)}"),
            )
    except UnusableLog as refusal:
        tell_faults(faults)
        click.echo(str(refusal), err=True)
        sys.exit(UNUSABLE)
    _write(found, out)
    click.echo(f"{found.lived_through + found.compared} {found.lived_through + found.compared}")


def _side(policy: Policy, lists: AddressLists | None) -> Side:
    return Side(policy.name, Guard(key=GUARD_KEY, policy=policy, lists=lists))


def _write(found: WhatIf, out: Path) -> None:
    unfinished = out.with_name(f".{out.name}.unfinished")
    try:
        unfinished.write_bytes(msgspec.json.encode(found))
        unfinished.replace(out)
    except OSError as error:
        raise click.ClickException(f"{out} cannot be written: {error.strerror or error}.") from error
