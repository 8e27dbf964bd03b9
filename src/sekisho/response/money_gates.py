"""The gate before all that moves a member's money, or changes where money or codes go.

In this order: is it switched off, is the member on hold, what do the guard and the signs say, who approved
it. An approval is bound to exactly one purpose and used up by it. Whoever moves money asks here first, and
once more within the unit of work that moves it (`take_within`), because a member may have stopped everything
in between. A room fills in what it knows: its switches, and the signs that it weighs.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple, Protocol

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
    Level,
    Need,
    NotFromHere,
    StepUp,
    Way,
    bound_to,
    demand,
    is_fresh,
)
from sekisho.identity.holds import Hold, OnHold, holds_on
from sekisho.identity.institution import Parts
from sekisho.identity.purposes import Purpose
from sekisho.identity.session_desk import Present
from sekisho.identity.sessions import Session
from sekisho.kernel.posture import OperationalError, Posture
from sekisho.kernel.refusals import Refusal
from sekisho.kernel.yen import Yen
from sekisho.response.switches import Usage


class GateSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The policy of a gate.

    `risk_max` (0 to 1) is the risk that a session may be born with before it is doubted; `passkey_from` and
    `stopped_from` are the points of signs from which only a passkey approves, and from which nobody does.
    """

    passkey_from: int
    stopped_from: int
    risk_max: float = 0.05


class OnOutage(NamedTuple):
    """What it means when a part of the gate is down. The store has no choice: the money is in it."""

    switches: Posture
    guard: Posture


class Weighed(NamedTuple):
    """The signs that speak against it, by name, and their points together."""

    names: tuple[str, ...] = ()
    points: int = 0


class Asked(NamedTuple):
    """One wish. `purpose` is what is approved, down to the one order that it is for.

    `function` is the room's word for what is used; `target` names the account, the payee, the shop or the
    machine, without personal data; `partner` the bank or the network of machines. `is_new` says whether it
    is done for the first time, None where that is not known. `weighed` is what the asker found against it.
    """

    present: Present
    arrival: Arrival
    gate: Gate
    function: str
    purpose: Purpose
    amount: Yen = Yen(0)
    target: str = ""
    partner: str = ""
    is_new: bool | None = None
    weighed: Weighed = Weighed()


class HeldFor(StrEnum):
    """Why the gate is shut, whoever asks."""

    SWITCHED_OFF = "switched_off"
    """The function is switched off."""

    ON_HOLD = "on_hold"
    """The member's money is on hold."""

    AWAY = "away"
    """A part of the gate cannot be asked, and without it nothing moves."""


class Held(NamedTuple):
    """Shut for now. `told` is for the member, by language; empty where the refusal's own text does."""

    why: HeldFor
    reason: str
    told: Mapping[str, str]
    until_us: int | None = None


class Stopped(NamedTuple):
    """Not let through: too much speaks against it. The reasons are for us."""

    reasons: tuple[str, ...]


class Passed(NamedTuple):
    """Go ahead, once: how it was approved, and the attempt under which the guard hears what came of it."""

    attempt_id: str
    way: Way
    signs: tuple[str, ...] = ()


GateAnswer = Passed | StepUp | NotFromHere | Held | Stopped


class Off(Protocol):
    """What a room's switches say of a function that is off."""

    @property
    def reason(self) -> str:
        """Why, for staff."""
        ...

    @property
    def told(self) -> Mapping[str, str]:
        """What members read, by language."""
        ...

    @property
    def until_us(self) -> int | None:
        """Until when; None where somebody has to lift it."""
        ...


class FunctionSwitchedOff(Refusal):
    """The function is switched off for now; other ways are open. `held` has what members are told."""

    code = "function_switched_off"
    status = 503
    told = "This service is stopped at the moment. Other ways are open."

    def __init__(self, held: Held) -> None:
        self.held = held
        super().__init__(known=held.reason, told=held.told.get("en", ""))


class MoneyOutAway(Refusal):
    """A part that decides about money cannot be asked."""

    code = "money_out_away"
    status = 503
    told = "We can't do this at the moment. Please try again in a few minutes."


class MoneyOutStopped(Refusal):
    """Too much speaks against the movement; a person has to look at it."""

    code = "money_out_stopped"
    status = 403
    told = "We can't do this here and now. Please call us."


