"""The wallet's pages in process beside a real ID on loopback, and a person who uses both."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qsl, urlsplit

import httpx
from cryptography import x509
from litestar import Litestar
from tests.identity.authority import Authority, Card, person
from tests.identity.login_house import SaidGuard
from tests.identity.member_at_hand import CHROME
from tests.wallet.wallet_at_hand import KAMOME
from tests.web import id_provider, member_site
from tests.web.id_provider import Provider, provider_on_loopback
from tests.web.member_site import MemberSite

from sekisho.identity.assurance import Level, Standing
from sekisho.identity.card_answers import from_text, written
from sekisho.identity.institution import Parts
from sekisho.kernel.chance import SeededChance
from sekisho.kernel.clock import SECOND_US, SetClock, SystemClock
from sekisho.storage.engine import open_store
from sekisho.storage.keyring import HeldKeyring, new_keys
from sekisho.wallet.outside import Outside, client_at, registration
from sekisho.wallet.wallets import Wallet, account_of, wallet_of
from sekisho.web.members.desks import open_desks
from sekisho.web.members.site import Site
from sekisho.web.wallet.app import create_wallet_app
from sekisho.web.wallet.desks import WalletDesks, desks_in

if TYPE_CHECKING:
    from sekisho.web.asgi import App

CLIENT_ID = "kamome"
CLAIMED = {
    "name": "七十七 太郎",
    "kana": "シチジュウシチ タロウ",
    "birth_date": "1980-01-01",
    "home_address": "宮城県架空市港町一丁目1番1号",
}
ON_CARD = ("七十七 太郎", "319800101", "宮城県架空市港町一丁目1番1号")
HTTPS = KAMOME.origin.replace("http:", "https:")


class PlayedTrust:
    """One authority that is trusted, with its list."""

    def __init__(self) -> None:
        now_s = SystemClock().now_us() // SECOND_US
        self.authority = Authority(dt.datetime.fromtimestamp(now_s, dt.UTC))

    async def authorities(self) -> list[x509.Certificate]:
        return [self.authority.certificate]

    async def revocation_lists(self) -> list[x509.CertificateRevocationList]:
        return [self.authority.revocation_list()]

    def card(self, *on_card: str) -> Card:
        """Give a card to somebody; to Taro where nobody is named."""
        return self.authority.give(person(*(on_card or ON_CARD)))


@dataclass
class Browser(member_site.Browser):
    """A browser at the wallet. It follows redirects within the wallet, and stops where one leads out."""

    away: str = field(default="")

    async def get(self, path: str, **headers: str) -> httpx.Response:
        return await self._follow(await self.client.get(path, headers={"Sec-Fetch-Site": "none"} | headers))

    async def post(self, path: str, fields: dict[str, str], **headers: str) -> httpx.Response:
        sent = {"Origin": KAMOME.origin, "Sec-Fetch-Site": "same-origin"} | headers
        return await self._follow(await self.client.post(path, data=fields, headers=sent))

    async def _follow(self, answer: httpx.Response) -> httpx.Response:
        self.away = ""
        while answer.is_redirect:
            onward = answer.headers["location"]
            if not onward.startswith("/"):
                self.away = onward
                break
            answer = await self.client.get(onward, headers={"Sec-Fetch-Site": "same-origin"})
        if 'http-equiv="refresh"' in answer.text:
            self.away = member_site.found(r'id="onward" href="([^"]*)"', answer.text).replace("&amp;", "&")
        self.page = answer
        return answer


@dataclass
class Person:
    """Somebody with an ID, and a browser that goes to both sites."""

    at_id: id_provider.Browser
    at_wallet: Browser
    id_member: str
    log_in_anew: Callable[[], None]

    async def log_in(self) -> httpx.Response:
        """Log in to the wallet with the ID, up to whatever the wallet shows then."""
        await self.at_wallet.get("/login/id")
        return await self.come_back()

    async def open_wallet(self) -> httpx.Response:
        """Log in for the first time and open a wallet."""
        await self.log_in()
        assert self.at_wallet.path == "/open", self.at_wallet.page.text
        await self.at_wallet.submit("/open")
        return await self.come_back()

    def at_the_id(self) -> str:
        """Go to the ID, where the wallet sent the browser, and return where it sends it back to."""
        self.at_id.get(self.at_wallet.away)
        if 'action="/openid/decline"' in self.at_id.page:
            self.log_in_anew()
            self.at_id.get(self.at_id.here())
        if 'action="/openid/consent"' in self.at_id.page:
            self.at_id.submit("/openid/consent", answer="allow")
        return self.at_id.away

    async def come_back(self) -> httpx.Response:
        """Go to the ID and come back; the guard may send the browser there once more."""
        answer = await self.at_wallet.get(self.path_of(self.at_the_id()))
        return await self.come_back() if self.at_wallet.away else answer

    async def confirm(self) -> httpx.Response:
        """Confirm with the ID what the wallet asks to be confirmed."""
        await self.at_wallet.submit("/login/id/confirm")
        return await self.come_back()

    async def prove_phone(self, site: "WalletSite", mobile: str) -> httpx.Response:
        """Make a mobile number the wallet's, as people do."""
        await self.at_wallet.get("/profile/mobile_phone/change")
        await self.confirm()
        await self.at_wallet.submit("/profile/change", value=mobile)
        assert self.at_wallet.path == "/profile/mobile_phone/confirm", self.at_wallet.page.text
        site.wait(20)
        code = site.messages.code_to("+81" + mobile.replace("-", "")[1:])
        return await self.at_wallet.submit("/profile/confirm", code=code)

    async def prove_identity(self, card: Card, **claimed: str) -> httpx.Response:
        """Say who one is and let a card confirm it."""
        await self.at_wallet.get("/identity/person")
        await self.at_wallet.submit("/identity/person", **(CLAIMED | claimed))
        challenge = member_site.found(r'name="challenge" value="([^"]*)"', self.at_wallet.page.text)
        answer = written(card.sign(from_text(challenge)))
        return await self.at_wallet.submit("/identity/card", answer=answer)

    @staticmethod
    def path_of(url: str) -> str:
        """Return an address of the wallet as a path with its query."""
        assert url.startswith(KAMOME.origin), url
        return url.removeprefix(KAMOME.origin)


