"""Leaving, the password, and the emergency stop."""

import base64
from typing import Any

from litestar import Response, get, post

from sekisho.identity.assurance import InsufficientAuthentication, Standing
from sekisho.identity.freezes import NotFrozen
from sekisho.identity.password_rules import PasswordUnfit
from sekisho.kernel.clock import MINUTE_US
from sekisho.kernel.ids import MEMBER, MemberId
from sekisho.storage.keyring import Unsealable
from sekisho.web.members import cookies
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.step_up import to_step_up
from sekisho.web.members.visits import AnyRequest, Visit, visit_of
from sekisho.web.members.wishes import PASSWORD_CHANGE, is_granted

OPEN = {ROLE: Role.ANYONE}
OF_MEMBERS = {ROLE: Role.MEMBER}
APPROVED = {ROLE: Role.APPROVED}
UNPROCESSABLE = 422
# What this browser kept of the pages goes; its cookie as a device stays, or every logout would cost a trust.
FORGET = (("Clear-Site-Data", '"cache", "storage"'),)


@post("/logout", opt=OF_MEMBERS)
async def log_out(request: AnyRequest) -> Response[Any]:
    """End the session, and let the browser forget the pages."""
    visit = visit_of(request)
    await visit.site.desks.sessions.log_out(visit.who().session)
    visit.set(cookies.gone(cookies.SESSION))
    return visit.go("/logout", also=FORGET)


@get("/logout", opt=OPEN, sync_to_thread=False)
def logged_out_page(request: AnyRequest) -> Response[Any]:
    """Say that somebody has left."""
    visit = visit_of(request)
    return visit.page("members/logged_out.html") if visit.signed_in is None else visit.go("/")


@post("/security/logins/disown", opt=OF_MEMBERS)
async def disown_login(request: AnyRequest) -> Response[Any]:
    """Take "this wasn't me"."""
    visit = visit_of(request)
    disowned = await visit.site.desks.sign_ins.disown(visit.who().present, visit.form["sign_in"])
    if disowned is None:
        return visit.go("/security/logins")
    if disowned.own_session:
        visit.set(cookies.gone(cookies.SESSION))
        return visit.go("/login")
    doubted = disowned.device is Standing.UNCONFIRMED
    return visit.go("/security?done=disowned_doubted" if doubted else "/security?done=disowned")


@get("/security/password", opt=APPROVED, sync_to_thread=False)
def password_page(request: AnyRequest) -> Response[Any]:
    """Ask for a new password."""
    visit = visit_of(request)
    if not is_granted(visit, PASSWORD_CHANGE):
        return to_step_up(visit, PASSWORD_CHANGE)
    return visit.page("members/password.html", error="")


@post("/security/password", opt=APPROVED)
async def change_password(request: AnyRequest) -> Response[Any]:
    """Set a new password, and end every other session."""
    visit = visit_of(request)
    try:
        await visit.site.desks.passwords.change(visit.who().present, visit.form["password"], visit.arrival())
    except InsufficientAuthentication:
        return to_step_up(visit, PASSWORD_CHANGE)
    except PasswordUnfit as refusal:
        error = f"password_{refusal.fault}"
        return visit.page("members/password.html", status=UNPROCESSABLE, error=error)
    return visit.go("/security?done=password_changed")


@get("/security/freeze", opt=OF_MEMBERS, sync_to_thread=False)
def freeze_page(request: AnyRequest) -> Response[Any]:
    """Ask whether to stop everything."""
    return visit_of(request).page("members/freeze.html")


@post("/security/freeze", opt=OF_MEMBERS)
async def freeze(request: AnyRequest) -> Response[Any]:
    """Stop everything, at any hour: no session, no password, no money out."""
    visit = visit_of(request)
    await visit.site.desks.freezes.freeze(visit.who().member.id, visit.arrival())
    visit.set(cookies.gone(cookies.SESSION))
    return visit.go("/frozen", also=FORGET)


@get("/frozen", opt=OPEN, sync_to_thread=False)
def frozen_page(request: AnyRequest) -> Response[Any]:
    """Say that everything is stopped, and how it is opened again."""
    return visit_of(request).page("members/frozen.html")


@post("/unfreeze", opt=OPEN)
async def unfreeze(request: AnyRequest) -> Response[Any]:
    """Open a frozen account again, for whom a passkey has proven a moment ago."""
    visit = visit_of(request)
    member_id = _proven_member(visit, visit.form["proof"])
    try:
        if member_id is not None:
            await visit.site.desks.freezes.unfreeze(member_id, visit.arrival())
    except NotFrozen:
        return visit.go("/login")
    return visit.go("/login?unfrozen" if member_id else "/login?over")


def proof_of_passkey(visit: Visit, member_id: MemberId) -> str:
    """Return what a page keeps for the next form: that a passkey has just proven this member."""
    until_us = visit.now_us() + PROOF_US
    sealed = visit.site.parts.keyring.seal(f"{member_id} {until_us}".encode(), context=PROOF_CONTEXT)
    return base64.urlsafe_b64encode(sealed).decode()


def _proven_member(visit: Visit, proof: str) -> MemberId | None:
    try:
        plain = visit.site.parts.keyring.open(base64.urlsafe_b64decode(proof), context=PROOF_CONTEXT)
        member_id, until_us = plain.decode().split()
    except (ValueError, Unsealable):
        return None
    fresh = 0 < int(until_us) - visit.now_us() <= PROOF_US
    return MEMBER.parse(member_id) if fresh else None


PROOF_US = 5 * MINUTE_US
PROOF_CONTEXT = "web:passkey_proof"

ROUTES = (
    log_out,
    logged_out_page,
    disown_login,
    password_page,
    change_password,
    freeze_page,
    freeze,
    frozen_page,
    unfreeze,
)
