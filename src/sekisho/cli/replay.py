"""`sekisho replay`: what the guard would have decided, attempt by attempt, over past logs."""

import gc
import resource
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import msgspec
import pyarrow as pa

from sekisho.campaigns.baselines import FreemanJudge
from sekisho.campaigns.decision_files import ENDINGS, Closing, decision_file
from sekisho.campaigns.logs.faults import Faults, UnusableLog
from sekisho.campaigns.logs.formats import ReadingOptions
from sekisho.campaigns.logs.ordered import in_time_order
from sekisho.campaigns.logs.reading import stream_logs
from sekisho.campaigns.replay import Judge, decide_all
from sekisho.cli.guard_options import lists_option
from sekisho.cli.log_options import log_options, tell_faults
from sekisho.guard.address_lists import AddressLists
from sekisho.guard.guard import Guard
from sekisho.guard.policy import Policy, load_policy
from sekisho.guard.policy_faults import BadPolicy

UNUSABLE = 2
# The guard's tables depend on its key. Nothing that a replay keeps can be attacked through it, so it is
# always the same, and the same log gives the same decisions.
GUARD_KEY = b"sekisho replay: one key, one log"
_PEAK_UNITS_PER_MIB = 1024 * 1024 if sys.platform == "darwin" else 1024


def _with_known_ending(_: click.Context, __: click.Parameter, out: Path) -> Path:
    if out.suffix.lower() not in ENDINGS:
        raise click.BadParameter(f"{out.name} must end in one of {', '.join(ENDINGS)}.")
    return out


def _read_policy(_: click.Context, __: click.Parameter, path: Path | None) -> Policy | None:
    try:
        return None if path is None else load_policy(path)
    except BadPolicy as refusal:
        raise click.BadParameter(str(refusal)) from refusal


@click.command("replay")
@click.argument("logs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    callback=_with_known_ending,
    help="Where to write: a name that ends in .ndjson or .parquet.",
)
@click.option(
    "--policy",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    callback=_read_policy,
    help="A policy file to try; the default policy if not given.",
)
@click.option(
    "--baseline",
    type=click.Choice(["freeman"]),
    help="Decide by a published method instead of the guard, to compare the two on one log.",
)
@click.option(
    "--friction",
    type=click.FloatRange(0.0, 1.0, min_open=True, max_open=True),
    default=0.01,
    show_default=True,
    help="The share of successes that a baseline may challenge.",
)
@lists_option
@log_options
def command(  # noqa: PLR0913, PLR0917 - one argument an option
    logs: tuple[Path, ...],
    out: Path,
    policy: Policy | None,
    lists: AddressLists | None,
    baseline: str | None,
    friction: float,
    reading: ReadingOptions,
) -> None:
    """Run the guard over past attempts, each decided before its outcome is known to it.

    The decisions stand in time order; `row` is an attempt's place in the input.
    """
    if baseline and (policy or lists):
        raise click.UsageError("--policy and --address-list are for the guard: a baseline has none.")
    judge: Judge = (
        FreemanJudge(friction=friction) if baseline else Guard(key=GUARD_KEY, policy=policy, lists=lists)
    )
    faults = Faults()
    try:
        with _seldom_collected():
            closing = _replay(stream_logs(logs, faults, reading), out, judge, faults)
    except UnusableLog as refusal:
        tell_faults(faults)
        click.echo(str(refusal), err=True)
        sys.exit(UNUSABLE)
    except OSError as error:
        raise click.ClickException(f"{out} cannot be written: {error.strerror or error}.") from error
    tell_faults(faults)
    click.echo(msgspec.json.encode(closing).decode())


@contextmanager
def _seldom_collected() -> Iterator[None]:
    """Let the collector of cycles rest, and give it back as it was to a program that goes on.

    What a replay makes has no cycles; looking for them at every 700 objects costs a twentieth of the time.
    """
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(200_000, 50, 1_000)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def _replay(batches: Iterable[pa.RecordBatch], out: Path, judge: Judge, faults: Faults) -> Closing:
    began = time.perf_counter()
    progress = _Progress()
    with decision_file(out) as file, in_time_order(progress.reading(batches)) as attempts:
        for decisions in decide_all(attempts, judge):
            file.write(decisions)
            progress.decided(len(decisions), len(attempts), time.perf_counter() - began)
        seconds = time.perf_counter() - began
        closing = Closing(
            attempts=len(attempts),
            broken=faults.broken_count,
            seconds=round(seconds, 3),
            attempts_per_second=round(len(attempts) / seconds, 1),
            peak_memory_mib=round(peak_memory_mib(), 1),
        )
        file.close(closing)
    progress.end()
    return closing


def peak_memory_mib() -> float:
    """Return the most memory that this process ever held, in mebibytes.

    Linux's `ru_maxrss` also counts what the process held before it became this program, that is its parent's
    memory; `VmHWM` does not.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _PEAK_UNITS_PER_MIB


class _Progress:
    """One line on stderr that is written over, where a person looks at it."""

    def __init__(self) -> None:
        self._done = 0
        self._shown = sys.stderr.isatty()

    def reading(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Pass batches on, and say how many attempts they were."""
        count = 0
        for batch in batches:
            count += len(batch)
            self._write(f"reading  {count:,} attempts")
            yield batch

    def decided(self, more: int, total: int, seconds: float) -> None:
        """Say how far the replay is, and how fast since it began."""
        self._done += more
        self._write(f"{self._done / total:4.0%}  {self._done:,} attempts, {self._done / seconds:,.0f}/s")

    def end(self) -> None:
        """Leave the line."""
        if self._shown:
            click.echo(err=True)

    def _write(self, text: str) -> None:
        if self._shown:
            click.echo(f"\r{text:<60}", nl=False, err=True)
