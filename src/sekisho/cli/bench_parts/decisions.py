"""CPU time of a decision in process. Run as a module with a log; prints a JSON object.

The guard lives through the log in time order and is timed attempt by attempt: `assess` alone, and `assess`
with `learn`. Times are CPU time of the thread, less what reading the clock costs.
"""

import sys
from pathlib import Path
from time import thread_time_ns

import msgspec
import numpy as np

from sekisho.campaigns.logs.faults import Faults
from sekisho.campaigns.logs.formats import ReadingOptions
from sekisho.campaigns.logs.reading import stream_logs
from sekisho.campaigns.replay import past_attempts
from sekisho.cli.bench_parts.figures import Spread
from sekisho.guard.guard import Guard

KEY = b"the bench's key guards no secret"
WARM_UP = 0.5  # of the attempts; the tables fill and the risk model learns
CLOCK_READINGS = 100_000


def measure(log: Path) -> dict[str, Spread]:
    """Return the spread for `assess` and `assess and learn`, with and without a device token."""
    guard = Guard(key=KEY)
    assessed: list[int] = []
    both: list[int] = []
    tokens: list[bool] = []
    for batch in stream_logs([log], Faults(), ReadingOptions(key=KEY)):
        for attempt, outcome, challenge in past_attempts(batch):
            began = thread_time_ns()
            decision = guard.assess(attempt)
            decided = thread_time_ns()
            guard.learn(attempt, decision, outcome, challenge)
            learnt = thread_time_ns()
            assessed.append(decided - began)
            both.append(learnt - began)
            tokens.append(attempt.device != "")
    reading = clock_cost_ns()
    after = int(len(tokens) * WARM_UP)
    with_token = np.array(tokens[after:])
    spreads = {}
    for name, times, readings in (("assess", assessed, 1), ("assess and learn", both, 2)):
        us = (np.array(times[after:]) - reading * readings) / 1_000
        spreads[f"{name}, token"] = _spread(us[with_token])
        spreads[f"{name}, no token"] = _spread(us[~with_token])
    return spreads


def _spread(us: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Spread:
    median, p99 = np.percentile(us, (50, 99)).tolist()
    last = float(np.median(us[-len(us) // 10 :]))
    return Spread(median_us=median, p99_us=p99, last_median_us=last, count=len(us))


def clock_cost_ns() -> float:
    """Return what one reading of the clock adds to a measured span."""
    spans = []
    for _ in range(CLOCK_READINGS):
        began = thread_time_ns()
        spans.append(thread_time_ns() - began)
    return float(np.median(spans))


if __name__ == "__main__":
    sys.stdout.write(msgspec.json.encode(measure(Path(sys.argv[1]))).decode())
