"""CPU time of a decision with policies in the shadow. Run as a module with a log; prints a JSON object.

Guards with no, one and two shadows live through the log together and are timed attempt by attempt in turns,
so that whatever else the machine does meets all of them. Only decisions by the score are timed: one that a
known device made costs the same, for no policy is asked.
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
from sekisho.cli.bench_parts.decisions import KEY, WARM_UP, clock_cost_ns
from sekisho.cli.bench_parts.figures import Shadowed
from sekisho.guard.guard import Guard
from sekisho.guard.policy import default_policy

COUNTS = (0, 1, 2)


def measure(log: Path) -> list[Shadowed]:
    """Return what `assess` and `assess and learn` cost with each number of shadows."""
    guards = [_guard(count) for count in COUNTS]
    assessed: list[list[int]] = [[] for _ in guards]
    both: list[list[int]] = [[] for _ in guards]
    turn = 0
    for batch in stream_logs([log], Faults(), ReadingOptions(key=KEY)):
        for attempt, outcome, challenge in past_attempts(batch):
            by_score = True
            turn += 1
            # Each is the first one in turn: whoever comes first finds the attempt's fields in no cache.
            for number in ((turn + place) % len(guards) for place in range(len(guards))):
                guard = guards[number]
                began = thread_time_ns()
                decision = guard.assess(attempt)
                decided = thread_time_ns()
                guard.learn(attempt, decision, outcome, challenge)
                learnt = thread_time_ns()
                by_score = by_score and decision.reasons != ("known_device",)
                assessed[number].append(decided - began)
                both[number].append(learnt - began)
            if not by_score:
                for times in (*assessed, *both):
                    times.pop()
    reading = clock_cost_ns()
    return [
        Shadowed(
            shadows=count,
            assess_us=_median_us(assessed[number], reading),
            both_us=_median_us(both[number], 2 * reading),
        )
        for number, count in enumerate(COUNTS)
    ]


def _guard(shadows: int) -> Guard:
    policy = default_policy()
    others = [msgspec.structs.replace(policy, revision=policy.revision + 1 + more) for more in range(shadows)]
    return Guard(key=KEY, policy=policy, shadows=others)


def _median_us(times: list[int], reading: float) -> float:
    after = int(len(times) * WARM_UP)
    return float(np.median(times[after:]) - reading) / 1_000


if __name__ == "__main__":
    sys.stdout.write(msgspec.json.encode(measure(Path(sys.argv[1]))).decode())
