"""The layer around a login: what reaches the application, what comes back, and what is settled."""

import asyncio
import json
from typing import Any

import httpx
import msgspec
import pytest
from litestar import Litestar, Request, post
from litestar.response import Response
from tests.web.guard_service import GuardService

from sekisho.guard.attempts import ChallengeResult, Outcome
from sekisho.guard.decisions import Action, Decision
from sekisho.kernel.posture import Posture
from sekisho.web.asgi import App, Receive, Scope, Send
from sekisho.web.guard_api.forward_auth import secret_token
from sekisho.web.guard_client.asgi_middleware import LoginLayer, LoginLayerSettings, by_status
from sekisho.web.guard_client.local_guard import LocalGuard
from sekisho.web.proxies import ProxyTrust

KEY = b"s" * 32
FORM = {"username": "taro", "password": "correct horse", "next": "/"}
SETTINGS = LoginLayerSettings(
    paths=["/login"], secret_key=KEY, proxies=ProxyTrust.parse(["127.0.0.1"]), tls_header="x-ja4"
)
OUTCOME_OF = by_status(success=[303], wrong_secret=[401])


class Legacy:
    """An application that knows nothing of the guard: one password is right. It remembers what it heard."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, bytes]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = b""
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        self.heard.append((scope["path"], body))
        right = b"correct" in body
        headers = [(b"set-cookie", b"session=1")] if right else []
        await send({"type": "http.response.start", "status": 303 if right else 401, "headers": headers})
        await send({"type": "http.response.body", "body": b"first, ", "more_body": True})
        await send({"type": "http.response.body", "body": b"second"})


class Setting:
    """The layer around the legacy application, with the desk of a guard's service behind it."""

    def __init__(self, settings: LoginLayerSettings = SETTINGS, posture: Posture = Posture.CLOSED) -> None:
        self.service = GuardService()
        self.legacy = Legacy()
        self.app: App = LoginLayer(
            self.legacy,
            guard=LocalGuard(self.service.desk, on_outage=posture),
            settings=settings,
            outcome_of=OUTCOME_OF,
            clock=self.service.clock,
        )

    def client(self) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.app, client=("127.0.0.1", 1))
        return httpx.AsyncClient(
            transport=transport, base_url="http://app", headers={"X-Forwarded-For": "192.0.2.9"}
        )

    def decide(self, action: Action, *, before_hash: bool) -> None:
        """Let the guard decide so from now on."""
        decision = Decision(
            action=action,
            probability=0.5,
            before_hash=before_hash,
            reasons=("set",),
            policy="p",
            policy_revision=1,
        )
        self.service.desk.guard.assess = lambda _: decision  # type: ignore[method-assign,assignment] # a fixed judge

    @property
    def outcomes(self) -> list[tuple[Outcome, ChallengeResult]]:
        return list(self.service.recorder.outcomes.values())


def login(at: Setting, **request: object) -> httpx.Response:
    async def play() -> httpx.Response:
        async with at.client() as client:
            return await client.post("/login", **(request or {"data": FORM}))  # type: ignore[arg-type] # as given

    return asyncio.run(play())


@pytest.mark.parametrize("request_body", [{"data": FORM}, {"json": FORM}])
def test_an_ordinary_login_reaches_the_application_unchanged(request_body: dict[str, object]) -> None:
    at = Setting()
    answer = login(at, **request_body)
    assert (answer.status_code, answer.text) == (303, "first, second")
    assert answer.headers["set-cookie"] == "session=1"
    assert at.legacy.heard[0][1] == httpx.Request("POST", "http://app", **request_body).content  # type: ignore[arg-type] # as given
    assert at.outcomes == [(Outcome.SUCCESS, ChallengeResult.NONE)]


def test_the_guard_learns_who_tries_and_never_the_secret() -> None:
    at = Setting()
    login(
        at, data=FORM, headers={"User-Agent": "U", "X-JA4": "t13d", "Cookie": 'x={"a":1}; sekisho_device=dev'}
    )
    ((attempt, _),) = at.service.recorder.attempts.values()
    assert (attempt.member, attempt.ip, attempt.user_agent) == ("taro", "192.0.2.9", "U")
    assert (attempt.tls, attempt.device) == ("t13d", "dev")
    assert attempt.secret == secret_token(KEY, "correct horse")
    assert "horse" not in repr(attempt)


def test_a_wrong_password_is_settled_from_the_answer() -> None:
    at = Setting()
    assert login(at, data=FORM | {"password": "x"}).status_code == 401
    assert at.outcomes == [(Outcome.WRONG_SECRET, ChallengeResult.NONE)]


def test_a_status_that_tells_nothing_settles_nothing() -> None:
    assert OUTCOME_OF(500, []) is None


@pytest.mark.parametrize(
    ("action", "status"), [(Action.DENY, 403), (Action.CHALLENGE, 401), (Action.PUZZLE, 401)]
)
def test_what_is_stopped_before_the_hash_never_reaches_the_application(action: Action, status: int) -> None:
    at = Setting()
    at.decide(action, before_hash=True)
    assert login(at).status_code == status
    assert at.legacy.heard == []
    assert at.outcomes == ([(Outcome.REFUSED, ChallengeResult.NONE)] if action is Action.DENY else [])


