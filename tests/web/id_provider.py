"""The ID served on loopback, a browser that keeps its cookies, and a client that we did not write."""

import re
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qsl, unquote, urlsplit

import httpx
import uvicorn
from authlib.integrations.base_client.sync_app import BaseApp, OAuth2Mixin
from authlib.integrations.base_client.sync_openid import OpenIDMixin
from authlib.integrations.requests_client import OAuth2Session
from sqlalchemy import insert

from sekisho.identity import devices, personal_data, sessions
from sekisho.identity.arrivals import Arrival
from sekisho.identity.assurance import Level, Standing
from sekisho.identity.institution import Institution, Parts
from sekisho.identity.openid import clients
from sekisho.identity.openid.clients import ClientSettings, Proof
from sekisho.identity.openid.settings import OpenIdSettings
from sekisho.identity.personal_data import Item
from sekisho.identity.sessions import Session
from sekisho.kernel.chance import SeededChance
from sekisho.kernel.clock import SetClock, SystemClock
from sekisho.kernel.ids import MEMBER, MemberId
from sekisho.storage.engine import open_store
from sekisho.storage.keyring import HeldKeyring, new_keys
from sekisho.storage.tables.members import member
from sekisho.web.id.app import create_id_app
from sekisho.web.id.desks import open_desks
from sekisho.web.members.desks import open_desks as open_member_desks
from sekisho.web.members.site import Site
from sekisho.web.server import listening_socket

if TYPE_CHECKING:
    from sekisho.guard.answers import AsksGuard

CALLBACK = "https://wallet.example/callback"
CLOCKS_APART_S = 3_600
LOGGED_OUT = "https://wallet.example/bye"
WALLET = ClientSettings(
    names={"ja": "みずいろウォレット", "en": "Mizuiro Wallet"},
    redirect_uris=(CALLBACK,),
    post_logout_redirect_uris=(LOGGED_OUT,),
)
PERSON = {
    Item.NAME: "秋山 千代",
    Item.NAME_KANA: "アキヤマ チヨ",
    Item.EMAIL: "chiyo@mail.example",
    Item.MOBILE_PHONE: "+818000000001",
}


class Provider:
    """A provider with its store, and whatever a test needs in it."""

    def __init__(self, parts: Parts, settings: OpenIdSettings) -> None:
        self.parts = parts
        self.clock = cast("SetClock", parts.clock)
        self.origin = parts.institution.origin
        self.desks = open_desks(parts, settings)
        # No test here goes through the login form, so that nobody asks a guard.
        members = open_member_desks(parts, cast("AsksGuard", None))
        self.app = create_id_app(Site(parts, members), self.desks)
        self._members = 0

    def write(self, work: Any) -> Any:
        """Do a unit of work and return what it returned."""
        return self.parts.store.write(work).result()

    def add_client(self, client_id: str = "wallet", settings: ClientSettings = WALLET) -> str:
        """Register a client and return its secret."""
        now_us, chance = self.clock.now_us(), self.parts.chance
        secret: str = self.write(
            lambda connection: clients.add(connection, client_id, settings, now_us=now_us, chance=chance)
        )
        return secret

    def add_member(self) -> MemberId:
        """Open an account with a person in it."""
        member_id = MEMBER.new(self.clock, self.parts.chance)
        self._members += 1
        row = {
            "id": member_id,
            "number": f"12345678{self._members:04d}",
            "state": "open",
            "language": "ja",
            "opened_at_us": self.clock.now_us(),
        }

        def work(connection: Any) -> None:
            connection.execute(insert(member).values(row))
            personal_data.store(connection, self.parts.keyring, member_id, PERSON, self.clock.now_us())

        self.write(work)
        return member_id

    def log_in(
        self,
        browser: "Browser",
        member_id: MemberId,
        level: Level = Level.PASSKEY,
        standing: Standing = Standing.TRUSTED,
    ) -> Session:
        """Give a browser a session, as the login would."""
        arrival = Arrival(ip="192.0.2.7", device_token=browser.cookies.get("__Host-device", ""))

        def work(connection: Any) -> Any:
            enrolled = devices.enrol(connection, self.parts, member_id, arrival, standing)
            birth = sessions.Birth(
                member_id=member_id, device_id=enrolled.device.id, level=level, arrival=arrival
            )
            return enrolled.cookie, sessions.open_session(connection, self.parts, birth)

        cookie, opened = self.write(work)
        browser.cookies |= {"__Host-device": cookie, "__Host-session": opened.token}
        return cast("Session", opened.session)


