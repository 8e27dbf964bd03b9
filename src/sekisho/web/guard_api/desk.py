"""The desk at which attempts are judged: it holds the guard, its clock and chance, and what is still open.

An answer is given only after its record is durable, so that a process that is killed loses no answered
attempt.
"""

from collections.abc import Awaitable, Callable
from typing import Protocol

import msgspec
import structlog

from sekisho.guard.attempts import Attempt, ChallengeResult, Outcome
from sekisho.guard.decisions import Decision
from sekisho.kernel.chance import Chance
from sekisho.kernel.clock import MINUTE_US, Clock
from sekisho.kernel.ids import ATTEMPT, RANDOM_OCTETS
from sekisho.kernel.posture import OperationalError, Posture
from sekisho.web.guard_api.open_attempts import OpenAttempts
from sekisho.web.guard_api.refusals import OutcomeConflict, RecordUnavailable, UnknownAttempt
from sekisho.web.problems import Overloaded

log = structlog.get_logger(__name__)

IN_FLIGHT_MAX = 4_096
OPEN_ATTEMPTS_MAX = 100_000
OPEN_TTL_US = 30 * MINUTE_US
PROVEN = {ChallengeResult.NONE, ChallengeResult.PASSED}
IDS_DRAWN_AT_ONCE = 64
DEVICE_NONCE_OCTETS = 12
DEVICE_TOKEN_PREFIX = "d1."  # noqa: S105 - how our tokens begin, not one of them


