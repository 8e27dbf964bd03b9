"""Idempotency-Key: one request, one decision, however often it is sent."""

import asyncio

import pytest
from tests.web.guard_service import ATTEMPT, GuardService
from tests.web.test_guard_api_attempts import code_of

from sekisho.kernel.clock import MINUTE_US


def test_the_same_idempotency_key_gets_the_same_decision() -> None:
    async def play() -> None:
        at = GuardService()
        other_key = at.keys.add("other", at.keys.all()[0].scopes, at.chance)
        once = {"Idempotency-Key": "k1"}
        async with at.client() as client, at.client(other_key) as other:
            first = await client.post("/v1/attempts", json=ATTEMPT, headers=once)
            again = await client.post("/v1/attempts", json=ATTEMPT, headers=once)
            elsewhere = await other.post("/v1/attempts", json=ATTEMPT, headers=once)
            changed = await client.post("/v1/attempts", json=ATTEMPT | {"member": "m2"}, headers=once)
            at.clock.advance(10 * MINUTE_US + 1)
            later = await client.post("/v1/attempts", json=ATTEMPT, headers=once)
        assert first.content == again.content
        assert len({first.json()["id"], elsewhere.json()["id"], later.json()["id"]}) == 3
        assert changed.status_code == 422
        assert code_of(changed) == "idempotency_key_reused"
        assert len(at.recorder.attempts) == 3

    asyncio.run(play())


@pytest.mark.parametrize("key", ["", "a b", "x" * 256])
def test_an_idempotency_key_is_short_and_visible(key: str) -> None:
    async def play() -> None:
        at = GuardService()
        async with at.client() as client:
            answer = await client.post("/v1/attempts", json=ATTEMPT, headers={"Idempotency-Key": key})
        assert code_of(answer) == "malformed"
        assert at.recorder.attempts == {}

    asyncio.run(play())


def test_a_repeated_request_waits_for_the_first_ones_answer() -> None:
    """Two at once with one key are one decision."""

    async def play() -> None:
        at = GuardService()
        at.recorder.durable.clear()
        once = {"Idempotency-Key": "k1"}
        async with at.client() as client:
            both = [
                asyncio.ensure_future(client.post("/v1/attempts", json=ATTEMPT, headers=once))
                for _ in range(2)
            ]
            for _ in range(20):
                await asyncio.sleep(0)
            at.recorder.durable.set()
            first, second = await asyncio.gather(*both)
        assert first.content == second.content
        assert len(at.recorder.attempts) == 1

    asyncio.run(play())


def test_a_refused_request_may_be_repeated_under_its_key() -> None:
    async def play() -> None:
        at = GuardService()
        once = {"Idempotency-Key": "k1"}
        async with at.client() as client:
            at.recorder.out = True
            refused = await client.post("/v1/attempts", json=ATTEMPT, headers=once)
            at.recorder.out = False
            answered = await client.post("/v1/attempts", json=ATTEMPT, headers=once)
        assert refused.status_code == 503
        assert refused.headers["retry-after"] == "1"
        assert code_of(refused) == "record_unavailable"
        assert answered.status_code == 200

    asyncio.run(play())
