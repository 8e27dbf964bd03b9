"""Shared signals as an application, to be served beside an institution's own pages."""

from traceback import format_exception
from typing import Any

import msgspec
import structlog
from litestar import Litestar, Request, Response
from litestar.datastructures import State
from litestar.exceptions import HTTPException

from sekisho.kernel.posture import OperationalError
from sekisho.kernel.refusals import Refusal
from sekisho.sharing.exchange import Exchange
from sekisho.web.asgi import App, Receive, Scope, Send
from sekisho.web.problems import (
    CONTENT_TYPE,
    Internal,
    Malformed,
    MethodNotAllowed,
    NotFound,
    Overloaded,
    TooLarge,
    problem_of,
)
from sekisho.web.signals import event_endpoints, stream_endpoints
from sekisho.web.signals.asking import STATE

log = structlog.get_logger(__name__)

BODY_OCTETS_MAX = 262_144
PATHS = ("/ssf/", "/.well-known/ssf-configuration")
_OF_HTTP: dict[int, type[Refusal]] = {404: NotFound, 413: TooLarge}
_HEADERS = {
    401: {"WWW-Authenticate": 'Bearer realm="signals"'},
    429: {"Retry-After": "60"},
    503: {"Retry-After": "5"},
}
METHOD_NOT_ALLOWED = 405
SERVER_FAILURE = 500

AnyRequest = Request[Any, Any, Any]


def create_signals_app(exchange: Exchange) -> Litestar:
    """Make the application of one institution's exchange."""
    return Litestar(
        [*event_endpoints.ROUTES, *stream_endpoints.ROUTES],
        exception_handlers={
            Refusal: _answer_refusal,
            OperationalError: _answer_outage,
            HTTPException: _answer_http,
            Exception: _answer_bug,
        },
        request_max_body_size=BODY_OCTETS_MAX,
        logging_config=None,
        openapi_config=None,
        state=State({STATE: exchange}),
    )


class Beside:
    """An ASGI application that takes the paths of signals, and leaves every other one to the institution."""

    def __init__(self, pages: App, signals: App) -> None:
        self._pages = pages
        self._signals = signals

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the life of the institution's pages."""
        is_signal = scope["type"] == "http" and scope["path"].startswith(PATHS)
        await (self._signals if is_signal else self._pages)(scope, receive, send)


def _answer_refusal(request: AnyRequest, refusal: Refusal) -> Response[bytes]:
    log.info("signals:request:refused", code=refusal.code, known=refusal.known, path=request.url.path)
    return _problem(refusal)


def _answer_outage(request: AnyRequest, outage: OperationalError) -> Response[bytes]:
    log.warning("signals:request:outage", part=outage.part, path=request.url.path)
    return _problem(Overloaded())


def _answer_http(request: AnyRequest, failure: HTTPException) -> Response[bytes]:
    if failure.status_code == METHOD_NOT_ALLOWED:
        allowed = {name.lower(): value for name, value in (failure.headers or {}).items()}.get("allow", "")
        response = _problem(MethodNotAllowed(tuple(filter(None, allowed.split(", ")))))
        response.headers["Allow"] = allowed
        return response
    if failure.status_code >= SERVER_FAILURE:
        return _answer_bug(request, failure)
    return _problem(_OF_HTTP.get(failure.status_code, Malformed)())


def _answer_bug(request: AnyRequest, failure: Exception) -> Response[bytes]:
    # Rendered by the logger, an exception may show local variables, and with them tokens.
    log.error("signals:request:failed", path=request.url.path, trace="".join(format_exception(failure)))
    return _problem(Internal())


def _problem(refusal: Refusal) -> Response[bytes]:
    headers = {"Cache-Control": "no-store", **_HEADERS.get(refusal.status, {})}
    body = msgspec.json.encode(problem_of(refusal))
    return Response(body, status_code=refusal.status, media_type=CONTENT_TYPE, headers=headers)
