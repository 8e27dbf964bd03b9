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

PEAK_UNITS_PER_MIB = 1024 * 1024 if sys.platform == "darwin" else 1024
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
    with tempfile.TemporaryFile("w+") as printed, tempfile.TemporaryFile("w+") as complaint:
        began = time.perf_counter()
        with on_cores(cores):
            child = subprocess.Popen([str(part) for part in command], stdout=printed, stderr=complaint)  # noqa: S603 - our own commands
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        printed.seek(0)
        complaint.seek(0)
        if child.returncode not in fine:
            last = (complaint.read().strip().splitlines() or ["it said nothing"])[-1]
            raise MeasurementFailed(f"ended with {child.returncode}: {last}")
        return Ran(
            seconds=seconds,
            cpu_seconds=usage.ru_utime + usage.ru_stime,
            peak_memory_mib=usage.ru_maxrss / PEAK_UNITS_PER_MIB,
            printed=printed.read(),
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
