"""One request of somebody on the member pages: who asks, in which language, and how pages are answered."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast
from urllib.parse import quote

from litestar import Request, Response
from litestar.datastructures import Cookie
from litestar.response import Redirect
from markupsafe import Markup

from sekisho.identity import sessions
from sekisho.identity.arrivals import Arrival
from sekisho.identity.devices import Device
from sekisho.identity.members import Member
from sekisho.identity.session_desk import Present
from sekisho.identity.sessions import Session
from sekisho.web.members import cookies
from sekisho.web.members.form_tokens import TOKEN_FIELD, VISIT_OCTETS, visit_token
from sekisho.web.members.forms import Form
from sekisho.web.words import LANGUAGES, Language, Words, chosen, preferred

if TYPE_CHECKING:
    from sekisho.web.members.site import Site

SEE_OTHER: Literal[303] = 303
NO_STORE = {"Cache-Control": "no-store"}
AnyRequest = Request[Any, Any, Any]


class SignedIn(NamedTuple):
    """Who is logged in: a live session, the device that it runs on, and the member.

    Where the browser does not show that it is the device, the device counts as an unconfirmed one.
    """

    session: Session
    device: Device
    member: Member

    @property
    def present(self) -> Present:
        """Who is there, as the desks want to know it."""
        return Present(self.session, self.device)


class Visit:
    """A request, whose it is, and what the answer will set.

    `signed_in` is there where a session is live, `form` where one was posted. `lacks_device_proof` says that
    there is a session, bound to a device that this request does not prove.
    """

    def __init__(self, site: "Site", request: AnyRequest) -> None:
        self.site = site
        self.request = request
        self.language: Language = chosen(cookies.read(request, cookies.LANGUAGE)) or preferred(
            request.headers.get("accept-language", ""), otherwise="ja"
        )
        self.signed_in: SignedIn | None = None
        self.lacks_device_proof = False
        self.form = Form({})
        self._cookies: dict[str, Cookie] = {}
        self._visit = cookies.read(request, cookies.VISIT)

    @property
    def words(self) -> Words:
        """The words of the visitor's language."""
        return self.site.renderer.words(self.language)

    @property
    def wants_json(self) -> bool:
        """Whether a program asks, and not a person's browser."""
        accepted = self.request.headers.get("accept", "")
        return "application/json" in accepted and "text/html" not in accepted

    def now_us(self) -> int:
        """Return the time, in microseconds since the epoch."""
        return self.site.parts.clock.now_us()

    def arrival(self) -> Arrival:
        """Return where the request comes from, as far as trusted proxies and the browser say."""
        peer = self.request.client.host if self.request.client else ""
        headers = self.request.headers
        proxies = self.site.proxies
        tls = headers.get(self.site.tls_header, "") if self.site.tls_header and proxies.trusts(peer) else ""
        ip = proxies.client_address(peer, ",".join(headers.getall("x-forwarded-for", [])))
        asn, country = self.site.place_of(ip)
        return Arrival(
            ip=ip,
            asn=asn,
            country=country,
            user_agent=headers.get("user-agent", ""),
            tls=tls,
            device_token=cookies.read(self.request, cookies.DEVICE),
            referrer=headers.get("referer", ""),
            language=self.language,
        )

    def set(self, cookie: Cookie) -> None:
        """Set a cookie with the answer, whatever the answer will be."""
        self._cookies[cookie.key] = cookie

    def expected_token(self, route: str) -> str:
        """Return the token that a form to this route carries; empty where no form can have been given out."""
        if self.site.asks_for_member("POST", route):
            return sessions.form_token(self.signed_in.session, route) if self.signed_in else ""
        if not self._visit:
            return ""
        return visit_token(self.site.parts.keyring.digest(self._visit, context="web:visit"), route)

    def token_value(self, route: str) -> str:
        """Return the token that a form to this route is given out with."""
        if not self._visit and not self.site.asks_for_member("POST", route):
            self._visit = self.site.parts.chance.octets(VISIT_OCTETS).hex()
            self.set(cookies.hosted(cookies.VISIT, self._visit))
        return self.expected_token(route)

    def token(self, route: str) -> Markup:
        """Return the hidden field that a form to this route needs."""
        field = Markup('<input type="hidden" name="{}" value="{}">')
        return field.format(TOKEN_FIELD, self.token_value(route))

    def page(self, template: str, *, status: int = 200, **context: object) -> Response[str]:
        """Answer with a page, which no cache keeps; `here` is its question's path where that is another."""
        other = next(language for language in LANGUAGES if language != self.language)
        here = quote(str(context.get("here", self.request.url.path)), safe="")
        page = self.site.renderer.page(
            template,
            self.language,
            {
                "institution": self.site.parts.institution,
                "site": self.site,
                "signed_in": self.signed_in is not None,
                "path": self.request.url.path,
                "places": self.site.places,
                "token": self.token,
                "token_value": self.token_value,
                "now_us": self.now_us(),
                "language_link": f"/language/{other}?back={here}",
                **context,
            },
        )
        return Response(
            page,
            status_code=status,
            media_type="text/html",
            headers=NO_STORE,
            cookies=list(self._cookies.values()),
        )

    def part(self, template: str, **context: object) -> str:
        """Return a part of a page, for one that keeps itself up to date."""
        return self.site.renderer.page(template, self.language, {"now_us": self.now_us(), **context})

    def go(self, path: str, *, also: Iterable[tuple[str, str]] = ()) -> Redirect:
        """Answer with the way to another page of ours, so that going back never sends a form again."""
        return Redirect(
            path,
            status_code=SEE_OTHER,
            headers={**NO_STORE, **dict(also)},
            cookies=list(self._cookies.values()),
        )

    def who(self) -> SignedIn:
        """Return who is logged in. Somebody is, wherever the route's role asks for a member."""
        assert self.signed_in is not None  # noqa: S101 - admission lets nobody in without a session
        return self.signed_in


def visit_of(request: AnyRequest) -> Visit:
    """Return the visit of a request that was admitted."""
    return cast("Visit", request.scope["state"]["visit"])
