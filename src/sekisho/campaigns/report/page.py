"""Render the page for people from a hunt's findings."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePath

import jinja2
import polars as pl

from sekisho.campaigns.figures import Figure
from sekisho.campaigns.hunt import Findings
from sekisho.campaigns.reasons import ENGLISH, JAPANESE
from sekisho.campaigns.report import plots
from sekisho.kernel.clock import SECOND_US

ENTERED_SHOWN = 200
CAMPAIGNS_SHOWN = 30
WEEKDAYS = "月火水木金土日"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a hunt has to say: the findings and their figures, and of what logs."""

    logs: list[str]
    broken: int
    figures: dict[str, Figure]
    findings: Findings


def render(report: Report, attempts: pl.DataFrame, campaigns: pl.DataFrame, entered: pl.DataFrame) -> str:
    """Return the whole page as HTML; nothing in it is loaded from elsewhere."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("sekisho.campaigns.report", "."),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {"day_en": _day_english, "day_ja": _day_japanese, "short": _short, "count": _count}
    over = plots.timeline(attempts)
    found = report.findings
    return environment.get_template("report.html.jinja").render(
        report=report,
        names=[PurePath(log).name for log in report.logs],
        figures={name: figure.value for name, figure in report.figures.items()},
        about=f"{report.figures['members_entered_expected'].value:,.0f}",
        timeline=over,
        spans=plots.spans(found.campaigns, over),
        lanes=range(plots.LANES_MAX),
        sources=plots.sources(attempts),
        tries=plots.tries_per_address(attempts),
        entered_path=plots.entered_over_time([one.first_entered_us for one in found.entered], over),
        campaigns=[
            row | {"why_ja": _why_japanese(row, one.gate)}
            for row, one in zip(
                campaigns.head(CAMPAIGNS_SHOWN).iter_rows(named=True), found.campaigns, strict=False
            )
        ],
        entered=[
            (one, row["campaign"])
            for one, row in zip(found.entered, entered.iter_rows(named=True), strict=True)
        ][:ENTERED_SHOWN],
        starts=[one.first_seen_us for one in found.campaigns],
        ends=[one.last_seen_us for one in found.campaigns],
        english=ENGLISH,
        japanese=JAPANESE,
    )


def _why_japanese(row: dict[str, int], gate: str) -> str:
    each, source = row["attempts"] / max(row["members_tried"], 1), row["attempts"] / max(row["addresses"], 1)
    return (
        f"ゲート{gate}での失敗が、この記録のふだんの水準を超えました。"
        f"会員あたり{each:.1f}回、アドレスあたり{source:.1f}回です。"
    )


def _moment(time_us: int) -> datetime:
    return datetime.fromtimestamp(time_us // SECOND_US, UTC)


def _day_english(time_us: int) -> str:
    return _moment(time_us).strftime("%-d %b %Y, %H:%M")


def _day_japanese(time_us: int) -> str:
    moment = _moment(time_us)
    return f"{moment.year}年{moment.month}月{moment.day}日({WEEKDAYS[moment.weekday()]}){moment:%H:%M}"


def _short(time_us: int) -> str:
    return _moment(time_us).strftime("%m-%d %H:%M")


def _count(value: float) -> str:
    return f"{value:,.0f}"
