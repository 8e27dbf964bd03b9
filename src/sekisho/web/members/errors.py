"""Failures as people and programs read them: what happened, what it means, what to do."""

from traceback import format_exception
from typing import Any

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException

from sekisho.identity.assurance import InsufficientAuthentication
from sekisho.kernel.posture import OperationalError
from sekisho.kernel.refusals import Refusal
from sekisho.web.members.site import site_of
from sekisho.web.members.visits import NO_STORE, Visit, visit_of
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

log = structlog.get_logger(__name__)

AnyRequest = Request[Any, Any, Any]
OF_HTTP: dict[int, type[Refusal]] = {404: NotFound, 413: TooLarge, 503: Overloaded}
METHOD_NOT_ALLOWED = 405
SERVER_FAILURE = 500
UNAVAILABLE = 503
RETRY_AFTER_S = 5


def answer_refusal(request: AnyRequest, refusal: Refusal) -> Response[Any]:
    """Answer a refusal: as a page for people, as problem details for programs."""
    visit = _visit(request)
    if refusal.known:
        log.info("web:request:refused", code=refusal.code, known=refusal.known, path=request.url.path)
    headers = dict(NO_STORE)
    if refusal.status == UNAVAILABLE:
        headers["Retry-After"] = str(RETRY_AFTER_S)
    if isinstance(refusal, InsufficientAuthentication):
        headers["WWW-Authenticate"] = (
            f'Bearer error="{refusal.code}", error_description="{refusal.told}", '
            f'max_age="{refusal.max_age_s}", acr_values="{refusal.acr_values}"'
        )
    if visit.wants_json:
        body = msgspec.json.encode(problem_of(refusal))
        return Response(body, status_code=refusal.status, media_type=CONTENT_TYPE, headers=headers)
    general = "overloaded" if refusal.status == UNAVAILABLE else "refused"
    key = refusal.code if visit.words.has(f"{refusal.code}_title") else general
    page = visit.page("members/refusal.html", status=refusal.status, key=key, told=refusal.told, here="/")
    page.headers.update(headers)
    return page


def answer_http(request: AnyRequest, failure: HTTPException) -> Response[Any]:
    """Answer what the framework refuses: no such path, another method, too much of it."""
    if failure.status_code == METHOD_NOT_ALLOWED:
        said = {name.lower(): value for name, value in (failure.headers or {}).items()}
        allowed = said.get("allow", "")
        response = answer_refusal(request, MethodNotAllowed(tuple(filter(None, allowed.split(", ")))))
        response.headers["Allow"] = allowed
        return response
    if failure.status_code >= SERVER_FAILURE and failure.status_code not in OF_HTTP:
        return answer_bug(request, failure)
    return answer_refusal(request, OF_HTTP.get(failure.status_code, Malformed)())


def answer_outage(request: AnyRequest, outage: OperationalError) -> Response[Any]:
    """Answer while a part that we stand on is down: nothing was done, and it can be tried again."""
    log.warning("web:request:outage", part=outage.part, detail=outage.detail, path=request.url.path)
    return answer_refusal(request, Overloaded())


def answer_bug(request: AnyRequest, failure: Exception) -> Response[Any]:
    """Answer where the program failed: the cause goes to the log alone."""
    # Rendered by the logger, an exception may show local variables, and with them tokens and codes.
    log.error("web:request:failed", path=request.url.path, trace="".join(format_exception(failure)))
    return answer_refusal(request, Internal())


def _visit(request: AnyRequest) -> Visit:
    """Return the request's visit; where it failed before it was admitted, one of a stranger."""
    try:
        return visit_of(request)
    except KeyError:
        return Visit(site_of(request), request)
