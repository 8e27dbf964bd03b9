"""A bank's pages in process: depositors, a partner with a key of its own, and browsers that link accounts."""

import asyncio
import re
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple, cast
from urllib.parse import parse_qsl, urlsplit

import httpx
import msgspec
from joserfc import jwk, jwt
from litestar import Litestar
from sqlalchemy import select
from tests.bank.mandate_at_hand import BANK, PlainSwitches
from tests.identity.login_house import SaidGuard, code_in
from tests.identity.member_at_hand import CHROME, NOON_US
from tests.web.member_site import Browser, Forms

from sekisho.bank import deposits, holders, mandates, pins
from sekisho.bank.authorisation import partners
from sekisho.bank.authorisation.partners import PartnerSettings
from sekisho.bank.authorisation.settings import LinkPolicy, LinkSettings
from sekisho.bank.deposits import Deposit, Opening
from sekisho.bank.holders import NewHolder
from sekisho.bank.house import BankParts
from sekisho.guard.answers import AsksGuard
from sekisho.identity.institution import Institution, Parts
from sekisho.kernel.chance import SeededChance
from sekisho.kernel.clock import SECOND_US, SetClock
from sekisho.kernel.yen import Yen
from sekisho.linking.dpop import Demand, ProofKey, new_key
from sekisho.messages.queue import Contents, unseal
from sekisho.storage.engine import Store, open_store
from sekisho.storage.keyring import HeldKeyring, new_keys
from sekisho.storage.tables.messages import message
from sekisho.web.bank.app import create_bank_app
from sekisho.web.bank.desks import STATE, LinkDesks
from sekisho.web.members.desks import open_desks
from sekisho.web.members.site import Site

ORIGIN = BANK.origin
WALLET = "kamome-wallet"
BACK = "https://wallet.example/links/back"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
VERIFIER = "v" * 43
STATE_WORD = "state-of-the-wallet"
HANAKO = NewHolder("ヤマダ ハナコ", date(1990, 4, 1), "090-1234-0001")
PHONE = "+819012340001"
PIN = "3817"
TYPED = {
    "branch": "001",
    "number": "1234567",
    "name_kana": "やまだ はなこ",
    "birth_date": "1990-04-01",
    "pin": PIN,
}
DETAILS: dict[str, Any] = {
    "type": "account_link",
    "actions": ["debit", "credit"],
    "ceiling_yen": 100_000,
    "month_ceiling_yen": 300_000,
    "holder": {"name_kana": "ﾔﾏﾀﾞ ﾊﾅｺ", "birth_date": "1990-04-01"},
    "user_ref": "user-0000-0001",
}


class Answer(NamedTuple):
    """What came back to the partner in the browser's address."""

    uri: str
    parameters: dict[str, str]


@dataclass
class BankBrowser(Browser):
    """A browser at the bank."""

    async def post(self, path: str, fields: dict[str, str], **headers: str) -> httpx.Response:
        return await super().post(path, fields, **({"Origin": ORIGIN} | headers))

    async def type_account(self, **typed: str) -> httpx.Response:
        """Type the account and what proves it, right but for what is given."""
        return await self.submit("/link/account", **(TYPED | typed))

    async def agree(self) -> Answer:
        """Agree to the link on the page."""
        await self.submit("/link/consent")
        return self.answer()

    def answer(self) -> Answer:
        """Return where the page sends the browser on to."""
        match = re.search(r'id="onward" href="([^"]+)"', self.page.text)
        assert match, self.page.text
        uri = match[1].replace("&amp;", "&")
        return Answer(uri, dict(parse_qsl(urlsplit(uri).query)))


