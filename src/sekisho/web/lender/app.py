"""The lender's member service: the shared member pages, and the lender's own overview."""

from typing import Any

from litestar import Litestar, Response, get

from sekisho.web.members.app import create_member_app
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.site import Site
from sekisho.web.members.visits import AnyRequest, visit_of


@get("/", opt={ROLE: Role.ANYONE}, sync_to_thread=False)
def overview_page(request: AnyRequest) -> Response[Any]:
    """Show a member where things stand, and everybody else the two ways in."""
    visit = visit_of(request)
    return visit.page("lender/front.html" if visit.signed_in is None else "lender/overview.html")


ROUTES = (overview_page,)


def create_lender_app(site: Site) -> Litestar:
    """Make the lender's application."""
    return create_member_app(site, ROUTES)
