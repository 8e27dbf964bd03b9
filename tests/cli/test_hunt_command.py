"""`sekisho hunt` at the terminal: exit codes, files, and what it says."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from sekisho.cli.hunt import command

REAL_LOGS = Path(__file__).parents[3] / "shared" / "data" / "logs"
FILES = ("attempts.parquet", "campaigns.csv", "entered.csv", "report.html", "report.json", "traces.json")


def log_of(path: Path, *, hammered: int) -> Path:
    """Write a log with ten honest logins a day and so many tries on one member within an hour."""
    start = datetime(2026, 5, 1, tzinfo=UTC)
    lines = ["time,member,ip,outcome"]
    for number in range(200):
        time = start + timedelta(hours=2.4 * number)
        lines.append(f"{time.isoformat()},m{number % 20},10.0.0.{number % 20},success")
    for number in range(hammered):
        time = start + timedelta(days=12, seconds=number * 5)
        lines.append(f"{time.isoformat()},m1,203.0.113.9,wrong_secret")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(("hammered", "code"), [(0, 0), (300, 3)])
def test_the_exit_code_says_whether_a_campaign_was_found(tmp_path, hammered, code):
    log = log_of(tmp_path / "log.csv", hammered=hammered)
    done = CliRunner().invoke(command, [str(log), "--out", str(tmp_path / "out")])
    assert done.exit_code == code, done.output
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == sorted(FILES)


def test_an_unusable_log_is_told_and_gives_no_report(tmp_path):
    log = tmp_path / "log.csv"
    log.write_bytes(b"")
    done = CliRunner().invoke(command, [str(log), "--out", str(tmp_path / "out")])
    assert done.exit_code == 2
    assert "empty" in done.output
    assert not (tmp_path / "out").exists()


def test_an_output_that_cannot_be_written_is_told(tmp_path):
    log = log_of(tmp_path / "log.csv", hammered=0)
    (tmp_path / "taken").write_text("a file", encoding="utf-8")
    done = CliRunner().invoke(command, [str(log), "--out", str(tmp_path / "taken" / "out")])
    assert done.exit_code == 2
    assert "cannot be written" in done.output


@pytest.mark.real_data
@pytest.mark.skipif(not REAL_LOGS.exists(), reason="../shared/data is not here")
@pytest.mark.parametrize("name", ["openssh_auth_2017.log", "cowrie_logins_2018_part1.csv.gz"])
def test_a_real_log_is_hunted_as_it_is(tmp_path, name):
    options = ["--year", "2017"] if name.endswith(".log") else []
    done = CliRunner().invoke(command, [str(REAL_LOGS / name), "--out", str(tmp_path), *options])
    assert done.exit_code == 3, done.output
