"""The figures of a report, each with the query that gives it again from the files beside it.

The queries are SQL that DuckDB and Polars both run in the report's folder. The values come from running
them on the same rows before those are written, so that a figure and its query cannot part ways.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

FILES = {
    "attempts": "read_parquet('attempts.parquet')",
    "campaigns": "read_csv('campaigns.csv')",
    "entered": "read_csv('entered.csv')",
}
BY_MEMBER = (
    "(SELECT gate, member, max(probability) AS p FROM {attempts} "
    "WHERE outcome = 'success' AND probability > 0 GROUP BY gate, member) AS members"
)

QUERIES = {
    "attempts": "SELECT count(*) AS value FROM {attempts}",
    "successful_attempts": "SELECT count(*) AS value FROM {attempts} WHERE outcome = 'success'",
    "hostile_attempts": "SELECT CAST(round(sum(probability)) AS BIGINT) AS value FROM {attempts}",
    "hostile_attempts_likely": "SELECT count(*) AS value FROM {attempts} WHERE probability >= 0.5",
    "campaigns": "SELECT count(*) AS value FROM {campaigns}",
    "members_tried": (
        "SELECT count(*) AS value FROM (SELECT DISTINCT gate, member FROM {attempts} "
        "WHERE campaign IS NOT NULL) AS tried"
    ),
    "names_unknown": (
        "SELECT count(*) AS value FROM (SELECT DISTINCT gate, member FROM {attempts} "
        "WHERE campaign IS NOT NULL AND outcome = 'no_such_member') AS unknown"
    ),
    "members_entered": "SELECT count(*) AS value FROM {entered}",
    "members_entered_expected": "SELECT round(sum(p), 1) AS value FROM {by_member}",
    "members_entered_at_least": (
        "SELECT round(greatest(sum(p) - 1.645 * sqrt(sum(p)), 0), 1) AS value FROM {by_member}"
    ),
    "members_entered_at_most": "SELECT round(sum(p) + 1.645 * sqrt(sum(p)), 1) AS value FROM {by_member}",
    "members_possibly_entered": "SELECT count(*) AS value FROM {by_member} WHERE p >= 0.05 AND p < 0.5",
    "addresses": "SELECT count(DISTINCT ip) AS value FROM {attempts} WHERE campaign IS NOT NULL",
    "providers": "SELECT count(DISTINCT asn) AS value FROM {attempts} WHERE campaign IS NOT NULL AND asn > 0",
    "countries": (
        "SELECT count(DISTINCT country) AS value FROM {attempts} WHERE campaign IS NOT NULL AND country <> ''"
    ),
}


@dataclass(frozen=True, slots=True)
class Figure:
    """One number and the query that gives it."""

    value: int | float
    query: str


def all_figures(attempts: pl.DataFrame, campaigns: pl.DataFrame, entered: pl.DataFrame) -> dict[str, Figure]:
    """Compute every figure of `QUERIES` from the rows as they are written."""
    frames = {"attempts": attempts, "campaigns": campaigns, "entered": entered}
    return {name: _figure(query, frames) for name, query in QUERIES.items()}


def _figure(query: str, frames: Mapping[str, pl.DataFrame]) -> Figure:
    context = pl.SQLContext(frames=dict(frames), eager=True)
    value = context.execute(_filled(query, {name: name for name in frames})).item()
    return Figure(value or 0, _filled(query, FILES))


def _filled(query: str, sources: Mapping[str, str]) -> str:
    return query.format(**sources, by_member=BY_MEMBER.format(**sources))
