"""Devices and sessions: a new device is approved from a trusted one; what is not wanted is thrown out."""

from typing import Any

from litestar import Response, get, post

from sekisho.identity.assurance import InsufficientAuthentication
from sekisho.identity.devices import Device
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.step_up import to_step_up
from sekisho.web.members.visits import AnyRequest, Visit, visit_of
from sekisho.web.members.wishes import is_granted, of_device
from sekisho.web.problems import NotFound

OF_MEMBERS = {ROLE: Role.MEMBER}
APPROVED = {ROLE: Role.APPROVED}


async def _device(visit: Visit, device_id: str) -> Device:
    """Return one of the member's devices. Refuses with `not_found`."""
    for device in await visit.site.desks.devices.all_of(visit.who().present):
        if device.id == device_id:
            return device
    raise NotFound(known=device_id[:80])


@get("/security/devices/approve", opt=APPROVED)
async def approve_page(request: AnyRequest) -> Response[Any]:
    """Ask whether to approve a device."""
    visit = visit_of(request)
    device = await _device(visit, request.query_params.get("device", ""))
    wish = of_device(device, "approve")
    if not is_granted(visit, wish):
        return to_step_up(visit, wish)
    return visit.page("members/device_approve.html", device=device, here=wish.go_on)


@post("/security/devices/approve", opt=APPROVED)
async def approve_device(request: AnyRequest) -> Response[Any]:
    """Trust another device of the member from now on."""
    visit = visit_of(request)
    device = await _device(visit, visit.form["device"])
    try:
        await visit.site.desks.devices.approve(visit.who().present, device.id, visit.arrival())
    except InsufficientAuthentication:
        return to_step_up(visit, of_device(device, "approve"))
    return visit.go("/security?done=device_approved")


@get("/security/devices/revoke", opt=OF_MEMBERS)
async def revoke_page(request: AnyRequest) -> Response[Any]:
    """Ask whether to throw a device out."""
    visit = visit_of(request)
    device = await _device(visit, request.query_params.get("device", ""))
    here = of_device(device, "revoke").go_on
    return visit.page("members/device_revoke.html", device=device, own=visit.who(), here=here)


@post("/security/devices/revoke", opt=APPROVED)
async def revoke_device(request: AnyRequest) -> Response[Any]:
    """Throw a device out and end its sessions; a trusted one after a fresh proof only."""
    visit = visit_of(request)
    device = await _device(visit, visit.form["device"])
    try:
        await visit.site.desks.devices.revoke(visit.who().present, device.id)
    except InsufficientAuthentication:
        return to_step_up(visit, of_device(device, "revoke"))
    return visit.go("/security?done=device_revoked")


@post("/security/sessions/end", opt=OF_MEMBERS)
async def end_session(request: AnyRequest) -> Response[Any]:
    """End one session of the member."""
    visit = visit_of(request)
    await visit.site.desks.sessions.end_one(visit.who().session, visit.form["session"])
    return visit.go("/security?done=session_ended")


@post("/security/sessions/end-others", opt=OF_MEMBERS)
async def end_other_sessions(request: AnyRequest) -> Response[Any]:
    """End every session but this one."""
    visit = visit_of(request)
    await visit.site.desks.sessions.end_others(visit.who().session)
    return visit.go("/security?done=sessions_ended")


ROUTES = (approve_page, approve_device, revoke_page, revoke_device, end_session, end_other_sessions)
