"""The login's door on HTTP, and its line to the guard when that is down."""

import asyncio

import httpx
import pytest
from tests.range.house import MEMBER, DecidedCheckpoint, arrival, house_with

from sekisho.guard.decisions import Action
from sekisho.kernel.posture import OperationalError, Posture
from sekisho.range.checkpoint import HttpCheckpoint
from sekisho.range.login_site import LoginSite
from sekisho.range.visitors import HttpDoor

RIGHT = {"name": MEMBER.name, "password": MEMBER.password}


def posted(checkpoint, path, *, json=None, content=None, method="POST"):
    """Send one request to a login site and return the response."""
    headers = {"x-forwarded-for": "10.0.0.9", "x-client-tls": "t13", "user-agent": "A browser"}

    async def send():
        transport = httpx.ASGITransport(LoginSite(house_with(checkpoint)))
        async with httpx.AsyncClient(transport=transport, base_url="http://login.localhost") as client:
            return await client.request(method, path, json=json, content=content, headers=headers)

    return asyncio.run(send())


def test_a_right_pair_is_welcomed_with_a_cookie():
    """The cookie is for this site's login alone, and no script can read it."""
    response = posted(DecidedCheckpoint(Action.ALLOW), "/login", json=RIGHT)
    assert (response.status_code, response.json()) == (200, {"next": "welcome"})
    cookie = response.headers["set-cookie"]
    assert cookie.startswith("device=house.d1.")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_the_guard_hears_what_the_proxy_saw():
    """Address and TLS fingerprint come from the proxy, country and provider from the address table."""
    checkpoint = DecidedCheckpoint(Action.ALLOW)
    posted(checkpoint, "/login", json=RIGHT)
    asked = checkpoint.asked[0]
    assert (asked.ip, asked.tls, asked.user_agent) == ("10.0.0.9", "t13", "A browser")
    assert (asked.asn, asked.country) == (64_512, "JP")


def test_wrong_and_unknown_are_one_answer_on_the_wire():
    """Status, headers and body."""
    wrong, unknown = (
        posted(DecidedCheckpoint(Action.ALLOW), "/login", json=RIGHT | change)
        for change in ({"password": "wrong"}, {"name": "nobody.here"})
    )
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.headers == unknown.headers
    assert wrong.content == unknown.content


@pytest.mark.parametrize(
    ("path", "content", "method", "status"),
    [
        ("/login", b"not json", "POST", 400),
        ("/login", b'{"name": "only"}', "POST", 400),
        ("/login", b"x" * 5_000, "POST", 400),
        ("/login", b"", "GET", 404),
        ("/elsewhere", b"", "POST", 404),
        ("/login/step", b'{"token": "made up", "given": "x"}', "POST", 401),
    ],
)
def test_what_is_no_login_is_refused_and_asks_nobody(path, content, method, status):
    """A broken form never reaches the guard."""
    checkpoint = DecidedCheckpoint(Action.ALLOW)
    assert posted(checkpoint, path, content=content, method=method).status_code == status
    assert checkpoint.asked == []


def asked_while_the_guard_is_down(posture):
    """Log in while nothing answers where the guard should be."""

    async def ask():
        checkpoint = HttpCheckpoint("http://127.0.0.1:1", "sk_key", on_outage=posture)
        try:
            return await house_with(checkpoint).log_in(arrival(), "m")
        finally:
            await checkpoint.aclose()

    return asyncio.run(ask())


def test_an_outage_of_the_guard_is_what_the_house_decided():
    """Open lets the password decide alone; closed lets nobody in."""
    assert asked_while_the_guard_is_down(Posture.OPEN).next == "welcome"
    with pytest.raises(OperationalError, match="guard"):
        asked_while_the_guard_is_down(Posture.CLOSED)


def test_a_closed_house_says_later():
    """The visitor is told to come again, and not why."""

    class Down(DecidedCheckpoint):
        async def assess(self, attempt):
            raise OperationalError("guard", f"no answer about {attempt.member}")

    response = posted(Down(Action.ALLOW), "/login", json=RIGHT)
    assert (response.status_code, response.json()) == (503, {"next": "later"})


def test_a_door_remembers_no_cookies():
    """Each visitor's cookies are their own: what one earns is not sent with the next."""
    checkpoint = DecidedCheckpoint(Action.ALLOW)

    async def two_visitors():
        site = LoginSite(house_with(checkpoint))
        door = HttpDoor("http://login.localhost", "login.localhost", transport=httpx.ASGITransport(site))
        first = await door.log_in(arrival(), "v1")
        await door.log_in(arrival(), "v2")
        await door.log_in(arrival(cookie=first.cookie), "v3")
        await door.aclose()
        return first.cookie

    cookie = asyncio.run(two_visitors())
    assert [attempt.device for attempt in checkpoint.asked] == ["", "", cookie]
