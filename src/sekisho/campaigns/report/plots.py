"""The page's plots as plain numbers and SVG paths, made on the server: no script, no library."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from sekisho.campaigns.cohorts import LIKELY, Campaign

BINS = 144
HEIGHT = 100.0
SOURCES_SHOWN = 10
LANES_MAX = 6
TRIES_EDGES = (1, 2, 3, 6, 11, 31, 101)
TICKS = 5


@dataclass(frozen=True, slots=True)
class Timeline:
    """Attempts over time: one path for the hostile ones, one for the honest ones on top of them."""

    first_us: int
    last_us: int
    hostile: str
    honest: str
    highest: int
    ticks_us: list[int]


@dataclass(frozen=True, slots=True)
class Span:
    """A campaign above the timeline, in percent of its width."""

    campaign: str
    kind: str
    left: float
    width: float
    lane: int


@dataclass(frozen=True, slots=True)
class Bar:
    """One row of a bar chart. Widths are in percent of the longest."""

    label: str
    hostile: int
    others: int
    hostile_width: float
    others_width: float


def timeline(attempts: pl.DataFrame) -> Timeline:
    """Count hostile and honest attempts in `BINS` equal parts of the log's time."""
    first, last = _limits(attempts["time_us"])
    width = max((last - first) / BINS, 1.0)
    place = ((pl.col("time_us").clip(first, last) - first) / width).floor().clip(0, BINS - 1).cast(pl.Int64)
    counted = attempts.group_by(place.alias("bin")).agg(pl.len().alias("all"), pl.col("probability").sum())
    hostile, honest = [0.0] * BINS, [0.0] * BINS
    for row in counted.iter_rows(named=True):
        hostile[row["bin"]] = row["probability"]
        honest[row["bin"]] = row["all"] - row["probability"]
    highest = max(bad + good for bad, good in zip(hostile, honest, strict=True)) or 1.0
    ticks = [first + (last - first) * tick // (TICKS - 1) for tick in range(TICKS)]
    return Timeline(
        first_us=first,
        last_us=last,
        hostile=steps([0.0] * BINS, hostile, highest),
        honest=steps(hostile, [bad + good for bad, good in zip(hostile, honest, strict=True)], highest),
        highest=round(highest),
        ticks_us=ticks,
    )


def spans(campaigns: list[Campaign], over: Timeline) -> list[Span]:
    """Lay the campaigns out in lanes that do not overlap; what finds no lane is left to the table."""
    length = max(over.last_us - over.first_us, 1)
    free_from = [0.0] * LANES_MAX
    found = []
    for one in sorted(campaigns, key=lambda campaign: campaign.first_seen_us):
        left = 100 * max(one.first_seen_us - over.first_us, 0) / length
        width = max(100 * (one.last_seen_us - one.first_seen_us) / length, 0.8)
        width = min(width, 100 - min(left, 99.2))
        for lane, start in enumerate(free_from):
            if left >= start:
                found.append(Span(str(one.campaign), str(one.kind), min(left, 99.2), width, lane))
                free_from[lane] = left + width + 0.5
                break
    return found


def sources(attempts: pl.DataFrame) -> list[Bar]:
    """Return the providers (where the log has none: the network ranges) with the most hostile attempts."""
    if bool((attempts["asn"] > 0).any()):
        provider = pl.when(pl.col("asn") > 0).then(pl.format("AS{}", "asn")).otherwise(pl.lit("—"))
        label = pl.concat_str(provider, pl.col("country").cast(pl.String), separator=" ")
    else:
        label = pl.col("ip").str.replace(r"^(\d+\.\d+)\.\d+\.\d+$", "$1.0.0/16")
    counted = (
        attempts.lazy()
        .with_columns(label=label)
        .group_by("label")
        .agg(pl.col("probability").sum().alias("hostile"), pl.len().alias("all"))
        .filter(pl.col("hostile") >= LIKELY)
        .sort(["hostile", "label"], descending=[True, False])
        .head(SOURCES_SHOWN)
        .collect()
    )
    rows = [
        (row["label"].strip(), round(row["hostile"]), round(row["all"] - row["hostile"]))
        for row in counted.iter_rows(named=True)
    ]
    return _bars(rows)


def tries_per_address(attempts: pl.DataFrame) -> list[Bar]:
    """Return how many addresses made how many hostile attempts each."""
    counts = attempts.filter(pl.col("probability") >= LIKELY).group_by("ip").len()["len"].to_list()
    rows = []
    for place, low in enumerate(TRIES_EDGES):
        high = TRIES_EDGES[place + 1] - 1 if place + 1 < len(TRIES_EDGES) else None
        label = f"{low}+" if high is None else str(low) if high == low else f"{low}-{high}"
        rows.append((label, sum(count >= low and (high is None or count <= high) for count in counts), 0))
    return _bars(rows)


def entered_over_time(times_us: list[int], over: Timeline) -> str:
    """Return a step path of how many members had been entered by when; empty where none were."""
    if not times_us:
        return ""
    length = max(over.last_us - over.first_us, 1)
    ordered = sorted(times_us)
    path = [f"M0 {HEIGHT:.1f}"]
    for count, time_us in enumerate(ordered, start=1):
        across = min(max(1000 * (time_us - over.first_us) / length, 0.0), 1000.0)
        path.append(f"H{across:.1f}V{HEIGHT - HEIGHT * count / len(ordered):.1f}")
    return "".join([*path, f"H1000V{HEIGHT:.1f}Z"])


def _limits(times: pl.Series) -> tuple[int, int]:
    """Return the first and the last time, without a few records whose clock was far off."""
    first, last = int(times.quantile(0.0) or 0), int(times.quantile(1.0) or 0)
    low, high = int(times.quantile(0.001) or 0), int(times.quantile(0.999) or 0)
    return (low, high) if last - first > 20 * max(high - low, 1) else (first, last)


def steps(below: Sequence[float], above: Sequence[float], highest: float) -> str:
    """Return the area between two step lines, 1000 wide and `HEIGHT` high."""
    width = 1000 / len(above)

    def level(value: float) -> str:
        return f"{HEIGHT - HEIGHT * value / highest:.1f}"

    forth = "".join(f"V{level(value)}H{width * (place + 1):.1f}" for place, value in enumerate(above))
    back = "".join(
        f"V{level(value)}H{width * place:.1f}" for place, value in reversed(list(enumerate(below)))
    )
    return f"M0 {level(below[0])}{forth}{back}Z"


def _bars(rows: list[tuple[str, int, int]]) -> list[Bar]:
    longest = max((hostile + others for _, hostile, others in rows), default=1) or 1
    return [
        Bar(label, hostile, others, 100 * hostile / longest, 100 * others / longest)
        for label, hostile, others in rows
    ]
