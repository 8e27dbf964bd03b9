"""The gate that all money out passes: every borrowing, every change of where money or codes go.

In this order: is it switched off, is the member on hold, what does the guard say, who approved it. An
approval is bound to exactly one purpose and used up by it. Whoever moves money asks here first, and once
more within the unit of work that moves it (`take_within`), because a member may have stopped everything in
between.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection

from sekisho.guard.answers import UNAVAILABLE, AsksGuard, GuardAnswer
from sekisho.guard.attempts import Attempt, ChallengeResult, Gate, Outcome
from sekisho.guard.decisions import Action
from sekisho.identity import sessions
from sekisho.identity.arrivals import Arrival
from sekisho.identity.assurance import (
    Granted,
    InsufficientAuthentication,
    Need,
    NotFromHere,
    StepUp,
    Way,
    demand,
    is_fresh,
)
from sekisho.identity.holds import Hold, OnHold, holds_on
from sekisho.identity.purposes import Purpose
from sekisho.identity.session_desk import Present
from sekisho.kernel.posture import OperationalError, Posture
from sekisho.kernel.refusals import Refusal
from sekisho.kernel.yen import Yen
from sekisho.lender.house import LenderParts
from sekisho.lender.money_out_signs import (
    PASSKEY_FROM,
    STOPPED_FROM,
    Facts,
    MoneyOutEvidence,
    facts_of,
    is_doubted,
    money_out_signs,
)
from sekisho.lender.switches import Function, Switches, Usage


class GateSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The policy of the gate.

    `risk_max` (0 to 1) is the risk that a session may be born with before it is doubted; `passkey_from` and
    `stopped_from` are the points of signs from which only a passkey approves, and from which nobody does.
    """

    risk_max: float = 0.05
    passkey_from: int = PASSKEY_FROM
    stopped_from: int = STOPPED_FROM


class OnOutage(NamedTuple):
    """What it means when a part of the gate is down. The store has no choice: the money is in it."""

    switches: Posture
    guard: Posture


class Asked(NamedTuple):
    """One wish to move money out, or to change where it goes.

    `purpose` is what is approved, down to the one order that it is for; `target` names the account, the
    payee or the machine, without personal data; `partner` the bank or the network of machines.
    """

    present: Present
    arrival: Arrival
    gate: Gate
    function: Function
    purpose: Purpose
    amount: Yen = Yen(0)
    target: str = ""
    partner: str = ""


class HeldFor(StrEnum):
    """Why the gate is shut, whoever asks."""

    SWITCHED_OFF = "switched_off"
    """The function is switched off."""

    ON_HOLD = "on_hold"
    """The member's money is on hold."""

    AWAY = "away"
    """A part of the gate cannot be asked, and without it nothing goes out."""


class Held(NamedTuple):
    """Shut for now. `told` is for the member, by language; empty where the refusal's own text does."""

    why: HeldFor
    reason: str
    told: Mapping[str, str]
    until_us: int | None = None


class Stopped(NamedTuple):
    """Not let out: too much speaks against it. The reasons are for us."""

    reasons: tuple[str, ...]


class Passed(NamedTuple):
    """Go ahead, once: how it was approved, and the attempt under which the guard hears what came of it."""

    attempt_id: str
    way: Way
    signs: tuple[str, ...]


GateAnswer = Passed | StepUp | NotFromHere | Held | Stopped


class FunctionSwitchedOff(Refusal):
    """The function is switched off for now; other ways are open. `held` has what members are told."""

    code = "function_switched_off"
    status = 503
    told = "This service is stopped at the moment. Other ways are open."

    def __init__(self, held: Held) -> None:
        self.held = held
        super().__init__(known=held.reason, told=held.told.get("en", ""))


class MoneyOutAway(Refusal):
    """A part that decides about money out cannot be asked."""

    code = "money_out_away"
    status = 503
    told = "We can't pay out at the moment. Please try again in a few minutes."


class MoneyOutStopped(Refusal):
    """Too much speaks against the movement; a person has to look at it."""

    code = "money_out_stopped"
    status = 403
    told = "We can't do this here and now. Please call us."


