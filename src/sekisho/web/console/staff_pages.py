"""Getting in at the desks: by passkey, or with an enrolment code to make one; and what there is to do."""

from typing import Any, NamedTuple, cast

from litestar import Response, get, post

from sekisho.console.rights import Right
from sekisho.console.staff import EnrolmentOver, StaffDesk
from sekisho.console.standing import standing_at
from sekisho.web.console.glass_panes import noticed_by
from sekisho.web.console.staff_admission import RIGHT, STAFF, staff_of
from sekisho.web.console.staff_desks import InstitutionDesks, desks_at
from sekisho.web.members import cookies
from sekisho.web.members.account_pages import FORGET
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.visits import AnyRequest, Visit, visit_of


class Way(NamedTuple):
    """A part of the desks: what its page is called, the right that opens it, and the desk that it needs.

    `desk` is a field of InstitutionDesks that some institutions leave empty; empty where all have it.
    """

    name: str
    right: Right
    desk: str = ""

    def is_at(self, desks: InstitutionDesks) -> bool:
        """Say whether an institution has this part."""
        return not self.desk or getattr(desks, self.desk) is not None


WAYS = (
    Way("campaigns", Right.SEE_CAMPAIGNS),
    Way("switches", Right.SEE_SWITCHES),
    Way("members", Right.SEE_MEMBERS),
    Way("cases", Right.SEE_MEMBERS),
    Way("claims", Right.SEE_MEMBERS, "claims"),
    Way("recoveries", Right.SEE_MEMBERS, "recoveries"),
    Way("applications", Right.DECIDE_APPLICATIONS, "applications"),
    Way("atm-orders", Right.DECIDE_APPLICATIONS, "atm_orders"),
    Way("policies", Right.SEE_POLICIES),
    Way("what-if", Right.TRY_POLICIES, "trials"),
    Way("reports", Right.MAKE_REPORTS),
    Way("audit", Right.READ_AUDIT),
)
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
    """Show who is there, what their roles let them do at which institution, and glass that was broken."""
    visit, staff = visit_of(request), staff_of(request)
    return visit.page(
        "desks/desks.html",
        staff=staff,
        may_audit=staff.may_anywhere(Right.READ_AUDIT),
        noticed=await noticed_by(staff, request),
        names=await _names(request),
    )


@get("/{institution:str}", opt={ROLE: Role.MEMBER, RIGHT: Right.SEE_CAMPAIGNS})
async def institution_page(request: AnyRequest) -> Response[Any]:
    """Show how things stand at one institution, and the ways on that somebody's roles open."""
    visit, desks, staff = visit_of(request), desks_at(request), staff_of(request)
    key, now_us = desks.institution.key, visit.now_us()
    ways = [way for way in WAYS if staff.may(key, way.right) and way.is_at(desks)]
    return visit.page(
        "desks/institution.html",
        desks=desks,
        ways=ways,
        stand=await desks.parts.read(standing_at(now_us)),
        noticed=await noticed_by(staff, request, key),
        names=await _names(request),
    )


async def _names(request: AnyRequest) -> dict[str, str]:
    return await cast("StaffDesk", request.app.state[STAFF]).names()


def _enrol(visit: Visit, *, error: str = "", status: int = 200) -> Response[Any]:
    return visit.page("desks/enrol.html", status=status, error=error, here="/enrol")


ROUTES = (front_page, enrol_page, enrol, enrolled_page, desks_page, institution_page)
