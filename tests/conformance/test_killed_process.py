"""What was acknowledged is there, however the process ended."""

import subprocess
import sys
from pathlib import Path

import pytest
from tests.storage.attempt_samples import CHALLENGED, FULL

from sekisho.kernel.clock import SetClock
from sekisho.storage.attempts import AttemptStore
from sekisho.storage.engine import open_store

ROOT = Path(__file__).resolve().parents[2]


def acknowledged_before_killed(url, enough):
    """Start a process that records attempts, kill it with SIGKILL in the middle, and return what was said."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.storage.recording_process", url],
        cwd=ROOT,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        told = [process.stdout.readline() for _ in range(enough)]
        process.kill()
        told += process.stdout.readlines()
    return [line.decode().rstrip("\n") for line in told if line.endswith(b"\n")]


@pytest.mark.parametrize("enough", [1, 500, 3_000])
def test_a_killed_process_loses_no_acknowledged_record(store_url, enough):
    acknowledged = acknowledged_before_killed(store_url, enough)
    assert len(acknowledged) >= enough
    store = open_store(store_url)
    kept = AttemptStore(store, clock=SetClock()).recent(1_000_000)
    store.close()
    assert set(acknowledged) <= {recorded.attempt_id for recorded in kept}
    assert all((recorded.attempt, recorded.decision) == (FULL, CHALLENGED) for recorded in kept)
