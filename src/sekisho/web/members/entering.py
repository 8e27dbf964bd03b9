"""What every login ends with: the cookies of a session and a device, and the page where it goes on."""

from typing import Any

from litestar import Response

from sekisho.identity.members import MemberState
from sekisho.identity.welcomes import Stopped, Welcome
from sekisho.web.members import cookies
from sekisho.web.members.account_pages import proof_of_passkey
from sekisho.web.members.admission import own_path
from sekisho.web.members.visits import Visit

FORBIDDEN = 403
REGISTRATION = "Secure-Session-Registration"


async def welcomed(visit: Visit, welcome: Welcome, *, to: str = "") -> Response[Any]:
    """Let somebody in: to a page, or to the one that they wanted to open before they logged in."""
    visit.set(cookies.hosted(cookies.SESSION, welcome.session_token))
    visit.set(cookies.hosted(cookies.DEVICE, welcome.device_cookie, max_age_s=cookies.DEVICE_S))
    wanted = own_path(cookies.read(visit.request, cookies.NEXT))
    for passing in (cookies.STEP, cookies.NEXT):
        if cookies.read(visit.request, passing):
            visit.set(cookies.gone(passing))
    offer = await visit.site.desks.bindings.offer(welcome.session)
    return visit.go(to or wanted, also=((REGISTRATION, offer),) if offer else ())


def stopped(visit: Visit, stop: Stopped, *, by_passkey: bool = False) -> Response[Any]:
    """Say that the account is not open, to somebody who has proven to be its member.

    Who froze it and has just used a passkey may open it again.
    """
    frozen = by_passkey and stop.state is MemberState.FROZEN
    proof = proof_of_passkey(visit, stop.member_id) if frozen else ""
    return visit.page("members/stopped.html", status=FORBIDDEN, state=stop.state, proof=proof, here="/login")
