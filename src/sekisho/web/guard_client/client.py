"""The guard over HTTP, as a Python program asks it: `GuardClient` and, for event loops, `AsyncGuardClient`.

An outage never raises: `on_outage` says once, where the client is made, what it means. Every call may safely
be sent again (decisions carry an Idempotency-Key, outcomes may be repeated), so a call that got no answer is
sent again while its time lasts.
"""

import asyncio
from time import monotonic
from types import TracebackType
from typing import Self

import httpx
import msgspec
import structlog

from sekisho.guard.answers import NOT_HEARD, GuardAnswer, Told, answer_without_guard
from sekisho.guard.attempts import Attempt, ChallengeResult, Outcome
from sekisho.guard.decisions import Action, Decision
from sekisho.kernel.chance import Chance
from sekisho.kernel.clock import rfc3339
from sekisho.kernel.posture import Posture

log = structlog.get_logger(__name__)

TIMEOUT_S = 1.0
TRIES_MAX = 2
SENT_AGAIN = {502, 503, 504}
FIRST_SERVER_ERROR = 500
FIRST_REFUSAL = 400
CHARS_MAX = {"member": 256, "user_agent": 2_048, "device": 2_048}
OTHER_CHARS_MAX = 512


class GuardRefused(Exception):  # noqa: N818 - the guard's refusal, not a fault of the wire
    """The guard understood the request and refused it: a wrong key, an unknown attempt, a wrong value.

    It is the caller's to mend, and not an outage. `code` is stable, see docs/reference/errors.md.
    """

    def __init__(self, status: int, code: str, detail: str) -> None:
        self.status = status
        self.code = code
        self.detail = detail
        super().__init__(f"{code} ({status}): {detail}")


class _Said(msgspec.Struct, frozen=True):
    id: str
    action: Action
    probability: float
    before_hash: bool
    reasons: tuple[str, ...]
    policy: str
    policy_revision: int
    campaign: str = ""
    label_wanted: bool = False


class _Settled(msgspec.Struct, frozen=True):
    device_token: str = ""


class _Problem(msgspec.Struct, frozen=True):
    code: str = "unknown"
    title: str = ""
    detail: str = ""


class _Call(msgspec.Struct, frozen=True):
    """One request, ready to be sent any number of times."""

    path: str
    body: bytes
    headers: dict[str, str]


