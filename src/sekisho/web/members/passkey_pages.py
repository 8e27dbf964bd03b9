"""Making a passkey: the one main thing after the sign-up, and at any time from the security page."""

from typing import Any

import msgspec
from litestar import Response, get, post

from sekisho.identity.assurance import InsufficientAuthentication
from sekisho.identity.ceremonies import CeremonyOver
from sekisho.identity.passkey_answers import PasskeyMalformed, PasskeyNotAccepted
from sekisho.identity.passkeys import TooManyPasskeys
from sekisho.web.members.login_pages import JSON
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.step_up import to_step_up
from sekisho.web.members.visits import NO_STORE, AnyRequest, Visit, visit_of
from sekisho.web.members.wishes import PASSKEY_ADDED

APPROVED = {ROLE: Role.APPROVED}
UNPROCESSABLE = 422


@get("/passkey/new", opt=APPROVED)
async def new_passkey_page(request: AnyRequest) -> Response[Any]:
    """Offer to make a passkey; `?welcome` greets who has just become a member."""
    visit = visit_of(request)
    who = visit.who()
    try:
        await visit.site.desks.passkeys.begin_adding(who.session, who.device)
    except InsufficientAuthentication:
        return to_step_up(visit, PASSKEY_ADDED)
    return _page(visit, welcome="welcome" in request.query_params)


@get("/passkey/new/options", opt=APPROVED)
async def new_passkey_options(request: AnyRequest) -> Response[Any]:
    """Begin the ceremony in which a passkey is made."""
    visit = visit_of(request)
    who = visit.who()
    begun = await visit.site.desks.passkeys.begin_adding(who.session, who.device)
    body = msgspec.json.encode({"ceremony": begun.token, "options": begun.options})
    return Response(body, media_type=JSON, headers=NO_STORE)


@post("/passkey/new", opt=APPROVED)
async def add_passkey(request: AnyRequest) -> Response[Any]:
    """Keep the passkey that was made."""
    visit = visit_of(request)
    session, form = visit.who().session, visit.form
    try:
        await visit.site.desks.passkeys.add(
            session, form["ceremony"], form["credential"].encode(), visit.arrival()
        )
    except (CeremonyOver, PasskeyMalformed, PasskeyNotAccepted):
        return _page(visit, trouble="passkey_not_made", status=UNPROCESSABLE)
    except TooManyPasskeys:
        return _page(visit, trouble="passkey_too_many", status=UNPROCESSABLE)
    return visit.go("/security?done=passkey_added")


def _page(visit: Visit, *, welcome: bool = False, trouble: str = "", status: int = 200) -> Response[Any]:
    return visit.page(
        "members/passkey_new.html",
        status=status,
        welcome_number=visit.who().member.number if welcome else "",
        trouble_words=trouble,
        later="/" if welcome else "/security",
    )


ROUTES = (new_passkey_page, new_passkey_options, add_passkey)
