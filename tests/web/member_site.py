"""A member site in process, and browsers that keep cookies and fill in forms as people do."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import httpx
import msgspec
from litestar import Litestar
from sqlalchemy import select
from tests.identity.login_house import SaidGuard, code_in
from tests.identity.member_at_hand import CHROME, LENDER, NOON_US
from tests.identity.software_authenticator import Authenticator

from sekisho.identity.institution import Parts
from sekisho.kernel.chance import SeededChance
from sekisho.kernel.clock import SECOND_US, SetClock
from sekisho.messages.queue import Contents, unseal
from sekisho.storage.engine import open_store
from sekisho.storage.keyring import HeldKeyring, new_keys
from sekisho.storage.tables.messages import message
from sekisho.web.id import overview
from sekisho.web.members.app import create_member_app
from sekisho.web.members.desks import open_desks
from sekisho.web.members.site import Site

if TYPE_CHECKING:
    from sekisho.web.asgi import App

ORIGIN = LENDER.origin
PASSWORD = "kumo-to-niwatori 37"  # noqa: S105 - an example's
HANAKO = {
    "name": "山田 花子",
    "name_kana": "やまだ はなこ",
    "birth_date": "1990-04-01",
    "postal_code": "100-0001",
    "home_address": "東京都千代田区千代田1-1",
}
ADDRESS = "〒100-0001 東京都千代田区千代田1-1"


def found(pattern: str, page: str) -> str:
    """Return what a pattern's group finds on a page, which has to be there."""
    match = re.search(pattern, page)
    assert match, f"{pattern} is not in:\n{page}"
    return match[1]


