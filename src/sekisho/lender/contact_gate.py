"""Changes of contact asked at the lender's gate: whoever has the number has the codes.

The desk that changes contacts stands in identity, which knows no money. It asks whatever guard it is given;
the lender gives it this one, which puts the same questions as the gate of money out.
"""

import msgspec
from sqlalchemy import Connection

from sekisho.guard.answers import AsksGuard, GuardAnswer, Told
from sekisho.guard.attempts import Attempt, ChallengeResult, Gate, Outcome
from sekisho.guard.decisions import Action
from sekisho.identity import devices, sessions
from sekisho.identity.session_desk import Present
from sekisho.kernel.posture import OperationalError, Posture
from sekisho.kernel.yen import Yen
from sekisho.lender.gates import SETTINGS
from sekisho.lender.house import LenderParts
from sekisho.lender.money_out_signs import Facts, facts_of, is_doubted, money_out_signs
from sekisho.lender.switches import Function, Switches, Usage
from sekisho.response.money_gates import GateSettings

DOUBTED = "session_doubted"
SWITCHED_OFF = "function_switched_off"


class ContactGate:
    """A guard that also knows the lender's switches and what a session was born with."""

    def __init__(
        self,
        house: LenderParts,
        guard: AsksGuard,
        switches: Switches,
        *,
        on_outage: Posture,
        settings: GateSettings = SETTINGS,
    ) -> None:
        """Take what it means when switches or store cannot be asked; the guard has a posture of its own."""
        self._house = house
        self._guard = guard
        self._switches = switches
        self._on_outage = on_outage
        self._settings = settings

    async def assess(self, attempt: Attempt) -> GuardAnswer:
        """Return the decision about an attempt; of a change of contact, no milder than the gate's own."""
        if attempt.gate != Gate.CONTACT_CHANGE:
            return await self._guard.assess(attempt)
        try:
            usage = Usage(Function.CONTACT_CHANGE, attempt.member, session_id=attempt.session)
            off = await self._switches.off_for(usage)
            facts = await self._house.read(lambda at: self._facts(at, attempt))
        except OperationalError as outage:
            answer = await self._guard.assess(attempt)
            return _denied(answer, outage.part) if self._on_outage is Posture.CLOSED else answer
        evidence = None if facts is None else money_out_signs(facts, risk_max=self._settings.risk_max)
        names = () if evidence is None else evidence.names
        answer = await self._guard.assess(msgspec.structs.replace(attempt, signs=names))
        if off is not None:
            return _denied(answer, SWITCHED_OFF)
        if facts is None or is_doubted(facts, self._settings.risk_max):
            return _denied(answer, DOUBTED, *names)
        stopped = evidence is not None and evidence.points >= self._settings.stopped_from
        return _denied(answer, *names) if stopped else answer

    async def settle(
        self,
        attempt_id: str,
        outcome: Outcome,
        challenge: ChallengeResult = ChallengeResult.NONE,
        *,
        issue_device: bool = False,
    ) -> Told:
        """Tell the guard what came of an attempt."""
        return await self._guard.settle(attempt_id, outcome, challenge, issue_device=issue_device)

    def _facts(self, connection: Connection, attempt: Attempt) -> Facts | None:
        """Return what is known of the session that asks; None where there is none."""
        session = sessions.find(connection, attempt.session)
        device = None if session is None else devices.find(connection, session.device_id)
        if session is None or device is None:
            return None
        return facts_of(connection, Present(session, device), Yen(0), self._house.clock.now_us())


def _denied(answer: GuardAnswer, *reasons: str) -> GuardAnswer:
    decision = msgspec.structs.replace(
        answer.decision, action=Action.DENY, reasons=(*answer.decision.reasons, *reasons)
    )
    return msgspec.structs.replace(answer, decision=decision)
