"""`POST /v1/attempts` and its outcome, as a caller meets them."""

import asyncio
import json
from typing import get_args

import httpx
import pytest
from tests.web.guard_service import ATTEMPT, NOW_US, GuardService

from sekisho.guard.attempts import Gate, Outcome
from sekisho.kernel.posture import Posture
from sekisho.web.guard_api.messages import AttemptMessage, GateName, OutcomeName
from sekisho.web.guard_api.settings import GuardServiceSettings


def code_of(answer: httpx.Response) -> str:
    """Return a problem's code, and see that the answer is one."""
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == answer.status_code
    assert problem["type"] == "urn:sekisho:refusal:" + problem["code"]
    assert problem["title"]
    code: str = problem["code"]
    return code


def test_a_decision_carries_everything_that_it_promises() -> None:
    async def play() -> None:
        at = GuardService()
        async with at.client() as client:
            answer = await client.post("/v1/attempts", json=ATTEMPT)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        body = answer.json()
        attempt_id = body.pop("id")
        assert body == {
            "action": "allow",
            "probability": 0.0,
            "before_hash": False,
            "reasons": [],
            "policy": "default",
            "policy_revision": 1,
            "label_wanted": False,
            "campaign": "",
        }
        assert attempt_id in at.recorder.attempts

    asyncio.run(play())


def test_every_field_of_the_record_reaches_the_guard() -> None:
    """Named as in the attempt record, in the ways in which a record writes yes, no and unknown."""

    async def play() -> None:
        at = GuardService()
        record = {
            "time": "2025-12-31T23:59:59.5+09:00",
            "gate": "bank_link",
            "member": "口座7",
            "actor": "wallet",
            "client": "aggregator",
            "known": 1,
            "ip": "2001:db8::1",
            "asn": 64500,
            "country": "JP",
            "user_agent": "Mozilla/5.0",
            "tls": "t13d1516h2",
            "device": "token",
            "device_valid": False,
            "secret": "5f",
            "leaked": "",
            "session": "ses_1",
            "amount_yen": 30000,
            "target": "bank 0001",
        }
        async with at.client() as client:
            answer = await client.post("/v1/attempts", json=record, headers={"Prefer": "handling=strict"})
        attempt, _ = at.recorder.attempts[answer.json()["id"]]
        assert attempt.time_us == NOW_US - 9 * 3600 * 1_000_000 - 500_000
        assert (attempt.known, attempt.device_valid, attempt.leaked) == (True, False, None)
        for name in record.keys() - {"time", "known", "device_valid", "leaked"}:
            assert getattr(attempt, name) == record[name]

    asyncio.run(play())


