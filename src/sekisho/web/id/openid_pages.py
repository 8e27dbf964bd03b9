"""What a browser meets on its way through a login for a client: the request, the consent, and the way back.

The way back is an address of another site. Where a form of ours stands before it, browsers hold the form's
policy (`form-action 'self'`) against the redirect as well, so that there the way back is a page that goes on
by itself, with a link for whoever has that switched off.
"""

from typing import Any
from urllib.parse import quote

from litestar import Response, get, post
from litestar.response import Redirect

from sekisho.identity.openid.authorisation import AskConsent, AskLogin, AskProof, Begun, Next, SendBack
from sekisho.identity.openid.metadata import AUTHORISE_PATH
from sekisho.identity.openid.parameters import Parameters, read_form
from sekisho.identity.openid.redirects import host_of
from sekisho.identity.openid.refusals import TicketStale
from sekisho.web.id import ticket_cookies
from sekisho.web.id.desks import OpenIdDesks, desks_of
from sekisho.web.id.endpoints import read_parameters
from sekisho.web.members import cookies
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.visits import NO_STORE, SEE_OTHER, AnyRequest, Visit, visit_of
from sekisho.web.words import chosen

TICKET = "ticket"


@get("/openid/authorize", opt={ROLE: Role.ANYONE})
async def authorise(request: AnyRequest) -> Response[Any]:
    """Take a client's request, or go on with one that waits."""
    visit, desks = visit_of(request), desks_of(request)
    parameters = read_form(request.scope["query_string"])
    if TICKET in parameters.values and "client_id" not in parameters.values:
        return await _go_on(visit, desks, ticket_id=_plain(parameters))
    begun = await desks.authorisation.begin(parameters)
    if isinstance(begun, SendBack):
        return away(begun)
    step = await desks.authorisation.proceed(begun.ticket, *_who(visit))
    if isinstance(step, SendBack):
        return away(step)
    return _asked(visit, step, _kept(visit, desks, begun))


@post("/openid/authorize", opt={ROLE: Role.CLIENT})
async def authorise_posted(request: AnyRequest) -> Response[Any]:
    """Take a client's request as a form of its own page, with which no browser sends our cookies."""
    visit, desks = visit_of(request), desks_of(request)
    begun = await desks.authorisation.begin(await read_parameters(request))
    if isinstance(begun, SendBack):
        return away(begun)
    return visit.go(_path(_kept(visit, desks, begun)))


@post("/openid/consent", opt={ROLE: Role.MEMBER})
async def consent(request: AnyRequest) -> Response[Any]:
    """Take a member's yes or no."""
    visit, desks = visit_of(request), desks_of(request)
    ticket_id = visit.form[TICKET]
    ticket = ticket_cookies.read(visit, ticket_id)
    if visit.form["answer"] == "allow":
        who = visit.who()
        step = await desks.authorisation.consent(ticket, who.session, who.device)
    else:
        step = await desks.authorisation.decline(ticket)
    return _answered(visit, step, ticket_id)


@post("/openid/decline", opt={ROLE: Role.MEMBER})
async def decline(request: AnyRequest) -> Response[Any]:
    """Take it that a member does not want to prove the login again."""
    visit, desks = visit_of(request), desks_of(request)
    ticket_id = visit.form[TICKET]
    ticket = ticket_cookies.read(visit, ticket_id)
    return _answered(visit, await desks.authorisation.decline(ticket, proof=True), ticket_id)


def away(back: SendBack) -> Redirect:
    """Send a browser back to the client at once."""
    return Redirect(back.uri, status_code=SEE_OTHER, headers=NO_STORE)


async def _go_on(visit: Visit, desks: OpenIdDesks, *, ticket_id: str) -> Response[Any]:
    ticket = ticket_cookies.read(visit, ticket_id)
    return _answered(visit, await desks.authorisation.proceed(ticket, *_who(visit)), ticket_id)


def _answered(visit: Visit, step: Next, ticket_id: str) -> Response[Any]:
    if not isinstance(step, SendBack):
        return _asked(visit, step, ticket_id)
    ticket_cookies.drop(visit, ticket_id)
    return visit.page("id/hand_back.html", to=step.uri, client=step.client.name(visit.language))


def _asked(visit: Visit, step: AskLogin | AskProof | AskConsent, ticket_id: str) -> Response[Any]:
    here = _path(ticket_id)
    login = f"/login?next={quote(here, safe='')}"
    if isinstance(step, AskLogin):
        return visit.go(login)
    client = step.client.name(visit.language)
    if isinstance(step, AskProof):
        return visit.page(
            "id/prove.html", client=client, level=step.level, login=login, ticket=ticket_id, here=here
        )
    return visit.page(
        "id/consent.html",
        client=client,
        host=host_of(step.redirect_uri),
        native=step.client.settings.native,
        scopes=step.scopes,
        ticket=ticket_id,
        here=here,
    )


def _who(visit: Visit) -> tuple[Any, Any]:
    who = visit.signed_in
    return (who.session, who.device) if who is not None else (None, None)


def _kept(visit: Visit, desks: OpenIdDesks, begun: Begun) -> str:
    """Keep the ticket in the browser, and the language that the client asks for where none was chosen."""
    if not cookies.read(visit.request, cookies.LANGUAGE):
        tags = (tag[:2].lower() for tag in begun.ui_locales.split())
        wanted = next((language for tag in tags if (language := chosen(tag))), None)
        if wanted is not None:
            visit.language = wanted
            visit.set(cookies.language(wanted))
    return ticket_cookies.keep(visit, begun.ticket, ticket_s=desks.settings.ticket_s)


def _plain(parameters: Parameters) -> str:
    ticket_id = parameters.get(TICKET)
    if not ticket_id.isalnum():
        raise TicketStale(known="no id")
    return ticket_id


def _path(ticket_id: str) -> str:
    return f"{AUTHORISE_PATH}?{TICKET}={ticket_id}"


ROUTES = (authorise, authorise_posted, consent, decline)
