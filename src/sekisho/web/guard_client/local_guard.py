"""The guard in the same process: for an application that wants neither a service nor a store."""

import asyncio
from collections.abc import Awaitable

import structlog

from sekisho.guard.answers import NOT_HEARD, GuardAnswer, Told, answer_without_guard
from sekisho.guard.attempts import Attempt, ChallengeResult, Outcome
from sekisho.guard.decisions import Decision
from sekisho.kernel.posture import Posture
from sekisho.kernel.refusals import Refusal
from sekisho.web.guard_api.desk import PROVEN, GuardDesk

log = structlog.get_logger(__name__)


class Unrecorded:
    """A recorder that keeps nothing: for a desk whose attempts are recorded elsewhere, or nowhere."""

    def record(self, attempt_id: str, attempt: Attempt, decision: Decision) -> Awaitable[None]:
        """Be done at once."""
        del attempt_id, attempt, decision
        return _done()

    def settle(
        self, attempt_id: str, outcome: Outcome, challenge: ChallengeResult, at_us: int
    ) -> Awaitable[None]:
        """Be done at once."""
        del attempt_id, outcome, challenge, at_us
        return _done()


class LocalGuard:
    """Asks a desk in the same process, with the same words as the client over HTTP."""

    def __init__(self, desk: GuardDesk, *, on_outage: Posture) -> None:
        self._desk = desk
        self._on_outage = on_outage

    async def assess(self, attempt: Attempt) -> GuardAnswer:
        """Return the decision about an attempt."""
        try:
            attempt_id, decision = await self._desk.assess(attempt)
        except Refusal as refusal:
            log.warning("local_guard:assess:refused", code=refusal.code, known=refusal.known)
            return answer_without_guard(self._on_outage)
        return GuardAnswer(attempt_id=attempt_id, decision=decision)

    async def settle(
        self,
        attempt_id: str,
        outcome: Outcome,
        challenge: ChallengeResult = ChallengeResult.NONE,
        *,
        issue_device: bool = False,
    ) -> Told:
        """Tell what came of an attempt; with `issue_device`, a proven member gets a device token."""
        try:
            attempt = await self._desk.settle(attempt_id, outcome, challenge)
        except Refusal as refusal:
            log.warning("local_guard:settle:refused", code=refusal.code, known=refusal.known)
            return NOT_HEARD
        proven = outcome is Outcome.SUCCESS and challenge in PROVEN
        return Told(
            heard=True, device_token=self._desk.issue_device(attempt) if proven and issue_device else ""
        )


def _done() -> Awaitable[None]:
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    done.set_result(None)
    return done
