"""The login house's line to the guard: two calls over HTTP, each with the posture for an outage."""

from typing import Protocol

import httpx
import msgspec

from sekisho.guard.attempts import Attempt, ChallengeResult, Outcome
from sekisho.guard.decisions import Action
from sekisho.kernel.clock import rfc3339
from sekisho.kernel.posture import OperationalError, Posture

ASSESS_S_MAX = 5.0


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What the guard answered, as far as a login needs it."""

    id: str
    action: Action
    before_hash: bool = False
    campaign: str = ""
    label_wanted: bool = False


class Checkpoint(Protocol):
    """Asks a guard about an attempt, and tells it what came of it."""

    async def assess(self, attempt: Attempt) -> Answer:
        """Return the guard's answer. Raises OperationalError where it is down and the posture is CLOSED."""
        ...

    async def settle(self, attempt_id: str, outcome: Outcome, challenge: ChallengeResult) -> None:
        """Tell what came of an attempt."""
        ...


class HttpCheckpoint:
    """A checkpoint that is asked over HTTP, as any service in any language would."""

    def __init__(self, url: str, key: str, *, on_outage: Posture) -> None:
        self._url = url
        self._headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
        self._on_outage = on_outage
        self._transport = httpx.AsyncHTTPTransport()

    async def assess(self, attempt: Attempt) -> Answer:
        """Return the guard's answer; what an outage means was said when this line was made."""
        try:
            response = await self._post("/v1/attempts", _message(attempt))
        except OperationalError:
            if self._on_outage is Posture.CLOSED:
                raise
            return Answer(id="", action=Action.ALLOW)
        return msgspec.json.decode(response, type=Answer)

    async def settle(self, attempt_id: str, outcome: Outcome, challenge: ChallengeResult) -> None:
        """Tell what came of an attempt; an attempt that the guard never saw is not told."""
        if attempt_id:
            body = msgspec.json.encode({"outcome": outcome, "challenge": challenge})
            await self._post(f"/v1/attempts/{attempt_id}/outcome", body)

    async def aclose(self) -> None:
        """Hang up."""
        await self._transport.aclose()

    async def _post(self, path: str, body: bytes) -> bytes:
        timeout = httpx.Timeout(ASSESS_S_MAX).as_dict()
        request = httpx.Request(
            "POST", self._url + path, headers=self._headers, content=body, extensions={"timeout": timeout}
        )
        try:
            response = await self._transport.handle_async_request(request)
            content = await response.aread()
        except httpx.HTTPError as failure:
            raise OperationalError("guard", repr(failure)) from failure
        if not response.is_success:
            raise OperationalError("guard", f"{response.status_code} {content[:200]!r}")
        return content


def _message(attempt: Attempt) -> bytes:
    """Write an attempt as the service takes it: its time as text, everything else as it is."""
    fields = msgspec.structs.asdict(attempt)
    fields["time"] = rfc3339(fields.pop("time_us"))
    return msgspec.json.encode(fields)
