"""Getting in again without any known device: slowly, in front of everybody, and never with less proof."""

from typing import Any

from litestar import Response, get, post

from sekisho.identity.assurance import InsufficientAuthentication, Standing
from sekisho.identity.recovery import NoRecovery, RecoveryUnderWay
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.visits import AnyRequest, Visit, visit_of

OPEN = {ROLE: Role.ANYONE}
OF_MEMBERS = {ROLE: Role.MEMBER}
CONFLICT = 409
UNAUTHORISED = 401


@get("/recovery", opt=OPEN)
async def recovery_page(request: AnyRequest) -> Response[Any]:
    """Say how a recovery goes, and offer to begin it on a device that we do not know yet."""
    return await _page(visit_of(request))


@post("/recovery", opt=OF_MEMBERS)
async def begin_recovery(request: AnyRequest) -> Response[Any]:
    """Begin a recovery for this device."""
    visit = visit_of(request)
    try:
        await visit.site.desks.recoveries.ask(visit.who().session, visit.arrival())
    except InsufficientAuthentication:
        return await _page(visit, trouble="recovery_too_old", status=UNAUTHORISED)
    except RecoveryUnderWay:
        return await _page(visit, trouble="recovery_elsewhere", status=CONFLICT)
    return visit.go("/recovery")


@post("/recovery/cancel", opt=OF_MEMBERS)
async def cancel_recovery(request: AnyRequest) -> Response[Any]:
    """Cancel a recovery, from a trusted device or after a passkey."""
    visit = visit_of(request)
    try:
        await visit.site.desks.recoveries.cancel(visit.who().session, visit.arrival())
    except InsufficientAuthentication:
        return await _page(visit, trouble="recovery_not_from_here", status=UNAUTHORISED)
    except NoRecovery:
        return visit.go("/security")
    return visit.go("/security?done=recovery_cancelled")


async def _page(visit: Visit, *, trouble: str = "", status: int = 200) -> Response[Any]:
    who = visit.signed_in
    waiting = None if who is None else await visit.site.desks.recoveries.waiting(who.session.member_id)
    return visit.page(
        "members/recovery.html",
        status=status,
        waiting=waiting,
        is_known=who is not None and who.device.standing is Standing.TRUSTED,
        trouble_words=trouble,
        here="/recovery",
    )


ROUTES = (recovery_page, begin_recovery, cancel_recovery)
