"""The simulator, open to everybody: how long a loan takes and what it costs, by the published method."""

import unicodedata
from typing import Any, NamedTuple

from litestar import Response, get

from sekisho.kernel.yen import Yen
from sekisho.lender.rates import Rate
from sekisho.lender.repayment import Plan, PlanNeverEnds, fixed_payment, monthly_plan
from sekisho.lender.terms import Terms, TermsBook
from sekisho.web.lender.desks import desks_of
from sekisho.web.lender.plan_drawing import drawn
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.visits import AnyRequest, visit_of
from sekisho.web.members.writing import show

OPEN = {ROLE: Role.ANYONE}
EXAMPLE = Yen(100_000)
ROWS_MAX = 120
TYPED_MAX = 20
UNPROCESSABLE = 422


class Wanted(NamedTuple):
    """What is worked out: an amount, a rate, and a payment a month."""

    amount: Yen
    rate: Rate
    payment: Yen


class Mistyped(Exception):  # noqa: N818 - an answer about a form, and told as one
    """A field of the form can't be worked with; `fault` is the key of what is told about it."""

    def __init__(self, field: str, fault: str) -> None:
        self.field = field
        self.fault = fault
        super().__init__(fault)


@get("/simulator", opt=OPEN, sync_to_thread=False)
def simulator_page(request: AnyRequest) -> Response[Any]:
    """Work a plan out: `?amount=100000&rate=18.0&payment=4000`; rate and payment may be left to the terms."""
    visit, house = visit_of(request), desks_of(request).house
    terms, book = house.book.on(house.today()), house.book
    typed = {name: request.query_params.get(name, "")[:TYPED_MAX] for name in ("amount", "rate", "payment")}
    try:
        wanted = read_wanted(typed, terms, book)
        plan = plan_of(wanted)
    except Mistyped as mistake:
        return show(
            visit,
            "lender/simulator.html",
            status=UNPROCESSABLE,
            typed=typed,
            terms=terms,
            wanted=None,
            errors={mistake.field: mistake.fault},
        )
    return show(
        visit,
        "lender/simulator.html",
        typed=typed,
        terms=terms,
        wanted=wanted,
        plan=plan,
        rows=plan.payments[:ROWS_MAX],
        drawing=drawn(wanted.amount, plan),
        errors={},
    )


def read_wanted(typed: dict[str, str], terms: Terms, book: TermsBook) -> Wanted:
    """Read the form. Raises Mistyped."""
    amount = _amount(typed["amount"], "amount") if typed["amount"].strip() else EXAMPLE
    if not terms.limit_min_yen <= amount.amount <= terms.limit_max_yen:
        raise Mistyped("amount", "simulator_amount_outside")
    highest = min(terms.rate_max, book.legal_cap(amount))
    rate = _rate(typed["rate"]) if typed["rate"].strip() else highest
    if rate > book.legal_cap(amount) or not rate.thousandths:
        raise Mistyped("rate", "simulator_rate_outside")
    payment = (
        _amount(typed["payment"], "payment") if typed["payment"].strip() else fixed_payment(amount, book)
    )
    return Wanted(amount, rate, payment)


def plan_of(wanted: Wanted) -> Plan:
    """Return the plan. Raises Mistyped where the payment never pays the amount back."""
    try:
        return monthly_plan(wanted.amount, wanted.rate, wanted.payment)
    except PlanNeverEnds as never:
        raise Mistyped("payment", "simulator_never_ends") from never


def _amount(text: str, field: str) -> Yen:
    try:
        amount = Yen.parse(text)
    except ValueError as error:
        raise Mistyped(field, "amount_unreadable") from error
    if amount <= Yen(0):
        raise Mistyped(field, "amount_unreadable")
    return amount


def _rate(text: str) -> Rate:
    try:
        return Rate.parse(unicodedata.normalize("NFKC", text).strip().removesuffix("%"))
    except ValueError as error:
        raise Mistyped("rate", "simulator_rate_unreadable") from error


ROUTES = (simulator_page,)
