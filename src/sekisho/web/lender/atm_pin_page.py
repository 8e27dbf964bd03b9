"""The PIN for machines: set, or set anew, after a proof."""

from typing import Any

from litestar import Response, get, post

from sekisho.lender.atm_pins import AtmPinTooSimple, digits_of
from sekisho.web.lender import loan_wishes
from sekisho.web.lender.desks import desks_of
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.step_up import to_step_up
from sekisho.web.members.visits import AnyRequest, Visit, visit_of
from sekisho.web.members.wishes import is_granted
from sekisho.web.members.writing import show

APPROVED = {ROLE: Role.APPROVED}
UNPROCESSABLE = 422


@get("/atm/pin", opt=APPROVED, sync_to_thread=False)
def pin_page(request: AnyRequest) -> Response[Any]:
    """Ask for four digits, twice."""
    visit = visit_of(request)
    wish = loan_wishes.setting_pin()
    return _ask(visit) if is_granted(visit, wish) else to_step_up(visit, wish)


@post("/atm/pin", opt=APPROVED)
async def set_pin(request: AnyRequest) -> Response[Any]:
    """Set the PIN. What was typed is never shown again, nor written anywhere."""
    visit, form = visit_of(request), visit_of(request).form
    wish = loan_wishes.setting_pin()
    if not is_granted(visit, wish):
        return to_step_up(visit, wish)
    if digits_of(form["pin"]) != digits_of(form["again"]):
        return _ask(visit, error="atm_pin_differs")
    try:
        await desks_of(request).pins.set_pin(visit.who().present, form["pin"])
    except AtmPinTooSimple:
        return _ask(visit, error="atm_pin_too_simple")
    return visit.go("/atm?done=pin")


def _ask(visit: Visit, *, error: str = "") -> Response[Any]:
    status = UNPROCESSABLE if error else 200
    return show(visit, "lender/atm_pin.html", status=status, error=error, here="/atm/pin")


ROUTES = (pin_page, set_pin)
