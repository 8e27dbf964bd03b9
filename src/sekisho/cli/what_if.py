"""`sekisho what-if`: the last days again, under the policy of now and under another one, side by side."""

import sys
from pathlib import Path

import click
import msgspec

from sekisho.campaigns.logs.faults import Faults, UnusableLog
from sekisho.campaigns.logs.formats import ReadingOptions
from sekisho.campaigns.logs.ordered import in_time_order
from sekisho.campaigns.logs.reading import stream_logs
from sekisho.campaigns.what_if import compare, since
from sekisho.cli.log_options import log_options, tell_faults
from sekisho.cli.replay import GUARD_KEY, UNUSABLE
from sekisho.guard.guard import Guard
from sekisho.guard.policy import load_policy
from sekisho.guard.policy_faults import BadPolicy

FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command("what-if")
@click.argument("logs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--policy", "tried", required=True, type=FILE, help="The policy to try.")
@click.option("--now", type=FILE, help="The policy of now; the default policy if not given.")
@click.option("--from-us", type=int, default=0, help="Leave out what came before (microseconds).")
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The JSON.")
@log_options
def command(  # noqa: PLR0913, PLR0917 - one argument an option
    logs: tuple[Path, ...],
    tried: Path,
    now: Path | None,
    from_us: int,
    out: Path,
    reading: ReadingOptions,
) -> None:
    """Compare two policies over past attempts; prints `done total` as it goes on."""
    faults = Faults()
    try:
        other = Guard(key=GUARD_KEY, policy=load_policy(tried))
        guard = Guard(key=GUARD_KEY, policy=None if now is None else load_policy(now))
        with in_time_order(since(stream_logs(logs, faults, reading), from_us)) as attempts:
            found = compare(attempts, guard, other, lambda done: click.echo(f"{done} {len(attempts)}"))
    except (BadPolicy, UnusableLog) as refusal:
        tell_faults(faults)
        click.echo(str(refusal), err=True)
        sys.exit(UNUSABLE)
    unfinished = out.with_name(f".{out.name}.unfinished")
    try:
        unfinished.write_bytes(msgspec.json.encode(found))
        unfinished.replace(out)
    except OSError as error:
        raise click.ClickException(f"{out} cannot be written: {error.strerror or error}.") from error
    click.echo(f"{found.attempts} {found.attempts}")
