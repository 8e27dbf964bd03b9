"""Reports at the desks: drawn up out of the record, compared with what was sent, and taken along as PDF."""

from datetime import date
from typing import TYPE_CHECKING, Any, cast

from litestar import Response, get, post

from sekisho.console.report_desk import ReportDesk
from sekisho.console.rights import Right
from sekisho.response.reports.drawing_up import Order, Paper, ReportAboutNothing
from sekisho.response.reports.evidence import Details
from sekisho.web.console.proposals import Proposal, to_approve
from sekisho.web.console.staff_admission import RIGHT, STAFF, staff_of
from sekisho.web.console.staff_desks import InstitutionDesks, desks_at
from sekisho.web.console.typed import TypedUnusable, read_choice
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.visits import NO_STORE, AnyRequest, visit_of

if TYPE_CHECKING:
    from sekisho.console.staff import StaffDesk

MAKING = {ROLE: Role.MEMBER, RIGHT: Right.MAKE_REPORTS}
NOT_FOUND, UNPROCESSABLE = 404, 422
SAID = ("known_on", "authority", "police", "organisation", "address", "representative", "contact")
SAID_LONG = ("outline", "cause", "secondary", "measures", "other")
TEXT_MAX = 2_000
LINKED = ("paper", "partner", "partner_name")
FIELDS = (*LINKED, *SAID, *SAID_LONG)


@get("/{institution:str}/reports", opt=MAKING)
async def reports_page(request: AnyRequest) -> Response[Any]:
    """Show the campaigns that reports are about; a case leads to its campaign."""
    visit, desks = visit_of(request), desks_at(request)
    about, trouble = request.query_params.get("about", "").strip(), ""
    if about:
        try:
            campaign = await _desk(desks).campaign_of(about)
        except ReportAboutNothing:
            trouble = "report_about_nothing_title"
        else:
            return visit.go(_path(desks, campaign))
    return visit.page(
        "desks/reports.html",
        status=NOT_FOUND if trouble else 200,
        desks=desks,
        about=about,
        campaigns=await _desk(desks).campaigns(),
        trouble_words=trouble,
        here=f"/{desks.institution.key}/reports",
    )


@get("/{institution:str}/reports/{campaign:str}", opt=MAKING)
async def report_page(request: AnyRequest) -> Response[Any]:
    """Show the reports about a campaign, each version beside what was sent; a link may fill the form in."""
    linked = {name: request.query_params.get(name, "")[:TEXT_MAX] for name in LINKED}
    return await _page(request, typed=dict.fromkeys(FIELDS, "") | linked)


@post("/{institution:str}/reports/{campaign:str}", opt=MAKING)
async def draw_up_report(request: AnyRequest) -> Response[Any]:
    """Draw a report up as the next version."""
    visit, desks, staff = visit_of(request), desks_at(request), staff_of(request)
    campaign, typed = request.path_params["campaign"], visit.form.only(*FIELDS)
    try:
        order = _order(campaign, typed)
    except TypedUnusable as refusal:
        return await _page(request, typed=typed, trouble=str(refusal.known), status=UNPROCESSABLE)
    path = _path(desks, campaign)
    said = tuple((f"report_{name}", typed[name]) for name in FIELDS[1:] if typed[name])
    rows = (("report_paper", str(visit.words(f"paper_{order.paper.value}"))), *said)
    page = await to_approve(visit, desks, Proposal("report", path, path, typed, rows))
    if page is not None:
        return page
    await _desk(desks).draw_up(order, by=staff.id)
    return visit.go(path)


@get("/{institution:str}/reports/{campaign:str}/{kind:str}/{version:int}", opt=MAKING)
async def take_report(request: AnyRequest) -> Response[Any]:
    """Hand out a version as PDF."""
    desks, of = desks_at(request), request.path_params
    kind, number = of["kind"], int(of["version"])
    pdf = await _desk(desks).pdf(kind, of["campaign"], number, by=staff_of(request).id)
    # The kind was found among those that are kept, and holds nothing but letters, digits and strokes.
    named = f'attachment; filename="{desks.institution.key}-{kind}-{number}.pdf"'
    headers = {**NO_STORE, "Content-Disposition": named}
    return Response(pdf, media_type="application/pdf", headers=headers)


@post("/{institution:str}/reports/{campaign:str}/{kind:str}/{version:int}/sent", opt=MAKING)
async def mark_report_sent(request: AnyRequest) -> Response[Any]:
    """Keep that a version was sent, or published."""
    visit, desks, staff = visit_of(request), desks_at(request), staff_of(request)
    of = request.path_params
    kind, campaign, number = of["kind"], of["campaign"], int(of["version"])
    path = _path(desks, campaign)
    asked = Proposal(
        name="report_sent",
        action=f"{path}/{kind}/{number}/sent",
        back=path,
        fields={},
        rows=(("report_paper", kind), ("report_version", str(number))),
    )
    page = await to_approve(visit, desks, asked)
    if page is not None:
        return page
    await _desk(desks).mark_sent(kind, campaign, number, by=staff.id)
    return visit.go(path)


def _order(campaign: str, typed: dict[str, str]) -> Order:
    paper = read_choice(Paper, typed["paper"], words="report_wrong_paper")
    said = {name: typed[name].strip() for name in (*SAID, *SAID_LONG) if typed[name].strip()}
    if any(len(text) > TEXT_MAX for text in typed.values()):
        raise TypedUnusable(known="report_wrong_length")
    if "known_on" in said:
        try:
            date.fromisoformat(said["known_on"])
        except ValueError as error:
            raise TypedUnusable(known="report_wrong_day") from error
    if paper is Paper.PARTNER and not typed["partner"].strip():
        raise TypedUnusable(known="report_wrong_partner")
    return Order(
        paper=paper,
        campaign=campaign,
        partner=typed["partner"].strip(),
        partner_name=typed["partner_name"].strip(),
        details=Details(**said),
    )


async def _page(
    request: AnyRequest, *, typed: dict[str, str] | None = None, trouble: str = "", status: int = 200
) -> Response[Any]:
    visit, desks = visit_of(request), desks_at(request)
    papers = await _desk(desks).papers(request.path_params["campaign"])
    return visit.page(
        "desks/report.html",
        status=status,
        desks=desks,
        papers=papers,
        kinds=list(Paper),
        typed=typed or dict.fromkeys(FIELDS, ""),
        said=SAID,
        said_long=SAID_LONG,
        text_max=TEXT_MAX,
        names=await cast("StaffDesk", request.app.state[STAFF]).names(),
        trouble_words=trouble,
        path=_path(desks, papers.campaign),
        here=_path(desks, papers.campaign),
    )


def _desk(desks: InstitutionDesks) -> ReportDesk:
    return ReportDesk(desks.parts, desks.hunts.report)


def _path(desks: InstitutionDesks, campaign: str) -> str:
    return f"/{desks.institution.key}/reports/{campaign}"


ROUTES = (reports_page, report_page, draw_up_report, take_report, mark_report_sent)
