"""`sekisho bench`: made-up traffic, measurements in processes of their own, and a table with targets."""

import asyncio
import os
import subprocess
import sys
import time

import msgspec
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from tests.logs.whole_log import read_logs

from sekisho.cli.bench_parts import http_load, report, shadows
from sekisho.cli.bench_parts.children import MeasurementFailed, run_child
from sekisho.cli.bench_parts.figures import Hunted, Load, Replayed, Shadowed, Spread
from sekisho.cli.bench_parts.traffic import write_traffic
from sekisho.cli.main import main


def test_made_up_traffic_is_the_same_for_the_same_seed_and_all_of_it_is_read(tmp_path):
    """In time order, without a broken record, with an attack from 60 % of the time on."""
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write_traffic(tmp_path / name, 5_000, seed=seed)
    first, same, other = (pq.read_table(tmp_path / name) for name in ("a", "b", "c"))
    assert first == same
    assert first != other
    log = read_logs([tmp_path / "a"], key=b"k" * 16)
    assert (len(log.table), log.faults.rows, log.aside) == (5_000, 5_000, [])
    times = log.table["time_us"].to_pylist()
    assert times == sorted(times)
    unknown = [
        at for at, outcome in enumerate(log.table["outcome"].to_pylist()) if outcome == "no_such_member"
    ]
    assert len(unknown) > 400
    assert unknown[0] >= 2_500


def test_a_childs_memory_and_time_are_its_own():
    ran = run_child([sys.executable, "-c", "held = b'x' * 200_000_000; print(len(held))"])
    assert ran.printed == "200000000\n"
    assert 190 < ran.peak_memory_mib < 400
    assert 0 < ran.cpu_seconds <= ran.seconds * 2


def test_a_child_that_fails_says_why_in_its_last_line():
    with pytest.raises(MeasurementFailed, match=r"^ended with 1: ValueError: why$"):
        run_child([sys.executable, "-c", "raise ValueError('why')"])


def spread(median_us):
    return Spread(median_us=median_us, p99_us=40.0, last_median_us=10.0, count=9)


def hunted(rows, seconds):
    return Hunted(rows=rows, seconds=seconds, cpu_seconds=seconds, peak_memory_mib=100.0)


def load(requests_per_second):
    return Load(requests_per_second=requests_per_second, p99_ms=1.0, client="wrk")


def replayed(attempts_per_second):
    return Replayed(attempts=9, seconds=1.0, attempts_per_second=attempts_per_second)


@pytest.mark.parametrize(
    ("rows", "met"),
    [
        (
            report.decision_rows({"assess, token": spread(15.0), "assess and learn": spread(99.0)}),
            [True, None],
        ),
        (report.decision_rows({"assess, token": spread(15.1)}), [False]),
        ([report.replay_row(replayed(26_667.0), 9.0, 1_024.0)], [True]),
        ([report.replay_row(replayed(26_000.0), 9.0, 1_024.0)], [False]),
        ([report.replay_row(replayed(26_667.0), 9.0, 1_025.0)], [False]),
        (report.http_rows({"echo": load(100.0), "attempts": load(60.0)}), [None, True]),
        (report.http_rows({"echo": load(100.0), "attempts": load(59.0)}), [None, False]),
        (report.hunt_rows([hunted(240_000, 2.0), hunted(2_400_000, 15.0)]), [None, True]),
        (report.hunt_rows([hunted(2_400_000, 15.1), hunted(9_600_000, 60.0)]), [False, True]),
        (report.hunt_rows([hunted(2_400_000, 10.0), hunted(9_600_000, 70.0)]), [True, False]),
    ],
)
def test_each_target_is_met_or_not(rows, met):
    """At the target is met, past it is not; what was not promised is neither."""
    assert [row.met for row in rows] == met


def test_shadows_are_measured_beside_a_guard_without_and_shown_as_ratios(tmp_path):
    """A decision is timed under each number of shadows; what they add is what people ask for."""
    write_traffic(tmp_path / "log.parquet", 3_000, seed=1)
    measured = shadows.measure(tmp_path / "log.parquet")
    assert [one.shadows for one in measured] == [0, 1, 2]
    assert all(0 < one.assess_us < one.both_us for one in measured)
    rows = report.shadow_rows(
        [Shadowed(shadows=0, assess_us=30.0, both_us=60.0), Shadowed(shadows=2, assess_us=33.0, both_us=63.0)]
    )
    assert [row.figure for row in rows] == [
        "30.0 µs assess, 60.0 µs with learn",
        "33.0 µs assess, 63.0 µs with learn; 1.10 and 1.05 of without",
    ]


def test_the_table_is_written_as_markdown_too(tmp_path):
    arguments = ["bench", "--quick", "--only", "argon2", "--markdown", str(tmp_path / "b.md")]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0
    assert "Argon2id verification, 19 MiB, t=2, p=1  " in result.stdout
    *_, line = (tmp_path / "b.md").read_text().splitlines()
    assert line.startswith("| Argon2id verification, 19 MiB, t=2, p=1 | ")


@pytest.mark.server
@pytest.mark.parametrize("has_wrk", [True, False])
def test_the_real_service_is_measured_with_wrk_and_without(tmp_path, monkeypatch, has_wrk):
    """Echo and decision answer on the same server; an answer that is no success fails the measurement."""
    if not has_wrk:
        monkeypatch.setattr("shutil.which", lambda _: None)
    write_traffic(tmp_path / "log.parquet", 2_000, seed=1)
    loads = http_load.measure(tmp_path / "log.parquet", 1, tmp_path)
    assert set(loads) == {"echo", "attempts"}
    assert all(found.requests_per_second > 50 and found.p99_ms > 0 for found in loads.values())


@pytest.mark.server
def test_a_wrong_key_fails_the_measurement(tmp_path):
    command = [sys.executable, "-m", "sekisho.cli.bench_parts.echo_and_guard", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as server:
        assert server.stdout
        hello = msgspec.json.decode(server.stdout.readline())
        posts = http_load.Posts(f"http://127.0.0.1:{hello['port']}/v1/echo", "wrong", [b"{}"])
        with pytest.raises(MeasurementFailed, match="401"):
            asyncio.run(http_load.post_without_wrk(posts, 1))
        server.terminate()


def test_the_middle_of_some_loads_is_that_of_each_figure():
    rounds = [
        Load(requests_per_second=rate, p99_ms=p99, client="wrk", cpu_us=cpu)
        for rate, p99, cpu in ((10.0, 9.0, 50.0), (30.0, 1.0, 70.0), (20.0, 5.0, 60.0))
    ]
    expected = Load(requests_per_second=20.0, p99_ms=5.0, client="wrk", cpu_us=60.0)
    assert http_load.middle(rounds) == expected


def test_a_process_s_cpu_time_grows_with_what_it_does():
    before = http_load.cpu_seconds(os.getpid())
    while (spent := time.process_time()) < before + 0.1:
        pass
    assert http_load.cpu_seconds(os.getpid()) == pytest.approx(spent, abs=0.1)
    assert http_load.cpu_seconds(0) == 0.0
