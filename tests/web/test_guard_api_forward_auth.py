"""`/v1/forward-auth`: what a reverse proxy asks in headers, and what it is answered."""

import asyncio

import httpx
import pytest
from tests.web.guard_service import GuardService
from tests.web.test_guard_api_attempts import code_of

from sekisho.guard.attempts import Attempt, Outcome
from sekisho.web.guard_api.forward_auth import secret_token
from sekisho.web.guard_api.settings import ForwardAuthSettings, GuardServiceSettings
from sekisho.web.proxies import ProxyTrust

KEY = b"s" * 32
SETTINGS = GuardServiceSettings(
    forward_auth=ForwardAuthSettings(
        trusted_proxies=ProxyTrust.parse(["127.0.0.1", "10.0.0.0/8"]),
        secret_key=KEY,
        tls_header="X-JA4",
    ),
)
LOGIN = {"X-Original-Method": "POST", "X-Forwarded-For": "192.0.2.9", "X-Sekisho-Member": "m1"}


def ask(headers: dict[str, str], at: GuardService | None = None, peer: str = "127.0.0.1") -> httpx.Response:
    """Ask once, as a proxy would."""

    async def play() -> httpx.Response:
        service = at or GuardService(SETTINGS)
        async with service.client(peer=peer) as client:
            return await client.get("/v1/forward-auth", headers=headers)

    return asyncio.run(play())


def judged(headers: dict[str, str], peer: str = "127.0.0.1") -> Attempt:
    """Return the attempt that the guard was shown."""
    at = GuardService(SETTINGS)
    answer = ask(headers, at, peer)
    attempt, _ = at.recorder.attempts[answer.headers["x-sekisho-attempt"]]
    return attempt


def test_an_ordinary_login_goes_on() -> None:
    answer = ask(LOGIN)
    assert answer.status_code == 204
    assert answer.headers["x-sekisho-action"] == "allow"
    assert answer.headers["x-sekisho-attempt"].startswith("att_")


def test_headers_become_the_attempt() -> None:
    attempt = judged(
        LOGIN
        | {
            "User-Agent": "Mozilla/5.0",
            "X-JA4": "t13d1516h2",
            "Cookie": "a=b; sekisho_device=dev.1",
            "X-Sekisho-Gate": "transfer",
            "X-Sekisho-Secret": "correct horse",
        },
    )
    assert attempt.ip == "192.0.2.9"
    assert attempt.user_agent == "Mozilla/5.0"
    assert attempt.tls == "t13d1516h2"
    assert attempt.device == "dev.1"
    assert attempt.gate == "transfer"
    assert attempt.secret == secret_token(KEY, "correct horse")
    assert "horse" not in repr(attempt)


def test_a_form_value_is_decoded() -> None:
    form = {"X-Original-Method": "POST", "X-Sekisho-Member-Form": "taro%2Bx%40example.jp"}
    assert judged(form).member == "taro+x@example.jp"
    assert judged(form | {"X-Sekisho-Secret-Form": "a+b%00"}).secret == secret_token(KEY, "a b\ufffd")


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "get"])
def test_a_request_that_proves_nothing_passes_undecided(method: str) -> None:
    at = GuardService(SETTINGS)
    answer = ask({"X-Original-Method": method}, at)
    assert answer.status_code == 204
    assert at.recorder.attempts == {}


@pytest.mark.parametrize("headers", [{}, {"X-Original-Method": "PUT"}, LOGIN | {"X-Sekisho-Gate": "door"}])
def test_a_proof_without_a_member_or_gate_is_refused(headers: dict[str, str]) -> None:
    answer = ask(headers)
    assert answer.status_code == 403
    assert code_of(answer) == "unreadable_login"


def test_only_a_trusted_proxy_is_answered() -> None:
    answer = ask(LOGIN, peer="192.0.2.200")
    assert answer.status_code == 403
    assert code_of(answer) == "untrusted_proxy"


def test_a_challenge_is_401_and_names_its_reasons() -> None:
    async def play() -> httpx.Response:
        at = GuardService(SETTINGS)
        async with at.client() as client:
            for number in range(3):
                answer = await client.get(
                    "/v1/forward-auth",
                    headers=LOGIN | {"X-Sekisho-Member": f"m{number}"},
                )
                await at.desk.settle(answer.headers["x-sekisho-attempt"], Outcome.WRONG_SECRET)
            return await client.get("/v1/forward-auth", headers=LOGIN)

    answer = asyncio.run(play())
    assert answer.status_code == 401
    assert answer.headers["x-sekisho-action"] == "challenge"
    assert answer.headers["x-sekisho-reasons"]


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "client"),
    [
        ("127.0.0.1", "192.0.2.9", "192.0.2.9"),
        ("127.0.0.1", "203.0.113.66, 192.0.2.9", "192.0.2.9"),
        ("127.0.0.1", "203.0.113.66, 192.0.2.9, 10.1.2.3", "192.0.2.9"),
        ("127.0.0.1", "203.0.113.66, rubbish, 10.1.2.3", "10.1.2.3"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "10.9.9.9, 10.1.2.3", "10.9.9.9"),
        ("127.0.0.1", "192.0.2.9:4711", "192.0.2.9"),
        ("127.0.0.1", '"[2001:db8::1]:4711"', "2001:db8::1"),
        ("127.0.0.1", "::ffff:192.0.2.9", "192.0.2.9"),
        ("192.0.2.77", "203.0.113.66", "192.0.2.77"),
        ("", "192.0.2.9", "192.0.2.9"),
    ],
)
def test_only_trusted_hops_are_believed(peer: str, forwarded_for: str, client: str) -> None:
    """What stands left of the first untrusted hop was written by somebody unknown."""
    trust = ProxyTrust.parse(["127.0.0.1", "10.0.0.0/8"])
    assert trust.client_address(peer, forwarded_for) == client


def test_a_count_of_hops_ends_the_walk() -> None:
    trust = ProxyTrust.parse(["127.0.0.1"], hops=2)
    assert trust.client_address("127.0.0.1", "203.0.113.66, 192.0.2.9, 198.51.100.4") == "192.0.2.9"
    assert trust.client_address("127.0.0.1", "198.51.100.4") == "198.51.100.4"


def test_a_very_long_chain_is_cut() -> None:
    trust = ProxyTrust.parse(["127.0.0.1", "10.0.0.0/8"])
    assert trust.client_address("127.0.0.1", "192.0.2.9, " + "10.0.0.1, " * 10_000 + "10.0.0.1") == "10.0.0.1"
