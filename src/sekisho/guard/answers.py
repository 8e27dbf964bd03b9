"""What a caller of the guard holds in its hand: the decision and the id under which the outcome is told."""

from typing import NamedTuple, Protocol

import msgspec

from sekisho.guard.attempts import Attempt, ChallengeResult, Outcome
from sekisho.guard.decisions import Action, Decision
from sekisho.kernel.posture import Posture

UNAVAILABLE = "guard_unavailable"


class GuardAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A decision, and the attempt's id; the id is empty where the guard could not be asked."""

    attempt_id: str
    decision: Decision


class Told(NamedTuple):
    """What became of an outcome: whether the guard heard it, and a device token where one was given."""

    heard: bool
    device_token: str = ""


NOT_HEARD = Told(heard=False)


class AsksGuard(Protocol):
    """Whoever can be asked: `AsyncGuardClient` over HTTP, `LocalGuard` in the same process."""

    async def assess(self, attempt: Attempt) -> GuardAnswer:
        """Return the decision about an attempt; never raises because the guard is out."""
        ...

    async def settle(
        self,
        attempt_id: str,
        outcome: Outcome,
        challenge: ChallengeResult = ChallengeResult.NONE,
        *,
        issue_device: bool = False,
    ) -> Told:
        """Tell what came of an attempt; with `issue_device`, a proven member gets a device token."""
        ...


def answer_without_guard(posture: Posture) -> GuardAnswer:
    """Return what an outage means: OPEN lets the attempt go on, CLOSED denies it before the hash."""
    closed = posture is Posture.CLOSED
    decision = Decision(
        action=Action.DENY if closed else Action.ALLOW,
        probability=0.0,
        before_hash=closed,
        reasons=(UNAVAILABLE,),
        policy="outage",
        policy_revision=0,
    )
    return GuardAnswer(attempt_id="", decision=decision)
