"""The guard: `assess` before the password is hashed, `learn` when the outcome is known."""

from sekisho.guard.attempts import Attempt, ChallengeResult, Outcome
from sekisho.guard.decisions import Action, Decision


class Guard:
    """Judges attempts in the order in which they arrive. Not thread-safe: one guard an event loop."""

    def __init__(self, *, key: bytes) -> None:
        self._key = key
        self._failures: dict[str, int] = {}

    def assess(self, attempt: Attempt) -> Decision:
        """Decide an attempt from what was known before it. The outcome is never needed."""
        failures = self._failures.get(attempt.ip, 0)
        many = failures >= 3  # noqa: PLR2004 - first slice
        return Decision(
            action=Action.CHALLENGE if many else Action.ALLOW,
            probability=failures / (failures + 5),
            before_hash=many,
            reasons=("address_fails_often",) if many else (),
            policy="default",
            policy_revision=1,
        )

    def learn(
        self,
        attempt: Attempt,
        decision: Decision,
        outcome: Outcome,
        challenge: ChallengeResult = ChallengeResult.NONE,
    ) -> None:
        """Take in what came of an attempt that this guard has decided."""
        if outcome is not Outcome.SUCCESS:
            self._failures[attempt.ip] = self._failures.get(attempt.ip, 0) + 1
