"""Cases of damage at the desks: the queue, a new one for whoever lost something, and the way of each."""

from typing import Any, cast

from litestar import Response, get, post

from sekisho.console.case_desk import CaseDesk
from sekisho.console.rights import Right
from sekisho.console.staff import StaffDesk
from sekisho.identity.purposes import item_in_words
from sekisho.response.access import REASON_MIN
from sekisho.response.case_stages import ALLOWED, Stage
from sekisho.response.cases import CaseKind, CaseStepRefused, Entry, Report
from sekisho.response.claims import Loss
from sekisho.response.glass import Kind
from sekisho.web.console.case_forms import (
    FIELDS,
    REPORTERS,
    SHORT_MAX,
    STEP_FIELDS,
    TEXT_MAX,
    proposed,
    read_opening,
    read_step,
)
from sekisho.web.console.glass_panes import BEHIND_GLASS, glass_of, pane_of
from sekisho.web.console.proposals import Proposal, to_approve
from sekisho.web.console.staff_admission import RIGHT, STAFF, staff_of
from sekisho.web.console.staff_desks import InstitutionDesks, desks_at
from sekisho.web.console.typed import TypedUnusable, as_typed
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.visits import AnyRequest, Visit, visit_of

SEEING = {ROLE: Role.MEMBER, RIGHT: Right.SEE_MEMBERS}
LOOKING = {**SEEING, BEHIND_GLASS: Kind.CASE}
HANDLING = {ROLE: Role.MEMBER, RIGHT: Right.HANDLE_CASES}
CONFLICT, UNPROCESSABLE = 409, 422
SHOWN = 200
NOTES = ("note", "call", "evidence")
SHOWN_ROWS = {
    "kind": "case_kind",
    "reporter": "case_reporter",
    "member": "case_member",
    "name": "case_name",
    "contact": "case_contact",
    "account": "case_account",
    "address": "case_address",
    "campaign": "case_campaign",
    "partner": "case_partner",
    "loss": "case_loss",
    "as_of": "case_as_of",
    "text": "case_text",
}
"""Under which words a field of a new case is shown before it is opened."""


@get("/{institution:str}/cases", opt=SEEING)
async def cases_page(request: AnyRequest) -> Response[Any]:
    """Show open cases, what is due first; of everybody, mine, or nobody's."""
    visit, desks, staff = visit_of(request), desks_at(request), staff_of(request)
    whose = {"mine": staff.id, "nobody": ""}
    which = request.query_params.get("whose", "")
    return visit.page(
        "desks/cases.html",
        desks=desks,
        which=which if which in whose else "",
        queue=await _desk(desks).queue(whose.get(which), limit=SHOWN),
        shown=SHOWN,
        names=await _staff(request).names(),
        may_handle=staff.may(desks.institution.key, Right.HANDLE_CASES),
        here=f"/{desks.institution.key}/cases?whose={which if which in whose else ''}",
    )


@get("/{institution:str}/cases/new", opt=HANDLING, sync_to_thread=False)
def new_case_page(request: AnyRequest) -> Response[Any]:
    """Ask what happened, to whom, and who says so."""
    visit, desks = visit_of(request), desks_at(request)
    return _form(visit, desks, proposed(visit, desks))


@post("/{institution:str}/cases", opt=HANDLING)
async def open_case(request: AnyRequest) -> Response[Any]:
    """Open a case, as a passkey approved it."""
    visit, desks, staff = visit_of(request), desks_at(request), staff_of(request)
    typed = visit.form.only(*FIELDS)
    try:
        opening = await read_opening(_desk(desks), visit.form)
    except TypedUnusable as refusal:
        return _form(visit, desks, typed, fault=str(refusal.known))
    in_words = {
        "kind": str(visit.words(f"case_kind_{opening.kind.value}")),
        "reporter": str(visit.words(f"case_reporter_{opening.reporter.value}")),
        "member": opening.member_id,
    }
    shown = typed | in_words
    asked = Proposal(
        name="case_open",
        action=f"/{desks.institution.key}/cases",
        back=f"/{desks.institution.key}/cases/new",
        fields=typed,
        rows=tuple((words, shown[name]) for name, words in SHOWN_ROWS.items() if shown[name]),
    )
    page = await to_approve(visit, desks, asked)
    if page is not None:
        return page
    made = await _desk(desks).open(opening, by=staff.id)
    return visit.go(_path(desks, made.id))


@get("/{institution:str}/cases/{case_id:str}", opt=LOOKING)
async def case_page(request: AnyRequest) -> Response[Any]:
    """Show one case: its steps, its claims, what may have been seen. What people said needs a reason."""
    return await _page(request)


@post("/{institution:str}/cases/{case_id:str}/open", opt=LOOKING)
async def read_case(request: AnyRequest) -> Response[Any]:
    """Show once what was said in a case, for a reason that goes on record."""
    visit, desks, staff = visit_of(request), desks_at(request), staff_of(request)
    case_id, reason = request.path_params["case_id"], visit.form.trimmed("reason")
    if len(reason) < REASON_MIN:
        return await _page(request, trouble="reason_missing_title", status=UNPROCESSABLE)
    path = _path(desks, case_id)
    asked = Proposal("case_read", f"{path}/open", path, {"reason": reason}, (("reason", reason),))
    page = await to_approve(visit, desks, asked)
    if page is not None:
        return page
    said = await _desk(desks).read_record(case_id, by=staff.id, reason=reason, glass=glass_of(request))
    return await _page(request, said=said)


