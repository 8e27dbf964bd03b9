"""The policies that run at an institution: what each says, and side by side what each said."""

import asyncio
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple, Protocol

import polars as pl
import pyarrow as pa

from sekisho.campaigns.side_by_side import SideBySide, compare_in_record
from sekisho.console.hunts import Hunts
from sekisho.guard.guard import AsksFrom
from sekisho.guard.policy import Policy
from sekisho.kernel.clock import DAY_US, HOUR_US, MINUTE_US, Clock
from sekisho.kernel.posture import OperationalError
from sekisho.storage.history.parquet import HistoryFolder

KEPT_US = MINUTE_US
"""For how long a look at the record is shown again: the record itself lags by as much."""


class Span(StrEnum):
    """How far back the record is looked at."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"

    @property
    def length_us(self) -> int:
        """How long it is, in microseconds."""
        return {Span.HOUR: HOUR_US, Span.DAY: DAY_US, Span.WEEK: 7 * DAY_US}[self]


class RunsPolicies(Protocol):
    """What a guard shows of its policies: `sekisho.guard.guard.Guard`."""

    policy: Policy
    shadows: tuple[Policy, ...]

    def asks_from(self, gate: str) -> tuple[AsksFrom, ...]:
        """Return from which probability each policy asks now."""
        ...


class _Look(NamedTuple):
    """A look at the record: as it was then, when that was, and what was seen."""

    record: tuple[str, str, int]
    at_us: int
    seen: SideBySide


class PolicyDesk:
    """Shows the policies of one institution's guard. `history` is the folder of its sealed record."""

    def __init__(self, guard: RunsPolicies, history: Path, hunts: Hunts, clock: Clock) -> None:
        self._guard = guard
        self._history = history
        self._hunts = hunts
        self._clock = clock
        self._looking = asyncio.Lock()
        self._kept: dict[Span, _Look] = {}

    @property
    def policies(self) -> tuple[Policy, ...]:
        """The policies that run, the one in force first."""
        return (self._guard.policy, *self._guard.shadows)

    def asks_from(self, gate: str) -> tuple[AsksFrom, ...]:
        """Return from which probability each policy asks now; empty before the gate's first attempt."""
        return self._guard.asks_from(gate)

    async def compare(self, span: Span) -> SideBySide:
        """Return what each policy said of the last hour, day or week. Raises OperationalError.

        One look at a time, and none anew within a minute unless the record went on.
        """
        async with self._looking:
            now_us, record = self._clock.now_us(), await asyncio.to_thread(self._state_of_record)
            kept = self._kept.get(span)
            if kept is None or kept.record != record or now_us - kept.at_us >= KEPT_US:
                kept = _Look(record, now_us, await asyncio.to_thread(self._look, now_us - span.length_us))
                self._kept[span] = kept
            return kept.seen

    def _look(self, from_us: int) -> SideBySide:
        try:
            return compare_in_record(self._history, self._hunts.attempts, self.policies, from_us)
        except (OSError, pa.ArrowException, pl.exceptions.PolarsError) as damage:
            raise OperationalError("history", str(damage).splitlines()[0][:200]) from damage

    def _state_of_record(self) -> tuple[str, str, int]:
        history, hunt = HistoryFolder(self._history), self._hunts.attempts
        hunted_ns = hunt.stat().st_mtime_ns if hunt.exists() else 0
        return history.newest_file("attempts"), history.newest_file("outcomes"), hunted_ns
