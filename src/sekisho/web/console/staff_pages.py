"""Getting in at the desks: by passkey, or with an enrolment code to make one; and what there is to do."""

from typing import Any, cast

from litestar import Response, get, post

from sekisho.console.rights import Right
from sekisho.console.staff import EnrolmentOver, StaffDesk
from sekisho.web.console.glass_panes import noticed_by
from sekisho.web.console.rendering import state_of
from sekisho.web.console.staff_admission import STAFF, staff_of
from sekisho.web.console.staff_desks import every_institution
from sekisho.web.console.words import Words
from sekisho.web.members import cookies
from sekisho.web.members.account_pages import FORGET
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.visits import AnyRequest, Visit, visit_of

OPEN = {ROLE: Role.ANYONE}
UNAUTHORISED = 401


@get("/", opt=OPEN, sync_to_thread=False)
def front_page(request: AnyRequest) -> Response[Any]:
    """Go to the desks."""
    return visit_of(request).go("/desks")


@get("/enrol", opt=OPEN, sync_to_thread=False)
def enrol_page(request: AnyRequest) -> Response[Any]:
    """Ask for an enrolment code."""
    return _enrol(visit_of(request))


@post("/enrol", opt=OPEN)
async def enrol(request: AnyRequest) -> Response[Any]:
    """Take an enrolment code, and go on to make a passkey."""
    visit = visit_of(request)
    desk = cast("StaffDesk", request.app.state[STAFF])
    try:
        welcome = await desk.enter(visit.form["code"], visit.arrival())
    except EnrolmentOver:
        return _enrol(visit, error="enrol_over", status=UNAUTHORISED)
    visit.set(cookies.hosted(cookies.SESSION, welcome.session_token))
    visit.set(cookies.hosted(cookies.DEVICE, welcome.device_cookie, max_age_s=cookies.DEVICE_S))
    return visit.go("/passkey/new")


@get("/enrolled", opt={ROLE: Role.MEMBER})
async def enrolled_page(request: AnyRequest) -> Response[Any]:
    """End the session that could do nothing but make a passkey; the passkey logs in from now on."""
    visit = visit_of(request)
    await visit.site.desks.sessions.log_out(visit.who().session)
    visit.set(cookies.gone(cookies.SESSION))
    return visit.go("/login", also=FORGET)


@get("/desks", opt={ROLE: Role.MEMBER})
async def desks_page(request: AnyRequest) -> Response[Any]:
    """Show who is there, what their roles let them do at which institution, and which is under attack."""
    visit, staff = visit_of(request), staff_of(request)
    now_us = visit.now_us()
    states = {
        one.institution.key: state_of(one.watch.picture(now_us))
        for one in every_institution(request)
        if staff.may(one.institution.key, Right.SEE_CAMPAIGNS)
    }
    return visit.page(
        "desks/desks.html",
        staff=staff,
        states=states,
        live=Words(visit.language),
        may_audit=staff.may_anywhere(Right.READ_AUDIT),
        noticed=await noticed_by(staff, request),
        names=await _names(request),
    )


async def _names(request: AnyRequest) -> dict[str, str]:
    return await cast("StaffDesk", request.app.state[STAFF]).names()


def _enrol(visit: Visit, *, error: str = "", status: int = 200) -> Response[Any]:
    return visit.page("desks/enrol.html", status=status, error=error, here="/enrol")


ROUTES = (front_page, enrol_page, enrol, enrolled_page, desks_page)
