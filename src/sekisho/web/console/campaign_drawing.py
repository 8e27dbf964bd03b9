"""A campaign over time as plain drawings under each other, and its sources with bars: no script, no library.

The attack, the members that it entered and the honest members have a drawing each, on the same time and each
on its own measure: one of them is as a rule hundreds of times the other.
"""

from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import NamedTuple

from sekisho.campaigns.report.plots import steps
from sekisho.campaigns.traces import Source, Sources, Trace
from sekisho.kernel.clock import DAY_US, HOUR_US, MINUTE_US

WIDTH = 1_000
TICKS = 5
KINDS = ("network", "country", "agent", "tls", "device")
_UNITS = (("day", DAY_US), ("hour", HOUR_US), ("minute", MINUTE_US))


class Area(NamedTuple):
    """What is counted under one name, as an SVG path, and its sum."""

    name: str
    path: str
    total: int


class Panel(NamedTuple):
    """One drawing: what it shows, its areas, the highest part, and the sum of all."""

    name: str
    areas: tuple[Area, ...]
    highest: int
    total: int


class Mark(NamedTuple):
    """Something that was done at a place of the drawings, from 0 on the left to `WIDTH`."""

    what: str
    at_us: int
    across: float


class Part(NamedTuple):
    """One row of the table beside the drawings: when a part begins, and its counts."""

    at_us: int
    stopped: int
    reached: int
    failed: int
    entered: int
    honest: int


class Drawn(NamedTuple):
    """A campaign as its page shows it. A part is `step` units (minute, hour or day) long."""

    panels: tuple[Panel, ...]
    marks: tuple[Mark, ...]
    ticks_us: tuple[int, ...]
    step: int
    unit: str
    parts: tuple[Part, ...]


class Bar(NamedTuple):
    """A source, and its share of the attempts of the largest one of its kind in percent."""

    source: Source
    width: float


class Kind(NamedTuple):
    """The sources of one kind as a table shows them."""

    name: str
    bars: tuple[Bar, ...]
    rest: Sources


def draw(trace: Trace, done: Iterable[tuple[str, int]]) -> Drawn:
    """Draw a campaign, with marks where something was done while the drawings last."""
    length_us = trace.step_us * len(trace.honest)
    # What was never stopped has no place in the drawing, nor in its key.
    stopped = {"stopped": trace.stopped} if any(trace.stopped) else {}
    panels = (
        _panel("tried", {"reached": trace.reached, **stopped}),
        _panel("entered", {"entered": trace.entered}),
        _panel("honest", {"honest": trace.honest}),
    )
    unit, unit_us = next(each for each in _UNITS if trace.step_us % each[1] == 0)
    return Drawn(
        panels=panels,
        marks=tuple(
            Mark(what, at_us, WIDTH * (at_us - trace.first_us) / length_us)
            for what, at_us in done
            if trace.first_us <= at_us < trace.first_us + length_us
        ),
        ticks_us=tuple(trace.first_us + length_us * tick // (TICKS - 1) for tick in range(TICKS)),
        step=trace.step_us // unit_us,
        unit=unit,
        parts=tuple(
            Part(trace.first_us + trace.step_us * number, *counts)
            for number, counts in enumerate(
                zip(trace.stopped, trace.reached, trace.failed, trace.entered, trace.honest, strict=True)
            )
        ),
    )


def source_tables(trace: Trace) -> list[Kind]:
    """Return the sources of each kind that the log tells apart."""
    return [_kind(name, trace.sources[name]) for name in KINDS if name in trace.sources]


def _panel(name: str, counts: dict[str, Sequence[int]]) -> Panel:
    """Stack areas on each other, the first one lowest."""
    stacked = list(accumulate(counts.values(), _added, initial=[0] * len(next(iter(counts.values())))))
    highest = max(stacked[-1])
    areas = [
        Area(area, steps(floor, ceiling, max(highest, 1)), sum(own))
        for (area, own), floor, ceiling in zip(counts.items(), stacked, stacked[1:], strict=False)
    ]
    return Panel(name, tuple(areas), highest, sum(stacked[-1]))


def _added(one: Sequence[int], other: Sequence[int]) -> list[int]:
    return [count + more for count, more in zip(one, other, strict=True)]


def _kind(name: str, sources: Sources) -> Kind:
    longest = max(source.attempts for source in sources.largest)
    bars = tuple(Bar(source, 100 * source.attempts / longest) for source in sources.largest)
    return Kind(name, bars, sources)
