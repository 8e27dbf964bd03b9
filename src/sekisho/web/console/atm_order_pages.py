"""Orders at machines that a person has to decide: what was really moved, and why one thinks so."""

from typing import Any

from litestar import Response, get, post

from sekisho.console.rights import Right
from sekisho.kernel.yen import Yen
from sekisho.lender.atm_disputes import AtmAmountNotOrdered, AtmNotBookable, AtmOrderNotDisputed, Decision
from sekisho.lender.atm_machines import AtmOrderUnknown
from sekisho.web.console.proposals import Proposal, to_approve
from sekisho.web.console.staff_admission import RIGHT, staff_of
from sekisho.web.console.staff_desks import desks_at, require_desk
from sekisho.web.console.typed import TypedUnusable, read_yen
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.visits import AnyRequest, visit_of

DECIDING = {ROLE: Role.MEMBER, RIGHT: Right.DECIDE_APPLICATIONS}
UNPROCESSABLE = 422
REASON_MAX = 2_000


@get("/{institution:str}/atm-orders", opt=DECIDING)
async def atm_orders_page(request: AnyRequest) -> Response[Any]:
    """Show the orders that wait for a person, and what else does not agree."""
    return await _page(request)


@post("/{institution:str}/atm-orders/decide", opt=DECIDING)
async def decide_atm_order(request: AnyRequest) -> Response[Any]:
    """Book what was moved under a disputed order; nothing frees what was kept apart."""
    visit, desks, staff = visit_of(request), desks_at(request), staff_of(request)
    desk, typed = require_desk(desks.atm_orders), visit.form.only("order", "moved", "reason")
    reason = typed["reason"].strip()
    try:
        moved = read_yen(typed["moved"], words="case_wrong_yen")
        if not 0 < len(reason) <= REASON_MAX:
            raise TypedUnusable(known="application_wrong_reason")  # noqa: TRY301 - told as the other fault is
    except TypedUnusable as refusal:
        return await _page(request, trouble=str(refusal.known), status=UNPROCESSABLE)
    path = f"/{desks.institution.key}/atm-orders"
    rows = (("atm_order", typed["order"]), ("atm_moved", f"{moved:,}"), ("reason", reason))
    page = await to_approve(visit, desks, Proposal("atm_order", f"{path}/decide", path, typed, rows))
    if page is not None:
        return page
    try:
        await desk.decide(typed["order"], Decision(staff.id, Yen(moved), reason))
    except (AtmOrderUnknown, AtmOrderNotDisputed, AtmAmountNotOrdered, AtmNotBookable) as refusal:
        return await _page(request, trouble=f"desk_{refusal.code}", status=refusal.status)
    return visit.go(path)


@post("/{institution:str}/atm-orders/close", opt=DECIDING)
async def close_atm_finding(request: AnyRequest) -> Response[Any]:
    """Close what does not agree and needs no booking here: it was settled with the network."""
    visit, desks, staff = visit_of(request), desks_at(request), staff_of(request)
    desk, typed = require_desk(desks.atm_orders), visit.form.only("order", "reason")
    reason = typed["reason"].strip()
    if not 0 < len(reason) <= REASON_MAX:
        return await _page(request, trouble="application_wrong_reason", status=UNPROCESSABLE)
    path = f"/{desks.institution.key}/atm-orders"
    rows = (("atm_order", typed["order"]), ("reason", reason))
    page = await to_approve(visit, desks, Proposal("atm_close", f"{path}/close", path, typed, rows))
    if page is not None:
        return page
    try:
        await desk.close(typed["order"], staff.id, reason)
    except (AtmOrderNotDisputed, AtmNotBookable) as refusal:
        return await _page(request, trouble=f"desk_{refusal.code}", status=refusal.status)
    return visit.go(path)


async def _page(request: AnyRequest, *, trouble: str = "", status: int = 200) -> Response[Any]:
    visit, desks = visit_of(request), desks_at(request)
    desk = require_desk(desks.atm_orders)
    disputed = await desk.disputed()
    waiting = {one.id for one in disputed}
    path = f"/{desks.institution.key}/atm-orders"
    return visit.page(
        "desks/atm_orders.html",
        status=status,
        desks=desks,
        disputed=disputed,
        findings=[one for one in await desk.findings() if one.order_id not in waiting],
        reason_max=REASON_MAX,
        trouble_words=trouble,
        path=path,
        here=path,
    )


ROUTES = (atm_orders_page, decide_atm_order, close_atm_finding)