class GuardClient:
    """Asks the guard and waits for the answer; safe to share between threads."""

    def __init__(  # noqa: PLR0913 - each named at the call
        self,
        url: str,
        key: str,
        *,
        on_outage: Posture,
        chance: Chance,
        timeout_s: float = TIMEOUT_S,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """`timeout_s` bounds the whole of a call, a second try included."""
        self._on_outage = on_outage
        self._chance = chance
        self._timeout_s = timeout_s
        self._http = httpx.Client(base_url=url, headers=_authorization(key), transport=transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def assess(self, attempt: Attempt) -> GuardAnswer:
        """Return the decision about an attempt. Raises GuardRefused where the guard refuses the request."""
        answer = _answer(self._send(_assess_call(attempt, self._chance)))
        return answer or answer_without_guard(self._on_outage)

    def settle(
        self,
        attempt_id: str,
        outcome: Outcome,
        challenge: ChallengeResult = ChallengeResult.NONE,
        *,
        issue_device: bool = False,
    ) -> Told:
        """Tell what came of an attempt; with `issue_device`, a proven member gets a device token.

        Raises GuardRefused. An attempt that was decided without the guard (its id is empty) has nobody who
        waits for its outcome.
        """
        if not attempt_id:
            return NOT_HEARD
        call = _settle_call(attempt_id, outcome, challenge, issue_device=issue_device)
        return _told(self._send(call))

    def _send(self, call: _Call) -> httpx.Response | None:
        until = monotonic() + self._timeout_s
        for _ in range(TRIES_MAX):
            left_s = until - monotonic()
            if left_s <= 0:
                break
            try:
                response = self._http.post(
                    call.path,
                    content=call.body,
                    headers=call.headers,
                    timeout=left_s,
                )
            except httpx.TransportError as failure:
                log.warning("guard_client:call:failed", path=call.path, failure=repr(failure))
                continue
            if response.status_code not in SENT_AGAIN:
                return response
            log.warning("guard_client:call:refused", path=call.path, status=response.status_code)
        return None


class AsyncGuardClient:
    """Asks the guard without holding up the event loop."""

    def __init__(  # noqa: PLR0913 - each named at the call
        self,
        url: str,
        key: str,
        *,
        on_outage: Posture,
        chance: Chance,
        timeout_s: float = TIMEOUT_S,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """`timeout_s` bounds the whole of a call, a second try included."""
        self._on_outage = on_outage
        self._chance = chance
        self._timeout_s = timeout_s
        self._http = httpx.AsyncClient(base_url=url, headers=_authorization(key), transport=transport)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Give the connections back."""
        await self._http.aclose()

    async def assess(self, attempt: Attempt) -> GuardAnswer:
        """Return the decision about an attempt. Raises GuardRefused where the guard refuses the request."""
        answer = _answer(await self._send(_assess_call(attempt, self._chance)))
        return answer or answer_without_guard(self._on_outage)

    async def settle(
        self,
        attempt_id: str,
        outcome: Outcome,
        challenge: ChallengeResult = ChallengeResult.NONE,
        *,
        issue_device: bool = False,
    ) -> Told:
        """Tell what came of an attempt; with `issue_device`, a proven member gets a device token.

        Raises GuardRefused. An attempt that was decided without the guard (its id is empty) has nobody who
        waits for its outcome.
        """
        if not attempt_id:
            return NOT_HEARD
        call = _settle_call(attempt_id, outcome, challenge, issue_device=issue_device)
        return _told(await self._send(call))

    async def _send(self, call: _Call) -> httpx.Response | None:
        try:
            async with asyncio.timeout(self._timeout_s):
                for _ in range(TRIES_MAX):
                    response = await self._try(call)
                    if response is not None and response.status_code not in SENT_AGAIN:
                        return response
        except TimeoutError:
            log.warning("guard_client:call:timed_out", path=call.path, timeout_s=self._timeout_s)
        return None

    async def _try(self, call: _Call) -> httpx.Response | None:
        try:
            return await self._http.post(
                call.path,
                content=call.body,
                headers=call.headers,
                timeout=self._timeout_s,
            )
        except httpx.TransportError as failure:
            log.warning("guard_client:call:failed", path=call.path, failure=repr(failure))
            return None


def _authorization(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def _assess_call(attempt: Attempt, chance: Chance) -> _Call:
    record = msgspec.to_builtins(attempt)
    # Whoever attacks chooses these texts: a long one must not turn into a refusal that skips the guard.
    record = {
        name: value[: CHARS_MAX.get(name, OTHER_CHARS_MAX)] if isinstance(value, str) else value
        for name, value in record.items()
    }
    record["time"] = rfc3339(record.pop("time_us"))
    return _Call(
        "/v1/attempts",
        msgspec.json.encode(record),
        {"Content-Type": "application/json", "Idempotency-Key": chance.octets(16).hex()},
    )


def _settle_call(
    attempt_id: str, outcome: Outcome, challenge: ChallengeResult, *, issue_device: bool
) -> _Call:
    told = {"outcome": outcome, "challenge": challenge}
    body = msgspec.json.encode(told | {"issue_device": True} if issue_device else told)
    return _Call(f"/v1/attempts/{attempt_id}/outcome", body, {"Content-Type": "application/json"})


def _answer(response: httpx.Response | None) -> GuardAnswer | None:
    if not _heard(response) or response is None:
        return None
    try:
        said = msgspec.json.decode(response.content, type=_Said)
    except (msgspec.MsgspecError, UnicodeDecodeError) as failure:
        log.warning("guard_client:answer:unreadable", failure=str(failure))
        return None
    decision = Decision(
        action=said.action,
        probability=said.probability,
        before_hash=said.before_hash,
        reasons=said.reasons,
        policy=said.policy,
        policy_revision=said.policy_revision,
        campaign=said.campaign,
        label_wanted=said.label_wanted,
    )
    return GuardAnswer(attempt_id=said.id, decision=decision)


def _told(response: httpx.Response | None) -> Told:
    if not _heard(response) or response is None:
        return NOT_HEARD
    try:
        settled = msgspec.json.decode(response.content, type=_Settled)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        settled = _Settled()
    return Told(heard=True, device_token=settled.device_token)


def _heard(response: httpx.Response | None) -> bool:
    """Say whether the guard did what it was asked. Raises GuardRefused where it refused."""
    if response is None or response.status_code >= FIRST_SERVER_ERROR:
        return False
    if response.status_code < FIRST_REFUSAL:
        return True
    try:
        problem = msgspec.json.decode(response.content, type=_Problem)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        problem = _Problem()
    raise GuardRefused(response.status_code, problem.code, problem.detail or problem.title)
