"""The attempts that were decided lately and may still be settled: bounded in number and in time."""

from collections import OrderedDict

import msgspec

from sekisho.guard.attempts import Attempt, ChallengeResult, Outcome
from sekisho.guard.decisions import Decision
from sekisho.kernel.clock import SECOND_US

LOOK_EVERY_US = SECOND_US


class OpenAttempt(msgspec.Struct, gc=False):
    """One decided attempt and, once it is known, what came of it."""

    attempt: Attempt
    decision: Decision
    decided_us: int
    outcome: Outcome | None = None
    challenge: ChallengeResult = ChallengeResult.NONE
    settlement_recorded: bool = False


class OpenAttempts:
    """Keeps at most `count_max` attempts for at most `ttl_us`; the oldest go first.

    Settled attempts stay as long as open ones, so that the same outcome sent twice is recognised.
    """

    def __init__(self, *, count_max: int, ttl_us: int) -> None:
        self._count_max = count_max
        self._ttl_us = ttl_us
        self._look_us = 0
        self._by_id: OrderedDict[str, OpenAttempt] = OrderedDict()

    def __len__(self) -> int:
        return len(self._by_id)

    def put(self, attempt_id: str, attempt: Attempt, decision: Decision, now_us: int) -> None:
        """Keep a decided attempt; drop what is too old, or the oldest where there are too many."""
        by_id = self._by_id
        by_id[attempt_id] = OpenAttempt(attempt, decision, now_us)
        if len(by_id) > self._count_max:
            by_id.popitem(last=False)
        if now_us >= self._look_us:
            self._look_us = now_us + LOOK_EVERY_US
            while next(iter(by_id.values())).decided_us + self._ttl_us < now_us:
                by_id.popitem(last=False)

    def find(self, attempt_id: str, now_us: int) -> OpenAttempt | None:
        """Return the attempt if it is still kept."""
        found = self._by_id.get(attempt_id)
        if found is None or found.decided_us + self._ttl_us < now_us:
            return None
        return found

    def drop(self, attempt_id: str) -> None:
        """Forget an attempt whose answer was never given."""
        self._by_id.pop(attempt_id, None)
