"""Breaking glass: what it does, why, the passkey's yes; and an auditor's word on each that was broken."""

from typing import TYPE_CHECKING, Any, cast

from litestar import Response, get, post

from sekisho.console.audit_desk import is_loud
from sekisho.console.glass_desk import GlassDesk, require_working
from sekisho.console.rights import Right
from sekisho.kernel.clock import MINUTE_US
from sekisho.kernel.refusals import Refusal
from sekisho.response.glass import OPEN_US, REASON_MIN, REMARK_MIN, Breaking, GlassSeenAlready, Kind
from sekisho.web.console.glass_panes import glass_path
from sekisho.web.console.proposals import Proposal, to_approve
from sekisho.web.console.staff_admission import RIGHT, STAFF, staff_of
from sekisho.web.console.staff_desks import InstitutionDesks, desks_at
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.visits import AnyRequest, visit_of

if TYPE_CHECKING:
    from sekisho.console.staff import StaffDesk

BREAKING = {ROLE: Role.MEMBER, RIGHT: Right.BREAK_GLASS}
READING = {ROLE: Role.MEMBER, RIGHT: Right.READ_AUDIT}
CONFLICT, UNPROCESSABLE = 409, 422
TEXT_MAX = 400


class NothingBehindGlass(Refusal):
    """No record of this kind stands behind glass."""

    code = "nothing_behind_glass"
    status = 404
    told = "Members and cases stand behind glass, and nothing else."


@get("/{institution:str}/glass/{kind:str}/{subject:str}", opt=BREAKING)
async def glass_page(request: AnyRequest) -> Response[Any]:
    """Say what breaking the glass of this record does, and ask why; where it is broken, go to the record."""
    visit, desks = visit_of(request), desks_at(request)
    kind, subject = _record_in(request)
    if await _desk(desks).open_to(visit.who().session.id, kind, subject) is not None:
        return visit.go(_record(desks, kind, subject))
    return await _page(request)


@post("/{institution:str}/glass/{kind:str}/{subject:str}", opt=BREAKING)
async def break_glass(request: AnyRequest) -> Response[Any]:
    """Open one record to this session for a while, after a passkey approved exactly that for this reason."""
    visit, desks, staff = visit_of(request), desks_at(request), staff_of(request)
    kind, subject = _record_in(request)
    reason = visit.form.trimmed("reason")
    if not REASON_MIN <= len(reason) <= TEXT_MAX:
        return await _page(request, trouble="glass_reason_short_title", status=UNPROCESSABLE)
    await require_working(visit.site.parts, staff)
    path = glass_path(desks, kind, subject)
    rows = (
        ("glass_record", f"{visit.words(f'glass_kind_{kind.name.lower()}')} {subject}"),
        ("glass_for", str(visit.words("glass_minutes", minutes=OPEN_US // MINUTE_US))),
        ("reason", reason),
    )
    asked = Proposal("glass_break", path, path, {"reason": reason}, rows, grave=True)
    page = await to_approve(visit, desks, asked)
    if page is not None:
        return page
    await _desk(desks).break_(Breaking(staff.id, visit.who().session.id, kind, subject, reason), staff)
    return visit.go(_record(desks, kind, subject))


@get("/{institution:str}/glass/{glass_id:str}", opt=READING)
async def broken_glass_page(request: AnyRequest) -> Response[Any]:
    """Show who broke the glass of what and why, and all that was done through it."""
    return await _broken_page(request)


@post("/{institution:str}/glass/{glass_id:str}", opt=READING)
async def mark_glass_seen(request: AnyRequest) -> Response[Any]:
    """Keep what an auditor found; from then on it stands among the other acts."""
    visit, desks, staff = visit_of(request), desks_at(request), staff_of(request)
    glass_id, remark = request.path_params["glass_id"], visit.form.trimmed("remark")
    if not REMARK_MIN <= len(remark) <= TEXT_MAX:
        return await _broken_page(request, trouble="glass_remark_missing_title", status=UNPROCESSABLE)
    path = f"/{desks.institution.key}/glass/{glass_id}"
    rows = (("glass_broken", glass_id), ("glass_remark", remark))
    page = await to_approve(visit, desks, Proposal("glass_seen", path, path, {"remark": remark}, rows))
    if page is not None:
        return page
    try:
        await _desk(desks).mark_seen(glass_id, by=staff.id, remark=remark)
    except GlassSeenAlready:
        return await _broken_page(request, trouble="glass_seen_already_title", status=CONFLICT)
    return visit.go("/audit")


async def _page(request: AnyRequest, *, trouble: str = "", status: int = 200) -> Response[Any]:
    visit, desks = visit_of(request), desks_at(request)
    kind, subject = _record_in(request)
    path = glass_path(desks, kind, subject)
    return visit.page(
        "desks/glass.html",
        status=status,
        desks=desks,
        kind=kind,
        subject=subject,
        minutes=OPEN_US // MINUTE_US,
        reason=visit.form["reason"],
        reason_min=REASON_MIN,
        text_max=TEXT_MAX,
        trouble_words=trouble,
        path=path,
        here=path,
    )


async def _broken_page(request: AnyRequest, *, trouble: str = "", status: int = 200) -> Response[Any]:
    visit, desks, staff = visit_of(request), desks_at(request), staff_of(request)
    looked = await _desk(desks).look_into(request.path_params["glass_id"])
    path = f"/{desks.institution.key}/glass/{looked.pane.id}"
    return visit.page(
        "desks/glass_broken.html",
        status=status,
        desks=desks,
        pane=looked.pane,
        acts=looked.acts,
        is_loud=is_loud,
        names=await cast("StaffDesk", request.app.state[STAFF]).names(),
        is_own=looked.pane.staff_id == staff.id,
        text_max=TEXT_MAX,
        trouble_words=trouble,
        path=path,
        here=path,
    )


def _record_in(request: AnyRequest) -> tuple[Kind, str]:
    """Return which record a path names. Raises NothingBehindGlass."""
    try:
        return Kind(request.path_params["kind"]), request.path_params["subject"]
    except ValueError as error:
        raise NothingBehindGlass(known=request.path_params["kind"][:40]) from error


def _record(desks: InstitutionDesks, kind: Kind, subject: str) -> str:
    return f"/{desks.institution.key}/{kind.value}/{subject}"


def _desk(desks: InstitutionDesks) -> GlassDesk:
    return GlassDesk(desks.parts)


ROUTES = (glass_page, break_glass, broken_glass_page, mark_glass_seen)
