"""Borrowing by transfer: the way, the amount, what it does, the approval, and what came of it."""

from typing import Any

from litestar import Response, get, post

from sekisho.identity.purposes import Purpose
from sekisho.lender.loan_events import NotDone
from sekisho.lender.transfer_loans import NoPayoutAccount, NotLent
from sekisho.lender.transfer_orders import OrderState, TransferOrder
from sekisho.web.lender.desks import desks_of
from sekisho.web.lender.effects import effect_of, likely_effects
from sekisho.web.lender.loan_pages import show_figures, standing_loan
from sekisho.web.lender.loan_wishes import BORROW
from sekisho.web.lender.order_approvals import FIGURES, approve_first, is_approved, proof_to_see, shown_loan
from sekisho.web.lender.proven import with_figures
from sekisho.web.members.gate_answers import new_key, typed_amount
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.visits import AnyRequest, Visit, visit_of
from sekisho.web.members.writing import show

OF_MEMBERS = {ROLE: Role.MEMBER}
APPROVED = {ROLE: Role.APPROVED}
UNPROCESSABLE = 422
REASON = "member:borrow"


@get("/borrow", opt=OF_MEMBERS)
async def ways_page(request: AnyRequest) -> Response[Any]:
    """Ask for the way: by transfer, where there is an account that money can go to."""
    visit = visit_of(request)
    if await standing_loan(visit) is None:
        return visit.go("/loan")
    standing = await desks_of(request).payouts.standing(visit.who().member.id)
    return show(visit, "lender/borrow.html", standing=standing)


@get("/borrow/transfer", opt=APPROVED)
@with_figures("borrow")
async def amount_page(request: AnyRequest) -> Response[Any]:
    """Ask for the amount, beside what can be borrowed and what it would change."""
    return await _ask_amount(visit_of(request))


# Whoever may not see the line may not find out how much is left of it by asking for amounts, either.
@post("/borrow/transfer", opt=APPROVED)
@with_figures("borrow")
async def order_transfer(request: AnyRequest) -> Response[Any]:
    """Take the amount as an order, which is worth nothing until it is approved."""
    visit = visit_of(request)
    amount = typed_amount(visit.form["amount"])
    if amount is None:
        return await _ask_amount(visit, error="amount_unreadable")
    try:
        asked = await desks_of(request).transfers.request(visit.who().present, amount, visit.form["key"])
    except NotLent as refusal:
        return await _ask_amount(visit, error=_why(refusal.why))
    except NoPayoutAccount:
        return visit.go("/borrow")
    return visit.go(f"/borrow/transfer/{asked.order.id}")


@get("/borrow/transfer/{order_id:str}", opt=APPROVED)
async def order_page(request: AnyRequest) -> Response[Any]:
    """Show an order: what it does, before it is approved; what came of it, after."""
    visit = visit_of(request)
    desk, order_id = desks_of(request).transfers, request.path_params["order_id"]
    order, purpose = await desk.to_approve(visit.who().member.id, order_id)
    if (proof := proof_to_see(visit, order, "borrow")) is not None:
        return proof
    if order.state is not OrderState.REQUESTED:
        return show(visit, "lender/borrowed.html", order=order)
    return await _confirm(visit, order, purpose)


@post("/borrow/confirm", opt=APPROVED)
async def confirm_transfer(request: AnyRequest) -> Response[Any]:
    """Lend what the order says, once everything at the gate has been passed."""
    visit = visit_of(request)
    desk, who = desks_of(request).transfers, visit.who()
    order, purpose = await desk.to_approve(who.member.id, visit.form["order"])
    try:
        outcome = await desk.approve(who.present, visit.arrival(), order.id)
    except NotLent as refusal:
        return show(visit, "lender/not_lent.html", status=refusal.status, why=_why(refusal.why))
    if isinstance(outcome, TransferOrder):
        return visit.go(f"/borrow/transfer/{order.id}")
    return approve_first(visit, outcome, BORROW, order.id, purpose)


async def _ask_amount(visit: Visit, *, error: str = "") -> Response[Any]:
    loan = await standing_loan(visit)
    if loan is None:
        return visit.go("/loan")
    await show_figures(visit, FIGURES, REASON)
    effects = likely_effects(loan.position, desks_of(visit.request).house.book)
    return show(
        visit,
        "lender/borrow_amount.html",
        status=UNPROCESSABLE if error else 200,
        loan=loan,
        effects=effects,
        typed=visit.form["amount"][:20],
        key=visit.form["key"] if error == "amount_unreadable" else new_key(visit),
        error=error,
        here="/borrow/transfer",
    )


async def _confirm(visit: Visit, order: TransferOrder, purpose: Purpose) -> Response[Any]:
    loan = await shown_loan(visit, REASON)
    desks = desks_of(visit.request)
    return show(
        visit,
        "lender/borrow_confirm.html",
        order=order,
        account=purpose.details["account"],
        effect=None if loan is None else effect_of(order.amount, loan.position, desks.house.book),
        goes_out_us=desks.transfers.goes_out_us(order.bank),
        approved=is_approved(visit, BORROW, order.id, purpose),
    )


def _why(why: NotDone) -> str:
    """Return the key of what is told about why nothing is lent."""
    return TOLD.get(why, "not_lent_now")


TOLD = {
    NotDone.ABOVE_LIMIT: "not_lent_above_limit",
    NotDone.OVERDUE: "not_lent_overdue",
    NotDone.BORROWING_CLOSED: "not_lent_borrowing_closed",
}

ROUTES = (ways_page, amount_page, order_transfer, order_page, confirm_transfer)
