"""The member pages in a real browser: readable for everybody, on phones and wide screens, light and dark."""

from contextlib import contextmanager

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped] # it ships no types
from playwright.sync_api import sync_playwright
from tests.web.served_members import new_context, served, sign_up, with_authenticator

pytestmark = pytest.mark.server

SERIOUS = {"serious", "critical"}
PAGE_OCTETS_MAX = 150_000
LOOKS = [
    pytest.param((390, 844), "light", "ja", id="phone-light-ja"),
    pytest.param((1_440, 900), "dark", "en", id="wide-dark-en"),
]
OPEN_PAGES = (
    "/",
    "/login",
    "/signup",
    "/signup/codes",
    "/signup/details",
    "/login/code",
    "/recovery",
    "/letter-key",
    "/nothing",
)
MEMBER_PAGES = (
    "/",
    "/profile",
    "/profile/home_address",
    "/security",
    "/security/logins",
    "/security/freeze",
    "/security/calls",
    "/notices",
    "/recovery",
    "/step-up?wish=change:email",
    "/step-up/code?wish=change:email",
)


@pytest.fixture(name="browser", scope="module")
def _browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(name="site", scope="module")
def _site(tmp_path_factory):
    with served(tmp_path_factory.mktemp("lender")) as site:
        yield site


@pytest.fixture(name="stranger", scope="module")
def _stranger(browser, site):
    """Give the page of somebody whose sign-up waits for its codes."""
    page = new_context(browser).new_page()
    page.goto(f"{site.url}/signup")
    page.fill("#email", "waits@example.jp")
    page.fill("#mobile", "09099990000")
    page.click("button.main")
    page.wait_for_url("**/signup/codes")
    return page


@pytest.fixture(name="member", scope="module")
def _member(browser, site):
    """Give the page of a member with a passkey, for whom a code is on its way."""
    page = new_context(browser).new_page()
    with_authenticator(page)
    sign_up(site, page, 1)
    page.click("form[data-passkey] button")
    page.wait_for_url("**/security?done=passkey_added")
    page.goto(f"{site.url}/step-up?wish=change:email")
    page.click("section.other button")
    page.wait_for_url("**/step-up/code*")
    return page


def failed(request):
    """Say whether a request failed by itself: what a browser drops when it follows a redirect did not."""
    return request.failure != "net::ERR_ABORTED"


@contextmanager
def watched(page):
    """Collect what the browser complains of, and the octets of what it fetches but for the font."""
    complaints, octets = [], []
    hears = {
        "pageerror": lambda error: complaints.append(str(error)),
        "requestfailed": lambda request: complaints.append(request.url) if failed(request) else None,
        "console": lambda said: complaints.append(said.text) if "policy" in said.text.lower() else None,
        "response": lambda answer: octets.append(0 if answer.url.endswith("2") else len(answer.body())),
    }
    for name, hear in hears.items():
        page.on(name, hear)
    yield complaints, octets
    for name, hear in hears.items():
        page.remove_listener(name, hear)


def check(site, page, path, size, scheme, language):
    """Look at one page: no serious finding of axe, nothing too wide, one heading, one main button, light."""
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.emulate_media(color_scheme=scheme)
    page.context.add_cookies([{"name": "lang", "value": language, "url": site.url}])
    with watched(page) as (complaints, octets):
        page.goto(f"{site.url}{path}")
        page.wait_for_load_state("networkidle")
    findings = Axe().run(page).response["violations"]
    assert [(f["id"], f["nodes"][0]["html"]) for f in findings if f["impact"] in SERIOUS] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    assert page.evaluate("document.documentElement.lang") == language
    assert page.locator("h1").count() == 1
    assert page.locator("main .main:visible").count() <= 1
    assert complaints == []
    assert 0 < sum(octets) < PAGE_OCTETS_MAX


@pytest.mark.parametrize(("size", "scheme", "language"), LOOKS)
@pytest.mark.parametrize("path", OPEN_PAGES)
def test_the_pages_before_the_login_are_for_everybody(site, stranger, path, size, scheme, language):
    """On a phone and on a wide screen, in light and dark, in both languages."""
    check(site, stranger, path, size, scheme, language)


@pytest.mark.parametrize(("size", "scheme", "language"), LOOKS)
@pytest.mark.parametrize("path", MEMBER_PAGES)
def test_the_member_s_pages_are_for_everybody(site, member, path, size, scheme, language):
    """Likewise, with a session."""
    check(site, member, path, size, scheme, language)


def test_the_browser_keeps_secure_cookies_of_localhost(browser, site):
    """Over plain HTTP on *.localhost, which browsers hold to be as good as a secure connection."""
    page = new_context(browser).new_page()
    sign_up(site, page, 2)
    kept = {cookie["name"]: cookie for cookie in page.context.cookies()}
    for name in ("__Host-session", "__Host-device"):
        assert kept[name]["secure"]
        assert kept[name]["httpOnly"]
        assert kept[name]["sameSite"] == "Lax"
    page.context.close()


def test_without_a_script_the_basics_work(browser, site):
    """Sign up, log out, log in with the password, see the masked page; no passkeys."""
    page = new_context(browser, java_script_enabled=False).new_page()
    number = sign_up(site, page, 3)
    assert page.locator("form[data-passkey]").is_hidden()
    page.click("header form button")
    page.goto(f"{site.url}/login")
    assert page.locator("form[data-passkey]").is_hidden()
    page.fill("#name", number)
    page.fill("#password", "kumo-to-niwatori 37")
    page.click("section.other button")
    page.goto(f"{site.url}/profile")
    assert "東京都●●区…" in page.inner_text("main")
    page.context.close()


def test_the_keyboard_reaches_everything(browser, site):
    """Skip to the page, then field by field to the button, and it is seen where one is."""
    page = new_context(browser).new_page()
    page.goto(f"{site.url}/login")
    page.keyboard.press("Tab")
    assert page.locator(":focus").inner_text() == "本文へ進む"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    reached = []
    for _ in range(6):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate("document.activeElement.textContent.trim() || document.activeElement.id")
        )
    assert reached[:4] == ["パスキーでログイン", "name", "password", "パスワードで次へ"]
    page.context.close()


def test_the_back_button_shows_nothing_after_the_logout(browser, site):
    """What was on the screen is gone from the browser, too."""
    page = new_context(browser).new_page()
    sign_up(site, page, 4)
    page.goto(f"{site.url}/profile")
    assert "東京都●●区…" in page.inner_text("main")
    page.click("header form button")
    page.wait_for_url("**/logout")
    page.go_back()
    page.wait_for_load_state()
    assert "東京都" not in page.inner_text("body")
    page.context.close()


def test_a_form_is_sent_once_however_often_it_is_pressed(browser, site):
    """Two quick presses open one account, and the page that follows is the right one."""
    page = new_context(browser).new_page()
    posts = []
    page.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)
    page.goto(f"{site.url}/signup")
    page.fill("#email", "twice@example.jp")
    page.fill("#mobile", "09099990001")
    page.locator("button.main").dblclick()
    page.wait_for_url("**/signup/codes")
    assert posts == [f"{site.url}/signup"]
    page.context.close()
