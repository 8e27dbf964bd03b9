"""The services that a member uses with this ID, and the button that stops each."""

from typing import Any

from litestar import Response, get, post

from sekisho.web.id.desks import desks_of
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.visits import AnyRequest, visit_of


@get("/services", opt={ROLE: Role.MEMBER})
async def show_services(request: AnyRequest) -> Response[Any]:
    """Show what the member allowed which service, and since when."""
    visit = visit_of(request)
    services = await desks_of(request).services.of_member(visit.who().member.id)
    names = (service.names for service in services)
    rows = [
        (one, by.get(visit.language) or by.get("ja", "")) for one, by in zip(services, names, strict=True)
    ]
    return visit.page("id/services.html", rows=rows)


@post("/services/stop", opt={ROLE: Role.MEMBER})
async def stop_service(request: AnyRequest) -> Response[Any]:
    """Take back what the member allowed a service."""
    visit = visit_of(request)
    await desks_of(request).services.stop(visit.who().member.id, visit.form["client_id"])
    return visit.go("/services")


ROUTES = (show_services, stop_service)