def test_null_and_empty_mean_unknown() -> None:
    async def play() -> None:
        at = GuardService()
        names = AttemptMessage.__struct_fields__[3:]
        async with at.client() as client:
            answers = [
                await client.post("/v1/attempts", json=ATTEMPT | dict.fromkeys(names, empty))
                for empty in (None, "")
            ]
            plain = await client.post("/v1/attempts", json=ATTEMPT)
        heard = [at.recorder.attempts[answer.json()["id"]][0] for answer in (*answers, plain)]
        assert heard[0] == heard[1] == heard[2]
        assert heard[0].time_us == NOW_US

    asyncio.run(play())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'{"member": "m1"}',
        b'{"ip": "192.0.2.1"}',
        b'{"member": "", "ip": "192.0.2.1"}',
        b'{"member": 7, "ip": "192.0.2.1"}',
        b'{"member": "m1", "ip": "300.0.0.1"}',
        b'{"member": "m1", "ip": "192.0.2.1, 10.0.0.1"}',
        b'{"member": "m1", "ip": "fe80::1%eth0"}',
        b'{"member": "m1", "ip": "192.0.2.1\\u0000"}',
        b'{"member": "m1", "ip": "192.0.2.1", "gate": "door"}',
        b'{"member": "m1", "ip": "192.0.2.1", "known": 2}',
        b'{"member": "m1", "ip": "192.0.2.1", "known": "yes"}',
        b'{"member": "m1", "ip": "192.0.2.1", "asn": -1}',
        b'{"member": "m1", "ip": "192.0.2.1", "asn": 1e400}',
        b'{"member": "m1", "ip": "192.0.2.1", "asn": NaN}',
        b'{"member": "m1", "ip": "192.0.2.1", "amount_yen": 1.5}',
        b'{"member": "m1", "ip": "192.0.2.1", "amount_yen": 123456789012345678901234567890}',
        b'{"member": "m1", "ip": "192.0.2.1", "time": "yesterday"}',
        b'{"member": "m1", "ip": "192.0.2.1", "time": "2026-01-01T00:00:00"}',
        b'{"member": "m1", "ip": "192.0.2.1", "time": "2026-02-30T00:00:00Z"}',
        b'{"member": "\xff", "ip": "192.0.2.1"}',
        b'{"member": "\\ud800", "ip": "192.0.2.1"}',
        b'{"member": "' + b"m" * 257 + b'", "ip": "192.0.2.1"}',
        b'{"member": "m1", "ip": "192.0.2.1", "x": ' + b"[" * 60_000,
        b'{"member": "m1", "ip": "192.0.2.1"} and more',
    ],
)
def test_what_cannot_be_read_is_refused_and_changes_nothing(body: bytes) -> None:
    async def play() -> None:
        at = GuardService()
        async with at.client() as client:
            headers = {"Content-Type": "application/json"}
            answer = await client.post("/v1/attempts", content=body, headers=headers)
        assert answer.status_code == 400
        assert code_of(answer) == "malformed"
        assert at.recorder.attempts == {}

    asyncio.run(play())


@pytest.mark.parametrize("time", ["2026-01-01T00:05:01Z", "9999-12-31T23:59:59Z"])
def test_an_impossible_time_is_refused(time: str) -> None:
    async def play() -> None:
        at = GuardService()
        async with at.client() as client:
            answer = await client.post("/v1/attempts", json=ATTEMPT | {"time": time})
            near = await client.post("/v1/attempts", json=ATTEMPT | {"time": "2026-01-01T00:05:00Z"})
        assert answer.status_code == 400
        assert code_of(answer) == "impossible_time"
        assert near.status_code == 200

    asyncio.run(play())


def test_a_service_that_plays_the_future_accepts_any_time() -> None:
    async def play() -> None:
        at = GuardService(GuardServiceSettings(time_ahead_s_max=None))
        async with at.client() as client:
            answer = await client.post("/v1/attempts", json=ATTEMPT | {"time": "2030-01-01T00:00:00Z"})
        assert answer.status_code == 200

    asyncio.run(play())


def test_unknown_names_are_ignored_unless_the_caller_prefers_strictness() -> None:
    async def play() -> None:
        at = GuardService()
        async with at.client() as client:
            lenient = await client.post("/v1/attempts", json=ATTEMPT | {"user_agnet": "x"})
            strict = await client.post(
                "/v1/attempts",
                json=ATTEMPT | {"user_agnet": "x"},
                headers={"Prefer": "handling=strict"},
            )
        assert lenient.status_code == 200
        assert code_of(strict) == "malformed"
        assert "user_agnet" in strict.json()["detail"]

    asyncio.run(play())


def test_a_body_over_the_limit_is_refused_whether_announced_or_not() -> None:
    async def play() -> None:
        at = GuardService()
        body = json.dumps(ATTEMPT | {"x": "y" * 70_000}).encode()
        headers = {"Content-Type": "application/json"}

        async def stream():
            for start in range(0, len(body), 1_000):
                yield body[start : start + 1_000]

        async with at.client() as client:
            announced = await client.post("/v1/attempts", content=body, headers=headers)
            streamed = await client.post("/v1/attempts", content=stream(), headers=headers)
            small = await client.post(
                "/v1/attempts",
                content=json.dumps(ATTEMPT | {"x": "y" * 65_000}).encode(),
                headers=headers,
            )
        for answer in (announced, streamed):
            assert answer.status_code == 413
            assert code_of(answer) == "too_large"
        assert small.status_code == 200
        assert len(at.recorder.attempts) == 1

    asyncio.run(play())


