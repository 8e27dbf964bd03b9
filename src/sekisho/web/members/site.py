"""One institution's member site: its parts and desks, and how its pages are written."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, cast

import msgspec
from litestar import Litestar, Request

from sekisho.guard.attempts import Attempt
from sekisho.identity import devices, members
from sekisho.identity.assurance import Standing
from sekisho.identity.bound_sessions import BOUND_COOKIE, BoundState, bound_state
from sekisho.identity.institution import Parts
from sekisho.identity.members import MemberState
from sekisho.identity.session_desk import Present
from sekisho.web.guard_api.api_keys import ApiKeys
from sekisho.web.guard_api.desk import Locates
from sekisho.web.members import cookies
from sekisho.web.members.desks import Desks
from sekisho.web.members.rendering import Renderer
from sekisho.web.members.roles import OF_MEMBERS, UNATTENDED, RouteAccess, accesses
from sekisho.web.members.visits import SignedIn, Visit
from sekisho.web.proxies import ProxyTrust

if TYPE_CHECKING:
    from sekisho.web.members.wishes import Wish

ReadsWish = Callable[[Visit, str], Awaitable["Wish | None"]]
"""Reads what stands behind the kind in a wish's text; None where that names nothing of the visitor's."""

ITEM_GROUPS = ("person", "reach", "employer", "money")
_PARAMETER = re.compile(r"\{[^}]+\}")
PLACES = ("/", "/profile", "/security", "/notices")


class Site:
    """What every request of one institution shares.

    `wishes` are the institution's own, by kind: what its members can approve beside what all members can.
    `tls_header` names the header in which a trusted proxy puts the fingerprint of the client's TLS.
    `geography` knows in which country and network an address is, so that notices can say it.
    `login_page` is the template of the login, `passkey_made` where it goes on when a passkey was made,
    and `passkey_later` where somebody goes who makes none now (empty: nobody gets past).
    `has_passwords` says that members have one here, and ways to get it back; `confirms_with` is the path to
    which a wish is posted that the ID is to confirm, empty where there is no ID.
    `staff_keys` are the API keys of the desk's own programs; without them none is let in.
    """

    def __init__(  # noqa: PLR0913 - what a site stands on, each named at the call
        self,
        parts: Parts,
        desks: Desks,
        *,
        proxies: ProxyTrust | None = None,
        tls_header: str = "",
        geography: Locates | None = None,
        staff_keys: ApiKeys | None = None,
    ) -> None:
        self.parts = parts
        self.desks = desks
        self.proxies = proxies or ProxyTrust()
        self.tls_header = tls_header
        self.geography = geography
        self.staff_keys = staff_keys
        self.renderer = Renderer()
        self.places: tuple[str, ...] = PLACES
        self.item_groups: tuple[str, ...] = ITEM_GROUPS
        self.login_page = "members/login.html"
        self.passkey_made = "/security?done=passkey_added"
        self.passkey_later = "/security"
        self.has_passwords = True
        self.confirms_with = ""
        self.wishes: dict[str, ReadsWish] = {}
        self.accesses: tuple[RouteAccess, ...] = ()
        self._of_members: frozenset[tuple[str, str]] = frozenset()
        self._of_members_by_pattern: tuple[tuple[str, re.Pattern[str]], ...] = ()

    def serve(self, application: Litestar) -> None:
        """Take note of the application's routes. Raises LookupError where one names no role."""
        self.accesses = tuple(accesses(application))
        of_members = [(access.method, access.path) for access in self.accesses if access.role in OF_MEMBERS]
        self._of_members = frozenset(of_members)
        self._of_members_by_pattern = tuple(
            (method, re.compile(_PARAMETER.sub("[^/]+", path)))
            for method, path in of_members
            if _PARAMETER.search(path)
        )

    def asks_for_member(self, method: str, path: str) -> bool:
        """Say whether a route is for members alone."""
        return (method, path) in self._of_members or any(
            method == of_route and route.fullmatch(path) for of_route, route in self._of_members_by_pattern
        )

    def place_of(self, ip: str) -> tuple[int, str]:
        """Return the network (AS) and the country of an address, 0 and empty where they are not known."""
        if self.geography is None:
            return 0, ""
        located = self.geography.locate(Attempt(time_us=0, member="", ip=ip))
        return located.asn, located.country

    async def sign_in(self, visit: Visit) -> None:
        """Find the live session that the visitor's cookie names, if any, its member and its device."""
        sessions = self.desks.sessions
        look = sessions.glance if visit.request.route_handler.opt.get(UNATTENDED) else sessions.present
        present = await look(cookies.read(visit.request, cookies.SESSION))
        if present is None:
            return
        bound = cookies.read(visit.request, BOUND_COOKIE)
        state = bound_state(present.session, bound, visit.now_us())
        visit.lacks_device_proof = state is BoundState.UNPROVEN
        if not visit.lacks_device_proof:
            browser = cookies.read(visit.request, cookies.DEVICE)
            visit.signed_in = await asyncio.to_thread(self._signed_in, present, browser)

    def _signed_in(self, present: Present, browser: str) -> SignedIn | None:
        session, device = present
        with self.parts.store.read() as connection:
            member = members.find(connection, session.member_id)
            here = devices.of_browser(connection, browser)
        if member is None or member.state in {MemberState.FROZEN, MemberState.CLOSED}:
            return None
        # The cookie of the session alone makes no trusted device: whoever took it does not have the other.
        if all(one.id != device.id for one in here):
            device = msgspec.structs.replace(device, standing=Standing.UNCONFIRMED, trusted_at_us=None)
        return SignedIn(session, device, member)


def site_of(request: Request[Any, Any, Any]) -> Site:
    """Return the site that a request came to."""
    return cast("Site", request.app.state.site)
