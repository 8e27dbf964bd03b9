"""Who may ask for which route: every route names its role, and one that names none is served to nobody."""

from enum import StrEnum
from typing import NamedTuple

from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

ROLE = "role"
"""The key of a handler's options under which its role stands."""


FILE = "file"
"""The option of routes that serve files: whose they are is never asked, so that no session is looked up."""


UNATTENDED = "unattended"
"""The option of routes that a page asks for by itself: nobody need be there, and no session lives by it."""


class Role(StrEnum):
    """What somebody has to be before a route answers."""

    ANYONE = "anyone"
    """No session is asked for."""

    MEMBER = "member"
    """A live session; personal data stay masked."""

    APPROVED = "approved"
    """A live session, and a fresh proof for exactly what the route does."""

    DEVICE = "device"
    """The browser by itself, which signs with the key of the device that its session is bound to."""

    CLIENT = "client"
    """A program that proves who it is by itself, as OpenID Connect has it; no cookie counts here."""


OF_MEMBERS = frozenset({Role.MEMBER, Role.APPROVED})


BY_THEMSELVES = frozenset({Role.DEVICE, Role.CLIENT})
"""Who proves in the request itself who it is: no page of ours asks for them, and no form token is due."""


class RouteAccess(NamedTuple):
    """One route, one method, and the role that it asks for."""

    method: str
    path: str
    role: Role


def accesses(application: Litestar) -> list[RouteAccess]:
    """Return every route of an application with its role. Raises LookupError where a route names none."""
    return sorted(
        RouteAccess(method, route.path, role_of(handler, f"{method} {route.path}"))
        for route in application.routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
        for method in handler.http_methods
        # The framework answers OPTIONS with the methods that a path takes, and with nothing else.
        if method != "OPTIONS"
    )


def role_of(handler: HTTPRouteHandler, named: str) -> Role:
    """Return the role that a handler asks for. Raises LookupError where it names none."""
    if isinstance(role := handler.opt.get(ROLE), Role):
        return role
    raise LookupError(f"{named} names no role")
