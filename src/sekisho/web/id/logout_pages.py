"""Logout for a client: the member confirms, and goes back where that was registered."""

from typing import Any
from urllib.parse import urlencode

from litestar import Response, get, post
from litestar.response import Redirect

from sekisho.identity.openid.logout import LogoutRequest
from sekisho.identity.openid.metadata import LOGOUT_PATH
from sekisho.identity.openid.parameters import Parameters, read_form
from sekisho.web.id.desks import desks_of
from sekisho.web.id.endpoints import read_parameters
from sekisho.web.members import cookies
from sekisho.web.members.account_pages import FORGET
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.visits import NO_STORE, SEE_OTHER, AnyRequest, Visit, visit_of

FIELDS = ("id_token_hint", "client_id", "post_logout_redirect_uri", "state")


@get("/openid/logout", opt={ROLE: Role.ANYONE})
async def ask_logout(request: AnyRequest) -> Response[Any]:
    """Ask whether to log out; where nobody is logged in, there is nothing to ask."""
    visit = visit_of(request)
    parameters = read_form(request.scope["query_string"])
    session = visit.signed_in.session if visit.signed_in is not None else None
    asked = await desks_of(request).logout.read(parameters, session)
    if session is None:
        if asked.back_to:
            return Redirect(asked.back_to, status_code=SEE_OTHER, headers=NO_STORE)
        return _logged_out(visit, asked)
    fields = {name: parameters.values[name] for name in FIELDS if parameters.values.get(name)}
    here = f"{LOGOUT_PATH}?{urlencode(fields)}"
    return visit.page("id/logout.html", client=_name(visit, asked), fields=fields, here=here)


@post("/openid/logout", opt={ROLE: Role.CLIENT})
async def ask_logout_posted(request: AnyRequest) -> Response[Any]:
    """Take the same as a form of a client's page, with which no browser sends our cookies."""
    parameters = await read_parameters(request)
    fields = {name: parameters.get(name) for name in FIELDS if parameters.get(name)}
    return visit_of(request).go(f"{LOGOUT_PATH}?{urlencode(fields)}")


@post("/openid/logout/confirmed", opt={ROLE: Role.MEMBER})
async def log_out(request: AnyRequest) -> Response[Any]:
    """End the session; the clients that it was used for hear of it from server to server."""
    visit = visit_of(request)
    session = visit.who().session
    asked = await desks_of(request).logout.read(Parameters(visit.form.only(*FIELDS)), session)
    await visit.site.desks.sessions.log_out(session)
    visit.set(cookies.gone(cookies.SESSION))
    visit.signed_in = None
    page = _logged_out(visit, asked)
    page.headers.update(FORGET)
    return page


def _logged_out(visit: Visit, asked: LogoutRequest) -> Response[Any]:
    return visit.page("id/logged_out.html", client=_name(visit, asked), to=asked.back_to, here="/")


def _name(visit: Visit, asked: LogoutRequest) -> str:
    return asked.client.name(visit.language) if asked.client is not None else ""


ROUTES = (ask_logout, ask_logout_posted, log_out)