class Gatekeeper:
    """Keeps the gate of one lender."""

    def __init__(
        self,
        house: LenderParts,
        guard: AsksGuard,
        switches: Switches,
        *,
        on_outage: OnOutage,
        settings: GateSettings | None = None,
    ) -> None:
        self._house = house
        self._guard = guard
        self._switches = switches
        self._on_outage = on_outage
        self._settings = settings or GateSettings()

    async def ask(self, asked: Asked) -> GateAnswer:
        """Say whether it may go out, and what is missing where it may not yet.

        Ask again once the member has proven what was missing. Passed is settled by `settle` when it is
        known what came of it; the other answers are settled here. Raises OperationalError where the store
        is down.
        """
        switched_off = await self._switched_off(asked)
        if switched_off is not None:
            return switched_off
        standing, facts = await self._house.read(lambda at: self._look(at, asked))
        if standing:
            return _held_by(standing)
        evidence = money_out_signs(facts, risk_max=self._settings.risk_max)
        answer = await self._guard.assess(self._attempt(asked, evidence))
        if self._is_away(answer) and self._on_outage.guard is Posture.CLOSED:
            return Held(HeldFor.AWAY, UNAVAILABLE, {})
        stopped = self._why_stopped(answer, evidence)
        if stopped:
            await self._guard.settle(answer.attempt_id, Outcome.REFUSED)
            return Stopped(stopped)
        by_passkey = self._only_by_passkey(answer, evidence, facts)
        approved = _approval(asked, self._house.clock.now_us(), by_passkey=by_passkey)
        if isinstance(approved, Way):
            return Passed(answer.attempt_id, approved, evidence.names)
        await self._guard.settle(answer.attempt_id, Outcome.CHALLENGED)
        return approved

    def take_within(
        self, connection: Connection, asked: Asked, passed: Passed
    ) -> Held | StepUp | NotFromHere | None:
        """Use the approval up, in the unit of work that moves the money; None is the go-ahead.

        What is returned instead must move nothing: a hold was placed, the session ended, or the approval
        was used for the same purpose already.
        """
        now_us = self._house.clock.now_us()
        session = asked.present.session
        standing = holds_on(connection, session.member_id, now_us)
        if standing:
            return _held_by(standing)
        current = sessions.find(connection, session.id)
        if current is None or not current.is_live(now_us):
            return NotFromHere(ways=())
        spent = sessions.spend_proof(connection, session, passed.way, asked.purpose.key, now_us)
        return None if spent else StepUp((Way.PASSKEY,))

    async def settle(self, passed: Passed, *, done: bool) -> None:
        """Tell the guard whether the money went out."""
        proven = passed.way is Way.PASSKEY
        challenge = ChallengeResult.PASSED if proven else ChallengeResult.NONE
        await self._guard.settle(passed.attempt_id, Outcome.SUCCESS if done else Outcome.REFUSED, challenge)

    async def _switched_off(self, asked: Asked) -> Held | None:
        session = asked.present.session
        usage = Usage(asked.function, session.member_id, asked.partner, session.id)
        try:
            off = await self._switches.off_for(usage)
        except OperationalError:
            if self._on_outage.switches is Posture.OPEN:
                return None
            return Held(HeldFor.AWAY, "switches", {})
        return None if off is None else Held(HeldFor.SWITCHED_OFF, off.reason, off.told, off.until_us)

    def _look(self, connection: Connection, asked: Asked) -> tuple[list[Hold], Facts]:
        now_us = self._house.clock.now_us()
        standing = holds_on(connection, asked.present.session.member_id, now_us)
        return standing, facts_of(connection, asked.present, asked.amount, now_us)

    def _attempt(self, asked: Asked, evidence: MoneyOutEvidence) -> Attempt:
        session, arrival = asked.present.session, asked.arrival
        return Attempt(
            time_us=self._house.clock.now_us(),
            gate=asked.gate,
            member=session.member_id,
            known=True,
            ip=arrival.ip,
            asn=arrival.asn,
            country=arrival.country,
            user_agent=arrival.user_agent,
            tls=arrival.tls,
            amount_yen=asked.amount.amount or None,
            target=asked.target,
            session=session.id,
            signs=evidence.names,
        )

    def _is_away(self, answer: GuardAnswer) -> bool:
        return UNAVAILABLE in answer.decision.reasons

    def _why_stopped(self, answer: GuardAnswer, evidence: MoneyOutEvidence) -> tuple[str, ...]:
        if answer.decision.action is Action.DENY and not self._is_away(answer):
            # A no is a no, also where the guard names no reason.
            return (*answer.decision.reasons, *evidence.names) or (Action.DENY.value,)
        return evidence.names if evidence.points >= self._settings.stopped_from else ()

    def _only_by_passkey(self, answer: GuardAnswer, evidence: MoneyOutEvidence, facts: Facts) -> bool:
        return (
            is_doubted(facts, self._settings.risk_max)
            or evidence.points >= self._settings.passkey_from
            or answer.decision.action is not Action.ALLOW
            or self._is_away(answer)
        )


def require_passed(answer: GateAnswer) -> Passed:
    """Return what passed; raise the refusal that says why nothing did.

    Raises FunctionSwitchedOff, OnHold, MoneyOutAway, MoneyOutStopped and InsufficientAuthentication.
    """
    match answer:
        case Passed():
            return answer
        case Held():
            raise refusal_of(answer)
        case Stopped():
            raise MoneyOutStopped(known=" ".join(answer.reasons))
        case _:
            raise InsufficientAuthentication(answer, known="money out")


def refusal_of(held: Held) -> Refusal:
    """Return the refusal that tells why the gate is shut."""
    match held.why:
        case HeldFor.SWITCHED_OFF:
            return FunctionSwitchedOff(held)
        case HeldFor.ON_HOLD:
            return OnHold(known=held.reason)
        case HeldFor.AWAY:
            return MoneyOutAway(known=held.reason)


def _held_by(standing: list[Hold]) -> Held:
    ends = [hold.until_us for hold in standing]
    until_us = None if None in ends else max(end for end in ends if end is not None)
    reason = ", ".join(sorted({hold.kind for hold in standing}))
    return Held(HeldFor.ON_HOLD, reason, {}, until_us)


def _approval(asked: Asked, now_us: int, *, by_passkey: bool) -> Way | StepUp | NotFromHere:
    """Return how exactly this purpose was approved, or how it can be."""
    session, device = asked.present
    key = asked.purpose.key
    # A passkey that was used for something else, and be it a minute ago, has approved something else.
    bound = tuple(
        proof
        for proof in session.proofs
        if proof.purpose == key
        and is_fresh(proof.at_us, now_us)
        and (proof.way is Way.PASSKEY or not by_passkey)
    )
    session = msgspec.structs.replace(session, proofs=bound)
    answer = demand(session, device, Need.PAY_OUT, now_us, purpose="" if by_passkey else key)
    if isinstance(answer, Granted):
        ways = {proof.way for proof in bound}
        return Way.PASSKEY if Way.PASSKEY in ways else Way.CODE
    return answer
