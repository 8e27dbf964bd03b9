"""The bank as an application: the online bank's member pages, links of accounts, and what partners call."""

from typing import Any

from litestar import Litestar, Response, get

from sekisho.bank.authorisation.settings import LinkSettings
from sekisho.bank.house import open_house
from sekisho.bank.switch_book import BankSwitches
from sekisho.bank.switches import Switches
from sekisho.web.bank import (
    account_pages,
    debit_api,
    debit_desks,
    desks,
    link_endpoints,
    link_pages,
    mandate_pages,
)
from sekisho.web.members.app import create_member_app
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.site import Site
from sekisho.web.members.visits import AnyRequest, visit_of


@get("/", opt={ROLE: Role.ANYONE}, sync_to_thread=False)
def front_page(request: AnyRequest) -> Response[Any]:
    """Show the way into the online bank."""
    visit = visit_of(request)
    return visit.page("bank/front.html")


PAGES = (link_endpoints, link_pages, debit_api, account_pages, mandate_pages)
ROUTES = (front_page, *(route for pages in PAGES for route in pages.ROUTES))


def create_bank_app(
    site: Site, settings: LinkSettings | None = None, switches: Switches | None = None
) -> Litestar:
    """Make the bank's application, with its accounts in the books.

    Raises LookupError where a route names no role, and OperationalError.
    """
    bank, known = open_house(site.parts), switches or BankSwitches(site.parts)
    links = desks.open_link_desks(bank, site.desks, settings or LinkSettings(), known)
    # A bank knows who its depositors are, and nothing of their work.
    site.item_groups = ("person", "reach")
    site.places = ("/", "/accounts", "/linked", *site.places[1:])
    site.wishes |= {**account_pages.WISHES, **mandate_pages.WISHES}
    application = create_member_app(site, ROUTES)
    application.state[desks.STATE] = links
    application.state[debit_desks.STATE] = debit_desks.open_debit_desks(
        bank, links.access, links.prover, known
    )
    return application
