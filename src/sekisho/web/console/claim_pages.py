"""Claims at the desks: made in a case, assessed under the policy of its day, decided by a second person."""

import re
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from litestar import Response, get, post

from sekisho.console.rights import Right
from sekisho.response import cases, claim_letters, claims
from sekisho.response.cases import Case
from sekisho.response.claim_policy import Assessment, Fault, policy_at
from sekisho.response.claims import Claim, ClaimRefused, ClaimState, Compensated
from sekisho.response.staff import SecondPersonNeeded
from sekisho.storage.unit_of_work import Connection
from sekisho.web.console.proposals import Proposal, to_approve
from sekisho.web.console.recovery_pages import partner_path
from sekisho.web.console.staff_admission import RIGHT, STAFF, staff_of
from sekisho.web.console.staff_desks import InstitutionDesks, desks_at, require_desk
from sekisho.web.console.typed import TypedUnusable, read_choice, read_yen
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.visits import AnyRequest, visit_of

if TYPE_CHECKING:
    from sekisho.console.staff import StaffDesk

SEEING = {ROLE: Role.MEMBER, RIGHT: Right.SEE_MEMBERS}
HANDLING = {ROLE: Role.MEMBER, RIGHT: Right.HANDLE_CASES}
APPROVING = {ROLE: Role.MEMBER, RIGHT: Right.APPROVE}
FORBIDDEN, CONFLICT, UNPROCESSABLE = 403, 409, 422
MADE_FIELDS = ("loss", "claimed")
ASSESSED_FIELDS = ("fault", "share", "why", "late_for")
WHY_MAX = 400
_SHARE = re.compile(r"[0-9]{1,3}")


class Looked(NamedTuple):
    """A claim as its page shows it, with its case and how far its letter is."""

    claim: Claim
    case: Case
    letter: str


class Listed(NamedTuple):
    """The claims of an institution: those that wait, the newest that were decided, and what was paid."""

    waiting: list[Claim]
    decided: list[Claim]
    total: Compensated


@get("/{institution:str}/claims", opt=SEEING)
async def claims_page(request: AnyRequest) -> Response[Any]:
    """Show the claims that wait, and what was paid so far."""
    visit, desks = visit_of(request), desks_at(request)
    require_desk(desks.claims)
    now_us = visit.now_us()

    def look(connection: Connection) -> Listed:
        total = claims.compensated(connection, as_of_us=now_us)
        return Listed(claims.to_decide(connection), claims.newest(connection, limit=50), total)

    return visit.page(
        "desks/claims.html",
        desks=desks,
        listed=await desks.parts.read(look),
        names=await _names(request),
    )


@post("/{institution:str}/cases/{case_id:str}/claims", opt=HANDLING)
async def make_claim(request: AnyRequest) -> Response[Any]:
    """Claim in a case what left its member's account."""
    visit, desks, staff = visit_of(request), desks_at(request), staff_of(request)
    desk, case_id, typed = (
        require_desk(desks.claims),
        request.path_params["case_id"],
        visit.form.only(*MADE_FIELDS),
    )
    try:
        claimed = read_yen(typed["claimed"], words="claim_wrong_yen")
    except TypedUnusable:
        return visit.page(
            "desks/unusable.html",
            status=UNPROCESSABLE,
            desks=desks,
            words="claim_wrong_yen",
            back=_case(desks, case_id),
        )
    asked = Proposal(
        name="claim_make",
        action=f"{_case(desks, case_id)}/claims",
        back=_case(desks, case_id),
        fields=typed,
        rows=(("claim_loss", typed["loss"]), ("claim_claimed", f"{claimed:,}")),
    )
    page = await to_approve(visit, desks, asked)
    if page is not None:
        return page
    made = await desk.make(case_id, typed["loss"], claimed, by=staff.id)
    return visit.go(_path(desks, made.id))


@get("/{institution:str}/claims/{claim_id:str}", opt=SEEING)
async def claim_page(request: AnyRequest) -> Response[Any]:
    """Show one claim: what was lost, the policy of that day, what was found, who decided."""
    return await _page(request)


@post("/{institution:str}/claims/{claim_id:str}/assess", opt=HANDLING)
async def assess_claim(request: AnyRequest) -> Response[Any]:
    """Say what is made good, and why."""
    visit, desks, staff = visit_of(request), desks_at(request), staff_of(request)
    desk, claim_id = require_desk(desks.claims), request.path_params["claim_id"]
    typed = visit.form.only(*ASSESSED_FIELDS)
    try:
        found = _assessment(typed)
    except TypedUnusable as refusal:
        return await _page(request, trouble=str(refusal.known), status=UNPROCESSABLE)
    rows = (
        ("claim_fault", str(visit.words(f"claim_fault_{found.fault.value}"))),
        ("claim_share", f"{found.share}%"),
        ("claim_why", found.reason),
        ("claim_late_for", found.late_for),
    )
    path = _path(desks, claim_id)
    page = await to_approve(visit, desks, Proposal("claim_assess", f"{path}/assess", path, typed, rows))
    if page is not None:
        return page
    try:
        await desk.assess(claim_id, found, by=staff.id)
    except ClaimRefused as refusal:
        return await _page(request, told=refusal.told, status=CONFLICT)
    return visit.go(path)


