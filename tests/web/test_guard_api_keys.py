"""API keys: hashed, scoped, and changed by a command while the service runs."""

import asyncio
import hashlib
import json
from pathlib import Path

import pytest
from tests.web.guard_service import ATTEMPT, NOW_US, GuardService
from tests.web.test_guard_api_attempts import code_of

from sekisho.kernel.chance import SeededChance
from sekisho.kernel.clock import SECOND_US, SetClock
from sekisho.web.guard_api.api_keys import ApiKeyName, ApiKeys, Scope


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer sk_",
        "Basic {key}",
        "{key}",
        "Bearer {key}x",
        "Bearer sk_000000000000_{secret}",
        "Bearer {other}",
    ],
)
@pytest.mark.parametrize("path", ["/v1/attempts", "/v1/attempts/att_1/outcome", "/v1/forward-auth"])
def test_without_a_valid_key_nothing_is_judged(authorization: str, path: str) -> None:
    async def play() -> None:
        at = GuardService()
        sent = authorization.format(key=at.key, secret=at.key[-43:], other=at.key[:-43] + "A" * 43)
        async with at.client("") as client:
            answer = await client.post(path, json=ATTEMPT, headers={"Authorization": sent})
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert code_of(answer) == "no_key"
        assert at.recorder.attempts == {}

    asyncio.run(play())


def test_the_key_is_asked_for_before_the_body_is_read() -> None:
    async def play() -> None:
        at = GuardService()
        async with at.client("") as client:
            answer = await client.post("/v1/attempts", content=b"x" * 1_000_000)
        assert answer.status_code == 401

    asyncio.run(play())


def test_a_key_opens_only_its_scopes() -> None:
    async def play() -> None:
        at = GuardService()
        reader = at.keys.add("prometheus", (Scope.METRICS,), at.chance)
        async with at.client() as client, at.client(reader) as metrics:
            assert (await client.post("/v1/attempts", json=ATTEMPT)).status_code == 200
            assert (await metrics.get("/metrics")).status_code == 200
            for refused in (await client.get("/metrics"), await metrics.post("/v1/attempts", json=ATTEMPT)):
                assert refused.status_code == 403
                assert code_of(refused) == "wrong_scope"

    asyncio.run(play())


def test_a_key_is_kept_as_a_hash(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    keys = ApiKeys(clock=SetClock(NOW_US), path=path)
    key = keys.add("login", (Scope.ASSESS,), SeededChance(1))
    kept = path.read_text()
    secret = key.rpartition("_")[2] if key.count("_") == 2 else key.split("_", 2)[2]
    assert secret not in kept
    assert json.loads(kept)[0]["secret_sha256"] == hashlib.sha256(secret.encode()).hexdigest()
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_running_service_sees_keys_come_and_go_within_a_second(tmp_path: Path) -> None:
    clock = SetClock(NOW_US)
    service = ApiKeys(clock=clock, path=tmp_path / "keys.json")
    command = ApiKeys(clock=clock, path=tmp_path / "keys.json")
    key = f"Bearer {command.add('login', (Scope.ASSESS,), SeededChance(1))}".encode()
    assert service.holder(key) is None
    clock.advance(SECOND_US)
    found = service.holder(key)
    assert found is not None
    assert found.name == "login"
    assert command.remove("login")
    clock.advance(SECOND_US)
    assert service.holder(key) is None


def test_a_broken_key_file_locks_nobody_out(tmp_path: Path) -> None:
    clock = SetClock(NOW_US)
    path = tmp_path / "keys.json"
    service = ApiKeys(clock=clock, path=path)
    key = f"Bearer {service.add('login', (Scope.ASSESS,), SeededChance(1))}".encode()
    path.write_text("[{")
    clock.advance(SECOND_US)
    assert service.holder(key) is not None


@pytest.mark.parametrize("name", ["", "Login", "a b", "x" * 65, "taken"])
def test_a_name_is_short_plain_and_free(name: str) -> None:
    keys = ApiKeys(clock=SetClock(NOW_US))
    keys.add("taken", (Scope.ASSESS,), SeededChance(1))
    with pytest.raises(ApiKeyName):
        keys.add(name, (Scope.ASSESS,), SeededChance(2))
    assert not keys.remove("nobody")
