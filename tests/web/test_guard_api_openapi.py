"""The description of the service, the rest of its routes, and a search for requests that break its word."""

import asyncio
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, assume, settings
from schemathesis.core.failures import FailureGroup
from tests.web.guard_service import ATTEMPT, GuardService
from tests.web.test_guard_api_attempts import code_of

from sekisho.kernel.clock import MINUTE_US
from sekisho.web.guard_api.api_keys import Scope
from sekisho.web.guard_api.app import create_guard_app
from sekisho.web.guard_api.settings import ForwardAuthSettings, GuardServiceSettings
from sekisho.web.proxies import ProxyTrust

SERVICE = GuardService(
    GuardServiceSettings(
        time_ahead_s_max=None,
        forward_auth=ForwardAuthSettings(trusted_proxies=ProxyTrust.parse(["0.0.0.0/0"])),
    ),
)
KEY = SERVICE.keys.add("everything", tuple(Scope), SERVICE.chance)
SCHEMA = schemathesis.openapi.from_asgi("/openapi.json", SERVICE.app)


@SCHEMA.auth()
class _EveryScope:
    def get(self, case: object, context: object) -> str:
        del case, context
        return f"Bearer {KEY}"

    def set(self, case: Any, data: str, context: object) -> None:
        del context
        case.headers["Authorization"] = data


@SCHEMA.parametrize()
@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
def test_no_generated_request_breaks_the_description(case: Any) -> None:
    """Every answer has a status, a type and a body that the description names."""
    SERVICE.clock.advance(11 * MINUTE_US)  # a generated Idempotency-Key may come twice, with two bodies
    body = case.body if isinstance(case.body, dict) else {}
    # JSON Schema takes 5.0 for an integer; yen are not written so, and the service refuses it.
    assume(not any(isinstance(value, float) and value.is_integer() for value in body.values()))
    try:
        case.call_and_validate()
    except FailureGroup as failures:
        pytest.fail("\n".join(str(failure) for failure in failures.exceptions))


def test_the_description_is_for_everybody_and_health_too() -> None:
    async def play() -> None:
        async with SERVICE.client("") as client:
            description = (await client.get("/openapi.json")).json()
            assert description["openapi"] == "3.1.0"
            assert (await client.get("/healthz")).json() == {"status": "ok"}
            assert (await client.get("/readyz")).json() == {"status": "ready"}

    asyncio.run(play())


def test_a_service_that_is_not_ready_says_so() -> None:
    async def play() -> None:
        at = GuardService()
        at.app = create_guard_app(at.desk, keys=at.keys, ready=lambda: False)
        async with at.client() as client:
            assert (await client.get("/readyz")).status_code == 503
            assert (await client.get("/healthz")).status_code == 200

    asyncio.run(play())


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/attempts/", "/v1/attempts/att_1", "//healthz"])
def test_elsewhere_there_is_nothing(path: str) -> None:
    async def play() -> None:
        async with SERVICE.client() as client:
            answer = await client.get(f"http://guard{path}")
        assert answer.status_code == 404
        assert code_of(answer) == "not_found"

    asyncio.run(play())


def test_a_wrong_method_names_the_right_one() -> None:
    async def play() -> None:
        async with SERVICE.client() as client:
            answer = await client.get("/v1/attempts")
        assert answer.status_code == 405
        assert answer.headers["allow"] == "POST"
        assert code_of(answer) == "method_not_allowed"

    asyncio.run(play())


def test_metrics_count_decisions_outcomes_and_refusals() -> None:
    async def play() -> None:
        at = GuardService()
        reader = at.keys.add("prometheus", (Scope.METRICS,), at.chance)
        async with at.client() as client, at.client(reader) as metrics:
            attempt_id = (await client.post("/v1/attempts", json=ATTEMPT)).json()["id"]
            await client.post(f"/v1/attempts/{attempt_id}/outcome", json={"outcome": "success"})
            await client.post("/v1/attempts", json={})
            text = (await metrics.get("/metrics")).text
        for line in (
            'sekisho_attempts_total{action="allow",before_hash="0",gate="login"} 1.0',
            'sekisho_outcomes_total{challenge="",outcome="success"} 1.0',
            'sekisho_refusals_total{code="malformed"} 1.0',
            "sekisho_answer_seconds_count 1.0",
            "sekisho_open_attempts 1.0",
            "sekisho_answers_in_flight 0.0",
            "sekisho_unrecorded 0.0",
        ):
            assert line in text.splitlines()

    asyncio.run(play())
