"""The last days played again under two policies side by side, and where they differ, by what came of it."""

from collections import Counter
from collections.abc import Callable, Iterable

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from sekisho.campaigns.replay import Judge, past_attempts
from sekisho.guard.attempts import ChallengeResult, Outcome
from sekisho.guard.decisions import STRICTNESS, Action

TOLD_EVERY = 5_000
"""After how many attempts one says how far it is."""


class Shift(msgspec.Struct, frozen=True, kw_only=True):
    """How many attempts with one outcome got which answer under the policy of now and under the tried one."""

    outcome: Outcome
    now: Action
    tried: Action
    attempts: int


class WhatIf(msgspec.Struct, frozen=True, kw_only=True):
    """What a replay of two policies found. Times are microseconds since the epoch."""

    attempts: int
    from_us: int
    until_us: int
    shifts: tuple[Shift, ...]

    def count(self, outcome: Outcome, action: Action, *, tried: bool) -> int:
        """Return how many attempts with an outcome got an answer under one of the two policies."""
        return sum(
            one.attempts
            for one in self.shifts
            if one.outcome is outcome and (one.tried if tried else one.now) is action
        )

    def moved(self, *, stricter: bool) -> int:
        """Return how many attempts the tried policy answers more strictly, or less."""
        return sum(
            one.attempts
            for one in self.shifts
            if one.now is not one.tried and (STRICTNESS[one.tried] > STRICTNESS[one.now]) is stricter
        )


def since(batches: Iterable[pa.RecordBatch], from_us: int) -> Iterable[pa.RecordBatch]:
    """Leave out what came before a time."""
    for batch in batches:
        kept = batch.filter(pc.greater_equal(batch["time_us"].cast(pa.int64()), from_us))
        if len(kept):
            yield kept


def compare(
    batches: Iterable[pa.RecordBatch], now: Judge, tried: Judge, tell: Callable[[int], None]
) -> WhatIf:
    """Let two guards decide every attempt, in time order, each before its outcome is known to either."""
    counts: Counter[tuple[Outcome, Action, Action]] = Counter()
    done, times = 0, [0, 0]
    for batch in batches:
        span = batch["time_us"].cast(pa.int64()).to_numpy()
        times = [int(span[0]) if not done else times[0], int(span[-1])]
        for attempt, outcome, challenge in past_attempts(batch):
            actions = []
            for judge in (now, tried):
                decision = judge.assess(attempt)
                judge.learn(attempt, decision, outcome, ChallengeResult(challenge))
                actions.append(decision.action)
            counts[Outcome(outcome), actions[0], actions[1]] += 1
            done += 1
            if not done % TOLD_EVERY:
                tell(done)
    shifts = tuple(
        Shift(outcome=outcome, now=before, tried=after, attempts=count)
        for (outcome, before, after), count in sorted(counts.items())
    )
    return WhatIf(attempts=done, from_us=times[0], until_us=times[1], shifts=shifts)
