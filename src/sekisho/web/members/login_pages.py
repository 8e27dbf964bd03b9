"""The login: passkey first, ID and password as the other way, and the one step after it for all strangers."""

from typing import Any

from litestar import Response, get

from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.visits import AnyRequest, visit_of


@get("/login", opt={ROLE: Role.ANYONE}, sync_to_thread=False)
def login_page(request: AnyRequest) -> Response[Any]:
    """Ask who is there."""
    visit = visit_of(request)
    return visit.page("members/login.html", again=False, passkey_trouble="", name="")


ROUTES = (login_page,)
