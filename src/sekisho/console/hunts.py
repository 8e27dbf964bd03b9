"""Hunts from the desks: through the institution's own record, in a process of their own, one at a time.

What a hunt found lies in its folder as `sekisho hunt` writes it; the one before stays until the new one is
whole.
"""

import asyncio
import csv
import json
import shutil
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import structlog

from sekisho.campaigns.logs.times import time_us_of
from sekisho.campaigns.traces import Trace
from sekisho.console.whole_folders import put_in_place
from sekisho.response.cohorts import Suspect, read_entered

log = structlog.get_logger(__name__)

NONE_FOUND, FOUND = 0, 3
"""The exit codes of a hunt that read something."""

REPORT, CAMPAIGNS, ENTERED = "report.json", "campaigns.csv", "entered.csv"
ATTEMPTS = "attempts.parquet"
TRACES = "traces.json"

STEPS = ("reading", "ordering", "weighing", "writing")
"""How the lines begin in which a hunt says what it does, in their order."""


class Found(NamedTuple):
    """One campaign of the last hunt. Times are in microseconds, UTC."""

    id: str
    kind: str
    first_seen_us: int
    last_seen_us: int
    attempts: int
    members_tried: int
    members_entered: int
    networks: int
    addresses: int


class LastHunt(NamedTuple):
    """What the last hunt found: when it ended, its figures by name, and its campaigns, the newest first."""

    at_us: int
    figures: dict[str, float]
    campaigns: list[Found]


class Hunts:
    """Hunts in one institution's record. `command` is what hunts; the logs and `--out` are put behind it."""

    def __init__(self, history: Path, folder: Path, command: Sequence[str]) -> None:
        self._history = history
        self._folder = folder
        self._command = tuple(command)
        self._running: asyncio.Task[None] | None = None
        self.step = STEPS[0]
        """What the hunt that runs does now, one of STEPS."""
        self.trouble = ""
        """What the last hunt said that could not be done; empty where it could."""

    @property
    def is_running(self) -> bool:
        """Whether a hunt is under way."""
        return self._running is not None and not self._running.done()

    @property
    def report(self) -> Path:
        """The report.json of the last hunt; it is not there before the first."""
        return self._folder / REPORT

    @property
    def attempts(self) -> Path:
        """Each attempt that the last hunt looked at, as Parquet; it is not there before the first."""
        return self._folder / ATTEMPTS

    @property
    def stamp(self) -> int:
        """What changes with every hunt that ended; 0 before the first. Raises OSError."""
        listed = self._folder / ENTERED
        return listed.stat().st_mtime_ns if listed.exists() else 0

    def trace(self, campaign: str) -> Trace | None:
        """Return what the last hunt kept of a campaign over time and by source; None where it kept nothing.

        Raises OSError.
        """
        kept = self._folder / TRACES
        if not kept.exists():
            return None
        traces = msgspec.json.decode(kept.read_bytes(), type=dict[str, msgspec.Raw])
        return None if campaign not in traces else msgspec.json.decode(traces[campaign], type=Trace)

    def start(self) -> bool:
        """Begin a hunt and tell whether it began: while one runs there is no second."""
        if self.is_running:
            return False
        self.step = STEPS[0]
        self._running = asyncio.get_running_loop().create_task(self._hunt())
        return True

    async def finished(self) -> None:
        """Wait until the hunt that runs has ended, if one runs."""
        if self._running is not None:
            await self._running

    async def close(self) -> None:
        """End a hunt that runs."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)

    def last(self) -> LastHunt | None:
        """Return what the last hunt found; None before the first. Raises OSError."""
        report = self._folder / REPORT
        if not report.exists():
            return None
        said = json.loads(report.read_text(encoding="utf-8"))
        figures = {
            name: float(figure["value"])
            for name, figure in said.items()
            if isinstance(figure, dict) and isinstance(figure.get("value"), int | float)
        }
        with (self._folder / CAMPAIGNS).open(encoding="utf-8", newline="") as rows:
            campaigns = [_found(row) for row in csv.DictReader(rows)]
        newest = sorted(campaigns, key=lambda one: -one.last_seen_us)
        return LastHunt(report.stat().st_mtime_ns // 1_000, figures, newest)

    def entered(self, campaign: str) -> list[Suspect]:
        """Return whom the last hunt says a campaign entered. Raises CohortUnreadable and OSError."""
        listed = self._folder / ENTERED
        return read_entered(listed, campaign) if listed.exists() else []

    async def _hunt(self) -> None:
        new = self._folder.with_name(f"{self._folder.name}.new")
        shutil.rmtree(new, ignore_errors=True)
        hunting = await asyncio.create_subprocess_exec(
            *self._command,
            str(self._history),
            "--out",
            str(new),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        said = ""
        try:
            async for line in _lines(hunting.stderr):
                said = line or said
                self.step = next((step for step in STEPS if line.startswith(step)), self.step)
            await hunting.wait()
        except asyncio.CancelledError:
            hunting.kill()
            await hunting.wait()
            raise
        if hunting.returncode not in {NONE_FOUND, FOUND}:
            self.trouble = said[:200] or f"exit code {hunting.returncode}"
            log.warning("desks:hunt:failed", said=self.trouble)
            return
        self.trouble = ""
        await asyncio.to_thread(put_in_place, new, self._folder)


async def _lines(told: asyncio.StreamReader | None) -> AsyncIterator[str]:
    while told is not None and (line := await told.readline()):
        yield line.decode("utf-8", "replace").strip()


def _found(row: dict[str, str]) -> Found:
    return Found(
        id=row["campaign"],
        kind=row["kind"],
        first_seen_us=time_us_of(row["first_seen"]) or 0,
        last_seen_us=time_us_of(row["last_seen"]) or 0,
        attempts=int(row["attempts"]),
        members_tried=int(row["members_tried"]),
        members_entered=int(row["members_entered"]),
        networks=int(row["networks"]),
        addresses=int(row["addresses"]),
    )
