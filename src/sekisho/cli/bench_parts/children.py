"""Run a measurement as a process of its own, so that its time and its memory are its own."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

PEAK_UNITS_PER_MIB = 1024 * 1024 if sys.platform == "darwin" else 1024
SCALES = "sekisho.cli.bench_parts.scales"
SEKISHO = (sys.executable, "-c", "from sekisho.cli.main import main; main()")


class MeasurementFailed(Exception):  # noqa: N818 - says what happened
    """A measurement ended badly; the message is the last thing that it said."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What a process took: wall and CPU seconds, the most memory that it held in MiB, and what it printed."""

    seconds: float
    cpu_seconds: float
    peak_memory_mib: float
    printed: str


def run_child(
    command: Sequence[str | Path], *, fine: tuple[int, ...] = (0,), cores: int | None = None
) -> Ran:
    """Run a command to its end, on so many cores at most where the system can be told.

    Raises:
        MeasurementFailed: if its exit code is not among the `fine` ones.

    """
    with tempfile.TemporaryDirectory() as folder, on_cores(cores):
        weighed = Path(folder) / "weighed.json"
        began = time.perf_counter()
        ran = subprocess.run(  # noqa: S603 - our own commands
            [sys.executable, "-m", SCALES, weighed, *command], capture_output=True, text=True, check=False
        )
        seconds = time.perf_counter() - began
        if ran.returncode not in fine:
            last = (ran.stderr.strip().splitlines() or ["it said nothing"])[-1]
            raise MeasurementFailed(f"ended with {ran.returncode}: {last}")
        scales = msgspec.json.decode(weighed.read_bytes())
    return Ran(
        seconds=seconds,
        cpu_seconds=scales["cpu_seconds"],
        peak_memory_mib=scales["maxrss"] / PEAK_UNITS_PER_MIB,
        printed=ran.stdout,
    )


@contextmanager
def on_cores(cores: int | None) -> Iterator[None]:
    """Let what is started inside run on so many cores only: a child inherits them from its parent."""
    if cores is None or not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(before)[-cores:])
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
