"""A member site on loopback for a real browser, and a member who opens an account in it."""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import uvicorn
from litestar import Litestar
from playwright.sync_api import Browser, BrowserContext, Page
from sqlalchemy import select
from tests.identity.login_house import SaidGuard
from tests.identity.member_at_hand import LENDER

from sekisho.identity.institution import Parts
from sekisho.kernel.chance import SystemChance
from sekisho.kernel.clock import SystemClock
from sekisho.messages.queue import unseal
from sekisho.storage.engine import open_store
from sekisho.storage.keyring import HeldKeyring, new_keys
from sekisho.storage.tables.messages import message
from sekisho.web.id import overview
from sekisho.web.members.app import create_member_app
from sekisho.web.members.desks import open_desks
from sekisho.web.members.site import Site
from sekisho.web.server import listening_socket

AUTHENTICATOR = {
    "protocol": "ctap2",
    "ctap2Version": "ctap2_1",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


class Served(NamedTuple):
    """A site that a browser reaches at `url`."""

    url: str
    parts: Parts
    app: Litestar

    def code_to(self, to: str) -> str:
        """Return the newest code that was sent to a number or an address."""
        with self.parts.store.read() as connection:
            rows = connection.execute(select(message).order_by(message.c.made_at_us.desc())).all()
        for row in rows:
            sent = unseal(self.parts.keyring, row.id, row.sealed)
            code = re.search(r"(?<![0-9])[0-9]{6}(?![0-9])", sent.text)
            if row.kind.startswith("code") and sent.to == to and code:
                return code[0]
        raise AssertionError(f"no code was sent to {to}")


def shared_pages(site: Site) -> Litestar:
    """Make an application of nothing but what all institutions with members share."""
    return create_member_app(site, overview.ROUTES)


@contextmanager
def served(folder: Path, make: Callable[[Site], Litestar] = shared_pages) -> Iterator[Served]:
    """Serve an institution's pages while the block runs."""
    listener = listening_socket("127.0.0.1", 0)
    clock, chance = SystemClock(), SystemChance()
    institution = msgspec.structs.replace(LENDER, origin=f"http://{LENDER.host}:{listener.getsockname()[1]}")
    store = open_store(f"sqlite:///{folder}/lender.db")
    parts = Parts(institution, store, HeldKeyring.of(new_keys(clock, chance), chance), clock, chance)
    desks = open_desks(parts, SaidGuard())
    app = make(Site(parts, desks))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield Served(institution.origin, parts, app)
    finally:
        server.should_exit = True
        thread.join()
        desks.hasher.close()
        store.close()


def new_context(browser: Browser, **options: Any) -> BrowserContext:
    """Open a fresh browser."""
    return browser.new_context(**({"locale": "ja"} | options))


def with_authenticator(page: Page) -> None:
    """Give a page's browser an authenticator that always says yes."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})


def sign_up(site: Served, page: Page, number: int) -> str:
    """Open an account in a browser; return the member's number. The page offers a passkey then."""
    email, mobile = f"hanako{number}@example.jp", f"0901234{number:04d}"
    page.goto(f"{site.url}/signup")
    page.fill("#email", email)
    page.fill("#mobile", mobile)
    page.click("button.main")
    page.wait_for_url("**/signup/codes")
    page.fill("#mobile_code", site.code_to("+81" + mobile[1:]))
    page.fill("#email_code", site.code_to(email))
    page.click("button.main")
    page.wait_for_url("**/signup/details")
    page.fill("#name", "山田 花子")
    page.fill("#name_kana", "やまだ はなこ")
    page.fill("#birth_date", "1990-04-01")
    page.fill("#postal_code", "100-0001")
    page.fill("#home_address", "東京都千代田区千代田1-1")
    page.fill("#password", "kumo-to-niwatori 37")
    page.click("button.main")
    page.wait_for_url("**/passkey/new?welcome")
    return page.locator("[data-member-number]").get_attribute("data-member-number") or ""
