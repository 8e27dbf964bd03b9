"""The loan: what is owed, what is due, what the next borrowing would change, and what happened."""

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any

from litestar import Response, get

from sekisho.identity.personal_data import FROM_SOURCES, Item
from sekisho.web.lender import loan_wishes
from sekisho.web.lender.desks import desks_of
from sekisho.web.lender.effects import likely_effects
from sekisho.web.lender.loan_sight import LoanSight, loan_of
from sekisho.web.lender.statement_files import CSV, PDF, Statement, as_file, csv_file
from sekisho.web.members.form_tokens import OWN_SITES
from sekisho.web.members.profile_pages import viewer_of
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.step_up import to_step_up
from sekisho.web.members.visits import AnyRequest, Visit, visit_of
from sekisho.web.members.wishes import is_granted
from sekisho.web.members.writing import in_month, show
from sekisho.web.problems import NotFound
from sekisho.web.words import Words

OF_MEMBERS = {ROLE: Role.MEMBER}
APPROVED = {ROLE: Role.APPROVED}


@get("/loan", opt=OF_MEMBERS)
async def loan_page(request: AnyRequest) -> Response[Any]:
    """Show how the loan stands; its figures after a fresh proof alone."""
    visit = visit_of(request)
    loan = await sight(visit)
    if loan is None:
        return show(visit, "lender/no_loan.html")
    if loan.has_ended:
        return show(visit, "lender/ended.html", loan=loan)
    shown = await show_figures(visit, FROM_SOURCES, "member:loan")
    effects = likely_effects(loan.position, desks_of(request).house.book) if shown else []
    return show(visit, "lender/loan.html", loan=loan if shown else None, effects=effects)


@get("/loan/history", opt=APPROVED)
async def history_page(request: AnyRequest) -> Response[Any]:
    """Show what happened in a month: `?month=2026-11`, else the last in which something did."""
    visit = visit_of(request)
    opened = await _opened(visit, request.query_params.get("month", ""), "page")
    if isinstance(opened, Response):
        return opened
    loan, month = opened
    return show(
        visit,
        "lender/history.html",
        months=loan.months(),
        month=month,
        events=loan.in_month(month),
        contract=loan.contract,
    )


@get("/loan/history/{month:str}/csv", opt=APPROVED)
async def history_csv(request: AnyRequest) -> Response[Any]:
    """Give a month out as a table for spreadsheet programs."""

    async def table(statement: Statement, words: Words) -> bytes:
        return csv_file(statement, words)

    return await _kept(request, "csv", CSV, table)


@get("/loan/history/{month:str}/pdf", opt=APPROVED)
async def history_pdf(request: AnyRequest) -> Response[Any]:
    """Give a month out as a statement to keep."""
    return await _kept(request, "pdf", PDF, desks_of(request).press.typeset)


async def sight(visit: Visit) -> LoanSight | None:
    """Return how the visitor's loan stands; what of it is shown is another question."""
    house = desks_of(visit.request).house
    member_id = visit.who().member.id
    return await house.read(lambda connection: loan_of(connection, house, member_id))


async def standing_loan(visit: Visit) -> LoanSight | None:
    """Return how the visitor's loan stands; None where there is no contract, or it has ended."""
    loan = await sight(visit)
    return None if loan is None or loan.has_ended else loan


async def show_figures(visit: Visit, items: frozenset[Item], reason: str) -> bool:
    """Say whether items of the loan may stand on a page in full, and record how they stand there."""
    viewer, desk = viewer_of(visit), visit.site.desks.personal_data
    if is_granted(visit, loan_wishes.figures()):
        await desk.reveal(viewer, items, reason=reason)
        return True
    await desk.masked(viewer, reason=reason, items=items)
    return False


async def _kept(
    request: AnyRequest, form: str, media_type: str, make: Callable[[Statement, Words], Awaitable[bytes]]
) -> Response[Any]:
    """Answer with a month's statement as a file of some form."""
    visit = visit_of(request)
    opened = await _opened(visit, request.path_params["month"], form)
    if isinstance(opened, Response):
        return opened
    octets = await make(_statement(visit, *opened), visit.words)
    return as_file(octets, media_type, f"statement-{opened[1]:%Y-%m}.{form}")


async def _opened(visit: Visit, month: str, form: str) -> Response[Any] | tuple[LoanSight, date]:
    """Return the loan and the month that was asked for, on record as seen; or the answer in its place."""
    # What another site makes a browser fetch would stand on record as seen by the member.
    if visit.request.headers.get("sec-fetch-site", "none") not in OWN_SITES:
        return visit.go("/loan")
    wish = loan_wishes.figures("history")
    if not is_granted(visit, wish):
        return to_step_up(visit, wish)
    loan = await sight(visit)
    if loan is None:
        return visit.go("/loan")
    wanted = _month(month) if month else next(iter(loan.months()), desks_of(visit.request).house.today())
    await show_figures(visit, frozenset({Item.TRANSACTION_HISTORY}), f"member:statement:{form}")
    return loan, wanted


def _month(text: str) -> date:
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError as error:
        raise NotFound(known=f"no month: {text[:20]!r}") from error


def _statement(visit: Visit, loan: LoanSight, month: date) -> Statement:
    return Statement(
        institution=visit.site.parts.institution.name(visit.language),
        telephone=visit.site.parts.institution.telephone,
        contract_number=loan.contract.number,
        month=in_month(month, visit.language),
        made_at_us=visit.now_us(),
        events=loan.in_month(month),
    )


ROUTES = (loan_page, history_page, history_csv, history_pdf)
