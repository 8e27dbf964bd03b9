"""`sekisho bench`: what decisions, HTTP, hunt, logins, ledger, debits, links and containment cost here."""

import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import click
import msgspec

from sekisho.cli.bench_parts import report
from sekisho.cli.bench_parts.children import SEKISHO, MeasurementFailed, Ran, run_child
from sekisho.cli.bench_parts.figures import (
    Bookings,
    Containments,
    Debits,
    Hashing,
    Hunted,
    Links,
    Load,
    Logins,
    Replayed,
    Shadowed,
    Spread,
)

BOOKINGS = "sekisho.cli.bench_parts.bookings"
CONTAINMENT = "sekisho.cli.bench_parts.containment"
DEBITS = "sekisho.cli.bench_parts.debits"
DECISIONS = "sekisho.cli.bench_parts.decisions"
HASHING = "sekisho.cli.bench_parts.hashing"
HTTP_LOAD = "sekisho.cli.bench_parts.http_load"
LINKS = "sekisho.cli.bench_parts.links"
LOGINS = "sekisho.cli.bench_parts.logins"
SHADOWS = "sekisho.cli.bench_parts.shadows"
TRAFFIC = "sekisho.cli.bench_parts.traffic"
HUNT_CODES = (0, 3)  # no campaign, or campaigns found
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured."""

    decisions: int
    replay: int
    http_s: int
    hunts: tuple[int, ...]
    logins: int
    transfers: int
    links: int
    contained: int


FULL = Plan(
    decisions=400_000,
    replay=2_400_000,
    http_s=15,
    hunts=(240_000, 2_400_000, 9_600_000),
    logins=40,
    transfers=4_000,
    links=200,
    contained=2_000,
)
QUICK = Plan(
    decisions=40_000,
    replay=60_000,
    http_s=2,
    hunts=(24_000, 96_000),
    logins=4,
    transfers=400,
    links=8,
    contained=50,
)


@click.command("bench")
@click.option(
    "--quick", is_flag=True, help="A small run, to see that everything works; its figures mean little."
)
@click.option("--seed", default=1, show_default=True, help="Of the made-up traffic.")
@click.option(
    "--only",
    multiple=True,
    type=click.Choice(
        [
            "decision",
            "shadows",
            "replay",
            "http",
            "hunt",
            "argon2",
            "logins",
            "ledger",
            "debits",
            "links",
            "containment",
        ]
    ),
    help="Measure only this; may be given again.",
)
@click.option(
    "--markdown", type=click.Path(path_type=Path, dir_okay=False), help="Write the table here, too."
)
def command(*, quick: bool, seed: int, only: tuple[str, ...], markdown: Path | None) -> None:
    """Measure what decisions, replay, HTTP, hunt, logins, bookings, debits and links cost, each by itself."""
    rows: list[report.Row] = []
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        bench = _Bench(QUICK if quick else FULL, Path(folder), seed)
        for name, measurement in bench.measurements().items():
            if only and name not in only:
                continue
            click.echo(f"measuring {name} ...", err=True)
            try:
                rows += measurement()
            except MeasurementFailed as failure:
                rows.append(report.Row(name, f"not measured: {failure}"))
                failed = True
    click.echo(report.as_text(rows))
    if markdown is not None:
        markdown.write_text(report.as_markdown(rows), encoding="utf-8")
    if failed:
        sys.exit(1)


class _Bench:
    """The measurements of one plan, in a folder that holds their logs."""

    def __init__(self, plan: Plan, folder: Path, seed: int) -> None:
        self._plan = plan
        self._folder = folder
        self._seed = seed

    def measurements(self) -> dict[str, Callable[[], list[report.Row]]]:
        """Return what can be measured, in the order of the table."""
        return {
            "decision": self._decision,
            "shadows": self._shadows,
            "replay": self._replay,
            "http": self._http,
            "hunt": self._hunt,
            "argon2": self._argon2,
            "logins": self._logins,
            "ledger": self._ledger,
            "debits": self._debits,
            "links": self._links,
            "containment": self._containment,
        }

    def _decision(self) -> list[report.Row]:
        ran = _part(DECISIONS, self._log(self._plan.decisions), cores=1)
        return report.decision_rows(_said(ran, dict[str, Spread]))

    def _shadows(self) -> list[report.Row]:
        ran = _part(SHADOWS, self._log(self._plan.decisions), cores=1)
        return report.shadow_rows(_said(ran, list[Shadowed]))

    def _replay(self) -> list[report.Row]:
        out = self._folder / "decisions.parquet"
        ran = run_child([*SEKISHO, "replay", self._log(self._plan.replay), "--out", out], cores=1)
        return [report.replay_row(_said(ran, Replayed), ran.cpu_seconds, ran.peak_memory_mib)]

    def _http(self) -> list[report.Row]:
        ran = _part(HTTP_LOAD, self._log(self._plan.decisions), str(self._plan.http_s), self._folder)
        return report.http_rows(_said(ran, dict[str, Load]))

    def _hunt(self) -> list[report.Row]:
        return report.hunt_rows(list(self._hunts()))

    def _hunts(self) -> Iterator[Hunted]:
        for rows in self._plan.hunts:
            arguments = ("hunt", self._log(rows), "--out", self._folder / "hunt")
            ran = run_child((*SEKISHO, *arguments), fine=HUNT_CODES)
            yield Hunted(
                rows=rows,
                seconds=ran.seconds,
                cpu_seconds=ran.cpu_seconds,
                peak_memory_mib=ran.peak_memory_mib,
            )

    def _argon2(self) -> list[report.Row]:
        return [report.hashing_row(_said(_part(HASHING), Hashing))]

    def _logins(self) -> list[report.Row]:
        return report.login_rows(_said(_part(LOGINS, str(self._plan.logins), self._folder), Logins))

    def _ledger(self) -> list[report.Row]:
        return report.ledger_rows(_said(_part(BOOKINGS, str(self._plan.transfers), self._folder), Bookings))

    def _debits(self) -> list[report.Row]:
        return report.debit_rows(_said(_part(DEBITS, str(self._plan.transfers), self._folder), Debits))

    def _links(self) -> list[report.Row]:
        return report.link_rows(_said(_part(LINKS, str(self._plan.links), self._folder), Links))

    def _containment(self) -> list[report.Row]:
        ran = _part(CONTAINMENT, str(self._plan.contained), self._folder)
        return report.containment_rows(_said(ran, Containments))

    def _log(self, rows: int) -> Path:
        path = self._folder / f"{rows}.parquet"
        if not path.exists():
            _part(TRAFFIC, path, str(rows), str(self._seed))
        return path


def _part(module: str, *arguments: str | Path, cores: int | None = None) -> Ran:
    return run_child([sys.executable, "-m", module, *arguments], cores=cores)


def _said(ran: Ran, kind: type[Found]) -> Found:
    try:
        return msgspec.json.decode(ran.printed, type=kind)
    except msgspec.DecodeError as error:
        raise MeasurementFailed(f"{error}: {ran.printed[:200]!r}") from error