@post("/{institution:str}/claims/{claim_id:str}/decide", opt=APPROVING)
async def decide_claim(request: AnyRequest) -> Response[Any]:
    """Decide as the second person: what was assessed is booked and written, or nothing is paid."""
    visit, desks, staff = visit_of(request), desks_at(request), staff_of(request)
    desk, claim_id = require_desk(desks.claims), request.path_params["claim_id"]
    typed = visit.form.only("what", "why")
    pay, why = typed["what"] == "pay", typed["why"].strip()
    if typed["what"] not in {"pay", "turn_down"} or len(why) > WHY_MAX or (not pay and not why):
        return await _page(request, trouble="claim_wrong_decision", status=UNPROCESSABLE)
    claim = (await _looked(desks, claim_id)).claim
    # What stands there when it is approved is what is booked: another assessment needs another approval.
    rows = (
        ("claim_loss", claim.loss),
        ("claim_awarded", f"{claim.awarded_yen or 0:,}"),
        ("claim_why", claim.reason),
        ("claim_decision", str(visit.words(f"claim_do_{typed['what']}"))),
        ("claim_decided_why", why),
    )
    path = _path(desks, claim_id)
    asked = Proposal("claim_decide", f"{path}/decide", path, typed, rows, grave=not pay)
    page = await to_approve(visit, desks, asked)
    if page is not None:
        return page
    try:
        await desk.decide(claim_id, pay=pay, by=staff.id, why=why)
    except SecondPersonNeeded:
        return await _page(request, trouble="claim_second_person", status=FORBIDDEN)
    except ClaimRefused as refusal:
        return await _page(request, told=refusal.told, status=CONFLICT)
    return visit.go(path)


def _assessment(typed: dict[str, str]) -> Assessment:
    fault = read_choice(Fault, typed["fault"], words="claim_wrong_fault")
    share, why, late_for = typed["share"].strip(), typed["why"].strip(), typed["late_for"].strip()
    if not (_SHARE.fullmatch(share) and share.isascii()):
        raise TypedUnusable(known="claim_wrong_share")
    if not why or max(len(why), len(late_for)) > WHY_MAX:
        raise TypedUnusable(known="claim_wrong_reason")
    return Assessment(fault, int(share), why, late_for)


async def _looked(desks: InstitutionDesks, claim_id: str) -> Looked:
    def look(connection: Connection) -> Looked:
        claim = claims.require(connection, claim_id)
        letter = claim_letters.state_of(connection, claim.id)
        return Looked(claim, cases.require(connection, claim.case_id), letter)

    require_desk(desks.claims)
    return await desks.parts.read(look)


async def _page(
    request: AnyRequest, *, trouble: str = "", told: str = "", status: int = 200
) -> Response[Any]:
    visit, desks, staff = visit_of(request), desks_at(request), staff_of(request)
    key, looked = desks.institution.key, await _looked(desks, request.path_params["claim_id"])
    claim = looked.claim
    return visit.page(
        "desks/claim.html",
        status=status,
        desks=desks,
        claim=claim,
        case=looked.case,
        letter=looked.letter,
        policy=policy_at(claim.lost_at_us),
        recovery=None if desks.recoveries is None else await desks.recoveries.of_claim(claim.id),
        way_to_partner=lambda partner: partner_path(desks, partner),
        faults=list(Fault),
        names=await _names(request),
        is_open=claim.state in {ClaimState.MADE, ClaimState.ASSESSED},
        may_assess=staff.may(key, Right.HANDLE_CASES),
        may_decide=staff.may(key, Right.APPROVE) and staff.id != claim.assessed_by,
        trouble_words=trouble,
        told=told,
        why_max=WHY_MAX,
        path=_path(desks, claim.id),
        here=_path(desks, claim.id),
    )


async def _names(request: AnyRequest) -> dict[str, str]:
    return await cast("StaffDesk", request.app.state[STAFF]).names()


def _path(desks: InstitutionDesks, claim_id: str) -> str:
    return f"/{desks.institution.key}/claims/{claim_id}"


def _case(desks: InstitutionDesks, case_id: str) -> str:
    return f"/{desks.institution.key}/cases/{case_id}"


ROUTES = (claims_page, make_claim, claim_page, assess_claim, decide_claim)