@dataclass
class PlayedPartner:
    """A partner's program: its key, its DPoP key, what it sends. It knows nothing of the bank's inside."""

    site: "BankSite"
    client_id: str = WALLET
    key: jwk.ECKey = field(default_factory=lambda: jwk.ECKey.generate_key("P-256", private=True))
    dpop: ProofKey = field(default_factory=lambda: ProofKey(new_key()))
    nonce: str = ""
    made: int = 0

    @property
    def key_set(self) -> str:
        public = {"kid": self.key.thumbprint(), "alg": "ES256", "use": "sig"}
        return msgspec.json.encode({"keys": [self.key.as_dict(private=False) | public]}).decode()

    def statement(self, **claims: Any) -> str:
        """Sign who it is, everything right but for what is given; None leaves a claim out."""
        self.made += 1
        now_s = self.site.clock.now_us() // SECOND_US
        says: dict[str, Any] = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": self.site.origin,
            "jti": f"{self.client_id}-{id(self)}-{self.made}",
            "iat": now_s,
            "exp": now_s + 60,
        }
        says = {name: value for name, value in (says | claims).items() if value is not None}
        header = {"alg": "ES256", "kid": self.key.thumbprint()}
        return jwt.encode(header, says, self.key, algorithms=["ES256"])

    def proof(self, path: str, *, token: str = "", method: str = "POST", nonce: str | None = None) -> str:
        """Prove the DPoP key for a request."""
        site = self.site
        nonce = self.nonce if nonce is None else nonce
        demand = Demand(method, self.site.origin + path, token)
        return self.dpop.prove(demand, clock=site.clock, chance=site.chance, nonce=nonce)

    async def post(
        self, path: str, fields: dict[str, str], *, proof: str = "", **headers: str
    ) -> httpx.Response:
        """Send a form, authenticated where it carries no statement already."""
        own = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": self.statement()}
        sent = headers | ({"DPoP": proof} if proof else {})
        answer = await self.site.client.post(path, data=own | fields, headers=sent)
        self.nonce = answer.headers.get("dpop-nonce", self.nonce)
        return answer

    async def push(self, details: dict[str, Any] | None = None, **fields: str) -> httpx.Response:
        """Push a request, everything right but for what is given."""
        plain = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": BACK,
            "code_challenge": challenge_of(VERIFIER),
            "code_challenge_method": "S256",
            "state": STATE_WORD,
            "authorization_details": msgspec.json.encode([DETAILS | (details or {})]).decode(),
        }
        sent = {name: value for name, value in (plain | fields).items() if value}
        return await self.post("/link/par", sent)

    async def send(self, browser: BankBrowser, details: dict[str, Any] | None = None, **fields: str) -> None:
        """Push a request and send a browser for it."""
        pushed = await self.push(details, **fields)
        assert pushed.status_code == 201, pushed.text
        uri = pushed.json()["request_uri"]
        await browser.get(f"/link/authorize?client_id={self.client_id}&request_uri={uri}")

    async def redeem(self, code: str, **fields: str) -> httpx.Response:
        """Exchange a code, with a fresh nonce where the bank asks for one."""
        plain = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": BACK,
            "code_verifier": VERIFIER,
        }
        return await self.token(plain | fields)

    async def refresh(self, refresh_token: str) -> httpx.Response:
        return await self.token({"grant_type": "refresh_token", "refresh_token": refresh_token})

    async def token(self, fields: dict[str, str]) -> httpx.Response:
        answer = await self.post("/link/token", fields, proof=self.proof("/link/token"))
        if answer.status_code == 400 and answer.json()["error"] == "use_dpop_nonce":
            answer = await self.post("/link/token", fields, proof=self.proof("/link/token"))
        return answer


