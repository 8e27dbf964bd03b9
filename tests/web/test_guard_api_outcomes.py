"""What came of an attempt: told once, repeated freely, and rewarded with a device token."""

import asyncio

import pytest
from tests.web.guard_service import ATTEMPT, GuardService
from tests.web.test_guard_api_attempts import code_of

from sekisho.guard.attempts import ChallengeResult, Outcome

UNKNOWN_ID = "att_" + "0" * 32


def test_an_outcome_is_told_once_and_may_be_repeated() -> None:
    async def play() -> None:
        at = GuardService()
        async with at.client() as client:
            attempt_id = (await client.post("/v1/attempts", json=ATTEMPT)).json()["id"]
            path = f"/v1/attempts/{attempt_id}/outcome"
            told = {"outcome": "success", "challenge": "passed"}
            first = await client.post(path, json=told)
            again = await client.post(path, json=told)
            other = await client.post(path, json={"outcome": "wrong_secret"})
        assert first.status_code == again.status_code == 200
        assert first.json() == again.json() == {"id": attempt_id, **told}
        assert other.status_code == 409
        assert code_of(other) == "outcome_conflict"
        assert at.recorder.outcomes == {attempt_id: (Outcome.SUCCESS, ChallengeResult.PASSED)}

    asyncio.run(play())


@pytest.mark.parametrize("attempt_id", [UNKNOWN_ID, "att_1", "x", "../attempts", "%00", ""])
def test_an_unknown_attempt_has_no_outcome(attempt_id: str) -> None:
    async def play() -> None:
        at = GuardService()
        async with at.client() as client:
            answer = await client.post(
                f"http://guard/v1/attempts/{attempt_id}/outcome",
                json={"outcome": "success"},
            )
        assert answer.status_code == 404
        assert code_of(answer) in {"unknown_attempt", "not_found"}

    asyncio.run(play())


@pytest.mark.parametrize(
    "told", [{}, {"outcome": ""}, {"outcome": "yes"}, {"outcome": "success", "challenge": 1}]
)
def test_an_outcome_that_is_none_is_refused(told: dict[str, object]) -> None:
    async def play() -> None:
        at = GuardService()
        async with at.client() as client:
            attempt_id = (await client.post("/v1/attempts", json=ATTEMPT)).json()["id"]
            answer = await client.post(f"/v1/attempts/{attempt_id}/outcome", json=told)
        assert answer.status_code == 400
        assert code_of(answer) == "malformed"
        assert at.recorder.outcomes == {}

    asyncio.run(play())


def test_a_proven_member_gets_a_device_token_and_is_known_by_it() -> None:
    """The token is bound to the member: for anybody else it is a forgery."""

    async def play() -> None:
        at = GuardService()
        async with at.client() as client:
            first = (await client.post("/v1/attempts", json=ATTEMPT)).json()["id"]
            told = {"outcome": "success", "issue_device": True}
            token = (await client.post(f"/v1/attempts/{first}/outcome", json=told)).json()["device_token"]
            for member, device, valid in (
                ("m1", token, True),
                ("m2", token, False),
                ("m1", token + "0", False),
                ("m1", "a-token-of-somebody-else", None),
                ("m1", "", None),
            ):
                sent = ATTEMPT | {"member": member, "device": device}
                attempt_id = (await client.post("/v1/attempts", json=sent)).json()["id"]
                assert at.recorder.attempts[attempt_id][0].device_valid is valid
            said = ATTEMPT | {"device": token, "device_valid": 0}
            attempt_id = (await client.post("/v1/attempts", json=said)).json()["id"]
            assert at.recorder.attempts[attempt_id][0].device_valid is False

    asyncio.run(play())


@pytest.mark.parametrize(
    "told",
    [
        {"outcome": "success"},
        {"outcome": "wrong_secret", "issue_device": True},
        {"outcome": "success", "challenge": "failed", "issue_device": True},
    ],
)
def test_nobody_else_gets_a_device_token(told: dict[str, object]) -> None:
    async def play() -> None:
        at = GuardService()
        async with at.client() as client:
            attempt_id = (await client.post("/v1/attempts", json=ATTEMPT)).json()["id"]
            answer = await client.post(f"/v1/attempts/{attempt_id}/outcome", json=told)
        assert answer.status_code == 200
        assert "device_token" not in answer.json()

    asyncio.run(play())