class Forms(HTMLParser):
    """Reads a page's forms: by action, their fields as the page filled them in."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.fields: dict[str, list[dict[str, str]]] = {}
        self._open: dict[str, str] | None = None
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "form":
            self._open = {}
            self.fields.setdefault(values.get("action") or "", []).append(self._open)
        elif tag in {"input", "textarea"} and self._open is not None and values.get("type") != "checkbox":
            self._open[values.get("name") or ""] = values.get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None


@dataclass
class Browser:
    """A browser at one address. It follows redirects, and remembers the page that it shows."""

    client: httpx.AsyncClient
    page: httpx.Response = field(init=False)

    async def get(self, path: str, **headers: str) -> httpx.Response:
        self.page = await self.client.get(path, headers={"Sec-Fetch-Site": "none"} | headers)
        return self.page

    async def submit(self, action: str, **typed: str) -> httpx.Response:
        """Send the page's first form to a path, with what was typed."""
        fields = Forms(self.page.text).fields[action][0] | typed
        return await self.post(action, fields)

    async def post(self, path: str, fields: dict[str, str], **headers: str) -> httpx.Response:
        sent = {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin"} | headers
        self.page = await self.client.post(path, data=fields, headers=sent)
        return self.page

    @property
    def path(self) -> str:
        """Where the browser is now."""
        return self.page.url.raw_path.decode()

    @property
    def title(self) -> str:
        """The page's heading."""
        return found(r"<h1>\s*(.*?)\s*</h1>", self.page.text)

    def cookie(self, name: str) -> str:
        return self.client.cookies.get(name) or ""


@dataclass
class MemberSite:
    """One institution's pages on a clock that stands still, with a guard that says what it is told to say."""

    site: Site
    app: Litestar
    clock: SetClock
    guard: SaidGuard
    members: int = 0

    def browser(
        self, ip: str = "192.0.2.10", user_agent: str = CHROME, language: str = "en", *, follow: bool = True
    ) -> Browser:
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(cast("App", self.app), client=(ip, 1), raise_app_exceptions=False),
            # Cookies of ours are Secure: browsers send them to localhost all the same, this client does not.
            base_url=ORIGIN.replace("http:", "https:"),
            headers={"User-Agent": user_agent, "Accept": "text/html", "Accept-Language": language},
            follow_redirects=follow,
        )
        return Browser(client)

    def wait(self, seconds: float) -> None:
        self.clock.advance(int(seconds * SECOND_US))

    async def quiet(self) -> None:
        """Wait until what is done behind answers is done."""
        await self.site.desks.logins.quiet()

    def sent(self, kind: str = "") -> list[Contents]:
        """Return the messages that were queued whose kind begins so, the oldest first."""
        parts = self.site.parts
        order = (message.c.made_at_us, message.c.id)
        with parts.store.read() as connection:
            rows = connection.execute(select(message).order_by(*order)).all()
        return [unseal(parts.keyring, row.id, row.sealed) for row in rows if row.kind.startswith(kind)]

    def code_to(self, to: str) -> str:
        """Return the newest code that was sent to a number or an address."""
        return code_in([sent for sent in self.sent("code") if sent.to == to][-1])

    async def begin_sign_up(self, browser: Browser) -> tuple[str, str]:
        """Enter an address and a number; return them."""
        self.members += 1
        email, mobile = f"hanako{self.members}@example.jp", f"090-1234-{self.members:04d}"
        await browser.get("/signup")
        await browser.submit("/signup", email=email, mobile=mobile)
        self.wait(20)
        return email, "+81" + mobile.replace("-", "")[1:]

    async def sign_up(self, browser: Browser) -> tuple[str, str]:
        """Open an account as people do; return the member's number and mobile number."""
        email, mobile = await self.begin_sign_up(browser)
        codes = {"email_code": self.code_to(email), "mobile_code": self.code_to(mobile)}
        await browser.submit("/signup/codes", **codes)
        await browser.submit("/signup/details", **HANAKO, password=PASSWORD)
        assert browser.path == "/passkey/new?welcome", browser.page.text
        return found(r'data-member-number="(\d{12})"', browser.page.text), mobile

    async def log_in(self, browser: Browser, number: str, mobile: str) -> None:
        """Log in on a browser that is not known, with the code that comes."""
        await browser.get("/login")
        await browser.submit("/login", name=number, password=PASSWORD)
        await self.quiet()
        self.wait(20)
        await browser.submit("/login/code", code=self.code_to(mobile))

    async def make_passkey(self, browser: Browser) -> Authenticator:
        """Make a passkey on the page that offers it."""
        authenticator = Authenticator(origin=ORIGIN, rp_id=LENDER.host)
        begun = await options(browser, "/passkey/new/options")
        await browser.get("/passkey/new")
        body = authenticator.make(begun["options"]).decode()
        await browser.submit("/passkey/new", ceremony=begun["ceremony"], credential=body)
        assert browser.path == "/security?done=passkey_added"
        return authenticator

    async def approve(self, browser: Browser, authenticator: Authenticator) -> None:
        """Approve what the page asks for, with a passkey."""
        wish = Forms(browser.page.text).fields["/step-up"][0]["wish"]
        page = browser.page
        begun = await options(browser, f"/step-up/options?wish={wish}")
        browser.page = page
        body = authenticator.get(begun["options"]).decode()
        await browser.submit("/step-up", ceremony=begun["ceremony"], credential=body)


async def options(browser: Browser, path: str) -> dict[str, Any]:
    """Fetch the options of a ceremony, as the page's script does."""
    answer = await browser.client.get(path, headers={"Accept": "application/json"})
    assert answer.status_code == 200, answer.text
    return msgspec.json.decode(answer.content, type=dict[str, Any])


def play(folder: Path, scene: Callable[[MemberSite], Awaitable[None]], **options: Any) -> None:
    """Play a scene on a site of its own."""

    async def opened() -> None:
        async with member_site(folder, **options) as site:
            await scene(site)

    asyncio.run(opened())


@asynccontextmanager
async def member_site(folder: Path, **options: Any) -> AsyncIterator[MemberSite]:
    """Open the shared pages for the time of a test; the options are those of `Site`."""
    clock, chance, guard = SetClock(NOON_US), SeededChance(11), SaidGuard()
    store = open_store(f"sqlite:///{folder}/lender.db")
    parts = Parts(LENDER, store, HeldKeyring.of(new_keys(clock, chance), chance), clock, chance)
    desks = open_desks(parts, guard)
    site = Site(parts, desks, **options)
    try:
        yield MemberSite(site, create_member_app(site, overview.ROUTES), clock, guard)
    finally:
        await desks.logins.close()
        desks.hasher.close()
        store.close()
