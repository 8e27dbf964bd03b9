"""Movements at the desks whose end a bank never told: what the books hold, and what was found out."""

from typing import Any

from litestar import Response, get, post

from sekisho.console.rights import Right
from sekisho.kernel.japan import day_in_japan
from sekisho.linking.banks import bank_in_words
from sekisho.response.access import REASON_MIN
from sekisho.response.staff import Deed
from sekisho.wallet.bank_moves import BankMoveUnknown, MoveState
from sekisho.wallet.lost_moves import LostMove
from sekisho.web.console.proposals import Proposal, to_approve
from sekisho.web.console.staff_admission import RIGHT, staff_of
from sekisho.web.console.staff_desks import InstitutionDesks, desks_at, require_desk
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.visits import AnyRequest, visit_of

DECIDING = {ROLE: Role.MEMBER, RIGHT: Right.DECIDE_LINKS}
UNPROCESSABLE = 422
REASON_MAX = 400
FOUND = {"moved": True, "not_moved": False}


@get("/{institution:str}/lost-moves/{move_id:str}", opt=DECIDING)
async def lost_move_page(request: AnyRequest) -> Response[Any]:
    """Show a movement with its order and its reservation, and what either answer would do."""
    return await _page(request)


@post("/{institution:str}/lost-moves/{move_id:str}", opt=DECIDING)
async def decide_lost_move(request: AnyRequest) -> Response[Any]:
    """Book that the bank moved the money, or that it did not."""
    visit, desks, staff = visit_of(request), desks_at(request), staff_of(request)
    desk, typed = require_desk(desks.links).lost, visit.form.only("found", "reason")
    lost, reason = await desk.look(request.path_params["move_id"]), typed["reason"].strip()
    if typed["found"] not in FOUND:
        return await _page(request, trouble="lost_wrong_decision", status=UNPROCESSABLE)
    if not REASON_MIN <= len(reason) <= REASON_MAX:
        return await _page(request, trouble="reason_missing_title", status=UNPROCESSABLE)
    does = f"lost_does_{lost.move.direction.value}_{typed['found']}"
    rows = (
        ("desk_link_bank", _bank(request, lost)),
        ("lost_amount", str(visit.words("case_yen", yen=f"{lost.move.amount_yen:,}"))),
        ("lost_found", str(visit.words(f"lost_{typed['found']}"))),
        ("lost_does", str(visit.words(does))),
        ("reason", reason),
    )
    path = _path(desks, lost)
    page = await to_approve(visit, desks, Proposal("lost_move", path, path, typed, rows))
    if page is not None:
        return page
    try:
        await desk.decide(lost.move.id, Deed(staff.id, reason), moved=FOUND[typed["found"]])
    except BankMoveUnknown:
        return await _page(request, trouble="lost_decided", status=409)
    return visit.go(f"/{desks.institution.key}/links")


async def _page(request: AnyRequest, *, trouble: str = "", status: int = 200) -> Response[Any]:
    visit, desks = visit_of(request), desks_at(request)
    lost = await require_desk(desks.links).lost.look(request.path_params["move_id"])
    path = _path(desks, lost)
    return visit.page(
        "desks/lost_move.html",
        status=status,
        desks=desks,
        lost=lost,
        bank=_bank(request, lost),
        is_lost=lost.move.state is MoveState.LOST,
        reason_max=REASON_MAX,
        trouble_words=trouble,
        path=path,
        here=path,
    )


def _bank(request: AnyRequest, lost: LostMove) -> str:
    return bank_in_words(lost.bank, day_in_japan(visit_of(request).now_us()))


def _path(desks: InstitutionDesks, lost: LostMove) -> str:
    return f"/{desks.institution.key}/lost-moves/{lost.move.id}"


ROUTES = (lost_move_page, decide_lost_move)
