"""Applications that screening leaves to a person: what a decision stands on, and the decision."""

from typing import TYPE_CHECKING, Any, cast

from litestar import Response, get, post

from sekisho.console.rights import Right
from sekisho.identity.identity_methods import lawful_methods
from sekisho.kernel.refusals import Refusal
from sekisho.kernel.yen import Yen
from sekisho.lender.applications import NotAtThisStep, State
from sekisho.lender.rates import Rate
from sekisho.lender.reviews import AlreadyDecided, Decision, LimitNotOffered
from sekisho.lender.staff import SamePersonTwice
from sekisho.web.console.proposals import Proposal, to_approve
from sekisho.web.console.staff_admission import RIGHT, STAFF, staff_of
from sekisho.web.console.staff_desks import InstitutionDesks, desks_at, require_desk
from sekisho.web.console.typed import TypedUnusable, read_yen
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.visits import AnyRequest, visit_of

if TYPE_CHECKING:
    from sekisho.console.staff import StaffDesk

DECIDING = {ROLE: Role.MEMBER, RIGHT: Right.DECIDE_APPLICATIONS}
UNPROCESSABLE = 422
FIELDS = ("what", "limit", "reason")
WAYS = {"grant": True, "refuse": False}
REASON_MAX = 2_000


@get("/{institution:str}/applications", opt=DECIDING)
async def applications_page(request: AnyRequest) -> Response[Any]:
    """Show the applications that wait for a person, the oldest first."""
    visit, desks = visit_of(request), desks_at(request)
    waiting = await require_desk(desks.applications).waiting()
    return visit.page("desks/applications.html", desks=desks, waiting=waiting)


@get("/{institution:str}/applications/{application_id:str}", opt=DECIDING)
async def application_page(request: AnyRequest) -> Response[Any]:
    """Show what a decision stands on, without name and address; the look is on record."""
    return await _page(request)


@post("/{institution:str}/applications/{application_id:str}", opt=DECIDING)
async def decide_application(request: AnyRequest) -> Response[Any]:
    """Offer the line that screening found, or a smaller one, or refuse."""
    visit, desks, staff = visit_of(request), desks_at(request), staff_of(request)
    desk, application_id = require_desk(desks.applications), request.path_params["application_id"]
    typed = visit.form.only(*FIELDS)
    try:
        decision = _decision(typed, staff.id)
    except TypedUnusable as refusal:
        return await _page(request, trouble=str(refusal.known), status=UNPROCESSABLE)
    limit = "" if decision.limit is None else f"{decision.limit.amount:,}"
    path = _path(desks, application_id)
    rows = (
        ("application_decision", str(visit.words(f"application_{typed['what']}"))),
        ("application_limit", limit),
        ("reason", decision.reason),
    )
    asked = Proposal("application", path, path, typed, rows, grave=not decision.granted)
    page = await to_approve(visit, desks, asked)
    if page is not None:
        return page
    try:
        await desk.decide(application_id, decision)
    except (SamePersonTwice, AlreadyDecided, LimitNotOffered, NotAtThisStep) as refusal:
        return await _page(request, trouble=_words_of(refusal), status=refusal.status)
    return visit.go(f"/{desks.institution.key}/applications")


def _decision(typed: dict[str, str], staff_id: str) -> Decision:
    reason = typed["reason"].strip()
    if typed["what"] not in WAYS:
        raise TypedUnusable(known="application_wrong_decision")
    if not 0 < len(reason) <= REASON_MAX:
        raise TypedUnusable(known="application_wrong_reason")
    granted = WAYS[typed["what"]]
    limit = read_yen(typed["limit"], words="case_wrong_yen") if granted and typed["limit"].strip() else None
    return Decision(
        staff_id=staff_id, granted=granted, reason=reason, limit=None if limit is None else Yen(limit)
    )


def _words_of(refusal: Refusal) -> str:
    return f"desk_{refusal.code}"


async def _page(request: AnyRequest, *, trouble: str = "", status: int = 200) -> Response[Any]:
    visit, desks, staff = visit_of(request), desks_at(request), staff_of(request)
    sight = await require_desk(desks.applications).look(request.path_params["application_id"], staff.id)
    return visit.page(
        "desks/application.html",
        status=status,
        desks=desks,
        sight=sight,
        methods=lawful_methods(),
        rate=Rate(sight.application.rate).percent,
        is_open=sight.application.state is State.A_PERSON_DECIDES,
        names=await cast("StaffDesk", request.app.state[STAFF]).names(),
        reason_max=REASON_MAX,
        trouble_words=trouble,
        path=_path(desks, sight.application.id),
        here=_path(desks, sight.application.id),
    )


def _path(desks: InstitutionDesks, application_id: str) -> str:
    return f"/{desks.institution.key}/applications/{application_id}"


ROUTES = (applications_page, application_page, decide_application)
