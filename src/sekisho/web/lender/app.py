"""The lender's member service: the shared member pages, and the lender's own."""

from typing import Any

from litestar import Litestar, Response, get

from sekisho.identity.contact_desk import ContactDesk
from sekisho.identity.reveals import PersonalDataDesk
from sekisho.lender.outside import Outside
from sekisho.web.lender import (
    apply_pages,
    atm_pages,
    atm_pin_page,
    borrow_pages,
    diagnosis_page,
    document_pages,
    ending_pages,
    identity_page,
    income_pages,
    loan_pages,
    payout_pages,
    repay_pages,
    settle_page,
    simulator_page,
)
from sekisho.web.lender.desks import STATE, open_desks
from sekisho.web.lender.loan_items import LoanItems
from sekisho.web.lender.loan_wishes import WISHES
from sekisho.web.members.app import create_member_app
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.site import Site
from sekisho.web.members.visits import AnyRequest, visit_of


@get("/", opt={ROLE: Role.ANYONE}, sync_to_thread=False)
def overview_page(request: AnyRequest) -> Response[Any]:
    """Show a member where things stand, and everybody else the two ways in."""
    visit = visit_of(request)
    return visit.page("lender/front.html" if visit.signed_in is None else "lender/overview.html")


PAGES = (
    loan_pages,
    document_pages,
    ending_pages,
    income_pages,
    settle_page,
    simulator_page,
    diagnosis_page,
    borrow_pages,
    repay_pages,
    payout_pages,
    apply_pages,
    identity_page,
    atm_pages,
    atm_pin_page,
)
ROUTES = (overview_page, *(route for pages in PAGES for route in pages.ROUTES))


def create_lender_app(site: Site, outside: Outside | None = None) -> Litestar:
    """Make the lender's application. Raises LookupError where a route names no role, and OperationalError."""
    desks = open_desks(site.parts, site.desks.guard, site.desks.hasher, outside or Outside())
    sources = LoanItems(desks.house, site.renderer.words)
    site.desks = site.desks._replace(
        personal_data=PersonalDataDesk(site.parts, sources),
        # Codes go to the contacts: their change passes the same gate as money.
        contacts=ContactDesk(site.parts, desks.contact_gate, site.desks.codes),
    )
    site.places = ("/", "/loan", *site.places[1:])
    site.wishes |= {**WISHES, **payout_pages.WISHES, **apply_pages.WISHES, **ending_pages.WISHES}
    application = create_member_app(site, ROUTES)
    application.state[STATE] = desks
    return application