class Assessed(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An attempt was decided, and is recorded as far as the posture demands."""

    attempt_id: str
    attempt: Attempt
    decision: Decision
    at_us: int


class Settled(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What came of an attempt that was decided before."""

    attempt_id: str
    attempt: Attempt
    decision: Decision
    outcome: Outcome
    challenge: ChallengeResult
    at_us: int


Event = Assessed | Settled
Listener = Callable[[Event], None]


class Judge(Protocol):
    """What decides and learns: `sekisho.guard.guard.Guard`."""

    def assess(self, attempt: Attempt) -> Decision:
        """Decide an attempt from what was known before it."""
        ...

    def learn(
        self, attempt: Attempt, decision: Decision, outcome: Outcome, challenge: ChallengeResult, /
    ) -> None:
        """Take in what came of an attempt that was decided here."""
        ...


class SignsDevices(Protocol):
    """What issues and verifies device tokens: `sekisho.guard.devices.DeviceTokens`."""

    def issue(self, member: str, nonce: str, now_us: int, /) -> str:
        """Return a token that is bound to this member."""
        ...

    def verify(self, token: str, member: str, now_us: int, /) -> bool:
        """Say whether the token was issued for this member and has not run out."""
        ...


class Locates(Protocol):
    """What fills in where an address is: `sekisho.guard.geography.Geography`."""

    def locate(self, attempt: Attempt, /) -> Attempt:
        """Return the attempt with its provider and country as far as they are known."""
        ...


class AttemptRecorder(Protocol):
    """Where attempts, decisions and outcomes are kept.

    Each call takes its place in the order of calls at once; what it returns is done when the record would
    survive the loss of the process. It raises OperationalError within a time of its own when the store is
    out.
    """

    def record(self, attempt_id: str, attempt: Attempt, decision: Decision) -> Awaitable[None]:
        """Keep a decided attempt."""
        ...

    def settle(
        self, attempt_id: str, outcome: Outcome, challenge: ChallengeResult, at_us: int
    ) -> Awaitable[None]:
        """Keep what came of an attempt; the same again changes nothing."""
        ...


class GuardDesk:
    """Judges attempts one after the other on one event loop, records them, and tells its listeners.

    `listeners` may be appended to and removed from at any time; each is called on the event loop with every
    event, must return at once, and cannot hold up or change an answer. `on_outage` says what an answer is
    worth without a record: OPEN answers all the same (counted in `unrecorded_count`), CLOSED refuses.
    """

    def __init__(  # noqa: PLR0913 - the parts of a desk, each named at the call
        self,
        guard: Judge,
        *,
        clock: Clock,
        chance: Chance,
        recorder: AttemptRecorder,
        on_outage: Posture,
        devices: SignsDevices | None = None,
        geography: Locates | None = None,
        in_flight_max: int = IN_FLIGHT_MAX,
        open_attempts_max: int = OPEN_ATTEMPTS_MAX,
        open_ttl_us: int = OPEN_TTL_US,
    ) -> None:
        self.guard = guard
        self.clock = clock
        self.listeners: list[Listener] = []
        self.in_flight = 0
        self.unrecorded_count = 0
        self._chance = chance
        self._drawn: list[bytes] = []
        self._recorder = recorder
        self._on_outage = on_outage
        self._devices = devices
        self._geography = geography
        self._in_flight_max = in_flight_max
        self._open = OpenAttempts(count_max=open_attempts_max, ttl_us=open_ttl_us)

    @property
    def open_count(self) -> int:
        """How many attempts can still be settled or were settled lately."""
        return len(self._open)

    async def assess(self, attempt: Attempt) -> tuple[str, Decision]:
        """Decide an attempt and return its id and the decision once that is recorded.

        Refuses with `overloaded` where too many answers wait for their record, and with `record_unavailable`
        where the record cannot be kept and the posture is CLOSED.
        """
        if self.in_flight >= self._in_flight_max:
            raise Overloaded(known=f"{self.in_flight} answers wait for their record")
        now_us = self.clock.now_us()
        if attempt.device and attempt.device_valid is None:
            attempt = self._with_device_verified(attempt, now_us)
        if self._geography is not None:
            attempt = self._geography.locate(attempt)
        attempt_id = ATTEMPT.of(now_us, self._draw())
        decision = self.guard.assess(attempt)
        self._open.put(attempt_id, attempt, decision, now_us)
        try:
            await self._recorded(self._recorder.record(attempt_id, attempt, decision))
        except BaseException:
            self._open.drop(attempt_id)
            raise
        if self.listeners:
            self._tell(Assessed(attempt_id=attempt_id, attempt=attempt, decision=decision, at_us=now_us))
        return attempt_id, decision

    async def settle(
        self,
        attempt_id: str,
        outcome: Outcome,
        challenge: ChallengeResult = ChallengeResult.NONE,
    ) -> Attempt:
        """Let the guard learn what came of an attempt, and record it; the same outcome again changes nothing.

        Returns the attempt. Refuses with `unknown_attempt` where the id was never given or is too old, and
        with `outcome_conflict` where another outcome was told before.
        """
        now_us = self.clock.now_us()
        found = self._open.find(attempt_id, now_us)
        if found is None:
            raise UnknownAttempt(known=attempt_id)
        if found.outcome is None:
            found.outcome, found.challenge = outcome, challenge
            self.guard.learn(found.attempt, found.decision, outcome, challenge)
            if self.listeners:
                self._tell(
                    Settled(
                        attempt_id=attempt_id,
                        attempt=found.attempt,
                        decision=found.decision,
                        outcome=outcome,
                        challenge=challenge,
                        at_us=now_us,
                    ),
                )
        elif (found.outcome, found.challenge) != (outcome, challenge):
            raise OutcomeConflict(known=f"{attempt_id}: {found.outcome!r}, now {outcome!r}")
        if not found.settlement_recorded:
            await self._recorded(self._recorder.settle(attempt_id, outcome, challenge, now_us))
            found.settlement_recorded = True
        return found.attempt

    def reopen(
        self,
        assessed: Assessed,
        outcome: Outcome = Outcome.UNKNOWN,
        challenge: ChallengeResult = ChallengeResult.NONE,
    ) -> None:
        """Take up an attempt that was recorded before this process began, so that its outcome can be told.

        Call it for the oldest first, and let the guard take it up as well: this is the desk's side alone.
        """
        self._open.put(assessed.attempt_id, assessed.attempt, assessed.decision, assessed.at_us)
        found = self._open.find(assessed.attempt_id, assessed.at_us)
        if found is not None and outcome is not Outcome.UNKNOWN:
            found.outcome, found.challenge, found.settlement_recorded = outcome, challenge, True

    def issue_device(self, attempt: Attempt) -> str:
        """Return a device token for the member of a proven attempt, empty where no tokens are issued here."""
        if self._devices is None:
            return ""
        nonce = self._chance.octets(DEVICE_NONCE_OCTETS).hex()
        return self._devices.issue(attempt.member, nonce, self.clock.now_us())

    def _with_device_verified(self, attempt: Attempt, now_us: int) -> Attempt:
        # A token of another maker may be as good as ours: the guard lets it be earned.
        if self._devices is None or not attempt.device.startswith(DEVICE_TOKEN_PREFIX):
            return attempt
        valid = self._devices.verify(attempt.device, attempt.member, now_us)
        return msgspec.structs.replace(attempt, device_valid=valid)

    def _draw(self) -> bytes:
        """Draw for an id, for many at once: a draw is a call into the system, which halts the interpreter."""
        if not self._drawn:
            octets = self._chance.octets(RANDOM_OCTETS * IDS_DRAWN_AT_ONCE)
            self._drawn = [octets[at : at + RANDOM_OCTETS] for at in range(0, len(octets), RANDOM_OCTETS)]
        return self._drawn.pop()

    async def _recorded(self, written: Awaitable[None]) -> None:
        self.in_flight += 1
        try:
            await written
        except OperationalError as outage:
            self.unrecorded_count += 1
            if self._on_outage is Posture.CLOSED:
                raise RecordUnavailable(known=str(outage)) from outage
        finally:
            self.in_flight -= 1

    def _tell(self, event: Event) -> None:
        for listener in tuple(self.listeners):
            try:
                listener(event)
            except Exception:
                log.exception("desk:listener:failed", listener=repr(listener))