@post("/{institution:str}/cases/{case_id:str}/step", opt=HANDLING)
async def take_step(request: AnyRequest) -> Response[Any]:
    """Bring a case to a stage, with the sum, the ground, and as of when."""
    visit, desks, staff = visit_of(request), desks_at(request), staff_of(request)
    case_id, typed = request.path_params["case_id"], visit.form.only(*STEP_FIELDS)
    try:
        step = read_step(visit.form, visit.now_us())
    except TypedUnusable as refusal:
        return await _page(request, trouble=str(refusal.known), status=UNPROCESSABLE)
    stage = str(visit.words(f"case_stage_{step.stage.value}"))
    rows = (
        ("case_stage", stage),
        ("case_loss", f"{step.amount_yen:,}"),
        ("case_basis", step.basis),
        ("case_as_of", typed["as_of"].replace("T", " ")),
        ("case_why", step.reason),
    )
    page = await to_approve(visit, desks, _asked(desks, case_id, "step", typed, rows))
    if page is not None:
        return page
    try:
        await _desk(desks).take_step(case_id, step, by=staff.id)
    except CaseStepRefused:
        return await _page(request, trouble="case_step_refused_title", status=CONFLICT)
    return visit.go(_path(desks, case_id))


@post("/{institution:str}/cases/{case_id:str}/note", opt=HANDLING)
async def add_note(request: AnyRequest) -> Response[Any]:
    """Add a line to a case's record; it is sealed."""
    visit, desks, staff = visit_of(request), desks_at(request), staff_of(request)
    case_id, typed = request.path_params["case_id"], visit.form.only("kind", "text")
    text = typed["text"].strip()
    if typed["kind"] not in NOTES or not 0 < len(text) <= TEXT_MAX:
        return await _page(request, trouble="case_wrong_length", status=UNPROCESSABLE)
    rows = (("case_note_kind", str(visit.words(f"case_entry_{typed['kind']}"))), ("case_note", text))
    page = await to_approve(visit, desks, _asked(desks, case_id, "note", typed, rows))
    if page is not None:
        return page
    await _desk(desks).note(case_id, typed["kind"], text, by=staff.id)
    return visit.go(_path(desks, case_id))


@post("/{institution:str}/cases/{case_id:str}/assign", opt=HANDLING)
async def assign_case(request: AnyRequest) -> Response[Any]:
    """Give a case to somebody who handles cases here."""
    visit, desks, staff = visit_of(request), desks_at(request), staff_of(request)
    case_id, to = request.path_params["case_id"], visit.form["to"]
    people = await _staff(request).at(desks.institution.key, Right.HANDLE_CASES)
    name = next((one.name for one in people if one.id == to), "")
    if not name:
        return await _page(request, trouble="case_wrong_assignee", status=UNPROCESSABLE)
    rows = (("case_assigned", name),)
    page = await to_approve(visit, desks, _asked(desks, case_id, "assign", {"to": to}, rows))
    if page is not None:
        return page
    await _desk(desks).assign(case_id, to=to, by=staff.id)
    return visit.go(_path(desks, case_id))


def _asked(
    desks: InstitutionDesks,
    case_id: str,
    what: str,
    fields: dict[str, str],
    rows: tuple[tuple[str, str], ...],
) -> Proposal:
    path = _path(desks, case_id)
    return Proposal(f"case_{what}", f"{path}/{what}", path, fields, rows)


def _form(visit: Visit, desks: InstitutionDesks, typed: dict[str, str], *, fault: str = "") -> Response[Any]:
    return visit.page(
        "desks/case_new.html",
        status=UNPROCESSABLE if fault else 200,
        desks=desks,
        typed=typed,
        fault=fault,
        kinds=list(CaseKind),
        reporters=REPORTERS,
        text_max=TEXT_MAX,
        here=f"/{desks.institution.key}/cases/new",
    )


async def _page(
    request: AnyRequest,
    *,
    said: tuple[Report, list[Entry]] | None = None,
    trouble: str = "",
    status: int = 200,
) -> Response[Any]:
    visit, desks, staff = visit_of(request), desks_at(request), staff_of(request)
    key, looked = desks.institution.key, await _desk(desks).look(request.path_params["case_id"])
    case, pane = looked.case, pane_of(request)
    if pane is not None:
        await _desk(desks).look_through_glass(case.id, by=staff.id)
    return visit.page(
        "desks/case.html",
        status=status,
        desks=desks,
        looked=looked,
        case=case,
        pane=pane,
        said=said,
        names=await _staff(request).names(),
        people=await _staff(request).at(key, Right.HANDLE_CASES),
        stages=[stage for stage in Stage if stage in ALLOWED[case.stage]],
        notes=NOTES,
        item_in_words=lambda item: item_in_words(item, visit.language),
        losses=await _losses(desks, case.member_id),
        may_handle=staff.may(key, Right.HANDLE_CASES),
        as_of=as_typed(visit.now_us()),
        short_max=SHORT_MAX,
        text_max=TEXT_MAX,
        trouble_words=trouble,
        path=_path(desks, case.id),
        here=_path(desks, case.id),
    )


async def _losses(desks: InstitutionDesks, member_id: str) -> dict[str, Loss]:
    return {} if desks.claims is None else await desks.claims.claimable(member_id)


def _desk(desks: InstitutionDesks) -> CaseDesk:
    return CaseDesk(desks.parts)


def _staff(request: AnyRequest) -> StaffDesk:
    return cast("StaffDesk", request.app.state[STAFF])


def _path(desks: InstitutionDesks, case_id: str) -> str:
    return f"/{desks.institution.key}/cases/{case_id}"


ROUTES = (cases_page, new_case_page, open_case, case_page, read_case, take_step, add_note, assign_case)
