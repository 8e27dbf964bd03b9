"""Members at the desks: one is looked up exactly, seen behind masks, and opened in full for a reason."""

from typing import Any

from litestar import Response, get, post

from sekisho.console.member_desk import MemberDesk, of_containment
from sekisho.console.member_records import OPENED
from sekisho.console.member_search import NobodyFound
from sekisho.console.rights import Right
from sekisho.identity.personal_data import Item
from sekisho.identity.purposes import item_in_words
from sekisho.kernel.japan import day_in_japan
from sekisho.linking.banks import bank_in_words
from sekisho.response.access import REASON_MIN
from sekisho.response.glass import Kind
from sekisho.web.console.glass_panes import BEHIND_GLASS, glass_of, pane_of
from sekisho.web.console.proposals import Proposal, to_approve
from sekisho.web.console.staff_admission import RIGHT, staff_of
from sekisho.web.console.staff_desks import InstitutionDesks, desks_at
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.visits import AnyRequest, visit_of

SEEING = {ROLE: Role.MEMBER, RIGHT: Right.SEE_MEMBERS}
LOOKING = {**SEEING, BEHIND_GLASS: Kind.MEMBER}
CONTAINING = {ROLE: Role.MEMBER, RIGHT: Right.CONTAIN}
NOT_FOUND, UNPROCESSABLE = 404, 422


@get("/{institution:str}/members", opt=SEEING, sync_to_thread=False)
def members_page(request: AnyRequest) -> Response[Any]:
    """Ask for whom somebody looks; there is no list to walk along."""
    return _search(request)


@post("/{institution:str}/members", opt=SEEING)
async def find_member(request: AnyRequest) -> Response[Any]:
    """Look somebody up. What is typed stands in no address: it may be somebody's telephone number."""
    visit, desks, staff = visit_of(request), desks_at(request), staff_of(request)
    try:
        member_id = await _desk(desks).find(visit.form["q"], by=staff.id)
    except NobodyFound:
        return _search(request, trouble="nobody_found_title", status=NOT_FOUND)
    return visit.go(_path(desks, member_id))


@get("/{institution:str}/members/{member_id:str}", opt=LOOKING)
async def member_page(request: AnyRequest) -> Response[Any]:
    """Show one member behind masks; that somebody looked is on record."""
    return await _page(request)


@post("/{institution:str}/members/{member_id:str}/open", opt=LOOKING)
async def open_items(request: AnyRequest) -> Response[Any]:
    """Show items in full, once, after a passkey approved exactly these for exactly this reason."""
    visit, desks, staff = visit_of(request), desks_at(request), staff_of(request)
    member_id, form = request.path_params["member_id"], visit.form
    items = [item for item in OPENED if form[f"item_{item.value}"]]
    if not items:
        return await _page(request, trouble="member_no_items", status=UNPROCESSABLE)
    reason = form.trimmed("reason")
    if len(reason) < REASON_MIN:
        return await _page(request, trouble="reason_missing_title", status=UNPROCESSABLE)
    between = ", " if visit.language == "en" else "、"
    asked = Proposal(
        name="member_open",
        action=f"{_path(desks, member_id)}/open",
        back=_path(desks, member_id),
        fields={"reason": reason, **{f"item_{item.value}": "1" for item in items}},
        rows=(
            ("member_items", between.join(item_in_words(item, visit.language) for item in items)),
            ("reason", reason),
        ),
    )
    page = await to_approve(visit, desks, asked)
    if page is not None:
        return page
    shown = await _desk(desks).open(member_id, items, by=staff.id, reason=reason, glass=glass_of(request))
    return await _page(request, shown=shown)


@post("/{institution:str}/members/{member_id:str}/sessions", opt=CONTAINING)
async def end_sessions(request: AnyRequest) -> Response[Any]:
    """End every session of a member."""
    visit, desks, staff = visit_of(request), desks_at(request), staff_of(request)
    member_id, reason = request.path_params["member_id"], visit.form.trimmed("reason")
    if len(reason) < REASON_MIN:
        return await _page(request, trouble="reason_missing_title", status=UNPROCESSABLE)
    asked = Proposal(
        name="member_sessions",
        action=f"{_path(desks, member_id)}/sessions",
        back=_path(desks, member_id),
        fields={"reason": reason},
        rows=(("reason", reason),),
        grave=True,
    )
    page = await to_approve(visit, desks, asked)
    if page is not None:
        return page
    await _desk(desks).end_sessions(member_id, by=staff.id, reason=reason)
    return visit.go(_path(desks, member_id))


@post("/{institution:str}/members/{member_id:str}/holds", opt=CONTAINING)
async def lift_hold(request: AnyRequest) -> Response[Any]:
    """Lift a hold of a member; one that the member placed opens the account again."""
    visit, desks, staff = visit_of(request), desks_at(request), staff_of(request)
    member_id, reason = request.path_params["member_id"], visit.form.trimmed("reason")
    if len(reason) < REASON_MIN:
        return await _page(request, trouble="reason_missing_title", status=UNPROCESSABLE)
    asked = Proposal(
        name="member_hold",
        action=f"{_path(desks, member_id)}/holds",
        back=_path(desks, member_id),
        fields={"hold": visit.form["hold"], "reason": reason},
        rows=(("member_hold", visit.form["hold"]), ("reason", reason)),
    )
    page = await to_approve(visit, desks, asked)
    if page is not None:
        return page
    await _desk(desks).lift_hold(member_id, visit.form["hold"], by=staff.id, reason=reason)
    return visit.go(_path(desks, member_id))


def _search(request: AnyRequest, *, trouble: str = "", status: int = 200) -> Response[Any]:
    visit, desks = visit_of(request), desks_at(request)
    return visit.page("desks/members.html", status=status, desks=desks, trouble_words=trouble)


async def _page(
    request: AnyRequest, *, shown: dict[Item, str] | None = None, trouble: str = "", status: int = 200
) -> Response[Any]:
    visit, desks, staff = visit_of(request), desks_at(request), staff_of(request)
    glass, member_id = glass_of(request), request.path_params["member_id"]
    record = await _desk(desks).look(member_id, by=staff.id, glass=glass)
    key = desks.institution.key
    return visit.page(
        "desks/member.html",
        status=status,
        desks=desks,
        record=record,
        links=[] if desks.links is None else await desks.links.sights.of_member(record.member.id),
        bank_of=lambda link: bank_in_words(link.bank, day_in_japan(visit.now_us())),
        may_see_links=staff.may(key, Right.SEE_MEMBERS),
        pane=pane_of(request),
        shown=shown or {},
        items=[item for item in OPENED if item in record.masked],
        item_in_words=lambda item: item_in_words(item, visit.language),
        of_containment=of_containment,
        may_contain=staff.may(key, Right.CONTAIN),
        may_open_cases=staff.may(key, Right.HANDLE_CASES),
        may_see_cohorts=staff.may(key, Right.SEE_COHORTS),
        trouble_words=trouble,
        path=_path(desks, member_id),
        here=_path(desks, member_id),
    )


def _desk(desks: InstitutionDesks) -> MemberDesk:
    return MemberDesk(desks.parts)


def _path(desks: InstitutionDesks, member_id: str) -> str:
    return f"/{desks.institution.key}/members/{member_id}"


ROUTES = (members_page, find_member, member_page, open_items, end_sessions, lift_hold)
