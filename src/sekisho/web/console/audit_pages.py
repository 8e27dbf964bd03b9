"""What staff did and saw, for an auditor: searched, taken along, and checked against its seals."""

from typing import TYPE_CHECKING, Any, NamedTuple, cast

from litestar import Response, get, post

from sekisho.console.audit_desk import SHOWN, Asked, AuditDesk, is_loud
from sekisho.console.rights import Right
from sekisho.response.audit_check import Checked
from sekisho.web.console.glass_panes import noticed_by
from sekisho.web.console.staff_admission import RIGHT, STAFF, staff_of
from sekisho.web.console.staff_desks import InstitutionDesks, desks_at, every_institution
from sekisho.web.console.typed import TypedUnusable, read_moment
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.visits import NO_STORE, AnyRequest, visit_of

if TYPE_CHECKING:
    from sekisho.console.staff import StaffDesk

READING = {ROLE: Role.MEMBER, RIGHT: Right.READ_AUDIT}
NDJSON = "application/x-ndjson"
FIELD_MAX = 100


class Kept(NamedTuple):
    """An institution whose record somebody may read, and how many acts stand in it."""

    desks: InstitutionDesks
    acts: int


@get("/audit", opt=READING)
async def audits_page(request: AnyRequest) -> Response[Any]:
    """Show an auditor first what glass was broken, then whose records there are to read."""
    visit, staff = visit_of(request), staff_of(request)
    mine = [one for one in every_institution(request) if staff.may(one.institution.key, Right.READ_AUDIT)]
    return visit.page(
        "desks/audits.html",
        kept=[Kept(one, await _desk(one).count()) for one in mine],
        noticed=[one for one in await noticed_by(staff, request) if one.may_look],
        names=await _staff(request).names(),
    )


@get("/{institution:str}/audit", opt=READING)
async def audit_page(request: AnyRequest) -> Response[Any]:
    """Show acts, the newest first, of whoever and about whatever is asked for."""
    return await _page(request)


@post("/{institution:str}/audit/verify", opt=READING)
async def verify_audit(request: AnyRequest) -> Response[Any]:
    """Check the chain of acts, the history and the books, and say where one of them breaks."""
    checked = await _desk(desks_at(request)).verify(by=staff_of(request).id)
    return await _page(request, checked=checked)


@post("/{institution:str}/audit/export", opt=READING)
async def export_audit(request: AnyRequest) -> Response[Any]:
    """Hand out every act with its link, one JSON object a line."""
    desks = desks_at(request)
    said = await _desk(desks).export(by=staff_of(request).id)
    name = f'attachment; filename="audit-{desks.institution.key}.ndjson"'
    return Response(said, media_type=NDJSON, headers={**NO_STORE, "Content-Disposition": name})


async def _page(request: AnyRequest, *, checked: Checked | None = None) -> Response[Any]:
    visit, desks = visit_of(request), desks_at(request)
    typed = {
        name: request.query_params.get(name, "")[:FIELD_MAX].strip()
        for name in ("actor", "subject", "act", "before")
    }
    try:
        before_us = read_moment(typed["before"], words="") if typed["before"] else None
    except TypedUnusable:
        before_us = None
    asked = Asked(typed["actor"], typed["subject"], typed["act"], before_us)
    staff = _staff(request)
    key = desks.institution.key
    return visit.page(
        "desks/audit.html",
        desks=desks,
        typed=typed,
        acts=await _desk(desks).search(asked),
        shown=SHOWN,
        is_loud=is_loud,
        noticed=await noticed_by(staff_of(request), request, key),
        names=await staff.names(),
        people=await staff.everybody(),
        checked=checked,
        path=f"/{key}/audit",
        here=f"/{key}/audit",
    )


def _desk(desks: InstitutionDesks) -> AuditDesk:
    return AuditDesk(desks.parts, desks.history)


def _staff(request: AnyRequest) -> "StaffDesk":
    return cast("StaffDesk", request.app.state[STAFF])


ROUTES = (audits_page, audit_page, verify_audit, export_audit)