def test_a_challenge_after_the_hash_looks_the_same_for_right_and_wrong_passwords() -> None:
    """The application is asked, its answer and its session are withheld, and the label is kept."""
    right, wrong = Setting(), Setting()
    for at in (right, wrong):
        at.decide(Action.CHALLENGE, before_hash=False)
    answers = [login(right), login(wrong, data=FORM | {"password": "x"})]
    assert (answers[0].status_code, answers[0].content) == (answers[1].status_code, answers[1].content)
    assert answers[0].headers == answers[1].headers
    assert "set-cookie" not in answers[0].headers
    assert len(right.legacy.heard) == len(wrong.legacy.heard) == 1
    assert right.outcomes == []  # the challenge is still open: its page settles the attempt
    assert wrong.outcomes == [(Outcome.WRONG_SECRET, ChallengeResult.NONE)]


@pytest.mark.parametrize(
    ("request_body", "status"),
    [
        ({"content": b"", "headers": {"Content-Type": "application/x-www-form-urlencoded"}}, 400),
        ({"data": {"username": "", "password": "x"}}, 400),
        ({"data": {"username": "  ", "password": "x"}}, 400),
        ({"data": {"username": ["a", "b"], "password": "x"}}, 400),
        ({"json": ["taro"]}, 400),
        ({"json": {"username": 7}}, 400),
        (
            {"content": b'{"username":"a","username":"b"}', "headers": {"Content-Type": "application/json"}},
            400,
        ),
        ({"content": b'{"username":' + b"[" * 60_000, "headers": {"Content-Type": "application/json"}}, 400),
        ({"content": b"username=%", "headers": {"Content-Type": "text/plain"}}, 415),
        ({"data": {"username": "a"}, "files": {"f": b"x"}}, 415),
        ({"data": FORM | {"next": "x" * 70_000}}, 413),
    ],
)
def test_a_login_that_cannot_be_judged_goes_nowhere(request_body: dict[str, object], status: int) -> None:
    at = Setting()
    answer = login(at, **request_body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert at.legacy.heard == []
    assert at.service.recorder.attempts == {}


@pytest.mark.parametrize("path", ["/login/", "//login", "/login"])
def test_a_slash_more_is_no_way_around(path: str) -> None:
    async def play() -> None:
        at = Setting()
        async with at.client() as client:
            await client.post(f"http://app{path}", data=FORM)
        assert len(at.service.recorder.attempts) == 1

    asyncio.run(play())


def test_everything_else_passes_untouched_and_unbuffered() -> None:
    async def play() -> None:
        at = Setting()
        async with at.client() as client:
            page = await client.get("/login")
            upload = await client.post("/upload", content=b"x" * 200_000)
        assert (page.status_code, upload.status_code) == (401, 401)
        assert [path for path, _ in at.legacy.heard] == ["/login", "/upload"]
        assert at.service.recorder.attempts == {}

    asyncio.run(play())


@pytest.mark.parametrize(("posture", "status"), [(Posture.OPEN, 303), (Posture.CLOSED, 403)])
def test_an_outage_of_the_guard_means_what_was_said(posture: Posture, status: int) -> None:
    at = Setting(posture=posture)
    at.service.recorder.out = True
    assert login(at).status_code == status


def test_a_litestar_application_reads_its_body_and_finds_the_decision() -> None:
    """The layer stands in front of a framework as it stands in front of bare ASGI."""

    @post("/login", status_code=303)
    async def handle(request: Request[Any, Any, Any]) -> Response[str]:
        sent = await request.json()
        decided = request.scope["state"]["sekisho"].answer.decision.action
        return Response(json.dumps([sent["username"], decided]), status_code=303)

    async def play() -> None:
        at = Setting()
        layer = LoginLayer(
            Litestar([handle]),  # type: ignore[arg-type] # its own names for the words of ASGI
            guard=LocalGuard(at.service.desk, on_outage=Posture.CLOSED),
            settings=SETTINGS,
            outcome_of=OUTCOME_OF,
            clock=at.service.clock,
        )
        transport = httpx.ASGITransport(layer, client=("127.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://app") as client:
            answer = await client.post("/login", json=FORM)
        assert answer.json() == ["taro", "allow"]
        assert at.outcomes == [(Outcome.SUCCESS, ChallengeResult.NONE)]

    asyncio.run(play())


def test_the_application_may_settle_itself() -> None:
    class Settles(Legacy):
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            await scope["state"]["sekisho"].settle(Outcome.NO_SUCH_MEMBER)
            await super().__call__(scope, receive, send)

    at = Setting()
    at.app = LoginLayer(
        Settles(),
        guard=LocalGuard(at.service.desk, on_outage=Posture.CLOSED),
        settings=SETTINGS,
        outcome_of=OUTCOME_OF,
        clock=at.service.clock,
    )
    login(at)
    assert at.outcomes == [(Outcome.NO_SUCH_MEMBER, ChallengeResult.NONE)]


def test_a_proven_members_browser_gets_a_device_cookie_and_comes_back_known() -> None:
    """The next login with that cookie carries a verified device; a wrong password earns none."""
    at = Setting(msgspec.structs.replace(SETTINGS, issue_device=True))
    assert "sekisho_device" not in login(at, data=FORM | {"password": "x"}).headers.get("set-cookie", "")
    answer = login(at)
    own, device = answer.headers.get_list("set-cookie")
    assert own == "session=1"
    name_and_value, _, attributes = device.partition("; ")
    assert {"Secure", "HttpOnly", "SameSite=Lax"} <= set(attributes.split("; "))
    login(at, data=FORM, headers={"Cookie": f"session=1; {name_and_value}"})
    seen = [attempt.device_valid for attempt, _ in at.service.recorder.attempts.values()]
    assert seen == [None, None, True]
