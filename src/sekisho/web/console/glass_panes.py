"""Looking through broken glass: a page that a role does not open, to a session to which it was opened.

A route whose record may stand behind glass names what it is among its options. To whom it is shut and who
could break the glass is offered to; nobody is told whether there is such a record.
"""

from typing import TYPE_CHECKING, Any, NamedTuple, cast

import structlog
from litestar import Request, Response

from sekisho.console.glass_desk import GlassDesk, require_working
from sekisho.console.rights import Right
from sekisho.response.glass import Glass, Kind, Pane
from sekisho.web.console.staff_desks import InstitutionDesks, desks_at, every_institution
from sekisho.web.members.admission import SAFE
from sekisho.web.members.visits import AnyRequest, visit_of

if TYPE_CHECKING:
    from sekisho.console.staff import StaffMember

log = structlog.get_logger(__name__)

BEHIND_GLASS = "behind_glass"
"""The key of a handler's options under which stands which kind of record its page is of."""

PANE = "pane"
FORBIDDEN = 403
_SUBJECT = {Kind.MEMBER: "member_id", Kind.CASE: "case_id"}


class Noticed(NamedTuple):
    """Broken glass that nobody has looked into, and where; whether whoever is told may look into it."""

    desks: InstitutionDesks
    pane: Pane
    may_look: bool


async def look_through(request: Request[Any, Any, Any], staff: "StaffMember") -> Pane | None:
    """Return the glass through which somebody sees what their role does not open, if they do.

    Raises StaffAccountStopped where their account was stopped meanwhile.
    """
    kind, visit = _kind_of(request, staff), visit_of(request)
    if kind is None:
        return None
    subject = request.path_params[_SUBJECT[kind]]
    pane = await GlassDesk(desks_at(request).parts).open_to(visit.who().session.id, kind, subject)
    if pane is not None:
        await require_working(visit.site.parts, staff)
    return pane


def offer(request: Request[Any, Any, Any], staff: "StaffMember") -> Response[Any] | None:
    """Return the page that says no, and that there is glass; None where somebody can't break it."""
    kind, visit = _kind_of(request, staff), visit_of(request)
    if kind is None or request.method not in SAFE or visit.wants_json:
        return None
    # It is a refusal like any other one, and is written down as they are.
    log.info("web:request:refused", code="not_yours", known=staff.id, path=request.url.path)
    desks, subject = desks_at(request), request.path_params[_SUBJECT[kind]]
    way = glass_path(desks, kind, subject)
    return visit.page("desks/glass_offer.html", status=FORBIDDEN, desks=desks, way=way)


def pane_of(request: AnyRequest) -> Pane | None:
    """Return the glass through which an admitted request looks; None where a role opens the page."""
    return cast("Pane | None", request.scope["state"].get(PANE))


def glass_of(request: AnyRequest) -> Glass:
    """Return how an admitted request comes to look."""
    return Glass.ROLE if pane_of(request) is None else Glass.BROKEN


def glass_path(desks: InstitutionDesks, kind: Kind, subject: str) -> str:
    """Return the path of the page on which the glass of a record is broken."""
    return f"/{desks.institution.key}/glass/{kind.value}/{subject}"


async def noticed_by(
    staff: "StaffMember", request: Request[Any, Any, Any], key: str | None = None
) -> list[Noticed]:
    """Return the glass that nobody has looked into, where somebody approves or audits; of one or of all."""
    noticed = []
    for desks in every_institution(request):
        own = desks.institution.key
        may_look = staff.may(own, Right.READ_AUDIT)
        if key in {None, own} and (may_look or staff.may(own, Right.APPROVE)):
            panes = await GlassDesk(desks.parts).unseen()
            noticed += [Noticed(desks, pane, may_look) for pane in panes]
    return noticed


def _kind_of(request: Request[Any, Any, Any], staff: "StaffMember") -> Kind | None:
    """Return what stands behind glass that somebody may break, None where nothing does."""
    kind = cast("Kind | None", request.route_handler.opt.get(BEHIND_GLASS))
    institution = request.path_params.get("institution", "")
    return kind if kind is not None and staff.may(institution, Right.BREAK_GLASS) else None
