"""A guard's service in process: what the tests of its routes share."""

import asyncio
from collections import Counter
from collections.abc import Awaitable
from typing import Any

import httpx

from sekisho.guard.attempts import Attempt, ChallengeResult, Outcome
from sekisho.guard.decisions import Action, Decision
from sekisho.guard.devices import DeviceTokens
from sekisho.kernel.chance import SeededChance
from sekisho.kernel.clock import SetClock
from sekisho.kernel.posture import OperationalError, Posture
from sekisho.web.guard_api.api_keys import ApiKeys, Scope
from sekisho.web.guard_api.app import create_guard_app
from sekisho.web.guard_api.desk import GuardDesk
from sekisho.web.guard_api.settings import GuardServiceSettings

NOW_US = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z


class ListRecorder:
    """Keeps the record in lists; can be held back or put out of order."""

    def __init__(self) -> None:
        self.attempts: dict[str, tuple[Attempt, Decision]] = {}
        self.outcomes: dict[str, tuple[Outcome, ChallengeResult]] = {}
        self.durable = asyncio.Event()
        self.durable.set()
        self.out = False

    def record(self, attempt_id: str, attempt: Attempt, decision: Decision) -> Awaitable[None]:
        self.attempts[attempt_id] = (attempt, decision)
        return self._committed()

    def settle(
        self, attempt_id: str, outcome: Outcome, challenge: ChallengeResult, at_us: int
    ) -> Awaitable[None]:
        assert at_us
        self.outcomes[attempt_id] = (outcome, challenge)
        return self._committed()

    async def _committed(self) -> None:
        await self.durable.wait()
        if self.out:
            raise OperationalError("attempt store", "disk full")


class ThreeStrikes:
    """A judge whose rule is plain: an address that failed three times is challenged, before the hash."""

    def __init__(self) -> None:
        self.failures: Counter[str] = Counter()

    def assess(self, attempt: Attempt) -> Decision:
        struck = self.failures[attempt.ip] >= 3
        return Decision(
            action=Action.CHALLENGE if struck else Action.ALLOW,
            probability=0.9 if struck else 0.0,
            before_hash=struck,
            reasons=("three_strikes",) if struck else (),
            policy="default",
            policy_revision=1,
        )

    def learn(
        self, attempt: Attempt, decision: Decision, outcome: Outcome, challenge: ChallengeResult, /
    ) -> None:
        assert decision is not None
        assert challenge is not None
        self.failures[attempt.ip] += outcome is not Outcome.SUCCESS


class GuardService:
    """A service on a clock that stands still, and a client that holds an API key."""

    def __init__(
        self,
        settings: GuardServiceSettings | None = None,
        *,
        posture: Posture = Posture.CLOSED,
        in_flight_max: int = 100,
    ) -> None:
        self.clock = SetClock(NOW_US)
        self.chance = SeededChance(1)
        self.recorder = ListRecorder()
        self.desk = GuardDesk(
            ThreeStrikes(),
            clock=self.clock,
            chance=self.chance,
            recorder=self.recorder,
            on_outage=posture,
            devices=DeviceTokens(b"d" * 32),
            in_flight_max=in_flight_max,
        )
        self.keys = ApiKeys(clock=self.clock)
        self.key = self.keys.add("login", (Scope.ASSESS,), self.chance)
        self.app = create_guard_app(self.desk, keys=self.keys, settings=settings)

    def client(self, key: str | None = None, peer: str = "127.0.0.1") -> httpx.AsyncClient:
        """Return a client of the service; `key` empty sends none."""
        bearer = self.key if key is None else key
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app, client=(peer, 1)),
            base_url="http://guard",
            headers={"Authorization": f"Bearer {bearer}"} if bearer else {},
        )


ATTEMPT: dict[str, Any] = {"member": "m1", "ip": "192.0.2.1"}
