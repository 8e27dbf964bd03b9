"""The security page: what protects the account, and what happened to it, on one page."""

from typing import Any, NamedTuple

import msgspec
from litestar import Response, get
from webauthn.helpers import bytes_to_base64url

from sekisho.identity.assurance import Standing
from sekisho.identity.devices import Device
from sekisho.identity.passkeys import Passkey
from sekisho.identity.sign_ins import LoginResult
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.visits import AnyRequest, Visit, visit_of

OF_MEMBERS = {ROLE: Role.MEMBER}
LOGINS_SHOWN = 5
DONE = frozenset(
    {
        "passkey_added",
        "passkey_renamed",
        "passkey_removed",
        "device_approved",
        "device_revoked",
        "session_ended",
        "sessions_ended",
        "disowned",
        "disowned_doubted",
        "password_changed",
        "recovery_cancelled",
    }
)


class ShownPasskey(NamedTuple):
    """A passkey, and its name in addresses and forms."""

    passkey: Passkey
    credential: str


@get("/security", opt=OF_MEMBERS)
async def security_page(request: AnyRequest) -> Response[Any]:
    """Show what is on hold and under way, passkeys, devices, sessions and logins."""
    visit = visit_of(request)
    who, desks = visit.who(), visit.site.desks
    held = await desks.passkeys.held(who.session.member_id)
    done = request.query_params.get("done", "")
    # What strangers typed wrong is no news here, and must not push aside what is.
    logins = await desks.sign_ins.history(who.present)
    opened = [line for line in logins if line.result is not LoginResult.WRONG_PASSWORD]
    return visit.page(
        "members/security.html",
        own=who,
        done=done if done in DONE else "",
        passkeys=[ShownPasskey(one, bytes_to_base64url(one.credential_id)) for one in held],
        signal=await _signal(visit),
        devices=await desks.devices.all_of(who.present),
        may_approve=who.device.standing is Standing.TRUSTED,
        sessions=await desks.sessions.all_of(who.session),
        logins=opened[:LOGINS_SHOWN],
        holds=await desks.holds.of_member(who.session.member_id),
        recovery=await desks.recoveries.waiting(who.session.member_id),
        is_here=lambda device: _is_here(device, who.device),
    )


@get("/security/logins", opt=OF_MEMBERS)
async def logins_page(request: AnyRequest) -> Response[Any]:
    """Show the history of logins."""
    visit = visit_of(request)
    who = visit.who()
    logins = await visit.site.desks.sign_ins.history(who.present)
    return visit.page("members/logins.html", logins=logins, own=who)


async def _signal(visit: Visit) -> str:
    """Return what the passkey manager is to hear, as JSON for the page's script."""
    signals = await visit.site.desks.passkeys.signals(visit.who().session.member_id)
    return msgspec.json.encode(signals._asdict()).decode()


def _is_here(device: Device, own: Device) -> bool:
    return device.id == own.id


ROUTES = (security_page, logins_page)
