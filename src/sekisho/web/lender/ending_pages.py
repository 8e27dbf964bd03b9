"""Ending the contract: what has to be settled first, what ends with it, and the approval."""

from typing import Any

from litestar import Response, get, post

from sekisho.identity.assurance import InsufficientAuthentication, Need
from sekisho.identity.holds import OnHold
from sekisho.identity.personal_data import Item
from sekisho.lender.contract_ends import (
    ContractCaseOpen,
    ContractNotFound,
    ContractStillOwed,
    ContractUnderWay,
    Ending,
)
from sekisho.lender.contracts import ContractState
from sekisho.web.lender.desks import desks_of
from sekisho.web.lender.loan_pages import show_figures
from sekisho.web.lender.proven import with_figures
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.site import ReadsWish
from sekisho.web.members.step_up import to_step_up
from sekisho.web.members.visits import AnyRequest, Visit, visit_of
from sekisho.web.members.wishes import Wish, is_granted
from sekisho.web.members.writing import show

END = "loan_end"
PATH = "/loan/end"
APPROVED = {ROLE: Role.APPROVED}
FIGURES = frozenset({Item.LOAN_BALANCE})
REASON = "member:loan_end"


@get(PATH, opt=APPROVED)
@with_figures("end")
async def ending_page(request: AnyRequest) -> Response[Any]:
    """Say what the end of the contract means, or what has to be settled before."""
    visit = visit_of(request)
    try:
        ending = await desks_of(request).ends.look(visit.who().member.id)
    except ContractNotFound:
        return visit.go("/loan")
    if ending.contract.state == ContractState.ENDED:
        return visit.go("/loan")
    return await _ask(visit, ending)


@post(PATH, opt=APPROVED)
async def end(request: AnyRequest) -> Response[Any]:
    """End the contract; sent twice, it ends once."""
    visit = visit_of(request)
    ends, who = desks_of(request).ends, visit.who()
    try:
        await ends.end(who.present)
    except InsufficientAuthentication:
        return to_step_up(visit, ending_of(await ends.look(who.member.id)))
    except (ContractStillOwed, ContractUnderWay, ContractCaseOpen, OnHold) as refusal:
        if visit.wants_json:
            raise
        return await _ask(visit, await ends.look(who.member.id), status=refusal.status)
    return visit.go("/loan")


def ending_of(ending: Ending) -> Wish:
    """Return the wish to end exactly this contract."""
    text = f"{END}:{ending.contract.id}"
    return Wish(text, ending.purpose, Need.CHANGE, PATH, "/loan", exact=True)


async def read_ending(visit: Visit, name: str) -> Wish | None:
    """Return the wish to end the visitor's own contract."""
    try:
        ending = await desks_of(visit.request).ends.look(visit.who().member.id)
    except ContractNotFound:
        return None
    return ending_of(ending) if ending.contract.id == name else None


async def _ask(visit: Visit, ending: Ending, *, status: int = 200) -> Response[Any]:
    if ending.in_the_way.refusal() is not None:
        shown = await show_figures(visit, FIGURES, REASON)
        return show(visit, "lender/end_not_yet.html", status=status, left=ending.in_the_way, shown=shown)
    wish = ending_of(ending)
    return show(
        visit,
        "lender/end.html",
        contract=ending.contract,
        wish=wish.text,
        approved=is_granted(visit, wish),
    )


WISHES: dict[str, ReadsWish] = {END: read_ending}
ROUTES = (ending_page, end)
