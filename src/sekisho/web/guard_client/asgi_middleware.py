"""Guard the login of an ASGI application that exists (Starlette, FastAPI, Litestar), without changing it.

The layer reads the login's body, asks the guard, and hands the very same body on. A login that the guard
stops before the hash never reaches the application. Where the decision is that the password comes first, the
application is asked, and its answer is withheld whatever it was: a right password must not look different
from a wrong one.
"""

from collections.abc import Callable, Collection

import msgspec
import structlog

from sekisho.guard.answers import NOT_HEARD, AsksGuard, GuardAnswer, Told
from sekisho.guard.attempts import Attempt, ChallengeResult, Gate, Outcome
from sekisho.guard.decisions import Action
from sekisho.kernel.clock import Clock
from sekisho.kernel.refusals import Refusal
from sekisho.web.asgi import (
    JSON,
    NO_STORE,
    Answer,
    App,
    ClientGone,
    Message,
    Receive,
    Scope,
    Send,
    cookie_value,
    read_body,
    refusal_answer,
    send_answer,
)
from sekisho.web.guard_api.forward_auth import secret_token
from sekisho.web.guard_client.client import GuardRefused
from sekisho.web.guard_client.login_fields import read_login_fields
from sekisho.web.problems import Malformed
from sekisho.web.proxies import ProxyTrust

log = structlog.get_logger(__name__)

STATE = "sekisho"
PROVES_NOTHING = {"GET", "HEAD", "OPTIONS"}
DEVICE_COOKIE_S = 400 * 86_400
NO_BODY: Message = {"type": "http.request", "body": b"", "more_body": False}

OutcomeOf = Callable[[int, list[tuple[bytes, bytes]]], Outcome | None]


class LoginLayerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the layer must know about the login it guards.

    `paths` are the login's paths; a slash at the end makes no difference. `member_field` and `secret_field`
    name the fields of its form or JSON. `secret_key` hashes the secret before it leaves this process: the
    same key in every process, at least 16 octets. `proxies` are the proxies in front, whose X-Forwarded-For
    is believed, and `tls_header` is the header in which they put the client's TLS fingerprint. With
    `issue_device` a proven member's browser gets a device cookie. `member_id` turns what was typed into the
    member's id as the application sees it.
    """

    paths: Collection[str]
    secret_key: bytes
    member_field: str = "username"
    secret_field: str = "password"  # noqa: S105 - a field's name
    gate: Gate = Gate.LOGIN
    proxies: ProxyTrust = ProxyTrust()
    tls_header: str = ""
    device_cookie: str = "sekisho_device"
    issue_device: bool = False
    body_octets_max: int = 65_536
    member_id: Callable[[str], str] = str.strip


class GuardedLogin:
    """What the application and the challenge page find in `scope["state"]["sekisho"]`."""

    def __init__(self, attempt: Attempt, answer: GuardAnswer, guard: AsksGuard) -> None:
        self.attempt = attempt
        self.answer = answer
        self.settled = False
        self._guard = guard

    async def settle(
        self,
        outcome: Outcome,
        challenge: ChallengeResult = ChallengeResult.NONE,
        *,
        issue_device: bool = False,
    ) -> Told:
        """Tell what came of the attempt; the layer then tells nothing itself. Never raises."""
        self.settled = True
        attempt_id = self.answer.attempt_id
        try:
            return await self._guard.settle(attempt_id, outcome, challenge, issue_device=issue_device)
        except GuardRefused as refused:
            log.warning("login_layer:settle:refused", code=refused.code, attempt=attempt_id)
            return NOT_HEARD


def by_status(*, success: Collection[int], wrong_secret: Collection[int]) -> OutcomeOf:
    """Read the outcome from the status alone; any other status tells nothing."""

    def outcome_of(status: int, headers: list[tuple[bytes, bytes]]) -> Outcome | None:
        del headers
        if status in success:
            return Outcome.SUCCESS
        return Outcome.WRONG_SECRET if status in wrong_secret else None

    return outcome_of


async def denied(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer 403 and say nothing about why."""
    del scope, receive
    await send_answer(Answer(403, (JSON, NO_STORE), b'{"status":"denied"}'), send)


