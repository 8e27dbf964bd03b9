"""What browsers ask by themselves: to bind a session to their device, and to prove it again."""

from typing import Any

import msgspec
from litestar import Response, post

from sekisho.identity.bound_sessions import BOUND_COOKIE, Challenged, Renewed, Unbound
from sekisho.identity.sessions import Session
from sekisho.web.members import cookies
from sekisho.web.members.admission import NotSignedIn
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.visits import NO_STORE, AnyRequest, Visit, visit_of

OF_DEVICES = {ROLE: Role.DEVICE}
FORBIDDEN = 403
JSON = "application/json"
ANSWER = "secure-session-response"


@post("/session/bind", opt=OF_DEVICES, status_code=200)
async def bind_session(request: AnyRequest) -> Response[Any]:
    """Take the key of the device that a session opened on."""
    visit = visit_of(request)
    session = await _session(visit)
    return _answer(await visit.site.desks.bindings.register(session, request.headers.get(ANSWER, "")))


@post("/session/refresh", opt=OF_DEVICES, status_code=200)
async def refresh_session(request: AnyRequest) -> Response[Any]:
    """Take the proof that the device still has its key, or ask for it."""
    visit = visit_of(request)
    session, headers = await _session(visit), request.headers
    refreshed = await visit.site.desks.bindings.refresh(
        session, headers.get("sec-secure-session-id", ""), headers.get(ANSWER, "")
    )
    if isinstance(refreshed, Challenged):
        asked = {"Secure-Session-Challenge": refreshed.challenge_header}
        return Response(b"", status_code=FORBIDDEN, media_type=JSON, headers={**NO_STORE, **asked})
    return _answer(refreshed)


async def _session(visit: Visit) -> Session:
    present = await visit.site.desks.sessions.present(cookies.read(visit.request, cookies.SESSION))
    if present is None:
        raise NotSignedIn
    return present.session


def _answer(done: Renewed | Unbound) -> Response[Any]:
    bound = (
        [cookies.hosted(BOUND_COOKIE, done.cookie, max_age_s=done.max_age_s)]
        if isinstance(done, Renewed)
        else []
    )
    body = msgspec.json.encode(done.instructions)
    return Response(body, media_type=JSON, headers=NO_STORE, cookies=bound)


ROUTES = (bind_session, refresh_session)
