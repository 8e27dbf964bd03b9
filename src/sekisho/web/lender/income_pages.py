"""A newer income under the contract: declaring it, where it stands, and what came of it."""

from typing import Any

from litestar import Response, get, post

from sekisho.lender.income_renewals import (
    OPEN,
    Declared,
    IncomePaper,
    IncomeRenewalOver,
    IncomeRenewalUnderWay,
    IncomeRenewalUnusable,
    NoLineToRenew,
    Renewal,
)
from sekisho.web.lender.desks import desks_of
from sekisho.web.lender.diagnosis_page import typed_man
from sekisho.web.lender.loan_pages import standing_loan
from sekisho.web.lender.loan_sight import LoanSight
from sekisho.web.lender.proven import with_figures
from sekisho.web.members.gate_answers import new_key
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.visits import AnyRequest, Visit, visit_of
from sekisho.web.members.writing import show

PATH = "/loan/income"
APPROVED = {ROLE: Role.APPROVED}
UNPROCESSABLE = 422


@get(PATH, opt=APPROVED)
@with_figures("income")
async def income_page(request: AnyRequest) -> Response[Any]:
    """Show what was declared last and where it stands, or ask for it."""
    visit = visit_of(request)
    loan = await standing_loan(visit)
    if loan is None:
        return visit.go("/loan")
    renewal = await desks_of(request).renewals.standing(visit.who().member.id)
    if renewal is not None and renewal.state in OPEN:
        return show(visit, "lender/income_waits.html", renewal=renewal)
    return _ask(visit, loan, renewal)


@post(PATH, opt=APPROVED)
@with_figures("income")
async def declare(request: AnyRequest) -> Response[Any]:
    """Take what was typed; the source of incomes is asked at once."""
    visit, form = visit_of(request), visit_of(request).form
    income, paper = typed_man(form["income"]), form["paper"]
    wrong = {"income": income is None, "paper": paper not in set(IncomePaper)}
    if income is None or any(wrong.values()):
        return await _again(visit, {name for name, is_wrong in wrong.items() if is_wrong})
    try:
        declared = Declared(income, IncomePaper(paper))
        await desks_of(request).renewals.declare(visit.who().member.id, form["key"], declared)
    except IncomeRenewalUnusable:
        return await _again(visit, {"income"})
    except IncomeRenewalUnderWay:
        return visit.go(PATH)
    except NoLineToRenew:
        return visit.go("/loan")
    return visit.go(PATH)


@post("/loan/income/withdraw", opt=APPROVED)
@with_figures("income")
async def withdraw(request: AnyRequest) -> Response[Any]:
    """Take a declaration back; one that was decided meanwhile shows what came of it."""
    visit = visit_of(request)
    try:
        await desks_of(request).renewals.withdraw(visit.who().member.id, visit.form["renewal"])
    except IncomeRenewalOver:
        return visit.go(PATH)
    return visit.go(PATH)


async def _again(visit: Visit, wrong: set[str]) -> Response[Any]:
    loan = await standing_loan(visit)
    return visit.go("/loan") if loan is None else _ask(visit, loan, None, wrong)


def _ask(
    visit: Visit, loan: LoanSight, renewal: Renewal | None, wrong: set[str] | None = None
) -> Response[Any]:
    return show(
        visit,
        "lender/income.html",
        status=UNPROCESSABLE if wrong else 200,
        loan=loan,
        renewal=renewal,
        papers=list(IncomePaper),
        typed=visit.form.only("income", "paper"),
        wrong=wrong or set(),
        key=new_key(visit),
        here=PATH,
    )


ROUTES = (income_page, declare, withdraw)