class MoneyGate(ABC):
    """Keeps the gate of one institution."""

    def __init__(
        self, parts: Parts, guard: AsksGuard, *, on_outage: OnOutage, settings: GateSettings
    ) -> None:
        self._parts = parts
        self._guard = guard
        self._on_outage = on_outage
        self.settings = settings

    @abstractmethod
    async def off_for(self, usage: Usage) -> Off | None:
        """Return what the room's switches say against a usage. Raises OperationalError."""

    async def weigh(self, asked: Asked) -> Weighed:
        """Return what speaks against a wish: what its asker found, where the room knows no more."""
        return asked.weighed

    async def ask(self, asked: Asked) -> GateAnswer:
        """Say whether it may be done, and what is missing where it may not yet.

        Ask again once the member has proven what was missing. Passed is settled by `settle` when it is
        known what came of it; the other answers are settled here. Raises OperationalError where the store
        is down.
        """
        shut = await self.switched_off(_usage(asked)) or await self._on_hold(asked)
        if shut is not None:
            return shut
        weighed, now_us = await self.weigh(asked), self._parts.clock.now_us()
        answer = await self._guard.assess(_attempt(asked, weighed, now_us))
        if _is_away(answer) and self._on_outage.guard is Posture.CLOSED:
            return Held(HeldFor.AWAY, UNAVAILABLE, {})
        stopped = self._why_stopped(answer, weighed)
        if stopped:
            await self._guard.settle(answer.attempt_id, Outcome.REFUSED)
            return Stopped(stopped)
        by_passkey = self._only_by_passkey(answer, asked.present.session, weighed)
        approved = _approval(asked, now_us, by_passkey=by_passkey)
        if isinstance(approved, Way):
            return Passed(answer.attempt_id, approved, weighed.names)
        await self._guard.settle(answer.attempt_id, Outcome.CHALLENGED)
        return approved

    def take_within(
        self, connection: Connection, asked: Asked, passed: Passed
    ) -> Held | StepUp | NotFromHere | None:
        """Use the approval up, in the unit of work that moves the money; None is the go-ahead.

        What is returned instead must move nothing: a hold was placed, the session ended, or the approval
        was used for the same purpose already.
        """
        now_us = self._parts.clock.now_us()
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
        """Tell the guard whether it was done."""
        proven = passed.way is Way.PASSKEY
        challenge = ChallengeResult.PASSED if proven else ChallengeResult.NONE
        await self._guard.settle(passed.attempt_id, Outcome.SUCCESS if done else Outcome.REFUSED, challenge)

    async def switched_off(self, usage: Usage) -> Held | None:
        """Say why a usage is switched off, or cannot be known not to be; None where it is not."""
        try:
            off = await self.off_for(usage)
        except OperationalError:
            if self._on_outage.switches is Posture.OPEN:
                return None
            return Held(HeldFor.AWAY, "switches", {})
        return None if off is None else Held(HeldFor.SWITCHED_OFF, off.reason, off.told, off.until_us)

    async def _on_hold(self, asked: Asked) -> Held | None:
        member_id, now_us = asked.present.session.member_id, self._parts.clock.now_us()
        standing = await self._parts.read(lambda at: holds_on(at, member_id, now_us))
        return _held_by(standing) if standing else None

    def _why_stopped(self, answer: GuardAnswer, weighed: Weighed) -> tuple[str, ...]:
        if answer.decision.action is Action.DENY and not _is_away(answer):
            # A no is a no, also where the guard names no reason.
            return (*answer.decision.reasons, *weighed.names) or (Action.DENY.value,)
        return weighed.names if weighed.points >= self.settings.stopped_from else ()

    def _only_by_passkey(self, answer: GuardAnswer, session: Session, weighed: Weighed) -> bool:
        return (
            is_doubted(session, self.settings.risk_max)
            or weighed.points >= self.settings.passkey_from
            or answer.decision.action is not Action.ALLOW
            or _is_away(answer)
        )


def is_doubted(session: Session, risk_max: float) -> bool:
    """Say whether a session began suspiciously and no passkey has proven the member since."""
    proven = session.level is Level.PASSKEY
    return not proven and (session.risk > risk_max or bool(session.campaign))


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
            raise InsufficientAuthentication(answer, known="money")


def refusal_of(held: Held) -> Refusal:
    """Return the refusal that tells why the gate is shut."""
    match held.why:
        case HeldFor.SWITCHED_OFF:
            return FunctionSwitchedOff(held)
        case HeldFor.ON_HOLD:
            return OnHold(known=held.reason)
        case HeldFor.AWAY:
            return MoneyOutAway(known=held.reason)


def _usage(asked: Asked) -> Usage:
    session = asked.present.session
    return Usage(asked.function, session.member_id, asked.partner, is_new=asked.is_new, session_id=session.id)


def _attempt(asked: Asked, weighed: Weighed, now_us: int) -> Attempt:
    session, arrival = asked.present.session, asked.arrival
    return Attempt(
        time_us=now_us,
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
        signs=weighed.names,
    )


def _is_away(answer: GuardAnswer) -> bool:
    return UNAVAILABLE in answer.decision.reasons


def _held_by(standing: list[Hold]) -> Held:
    ends = [hold.until_us for hold in standing]
    until_us = None if None in ends else max(end for end in ends if end is not None)
    reason = ", ".join(sorted({hold.kind for hold in standing}))
    return Held(HeldFor.ON_HOLD, reason, {}, until_us)


def _approval(asked: Asked, now_us: int, *, by_passkey: bool) -> Way | StepUp | NotFromHere:
    """Return how exactly this purpose was approved, or how it can be."""
    session, device = asked.present
    key = asked.purpose.key
    bound = tuple(
        proof
        for proof in bound_to(session, key).proofs
        if is_fresh(proof.at_us, now_us) and (proof.way is Way.PASSKEY or not by_passkey)
    )
    session = msgspec.structs.replace(session, proofs=bound)
    answer = demand(session, device, Need.PAY_OUT, now_us, purpose="" if by_passkey else key)
    if isinstance(answer, Granted):
        ways = {proof.way for proof in bound}
        return Way.PASSKEY if Way.PASSKEY in ways else Way.CODE
    return answer
