"""Bring a guard's memory up to date after a start: the snapshot, and then what was recorded since."""

from typing import Protocol

from sekisho.guard.attempts import Attempt, ChallengeResult, Outcome
from sekisho.guard.decisions import Decision
from sekisho.storage.attempts import AttemptDecided, AttemptSettled, AttemptStore


class Learner(Protocol):
    """What can relive recorded attempts: a guard."""

    def reopen(self, attempt: Attempt, decision: Decision) -> None:
        """Take up an attempt that was decided before."""
        ...

    def learn(
        self, attempt: Attempt, decision: Decision, outcome: Outcome, challenge: ChallengeResult
    ) -> None:
        """Take in what came of an attempt."""
        ...


def catch_up(guard: Learner, attempts: AttemptStore, position: int) -> int:
    """Let a guard relive what was recorded after a position, and return the position that it has reached.

    The decisions of that time stand. Outcomes are told to it in the order in which they became known. Raises
    OperationalError.
    """
    decided: dict[str, tuple[Attempt, Decision]] = {}
    while events := attempts.since(position):
        for event in events:
            if isinstance(event, AttemptDecided):
                guard.reopen(event.attempt, event.decision)
                decided[event.attempt_id] = (event.attempt, event.decision)
            elif isinstance(event, AttemptSettled):
                found = decided.pop(event.attempt_id, None)
                if found is None and (found := _decided_before(attempts, event.attempt_id)):
                    guard.reopen(*found)
                if found is not None:
                    guard.learn(*found, event.outcome, event.challenge)
        position = events[-1].position
    return position


def _decided_before(attempts: AttemptStore, attempt_id: str) -> tuple[Attempt, Decision] | None:
    """Look up an attempt that was decided before the snapshot was taken, and settled after it."""
    event = attempts.find(attempt_id)
    return None if event is None else (event.attempt, event.decision)