class Browser:
    """Follows redirects within the provider and stops at the first one that leads out of it."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.cookies: dict[str, str] = {}
        self.page = ""
        self.status = 0
        self.headers = httpx.Headers()
        self.away = ""
        self.path = ""
        self.cookies_set: list[str] = []
        self._http = httpx.Client(follow_redirects=False, trust_env=False, timeout=30)

    def get(self, url: str) -> "Browser":
        """Open an address, absolute or of the provider."""
        return self._follow("GET", url if "://" in url else self.origin + url)

    def post(self, path: str, form: dict[str, str], **headers: str) -> "Browser":
        """Post a form."""
        sent = {"origin": self.origin, "sec-fetch-site": "same-origin"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        return self._follow("POST", self.origin + path, form, sent)

    def post_query(self, url: str, **headers: str) -> "Browser":
        """Post the parameters of an address as a form."""
        parts = urlsplit(url)
        return self.post(parts.path, dict(parse_qsl(parts.query)), **headers)

    def submit(self, action: str, **more: str) -> "Browser":
        """Send the form of the page that goes to `action`, with its hidden fields."""
        return self.post(action, self.fields(action) | more)

    def fields(self, action: str) -> dict[str, str]:
        """Return the hidden fields of the form that goes to `action`."""
        form = re.search(rf'<form method="post" action="{action}".*?</form>', self.page, re.DOTALL)
        assert form is not None, f"no form to {action} on the page:\n{self.page}"
        pairs = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', form[0])
        return {name: unescape(value) for name, value in pairs}

    def here(self) -> str:
        """Return the path of the page that waits, from the switch of the language."""
        return unquote(re.findall(r'href="/language/[a-z]*\?back=([^"]*)"', self.page)[0])

    def next_path(self) -> str:
        """Return where the login page leads to when it is passed."""
        return dict(parse_qsl(urlsplit(self.path).query))["next"]

    def page_says(self, *words: str) -> bool:
        """Say whether all of these stand on the page."""
        return all(word in self.page for word in words)

    def answer(self) -> dict[str, str]:
        """Return the parameters of the address to which the browser was sent away."""
        return dict(parse_qsl(urlsplit(self.away).query, keep_blank_values=True))

    def close(self) -> None:
        self._http.close()

    def _follow(
        self, method: str, url: str, form: dict[str, str] | None = None, headers: Any = None
    ) -> "Browser":
        self.away = ""
        self.path = url.removeprefix(self.origin)
        self.cookies_set = []
        return self._step(method, url, form, headers)

    def _step(self, method: str, url: str, form: Any = None, headers: Any = None) -> "Browser":
        self.path = url.removeprefix(self.origin)
        sent = {"cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items() if value)}
        response = self._http.request(method, url, data=form, headers=sent | (headers or {}))
        for cookie in response.headers.get_list("set-cookie"):
            self.cookies_set.append(cookie)
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value.strip('"')
        self.status, self.page, self.headers = response.status_code, response.text, response.headers
        onward = response.headers.get("location", "")
        refresh = re.search(r'<meta http-equiv="refresh" content="0; url=([^"]*)">', self.page)
        if refresh is not None:
            onward = unescape(refresh[1])
        if onward.startswith("/"):
            return self._step("GET", self.origin + onward)
        self.away = onward
        return self


class RelyingParty(OAuth2Mixin, OpenIDMixin, BaseApp):  # type: ignore[misc] # it publishes no types
    """The client of the library authlib, without a web framework around it."""

    client_cls = OAuth2Session

    def __init__(
        self,
        provider: Provider,
        secret: str | bytes,
        client_id: str = "wallet",
        *,
        scope: str = "openid",
        proof: Proof = Proof.SECRET_BASIC,
    ) -> None:
        super().__init__(
            framework=None,
            name="id",
            client_id=client_id,
            client_secret=secret or None,
            server_metadata_url=f"{provider.origin}/.well-known/openid-configuration",
            client_kwargs={
                "scope": scope,
                "code_challenge_method": "S256",
                "token_endpoint_auth_method": proof.value,
            },
        )

    def begin(self, redirect_uri: str = CALLBACK, **parameters: Any) -> dict[str, str]:
        """Return the address to which the browser is sent, with state, nonce and verifier."""
        return cast("dict[str, str]", self.create_authorization_url(redirect_uri, **parameters))

    def log_in(self, browser: Browser, redirect_uri: str = CALLBACK, **parameters: Any) -> dict[str, str]:
        """Bring a browser with a session as far as the code; return what was begun."""
        begun = self.begin(redirect_uri, **parameters)
        browser.get(begun["url"])
        if 'action="/openid/consent"' in browser.page:
            browser.submit("/openid/consent", answer="allow")
        return begun

    def finish(self, begun: dict[str, str], away: str, redirect_uri: str = CALLBACK) -> dict[str, Any]:
        """Exchange the code in an address, and return the tokens with the validated claims as `claims`."""
        answer = dict(parse_qsl(urlsplit(away).query))
        assert answer["state"] == begun["state"]
        assert answer["iss"] == self.load_server_metadata()["issuer"]
        token = self.fetch_access_token(
            redirect_uri, code=answer["code"], code_verifier=begun["code_verifier"], state=begun["state"]
        )
        # Tests move the provider's clock away from the client's.
        claims = self.parse_id_token(dict(token), begun["nonce"], leeway=CLOCKS_APART_S)
        return {**token, "claims": claims}


@contextmanager
def provider_on_loopback(folder: Path, settings: OpenIdSettings | None = None) -> Iterator[Provider]:
    """Serve a provider over real HTTP while the block runs. Its clock stands still at the real time."""
    listener = listening_socket("127.0.0.1", 0)
    clock, chance = SetClock(SystemClock().now_us()), SeededChance(7)
    institution = Institution(
        key="id",
        names={"ja": "かささぎID", "en": "Kasasagi ID"},
        host="localhost",
        origin=f"http://localhost:{listener.getsockname()[1]}",
        telephone="0120-000-000",
        desk_hours={"ja": "平日9:00-18:00", "en": "weekdays 9:00-18:00"},
    )
    keyring = HeldKeyring.of(new_keys(clock, chance), chance)
    with ExitStack() as closing:
        closing.callback(listener.close)
        store = open_store(f"sqlite:///{folder / 'id.db'}")
        closing.callback(store.close)
        provider = Provider(Parts(institution, store, keyring, clock, chance), settings or OpenIdSettings())
        server = uvicorn.Server(uvicorn.Config(provider.app, log_config=None, lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        closing.callback(thread.join)
        closing.callback(lambda: setattr(server, "should_exit", True))
        yield provider
