"""What it takes to pay everything back on a day: the last payment, to the yen."""

from datetime import date, timedelta
from typing import Any, NamedTuple

from litestar import Response, get

from sekisho.identity.personal_data import Item
from sekisho.lender.contracts import Contract
from sekisho.lender.loan_events import Position, parse_day
from sekisho.web.lender.desks import desks_of
from sekisho.web.lender.loan_pages import show_figures, standing_loan
from sekisho.web.lender.proven import with_figures
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.visits import AnyRequest, visit_of
from sekisho.web.members.writing import show

FIGURES = frozenset({Item.LOAN_BALANCE, Item.PAYMENT_INFORMATION})
REASON = "member:settle"
DAYS_AHEAD = 30
UNPROCESSABLE = 422


class Span(NamedTuple):
    """The days for which a last payment can be told: until the next one is due, something else is owed."""

    first: date
    last: date


@get("/loan/settle", opt={ROLE: Role.APPROVED})
@with_figures("settle")
async def settle_page(request: AnyRequest) -> Response[Any]:
    """Tell the last payment for `?day=2026-11-30`, or for today."""
    visit, house = visit_of(request), desks_of(request).house
    loan = await standing_loan(visit)
    if loan is None:
        return visit.go("/loan")
    await show_figures(visit, FIGURES, REASON)
    days = days_of(loan.contract, loan.position, house.today())
    typed = request.query_params.get("day", "")
    day = typed_day(typed) if typed else days.first
    wrong = day is None or not days.first <= day <= days.last
    told = days.first if wrong or day is None else day
    position = await house.read(lambda at: house.loans.position(at, loan.contract, told))
    return show(
        visit,
        "lender/settle.html",
        status=UNPROCESSABLE if wrong else 200,
        position=position,
        settled_on=told,
        typed=typed[:10] or told.isoformat(),
        days=days,
        error="settle_day_outside" if wrong else "",
        here="/loan/settle",
    )


def days_of(contract: Contract, position: Position, today: date) -> Span:
    """Return the days to choose from: none that the books have passed, where the clock was set back."""
    first = max(today, parse_day(contract.charged_until) or today)
    due = position.next_due_on
    last = due if due is not None and due >= first else first + timedelta(days=DAYS_AHEAD)
    return Span(first, last)


def typed_day(text: str) -> date | None:
    """Read a day; None where it is none."""
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


ROUTES = (settle_page,)