@dataclass
class WalletSite:
    """The wallet's pages, the ID that it stands on, one clock for both."""

    site: Site
    app: Litestar
    clock: SetClock
    guard: SaidGuard
    provider: Provider
    opened: list[Browser | id_provider.Browser] = field(default_factory=list)

    async def close(self) -> None:
        """Close every browser."""
        for browser in self.opened:
            if isinstance(browser, Browser):
                await browser.client.aclose()
            else:
                browser.close()

    @property
    def desks(self) -> WalletDesks:
        return desks_in(self.app)

    @property
    def messages(self) -> MemberSite:
        """What was sent, read as the members' own tests read it."""
        return MemberSite(self.site, self.app, self.clock, self.guard)

    def browser(self, ip: str = "192.0.2.10", language: str = "en") -> Browser:
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(cast("App", self.app), client=(ip, 1), raise_app_exceptions=False),
            # Cookies of ours are Secure: browsers send them to localhost all the same, this client does not.
            base_url=HTTPS,
            headers={"User-Agent": CHROME, "Accept": "text/html", "Accept-Language": language},
            follow_redirects=False,
        )
        browser = Browser(client)
        self.opened.append(browser)
        return browser

    def person(
        self,
        level: Level = Level.PASSKEY,
        standing: Standing = Standing.TRUSTED,
        *,
        id_member: str = "",
        ip: str = "192.0.2.10",
        language: str = "en",
    ) -> Person:
        """Return somebody who is logged in at the ID, at a level."""
        member_id = id_member or self.provider.add_member()
        at_id = id_provider.Browser(self.provider.origin)
        self.opened.append(at_id)
        self.provider.log_in(at_id, cast("Any", member_id), level, standing)

        def log_in_anew() -> None:
            self.provider.log_in(at_id, cast("Any", member_id), level, standing)

        return Person(at_id, self.browser(ip, language), member_id, log_in_anew)

    def wait(self, seconds: float) -> None:
        """Let time pass for both."""
        self.clock.advance(int(seconds * SECOND_US))

    def wallets(self) -> list[Wallet]:
        """Return every wallet."""
        from sekisho.storage.tables.members import member  # noqa: PLC0415 - for this look alone

        with self.site.parts.store.read() as connection:
            ids = [row.id for row in connection.execute(member.select())]
            found = [wallet_of(connection, member_id) for member_id in ids]
        return [one for one in found if one is not None]

    def balance(self, of: Wallet) -> int:
        """Return what is in a wallet."""
        with self.site.parts.store.read() as connection:
            return account_of(connection, of).balance.amount


def query_of(url: str) -> dict[str, str]:
    """Return the parameters of an address."""
    return dict(parse_qsl(urlsplit(url).query))


def play(folder: Path, scene: Callable[[WalletSite], Awaitable[None]], **outside: Any) -> None:
    """Play a scene on a wallet of its own beside an ID of its own."""
    with provider_on_loopback(folder) as provider:

        async def opened() -> None:
            async with wallet_site(folder, provider, **outside) as site:
                await scene(site)

        asyncio.run(opened())


@asynccontextmanager
async def wallet_site(folder: Path, provider: Provider, **outside: Any) -> AsyncIterator[WalletSite]:
    """Open the wallet's pages for the time of a test, registered at the ID."""
    clock, chance, guard = provider.clock, SeededChance(19), SaidGuard()
    store = open_store(f"sqlite:///{folder}/wallet.db")
    parts = Parts(KAMOME, store, HeldKeyring.of(new_keys(clock, chance), chance), clock, chance)
    members = open_desks(parts, guard)
    site = Site(parts, members)
    app = create_wallet_app(site, Outside(client_at(provider.origin, CLIENT_ID, KAMOME.origin), **outside))
    desks = desks_in(app)
    provider.add_client(CLIENT_ID, registration(KAMOME, await desks.sign_in.key_set()))
    opened = WalletSite(site, app, clock, guard, provider)
    try:
        yield opened
    finally:
        await opened.close()
        await desks.line.close()
        await members.logins.close()
        members.hasher.close()
        store.close()
