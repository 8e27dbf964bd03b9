"""The files of a hunt: their columns, figures that their queries give again, a page that stands alone."""

import csv
import json
import re

import polars as pl
import pytest

from sekisho.campaigns.hunt import hunt
from sekisho.campaigns.limits import limits_of
from sekisho.campaigns.reasons import ENGLISH, JAPANESE
from sekisho.campaigns.report import plots
from sekisho.campaigns.writing import write_findings


@pytest.fixture
def written(made_log, tmp_path):
    log = made_log(tries=3000)
    table = log.table()
    findings = hunt(table, lambda _: None)
    write_findings(findings, tmp_path, logs=["logins.csv"], broken=2)
    return tmp_path, findings


def rows_of(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_tables_have_the_promised_columns(written):
    folder, _ = written
    assert list(rows_of(folder / "campaigns.csv")[0]) == [
        "campaign",
        "kind",
        "first_seen",
        "last_seen",
        "attempts",
        "members_tried",
        "members_entered",
        "networks",
        "addresses",
        "why",
    ]
    assert list(rows_of(folder / "entered.csv")[0]) == [
        "member",
        "first_entered_at",
        "probability",
        "campaign",
        "attempts",
        "why",
    ]


def test_every_attempt_stands_in_input_order_with_its_row(written):
    folder, findings = written
    attempts = pl.read_parquet(folder / "attempts.parquet")
    assert attempts["row"].to_list() == list(range(attempts.height))
    assert {"row", "probability", "campaign"} <= set(attempts.columns)
    assert attempts["probability"].is_between(0, 1).all()
    named = {str(one.campaign) for one in findings.campaigns}
    assert set(attempts["campaign"].drop_nulls().cast(pl.String).unique()) == named


def test_every_query_gives_its_figure_again(written, monkeypatch):
    folder, _ = written
    monkeypatch.chdir(folder)
    told = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    figures = {name: one for name, one in told.items() if "query" in one}
    assert {"attempts", "hostile_attempts", "campaigns", "members_tried", "members_entered"} <= set(figures)
    for name, figure in figures.items():
        again = pl.SQLContext(eager=True).execute(figure["query"]).item()
        assert (again or 0) == pytest.approx(figure["value"], abs=0.11), name


def test_the_figures_are_those_of_the_findings(written):
    folder, findings = written
    told = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    attempts = pl.read_parquet(folder / "attempts.parquet")
    tried = attempts.filter(pl.col("campaign").is_not_null())["member"].n_unique()
    assert told["attempts"]["value"] == attempts.height
    assert told["hostile_attempts"]["value"] == round(attempts["probability"].sum())
    assert told["hostile_attempts_likely"]["value"] == (attempts["probability"] >= 0.5).sum()
    assert told["members_tried"]["value"] == tried
    assert told["members_entered"]["value"] == len(findings.entered) > 0
    assert told["campaigns"]["value"] == len(findings.campaigns) == 1


def test_the_page_loads_nothing_from_elsewhere(written):
    folder, _ = written
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"(?:src|href)=[\"']?(?:https?:)?//", page)
    assert "url(" not in page
    assert "@import" not in page
    assert len(page.encode()) < 300_000


def test_a_hostile_name_stays_text(made_log, tmp_path):
    """Names on the page come from the attacker."""
    log = made_log(tries=2000)
    for row, bad in zip(log.rows, log.hostile, strict=True):
        if bad and row["outcome"] == "success":
            row["member"] = "<script>alert(1)</script>"
    table = log.table()
    write_findings(hunt(table, lambda _: None), tmp_path, logs=["<b>log</b>"], broken=0)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<script>alert" not in page
    assert "<b>log</b>" not in page


def test_a_report_without_a_campaign_has_all_files(made_log, tmp_path):
    table = made_log(days=3).table()
    write_findings(hunt(table, lambda _: None), tmp_path, logs=["quiet.csv"], broken=0)
    assert "No campaign was found" in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert rows_of(tmp_path / "entered.csv") == rows_of(tmp_path / "campaigns.csv") == []
    assert json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["campaigns"]["value"] == 0


def test_every_reason_is_said_in_both_languages():
    assert set(ENGLISH) == set(JAPANESE)


def test_what_the_log_does_not_record_is_said(made_log):
    told = " ".join(limit.english for limit in limits_of(made_log(days=1).table()))
    assert "equal secrets" in told
    assert "device tokens" not in told


def test_a_record_with_a_wrong_clock_does_not_flatten_the_timeline():
    times = [0, *range(1_000_000_000_000, 1_000_000_600_000, 200)]
    attempts = pl.DataFrame({"time_us": times, "probability": [0.0] * len(times)})
    over = plots.timeline(attempts)
    assert over.last_us - over.first_us < 1_000_000


def test_tries_per_address_are_counted_in_steps():
    attempts = pl.DataFrame({"ip": ["a"] * 2 + ["b"] * 4 + ["c"], "probability": [0.9] * 6 + [0.1]})
    found = {bar.label: bar.hostile for bar in plots.tries_per_address(attempts)}
    assert found["2"] == found["3-5"] == 1
    assert found["1"] == 0
