"""A login for a service in Chromium: it takes the road back, and its pages can be read by everybody."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import msgspec
import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped] # it ships no types
from playwright.sync_api import sync_playwright
from tests.web.id_provider import WALLET, Browser, RelyingParty, provider_on_loopback

from sekisho.identity.assurance import Level, Standing

pytestmark = pytest.mark.server

SERIOUS = {"serious", "critical"}
SIZES = {"phone": (390, 844), "wide": (1_440, 900)}
LOOKS = [
    ("phone", "light", "ja"),
    ("phone", "dark", "en"),
    ("wide", "light", "en"),
    ("wide", "dark", "ja"),
]


@pytest.fixture(name="callback", scope="module")
def _callback():
    """Give the address of a service's page on another origin."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self):
            body = b"<!doctype html><html lang=en><title>wallet</title><h1>wallet</h1>"
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            assert args

    server = HTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://wallet.localhost:{server.server_port}/callback"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(name="provider", scope="module")
def _provider(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")  # loopback has no TLS
        with provider_on_loopback(tmp_path_factory.mktemp("id")) as provider:
            yield provider


@pytest.fixture(name="wallet", scope="module")
def _wallet(provider, callback):
    settings = msgspec.structs.replace(
        WALLET, redirect_uris=(callback,), post_logout_redirect_uris=(callback,)
    )
    return RelyingParty(provider, provider.add_client(settings=settings), scope="openid profile email phone")


@pytest.fixture(name="chromium", scope="module")
def _chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(name="visit")
def _visit(chromium, provider):
    """Open a page in a browser in which a member is logged in."""
    contexts = []

    def visit(*, size="wide", scheme="light", language="ja", level=Level.PASSKEY, standing=Standing.TRUSTED):
        width, height = SIZES[size]
        context = chromium.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, locale=language
        )
        contexts.append(context)
        jar = Browser(provider.origin)
        provider.log_in(jar, provider.add_member(), level, standing)
        jar.close()
        context.add_cookies(
            [
                {
                    "name": name,
                    "value": value,
                    "url": "https://localhost",
                    "secure": True,
                    "httpOnly": True,
                    "sameSite": "Lax",
                }
                for name, value in jar.cookies.items()
            ]
        )
        return context.new_page()

    yield visit
    for context in contexts:
        context.close()


def test_a_member_logs_in_to_a_service_and_out_again(visit, wallet, callback):
    """Over the consent and back to another origin, which our own policy on forms must not stop."""
    page = visit()
    begun = wallet.begin(callback)
    page.goto(begun["url"])
    page.get_by_role("button", name="許可してログインする").click()
    page.wait_for_url(f"{callback}?code=*")
    token = wallet.finish(begun, page.url, callback)
    assert token["claims"]["acr"] == "passkey"

    page.goto(wallet.create_logout_url(callback, token["id_token"], state="bye")["url"])
    page.get_by_role("button", name="ログアウトする").click()
    page.wait_for_url(f"{callback}?state=bye")
    page.goto(wallet.begin(callback)["url"])
    assert "/login?next=" in page.url


def test_who_says_no_comes_back_too(visit, wallet, callback):
    page = visit()
    page.goto(wallet.begin(callback)["url"])
    page.get_by_role("button", name="許可しない").click()
    page.wait_for_url(f"{callback}?error=access_denied*")


def test_the_road_works_by_keyboard_alone(visit, wallet, callback):
    page = visit()
    page.goto(wallet.begin(callback)["url"])
    button = page.get_by_role("button", name="許可してログインする")
    for _ in range(30):
        page.keyboard.press("Tab")
        if button.evaluate("element => element === document.activeElement"):
            break
    page.keyboard.press("Enter")
    page.wait_for_url(f"{callback}?code=*")


def pages_of(wallet, provider, callback):
    """Return each page with its address, and the login for which it is shown."""
    weak = {"level": Level.CODE, "standing": Standing.UNCONFIRMED}
    origin = provider.origin
    return {
        "consent": (lambda: wallet.begin(callback)["url"], {}),
        "prove": (lambda: wallet.begin(callback)["url"], weak),
        "services": (lambda: f"{origin}/services", {}),
        "logout": (lambda: f"{origin}/openid/logout?client_id=wallet", {}),
        "refusal": (lambda: f"{origin}/openid/authorize?client_id=none&redirect_uri=a", {}),
    }


@pytest.mark.parametrize("name", ["consent", "prove", "services", "logout", "refusal"])
@pytest.mark.parametrize(("size", "scheme", "language"), LOOKS)
def test_every_page_can_be_read(visit, wallet, provider, callback, name, size, scheme, language):
    """Nothing is cut off, and axe has no serious finding."""
    address, login = pages_of(wallet, provider, callback)[name]
    page = visit(size=size, scheme=scheme, language=language, **login)
    page.goto(address())
    if name == "services":
        page.goto(wallet.begin(callback)["url"])
        page.locator("button.main").click()
        page.wait_for_url(f"{callback}?code=*")
        page.goto(address())
    assert page.locator("h1").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    found = Axe().run(page).response["violations"]
    assert [finding["id"] for finding in found if finding["impact"] in SERIOUS] == []