async def challenged(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer 401 and ask for an additional proof."""
    del scope, receive
    await send_answer(Answer(401, (JSON, NO_STORE), b'{"status":"challenge"}'), send)


class LoginLayer:
    """An ASGI middleware around an application: only its login's paths are touched."""

    def __init__(  # noqa: PLR0913 - each named at the call
        self,
        app: App,
        *,
        guard: AsksGuard,
        settings: LoginLayerSettings,
        outcome_of: OutcomeOf,
        clock: Clock,
        on_denied: App = denied,
        on_challenged: App = challenged,
    ) -> None:
        """`on_challenged` shows the additional proof and settles the attempt itself when that is over."""
        self._app = app
        self._guard = guard
        self._settings = settings
        self._outcome_of = outcome_of
        self._clock = clock
        self._on_denied = on_denied
        self._on_challenged = on_challenged
        self._paths = {_plain(path) for path in settings.paths}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything through that is no login."""
        if (
            scope["type"] != "http"
            or scope["method"] in PROVES_NOTHING
            or _plain(scope["path"]) not in self._paths
        ):
            await self._app(scope, receive, send)
            return
        try:
            body = await read_body(dict(scope["headers"]), receive, self._settings.body_octets_max)
            attempt = self._attempt(scope, body)
        except ClientGone:
            return
        except Refusal as refusal:
            log.info("login_layer:request:refused", code=refusal.code, known=refusal.known)
            await send_answer(refusal_answer(refusal), send)
            return
        login = GuardedLogin(attempt, await self._guard.assess(attempt), self._guard)
        scope.setdefault("state", {})[STATE] = login
        await self._follow(login, scope, _again(body, receive), send)

    async def _follow(self, login: GuardedLogin, scope: Scope, receive: Receive, send: Send) -> None:
        decision = login.answer.decision
        if decision.action is Action.ALLOW:
            await self._app(scope, receive, self._with_device(login, send))
            return
        if not decision.before_hash:
            outcome = await self._withheld_outcome(scope, receive)
            # A right password leaves the attempt open: the challenge page settles it.
            if outcome not in {None, Outcome.SUCCESS} and not login.settled:
                await login.settle(outcome)
        if decision.action is Action.DENY:
            if not login.settled:
                await login.settle(Outcome.REFUSED)
            await self._on_denied(scope, _nothing_more, send)
        else:
            await self._on_challenged(scope, _nothing_more, send)

    def _with_device(self, login: GuardedLogin, send: Send) -> Send:
        """Return a `send` that tells the outcome when an answer begins, and adds the device's cookie."""

        async def settle_and_send(message: Message) -> None:
            if message["type"] == "http.response.start" and not login.settled:
                headers = list(message.get("headers", ()))
                outcome = self._outcome_of(message["status"], headers)
                if outcome is not None:
                    told = await login.settle(outcome, issue_device=self._settings.issue_device)
                    if told.device_token:
                        headers.append((b"set-cookie", self._cookie(told.device_token)))
                        message = {**message, "headers": headers}
            await send(message)

        return settle_and_send

    async def _withheld_outcome(self, scope: Scope, receive: Receive) -> Outcome | None:
        """Let the application answer, keep the answer to ourselves, and return what it says."""
        said: list[Outcome | None] = []

        async def keep(message: Message) -> None:
            if message["type"] == "http.response.start":
                said.append(self._outcome_of(message["status"], list(message.get("headers", ()))))

        await self._app(scope, receive, keep)
        return said[0] if said else None

    def _cookie(self, device_token: str) -> bytes:
        attributes = f"Max-Age={DEVICE_COOKIE_S}; Path=/; Secure; HttpOnly; SameSite=Lax"
        return f"{self._settings.device_cookie}={device_token}; {attributes}".encode()

    def _attempt(self, scope: Scope, body: bytes) -> Attempt:
        settings = self._settings
        headers = {name: value.decode("utf-8", "replace") for name, value in scope["headers"]}
        fields = read_login_fields(
            body,
            headers.get(b"content-type", ""),
            settings.member_field,
            settings.secret_field,
        )
        peer = scope["client"][0] if scope.get("client") else ""
        forwarded_for = ",".join(
            value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"
        )
        member = settings.member_id(fields.member)
        address = settings.proxies.client_address(peer, forwarded_for)
        if not member or not address:
            raise Malformed(known=f"member {member!r}, address {address!r}")
        trusted = settings.proxies.trusts(peer)
        return Attempt(
            time_us=self._clock.now_us(),
            gate=settings.gate,
            member=member,
            ip=address,
            user_agent=headers.get(b"user-agent", ""),
            tls=headers.get(settings.tls_header.lower().encode(), "") if trusted else "",
            device=cookie_value(headers.get(b"cookie", ""), settings.device_cookie),
            secret=secret_token(settings.secret_key, fields.secret) if fields.secret else "",
        )


def _again(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives the body once more, and afterwards what really comes."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def give() -> Message:
        return waiting.pop() if waiting else await receive()

    return give


async def _nothing_more() -> Message:
    return NO_BODY


def _plain(path: str) -> str:
    return "/".join(part for part in path.split("/") if part)