def test_a_body_without_an_end_is_refused_before_its_end() -> None:
    async def play() -> None:
        at = GuardService()
        given = 0

        async def endless():
            nonlocal given
            while True:
                given += 1
                yield b" " * 1_000

        async with at.client() as client:
            headers = {"Content-Type": "application/json"}
            answer = await client.post("/v1/attempts", content=endless(), headers=headers)
        assert answer.status_code == 413
        assert given < 100

    asyncio.run(play())


def test_a_form_is_not_an_attempt() -> None:
    async def play() -> None:
        at = GuardService()
        async with at.client() as client:
            answer = await client.post("/v1/attempts", data=ATTEMPT)
            charset = await client.post(
                "/v1/attempts",
                content=json.dumps(ATTEMPT),
                headers={"Content-Type": "application/json; charset=utf-8"},
            )
        assert answer.status_code == 415
        assert code_of(answer) == "unsupported_media_type"
        assert charset.status_code == 200

    asyncio.run(play())


def test_nul_never_reaches_the_record() -> None:
    async def play() -> None:
        at = GuardService()
        async with at.client() as client:
            answer = await client.post("/v1/attempts", json=ATTEMPT | {"user_agent": "a\0b"})
        attempt, _ = at.recorder.attempts[answer.json()["id"]]
        assert attempt.user_agent == "a\ufffdb"

    asyncio.run(play())


def test_with_the_open_posture_an_outage_of_the_record_is_only_counted() -> None:
    async def play() -> None:
        at = GuardService(posture=Posture.OPEN)
        at.recorder.out = True
        async with at.client() as client:
            answer = await client.post("/v1/attempts", json=ATTEMPT)
        assert answer.status_code == 200
        assert at.desk.unrecorded_count == 1

    asyncio.run(play())


def test_an_overloaded_service_says_so() -> None:
    async def play() -> None:
        at = GuardService(in_flight_max=0)
        async with at.client() as client:
            answer = await client.post("/v1/attempts", json=ATTEMPT)
        assert answer.status_code == 503
        assert code_of(answer) == "overloaded"

    asyncio.run(play())


def test_a_failure_of_ours_is_told_without_its_cause(capsys: pytest.CaptureFixture[str]) -> None:
    async def play() -> None:
        at = GuardService()
        at.desk.guard.assess = None  # type: ignore[method-assign,assignment] # a bug, as good as any
        async with at.client() as client:
            answer = await client.post("/v1/attempts", json=ATTEMPT)
        assert answer.status_code == 500
        assert code_of(answer) == "internal"
        assert "NoneType" not in answer.text

    asyncio.run(play())
    assert "guard_api:request:failed" in capsys.readouterr().out


def test_the_answer_does_not_depend_on_whether_the_member_is_known() -> None:
    """A caller who looked the member up, or did not, gets the same answer."""

    async def play() -> None:
        answers = []
        for known in (True, False, None):
            at = GuardService()
            async with at.client() as client:
                answer = await client.post("/v1/attempts", json=ATTEMPT | {"known": known})
            answers.append((answer.status_code, answer.headers.raw, answer.content))
        assert answers[0] == answers[1] == answers[2]

    asyncio.run(play())


def test_the_echo_exists_for_the_bench_alone() -> None:
    async def play() -> None:
        closed, opened = GuardService(), GuardService(GuardServiceSettings(echo=True))
        async with closed.client() as client:
            assert (await client.post("/v1/echo", json=ATTEMPT)).status_code == 404
        async with opened.client() as client:
            answer = await client.post("/v1/echo", json=ATTEMPT)
        assert answer.json().items() >= ATTEMPT.items()
        assert opened.recorder.attempts == {}

    asyncio.run(play())


def test_the_messages_know_every_gate_and_outcome() -> None:
    assert set(get_args(GateName)) == {*Gate, ""}
    assert set(get_args(OutcomeName)) == set(Outcome) - {Outcome.UNKNOWN}
