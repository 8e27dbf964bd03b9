"""The guard's service as one ASGI application: `create_guard_app(desk, keys=...)`.

Its few routes are bare ASGI, because an answer costs little more than its parsing; a framework would cost
several times the decision. See docs/reference/http-api.md for what each route takes and gives.
"""

from collections.abc import Awaitable, Callable
from traceback import format_exc

import msgspec
import structlog

from sekisho.kernel.refusals import Refusal
from sekisho.web.asgi import (
    JSON,
    NO_STORE,
    Answer,
    App,
    ClientGone,
    Receive,
    Scope,
    Send,
    read_body,
    refusal_answer,
    send_answer,
)
from sekisho.web.guard_api.api_keys import ApiKeys
from sekisho.web.guard_api.api_keys import Scope as KeyScope
from sekisho.web.guard_api.attempts_route import AttemptsRoute
from sekisho.web.guard_api.desk import GuardDesk
from sekisho.web.guard_api.forward_auth import ForwardAuth
from sekisho.web.guard_api.metrics import GuardMetrics
from sekisho.web.guard_api.openapi import openapi_document
from sekisho.web.guard_api.refusals import NoKey, WrongScope
from sekisho.web.guard_api.settings import GuardServiceSettings
from sekisho.web.problems import Internal, MethodNotAllowed, NotFound

log = structlog.get_logger(__name__)

TEXT = (b"content-type", b"text/plain; version=0.0.4; charset=utf-8")
OUTCOME_PREFIX = "/v1/attempts/"
OUTCOME_SUFFIX = "/outcome"

Body = Callable[[str, dict[bytes, bytes], bytes], Awaitable[Answer]]


def create_guard_app(
    desk: GuardDesk,
    *,
    keys: ApiKeys,
    settings: GuardServiceSettings | None = None,
    ready: Callable[[], bool] = lambda: True,
) -> App:
    """Return the service in front of a desk. `ready` says whether it may be sent traffic (`GET /readyz`)."""
    return GuardApp(desk, keys, settings or GuardServiceSettings(), ready)


class GuardApp:
    """Routes requests, asks for keys, and turns every refusal into problem details."""

    def __init__(
        self,
        desk: GuardDesk,
        keys: ApiKeys,
        settings: GuardServiceSettings,
        ready: Callable[[], bool],
    ) -> None:
        self.metrics = GuardMetrics(desk)
        self._keys = keys
        self._settings = settings
        self._ready = ready
        self._attempts = AttemptsRoute(desk, self.metrics, settings)
        self._forward_auth = ForwardAuth(desk, self.metrics, settings.forward_auth)
        self._openapi = msgspec.json.encode(openapi_document())
        self._posts: dict[str, Body] = {"/v1/attempts": self._attempts.assess}
        if settings.echo:
            self._posts["/v1/echo"] = self._attempts.echo
        self._gets: dict[str, Callable[[dict[bytes, bytes]], Answer]] = {
            "/healthz": self._healthz,
            "/readyz": self._readyz,
            "/metrics": self._metrics,
            "/openapi.json": self._openapi_json,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the life of the application."""
        if scope["type"] != "http":
            await _live(scope, receive, send)
            return
        try:
            answer = await self._answer(scope, receive)
        except Refusal as refusal:
            self.metrics.refused(refusal.code)
            log.info("guard_api:request:refused", code=refusal.code, path=scope["path"], known=refusal.known)
            answer = refusal_answer(refusal)
        except ClientGone:
            return
        except Exception:  # noqa: BLE001 - whatever it was, the caller gets problem details
            self.metrics.refused(Internal.code)
            trace = format_exc()
            log.error("guard_api:request:failed", path=scope["path"], trace=trace)  # noqa: TRY400 - rendered, an exception shows local variables, and with them the caller's key
            answer = refusal_answer(Internal())
        await send_answer(answer, send)

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        path: str = scope["path"]
        method: str = scope["method"]
        headers: dict[bytes, bytes] = dict(scope["headers"])
        take = self._posts.get(path)
        if take is not None:
            _allow(method, "POST")
            caller = self._caller(headers, KeyScope.ASSESS)
            body = await read_body(headers, receive, self._settings.body_octets_max)
            return await take(caller, headers, body)
        if path.startswith(OUTCOME_PREFIX) and path.endswith(OUTCOME_SUFFIX):
            _allow(method, "POST")
            self._caller(headers, KeyScope.ASSESS)
            body = await read_body(headers, receive, self._settings.body_octets_max)
            return await self._attempts.settle(
                path[len(OUTCOME_PREFIX) : -len(OUTCOME_SUFFIX)], headers, body
            )
        if path == "/v1/forward-auth":
            _allow(method, "GET", "POST")
            self._caller(headers, KeyScope.ASSESS)
            return await self._forward_auth.answer(scope, headers)
        give = self._gets.get(path)
        if give is None:
            raise NotFound
        _allow(method, "GET")
        return give(headers)

    def _caller(self, headers: dict[bytes, bytes], scope: KeyScope) -> str:
        key = self._keys.holder(headers.get(b"authorization", b""))
        if key is None:
            raise NoKey
        if scope not in key.scopes:
            raise WrongScope(known=f"{key.name} has no {scope}")
        return key.name

    def _healthz(self, headers: dict[bytes, bytes]) -> Answer:
        del headers
        return Answer(200, (JSON, NO_STORE), b'{"status":"ok"}')

    def _readyz(self, headers: dict[bytes, bytes]) -> Answer:
        del headers
        if self._ready():
            return Answer(200, (JSON, NO_STORE), b'{"status":"ready"}')
        return Answer(503, (JSON, NO_STORE), b'{"status":"not_ready"}')

    def _metrics(self, headers: dict[bytes, bytes]) -> Answer:
        self._caller(headers, KeyScope.METRICS)
        return Answer(200, (TEXT, NO_STORE), self.metrics.text())

    def _openapi_json(self, headers: dict[bytes, bytes]) -> Answer:
        del headers
        return Answer(200, (JSON,), self._openapi)


def _allow(method: str, *allowed: str) -> None:
    if method not in allowed:
        raise MethodNotAllowed(allowed)


async def _live(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1000})
        return
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
