"""Write a hunt's findings: the report for people and for programs, campaigns, members, traces, attempts."""

import json
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from sekisho.campaigns.figures import all_figures
from sekisho.campaigns.hunt import Findings
from sekisho.campaigns.reasons import ENGLISH
from sekisho.campaigns.report.page import Report, render
from sekisho.kernel.clock import rfc3339


def write_findings(findings: Findings, out: Path, *, logs: list[str], broken: int) -> Report:
    """Write all files of a hunt into a folder, which is made if it is not there, and return what they say."""
    out.mkdir(parents=True, exist_ok=True)
    written = attempts_table(findings)
    attempts = pl.DataFrame(written)
    campaigns = campaigns_frame(findings, attempts)
    entered = entered_frame(findings)
    report = Report(
        logs=logs,
        broken=broken,
        figures=all_figures(attempts, campaigns, entered),
        findings=findings,
    )
    pq.write_table(written, out / "attempts.parquet", compression="zstd", compression_level=1)
    campaigns.write_csv(out / "campaigns.csv")
    entered.write_csv(out / "entered.csv")
    (out / "traces.json").write_bytes(msgspec.json.encode(findings.traces))
    (out / "report.json").write_text(_as_json(report), encoding="utf-8")
    (out / "report.html").write_text(render(report, attempts, campaigns, entered), encoding="utf-8")
    return report


def attempts_table(findings: Findings) -> pa.Table:
    """Return each attempt in input order with its probability and campaign (null: none)."""
    names = pa.array([str(one.campaign) for one in findings.campaigns], pa.string())
    codes = pa.array(findings.campaign, pa.int32(), mask=findings.campaign < 0)
    probability = np.round(findings.probability, 4).astype(np.float32)
    kept = findings.attempts.append_column("probability", pa.array(probability))
    return kept.append_column("campaign", pa.DictionaryArray.from_arrays(codes, names))


def campaigns_frame(findings: Findings, attempts: pl.DataFrame) -> pl.DataFrame:
    """Return one row for each campaign, the columns as the surface fixes them.

    `networks` counts providers (ASN) where the log has them, else address prefixes.
    """
    with_provider = bool((attempts["asn"] > 0).any())
    network = pl.col("asn") if with_provider else pl.col("ip").str.replace(r"[.:][^.:]*$", "")
    counted = (
        attempts.lazy()
        .filter(pl.col("campaign").is_not_null())
        .group_by(pl.col("campaign").cast(pl.String))
        .agg(
            members_tried=pl.col("member").n_unique(),
            networks=network.n_unique(),
            addresses=pl.col("ip").n_unique(),
            unknown=(pl.col("outcome") == "no_such_member").sum(),
        )
        .collect()
    )
    by_id = {row["campaign"]: row for row in counted.iter_rows(named=True)}
    rows = []
    for place, one in enumerate(findings.campaigns):
        row = by_id[one.campaign]
        rows.append(
            {
                "campaign": str(one.campaign),
                "kind": str(one.kind),
                "first_seen": rfc3339(one.first_seen_us),
                "last_seen": rfc3339(one.last_seen_us),
                "attempts": len(one.rows),
                "members_tried": row["members_tried"],
                "members_entered": sum(entry.campaign == place for entry in findings.entered),
                "networks": row["networks"],
                "addresses": row["addresses"],
                "why": _why(len(one.rows), row, one.gate),
            }
        )
    return pl.DataFrame(rows, schema=CAMPAIGN_SCHEMA)


CAMPAIGN_SCHEMA = {
    "campaign": pl.String,
    "kind": pl.String,
    "first_seen": pl.String,
    "last_seen": pl.String,
    "attempts": pl.Int64,
    "members_tried": pl.Int64,
    "members_entered": pl.Int64,
    "networks": pl.Int64,
    "addresses": pl.Int64,
    "why": pl.String,
}
ENTERED_SCHEMA = {
    "member": pl.String,
    "first_entered_at": pl.String,
    "probability": pl.Float64,
    "campaign": pl.String,
    "attempts": pl.Int64,
    "why": pl.String,
}


def entered_frame(findings: Findings) -> pl.DataFrame:
    """Return one row for each entered member, the most probable first."""
    rows = [
        {
            "member": one.member,
            "first_entered_at": rfc3339(one.first_entered_us),
            "probability": round(one.probability, 4),
            "campaign": str(findings.campaigns[one.campaign].campaign) if one.campaign >= 0 else "",
            "attempts": one.attempts,
            "why": "; ".join(ENGLISH[reason] for reason in one.why),
        }
        for one in findings.entered
    ]
    return pl.DataFrame(rows, schema=ENTERED_SCHEMA)


def _why(attempts: int, row: dict[str, int], gate: str) -> str:
    each = attempts / max(row["members_tried"], 1)
    parts = [
        f"failures at the gate {gate} above the log's own calm level",
        f"{each:.1f} tries a member",
        f"{attempts / max(row['addresses'], 1):.1f} an address",
    ]
    if row["unknown"]:
        parts.append(f"{100 * row['unknown'] / attempts:.0f} % of the names do not exist")
    return "; ".join(parts)


def _as_json(report: Report) -> str:
    told: dict[str, object] = {
        name: {"value": figure.value, "query": figure.query} for name, figure in report.figures.items()
    }
    told["limits"] = [limit.english for limit in report.findings.limits]
    told["input"] = {"logs": report.logs, "broken_records": report.broken}
    return json.dumps(told, indent=1, ensure_ascii=False)