@dataclass
class BankSite:
    """One bank on a clock that stands still, with a guard that says what it is told to say."""

    bank: BankParts
    links: LinkDesks
    app: Litestar
    client: httpx.AsyncClient
    guard: Any
    switches: PlainSwitches
    clock: SetClock
    chance: SeededChance
    site: Site

    @property
    def origin(self) -> str:
        return self.bank.institution.origin

    def browser(self, ip: str = "192.0.2.10", language: str = "en") -> BankBrowser:
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(cast("Any", self.app), client=(ip, 1), raise_app_exceptions=False),
            # Cookies of ours are Secure: browsers send them to localhost all the same, this client does not.
            base_url=ORIGIN.replace("http:", "https:"),
            headers={"User-Agent": CHROME, "Accept": "text/html", "Accept-Language": language},
            follow_redirects=True,
        )
        return BankBrowser(client)

    def do(self, work: Callable[[Any], Any]) -> Any:
        return self.bank.store.write(work).result()

    def look(self, look: Callable[[Any], Any]) -> Any:
        with self.bank.store.read() as connection:
            return look(connection)

    def wait(self, seconds: float) -> None:
        self.clock.advance(int(seconds * SECOND_US))

    async def open(
        self, holder: NewHolder = HANAKO, *, branch: str = "001", number: str = "", pin: str = PIN
    ) -> Deposit:
        """Open an account with half a million yen, and set its PIN, whatever it is."""

        def opened(connection: Any) -> Deposit:
            depositor_id = holders.take_on(connection, self.bank, holder)
            one = deposits.open_deposit(connection, self.bank, Opening(depositor_id, branch, number=number))
            deposits.pay_in(connection, self.bank, one, Yen(500_000), key=one.id)
            return one

        one = cast("Deposit", self.do(opened))
        made = await pins.hashed(self.bank, self.site.desks.hasher, one.id, pin)
        self.do(lambda at: pins.keep(at, self.bank, one.id, made))
        return one

    def partner(self, client_id: str = WALLET, back: str = BACK, **settings: Any) -> PlayedPartner:
        """Register a partner, and return its program."""
        played = PlayedPartner(self, client_id)
        plain = {
            "names": {"ja": "かもめウォレット", "en": "Kamome Wallet"},
            "redirect_uris": (back,),
            "key_set": played.key_set,
        }
        registered = PartnerSettings(**(plain | settings))
        self.do(lambda at: partners.register(at, self.bank, client_id, registered))
        return played

    def sent(self, kind: str = "") -> list[Contents]:
        """Return the messages that were queued whose kind begins so, the oldest first."""
        order = (message.c.made_at_us, message.c.id)
        with self.bank.store.read() as connection:
            rows = connection.execute(select(message).order_by(*order)).all()
        keyring = self.bank.keyring
        return [unseal(keyring, row.id, row.sealed) for row in rows if row.kind.startswith(kind)]

    def code(self) -> str:
        """Return the newest code that was sent."""
        return code_in(self.sent("code")[-1])

    def mandates(self, one: Deposit) -> list[mandates.Mandate]:
        return cast("list[mandates.Mandate]", self.look(lambda at: mandates.of_deposits(at, [one.id])))


def challenge_of(verifier: str) -> str:
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def play(folder: Path, scene: Callable[[BankSite], Awaitable[None]], **options: Any) -> None:
    """Play a scene at a bank of its own."""

    async def opened() -> None:
        async with bank_site(folder, **options) as site:
            await scene(site)

    asyncio.run(opened())


@asynccontextmanager
async def bank_site(
    folder: Path, *, policy: LinkPolicy = LinkPolicy.ACCOUNT_PIN_CODE, guard: AsksGuard | None = None
) -> AsyncIterator[BankSite]:
    """Open a bank for the time of a test."""
    site = open_bank_site(folder, SetClock(NOON_US), policy=policy, guard=guard)
    try:
        yield site
    finally:
        await site.site.desks.logins.close()
        site.site.desks.hasher.close()
        site.bank.store.close()


def open_bank_site(
    folder: Path,
    clock: Any,
    *,
    policy: LinkPolicy,
    guard: AsksGuard | None = None,
    institution: Institution = BANK,
    store_at: Store | None = None,
) -> BankSite:
    """Open a bank; whoever opens it closes its desks and its store."""
    chance, asked = SeededChance(11), guard or SaidGuard()
    store = store_at or open_store(f"sqlite:///{folder}/bank.db")
    parts = Parts(institution, store, HeldKeyring.of(new_keys(clock, chance), chance), clock, chance)
    switches = PlainSwitches()
    site = Site(parts, open_desks(parts, asked))
    app = create_bank_app(site, LinkSettings(policy=policy), switches)
    links = cast("LinkDesks", app.state[STATE])
    client = httpx.AsyncClient(transport=httpx.ASGITransport(cast("Any", app)), base_url=institution.origin)
    return BankSite(links.bank, links, app, client, asked, switches, clock, chance, site)


__all__ = ["BACK", "DETAILS", "ORIGIN", "TYPED", "BankSite", "Forms", "PlayedPartner", "bank_site", "play"]
