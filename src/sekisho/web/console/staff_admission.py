"""What every request of the desks passes before its page: the session of a passkey, and the right to it.

A route names the right that it asks for, and whose institution it is about stands in its path. Who lacks it
gets past where the record stands behind glass that was broken for this session. A session that was opened by
an enrolment code makes a passkey and does nothing else.
"""

from typing import Any, cast

from litestar import Litestar, Request, Response

from sekisho.console.rights import Right
from sekisho.console.staff import StaffDesk, StaffMember
from sekisho.identity.assurance import Level
from sekisho.kernel.refusals import Refusal
from sekisho.web.console.glass_panes import PANE, look_through, offer
from sekisho.web.members.admission import admit
from sekisho.web.members.roles import OF_MEMBERS, role_of
from sekisho.web.members.site import Site
from sekisho.web.members.visits import AnyRequest, visit_of

RIGHT = "right"
"""The key of a handler's options under which the right stands that it asks for."""

ENROLLING = frozenset({"/passkey/new", "/passkey/new/options", "/enrolled", "/logout"})
"""What a session without a passkey may ask for: the way to one, and out."""

STAFF = "staff"


class NotYours(Refusal):
    """Somebody at the desks asked for what none of their roles there may do."""

    code = "not_yours"
    status = 403
    told = "Your role does not include this. Somebody whose role does can do it for you."


class NoPasskeyYet(Refusal):
    """The session was opened by an enrolment code, and can do nothing but make a passkey."""

    code = "no_passkey_yet"
    status = 403
    told = "Make your passkey first, and log in with it."


async def admit_staff(request: Request[Any, Any, Any]) -> Response[Any] | None:
    """Let a request through to its route, or answer in its place. Raises what the refusals are."""
    answered = await admit(request)
    handler = request.route_handler
    if answered is not None or role_of(handler, request.url.path) not in OF_MEMBERS:
        return answered
    visit = visit_of(request)
    session = visit.who().session
    staff = await cast("StaffDesk", request.app.state[STAFF]).find(session.member_id)
    if staff is None:
        raise NotYours(known=f"{session.member_id} is not at the desks")
    if session.level is not Level.PASSKEY and request.url.path not in ENROLLING:
        raise NoPasskeyYet(known=staff.id)
    right = cast("Right | None", handler.opt.get(RIGHT))
    request.scope["state"][STAFF] = staff
    if right is None or _may(staff, request.path_params.get("institution"), right):
        return None
    pane = await look_through(request, staff)
    if pane is None:
        offered = offer(request, staff)
        if offered is not None:
            return offered
        raise NotYours(known=f"{staff.id}: {right}")
    request.scope["state"][PANE] = pane
    return None


def _may(staff: StaffMember, institution: str | None, right: Right) -> bool:
    """Say whether somebody may; a page above the institutions shows those where they do."""
    return staff.may_anywhere(right) if institution is None else staff.may(institution, right)


def require_rights(application: Litestar, site: Site, free: frozenset[str]) -> None:
    """See that every route for staff names its right, but for the `free` ones (`GET /desks`).

    Raises LookupError where one does not: nobody serves what nobody was asked about.
    """
    named = {
        (method, route.path)
        for route in application.routes
        for handler in getattr(route, "route_handlers", ())
        for method in handler.http_methods
        if isinstance(handler.opt.get(RIGHT), Right)
    }
    for access in site.accesses:
        of_staff = access.role in OF_MEMBERS and f"{access.method} {access.path}" not in free
        if of_staff and (access.method, access.path) not in named:
            raise LookupError(f"{access.method} {access.path} names no right")


def staff_of(request: AnyRequest) -> StaffMember:
    """Return who of the staff a request is from."""
    return cast("StaffMember", request.scope["state"][STAFF])
