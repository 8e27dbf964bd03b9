"""The ID's first page: what it is for, before and after the login."""

from typing import Any

from litestar import Response, get

from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.visits import AnyRequest, visit_of


@get("/", opt={ROLE: Role.ANYONE}, sync_to_thread=False)
def overview_page(request: AnyRequest) -> Response[Any]:
    """Show a member what the ID is used for, and everybody else the two ways in."""
    visit = visit_of(request)
    return visit.page("id/front.html" if visit.signed_in is None else "id/overview.html")


ROUTES = (overview_page,)
