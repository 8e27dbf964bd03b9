"""Passkeys: made (the one main thing after the sign-up), named, and removed."""

from typing import Any

import msgspec
import structlog
from litestar import Response, get, post
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

from sekisho.identity.assurance import InsufficientAuthentication
from sekisho.identity.ceremonies import CeremonyOver
from sekisho.identity.passkey_answers import PasskeyMalformed, PasskeyNotAccepted
from sekisho.identity.passkeys import Passkey, PasskeyNameUnusable, PasskeyUnknown, TooManyPasskeys
from sekisho.web.members import wishes
from sekisho.web.members.login_pages import JSON
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.step_up import to_step_up
from sekisho.web.members.visits import NO_STORE, AnyRequest, Visit, visit_of
from sekisho.web.members.wishes import CREDENTIAL, PASSKEY_ADDED

log = structlog.get_logger(__name__)

APPROVED = {ROLE: Role.APPROVED}
OF_MEMBERS = {ROLE: Role.MEMBER}
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
    except (CeremonyOver, PasskeyMalformed, PasskeyNotAccepted) as refusal:
        log.warning("web:passkey:not_made", code=refusal.code, known=refusal.known)
        return _page(visit, trouble="passkey_not_made", status=UNPROCESSABLE)
    except TooManyPasskeys:
        return _page(visit, trouble="passkey_too_many", status=UNPROCESSABLE)
    return visit.go(visit.site.passkey_made)


def _page(visit: Visit, *, welcome: bool = False, trouble: str = "", status: int = 200) -> Response[Any]:
    return visit.page(
        "members/passkey_new.html",
        status=status,
        welcome_number=visit.who().member.number if welcome else "",
        trouble_words=trouble,
        later="/" if welcome else visit.site.passkey_later,
    )


def _credential(text: str) -> bytes:
    """Read a credential's id. Refuses with `passkey_unknown` what is none."""
    if not CREDENTIAL.fullmatch(text) or len(text) % 4 == 1:
        raise PasskeyUnknown(known="no credential id")
    return base64url_to_bytes(text)


async def _passkey(visit: Visit, text: str) -> Passkey:
    credential_id = _credential(text)
    for held in await visit.site.desks.passkeys.held(visit.who().session.member_id):
        if held.credential_id == credential_id:
            return held
    raise PasskeyUnknown(known=text[:80])


@get("/security/passkeys/rename", opt=OF_MEMBERS)
async def rename_page(request: AnyRequest) -> Response[Any]:
    """Ask for a passkey's new name."""
    visit = visit_of(request)
    return _rename(visit, await _passkey(visit, request.query_params.get("passkey", "")))


@post("/security/passkeys/rename", opt=OF_MEMBERS)
async def rename_passkey(request: AnyRequest) -> Response[Any]:
    """Give a passkey another name."""
    visit = visit_of(request)
    passkey = await _passkey(visit, visit.form["passkey"])
    try:
        await visit.site.desks.passkeys.rename(visit.who().session, passkey.credential_id, visit.form["name"])
    except PasskeyNameUnusable:
        return _rename(visit, passkey, typed=visit.form["name"], error="passkey_name_wrong")
    return visit.go("/security?done=passkey_renamed")


def _rename(visit: Visit, passkey: Passkey, *, typed: str | None = None, error: str = "") -> Response[Any]:
    return visit.page(
        "members/passkey_rename.html",
        status=UNPROCESSABLE if error else 200,
        passkey=passkey,
        credential=bytes_to_base64url(passkey.credential_id),
        name=passkey.name if typed is None else typed,
        error=error,
        here=f"/security/passkeys/rename?passkey={bytes_to_base64url(passkey.credential_id)}",
    )


@get("/security/passkeys/remove", opt=APPROVED)
async def remove_page(request: AnyRequest) -> Response[Any]:
    """Ask whether to remove a passkey."""
    visit = visit_of(request)
    passkey = await _passkey(visit, request.query_params.get("passkey", ""))
    credential = bytes_to_base64url(passkey.credential_id)
    wish = wishes.of_passkey(credential)
    if not wishes.is_granted(visit, wish):
        return to_step_up(visit, wish)
    held = await visit.site.desks.passkeys.held(visit.who().session.member_id)
    return visit.page(
        "members/passkey_remove.html",
        passkey=passkey,
        credential=credential,
        is_last=len(held) == 1,
        here=wish.go_on,
    )


@post("/security/passkeys/remove", opt=APPROVED)
async def remove_passkey(request: AnyRequest) -> Response[Any]:
    """Remove a passkey."""
    visit = visit_of(request)
    who, text = visit.who(), visit.form["passkey"]
    try:
        await visit.site.desks.passkeys.remove(who.session, who.device, _credential(text), visit.arrival())
    except InsufficientAuthentication:
        return to_step_up(visit, wishes.of_passkey(text))
    return visit.go("/security?done=passkey_removed")


ROUTES = (
    new_passkey_page,
    new_passkey_options,
    add_passkey,
    rename_page,
    rename_passkey,
    remove_page,
    remove_passkey,
)
