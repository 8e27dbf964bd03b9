"""A guard that hears what partners say: their signs go to it with each attempt, at every gate but one.

Where a code is typed, only where it is typed counts: a signal about a password, or about an address that
many share, must not keep a member from the proof that clears them.
"""

import msgspec
import structlog

from sekisho.guard.answers import AsksGuard, GuardAnswer, Told, answer_without_guard
from sekisho.guard.attempts import Attempt, ChallengeResult, Gate, Outcome
from sekisho.identity.institution import Parts
from sekisho.kernel.posture import OperationalError, Posture
from sekisho.sharing.evidence import EvidenceBook
from sekisho.sharing.source_exchange import SourceBook

log = structlog.get_logger(__name__)


class SignalledGuard:
    """Asks another guard with what partners know. `on_outage` says what it means that this cannot be read."""

    def __init__(self, guard: AsksGuard, parts: Parts, *, on_outage: Posture) -> None:
        self._guard = guard
        self._evidence = EvidenceBook(parts)
        self._sources = SourceBook(parts)
        self._on_outage = on_outage

    async def assess(self, attempt: Attempt) -> GuardAnswer:
        """Return the decision about an attempt."""
        if attempt.gate == Gate.CODE_ENTRY:
            return await self._guard.assess(attempt)
        signs: frozenset[str] = frozenset()
        for book in (self._evidence, self._sources):
            try:
                signs |= await book.signs_of(attempt)
            except OperationalError as outage:
                log.warning("signals:evidence:unreachable", failure=str(outage))
                if self._on_outage is Posture.CLOSED:
                    return answer_without_guard(Posture.CLOSED)
        if signs:
            attempt = msgspec.structs.replace(attempt, signs=(*attempt.signs, *sorted(signs)))
        return await self._guard.assess(attempt)

    async def settle(
        self,
        attempt_id: str,
        outcome: Outcome,
        challenge: ChallengeResult = ChallengeResult.NONE,
        *,
        issue_device: bool = False,
    ) -> Told:
        """Tell what came of an attempt."""
        return await self._guard.settle(attempt_id, outcome, challenge, issue_device=issue_device)
