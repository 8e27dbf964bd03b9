"""Repaying by debit of the member's own account: how much, what it does, the approval, what came of it."""

from typing import Any

from litestar import Response, get, post

from sekisho.identity.purposes import Purpose
from sekisho.kernel.yen import Yen
from sekisho.lender.transfer_loans import NoPayoutAccount
from sekisho.lender.web_debit_orders import DebitState, WebDebitOrder
from sekisho.lender.web_debits import DebitsStopped, NotRepaid
from sekisho.web.lender.desks import desks_of
from sekisho.web.lender.loan_pages import show_figures, standing_loan
from sekisho.web.lender.loan_sight import LoanSight
from sekisho.web.lender.loan_wishes import REPAY, figures
from sekisho.web.lender.order_approvals import FIGURES, approve_first, is_approved, proof_to_see, shown_loan
from sekisho.web.lender.proven import with_figures
from sekisho.web.members.gate_answers import new_key, typed_amount
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.step_up import to_step_up
from sekisho.web.members.visits import AnyRequest, Visit, visit_of
from sekisho.web.members.writing import show

APPROVED = {ROLE: Role.APPROVED}
UNPROCESSABLE = 422
REASON = "member:repay"


@get("/repay", opt=APPROVED)
@with_figures("repay")
async def amount_page(request: AnyRequest) -> Response[Any]:
    """Ask how much: the payment that is due, everything, or another amount."""
    return await _ask_amount(visit_of(request))


@post("/repay", opt=APPROVED)
@with_figures("repay")
async def order_debit(request: AnyRequest) -> Response[Any]:
    """Take the amount as an order, which is worth nothing until it is approved."""
    visit, form = visit_of(request), visit_of(request).form
    loan = await standing_loan(visit)
    if loan is None:
        return visit.go("/loan")
    amount = suggested(loan).get(form["choice"]) or typed_amount(form["amount"])
    ordered = await _order(visit, amount, form["key"])
    return ordered if isinstance(ordered, Response) else visit.go(f"/repay/{ordered.id}")


async def _order(visit: Visit, amount: Yen | None, key: str) -> WebDebitOrder | Response[Any]:
    if amount is None:
        return await _ask_amount(visit, error="amount_unreadable")
    try:
        return (await desks_of(visit.request).debits.request(visit.who().present, amount, key)).order
    except NotRepaid:
        return await _ask_amount(visit, error="not_repaid")
    except DebitsStopped:
        return await _ask_amount(visit, error="debits_stopped")
    except NoPayoutAccount:
        return await _ask_amount(visit, error="no_payout_account")


@get("/repay/{order_id:str}", opt=APPROVED)
async def order_page(request: AnyRequest) -> Response[Any]:
    """Show an order: what it does, before it is approved; what came of it, after."""
    visit = visit_of(request)
    desk, order_id = desks_of(request).debits, request.path_params["order_id"]
    order, purpose = await desk.to_approve(visit.who().member.id, order_id)
    if (proof := proof_to_see(visit, order, "repay")) is not None:
        return proof
    if order.state is not DebitState.REQUESTED:
        return show(visit, "lender/repaid.html", order=order)
    return await _confirm(visit, order, purpose)


@post("/repay/confirm", opt=APPROVED)
async def confirm_debit(request: AnyRequest) -> Response[Any]:
    """Let the order go to the bank, once it was approved."""
    visit = visit_of(request)
    desk, who = desks_of(request).debits, visit.who()
    order, purpose = await desk.to_approve(who.member.id, visit.form["order"])
    try:
        outcome = await desk.approve(who.present, order.id)
    except NotRepaid:
        return await _ask_amount(visit, error="not_repaid")
    if isinstance(outcome, WebDebitOrder):
        return visit.go(f"/repay/{order.id}")
    return approve_first(visit, outcome, REPAY, order.id, purpose)


def suggested(loan: LoanSight) -> dict[str, Yen]:
    """Return the amounts that are offered, by the name of the choice."""
    position = loan.position
    amounts = {"payment": min(position.payment, position.owed), "all": position.owed}
    return {name: amount for name, amount in amounts.items() if amount}


async def _ask_amount(visit: Visit, *, error: str = "") -> Response[Any]:
    loan = await standing_loan(visit)
    if loan is None:
        return visit.go("/loan")
    if not await show_figures(visit, FIGURES, REASON):
        return to_step_up(visit, figures("repay"))
    return show(
        visit,
        "lender/repay.html",
        status=UNPROCESSABLE if error else 200,
        loan=loan,
        suggested=suggested(loan),
        typed=visit.form["amount"][:20],
        choice=visit.form["choice"],
        key=new_key(visit),
        error=error,
        here="/repay",
    )


async def _confirm(visit: Visit, order: WebDebitOrder, purpose: Purpose) -> Response[Any]:
    loan = await shown_loan(visit, REASON)
    return show(
        visit,
        "lender/repay_confirm.html",
        order=order,
        account=purpose.details["account"],
        left=None if loan is None else max(loan.position.owed - order.amount, Yen(0)),
        approved=is_approved(visit, REPAY, order.id, purpose),
    )


ROUTES = (amount_page, order_debit, order_page, confirm_debit)
