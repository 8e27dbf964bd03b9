"""The live page in a real browser: readable for everybody, on phones and wide screens, in light and dark."""

import threading
from contextlib import contextmanager
from itertools import product

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped] # it ships no types
from playwright.sync_api import sync_playwright
from tests.web.console_page import filled_tally

from sekisho.console.live_tally import LiveTally
from sekisho.kernel.clock import SystemClock
from sekisho.web.console.app import create_console
from sekisho.web.server import listening_socket

pytestmark = pytest.mark.server

SIZES = {"phone": (390, 844), "wide": (1_440, 900)}
SERIOUS = {"serious", "critical"}
READY = "#link.connected"


@pytest.fixture(name="browser", scope="module")
def _browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def served(tally):
    """Serve a console while the block runs; give its address."""
    listener = listening_socket("127.0.0.1", 0)
    closing = threading.Event()
    application = create_console(tally, clock=SystemClock(), closing=closing.is_set)
    server = uvicorn.Server(uvicorn.Config(application, log_config=None))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://localhost:{listener.getsockname()[1]}/"
    finally:
        closing.set()
        server.should_exit = True
        thread.join()


@pytest.fixture(name="urls", scope="module")
def _urls():
    """Serve one console under attack and one that has seen nothing."""
    with served(filled_tally(SystemClock().now_us())) as attack, served(LiveTally()) as empty:
        yield {"attack": attack, "empty": empty}


LOOKS_MAX, LOOK_MS = 200, 50


def until(page, holds):
    """Look until something holds; the browser's own wait evaluates text, which the page forbids."""
    for _ in range(LOOKS_MAX):
        if holds():
            return
        page.wait_for_timeout(LOOK_MS)
    raise AssertionError("it did not come to hold")


def opened(browser, url, size="wide", **context):
    """Open a page and return it with everything that the browser complained about."""
    width, height = SIZES[size]
    page = browser.new_context(viewport={"width": width, "height": height}, **context).new_page()
    complaints = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("requestfailed", lambda request: complaints.append(request.url))
    page.goto(url)
    return page, complaints


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize(("size", "scheme"), list(product(SIZES, ["light", "dark"])))
@pytest.mark.parametrize("state", ["attack", "empty"])
def test_the_page_is_readable_for_everybody(browser, urls, state, size, scheme, language):
    """No serious finding of axe, nothing wider than the screen, nothing that the policy had to forbid."""
    page, complaints = opened(browser, urls[state], size, color_scheme=scheme, locale=language)
    page.wait_for_selector(READY)
    findings = Axe().run(page).response["violations"]
    assert [(f["id"], f["nodes"][0]["html"]) for f in findings if f["impact"] in SERIOUS] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size][0]
    assert page.evaluate("document.documentElement.lang") == language
    assert complaints == []
    page.context.close()


def test_the_timeline_is_drawn_and_follows_the_colour_scheme(browser, urls):
    """The plain drawing gives way to the chart, which is drawn anew when the scheme changes."""
    page, complaints = opened(browser, urls["attack"], color_scheme="light")
    page.wait_for_selector("#chart canvas")
    light = page.locator("#chart canvas").evaluate("canvas => canvas.toDataURL()")
    page.emulate_media(color_scheme="dark")
    until(page, lambda: page.locator("#chart canvas").evaluate("canvas => canvas.toDataURL()") != light)
    assert page.locator("#chart svg").count() == 0
    assert complaints == []
    page.context.close()


def test_the_pointer_reads_a_second_off_the_timeline(browser, urls):
    """Counts stand beside the words of the legend, so that no colour has to be read."""
    page, complaints = opened(browser, urls["attack"], locale="en")
    page.wait_for_selector("#chart canvas")
    box = page.locator("#chart .u-over").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 40)
    assert page.locator('[data-value="allow"]').inner_text() in {"6", "7"}
    assert int(page.locator('[data-value="challenge"]').inner_text()) > 0
    page.mouse.move(5, 5)
    until(page, lambda: not page.locator('[data-value="allow"]').inner_text())
    assert complaints == []
    page.context.close()


def test_what_is_selected_is_not_replaced_under_the_reader_s_hand(browser, urls):
    """A campaign's id can be copied while the figures run."""
    page, _ = opened(browser, urls["attack"], locale="en")
    page.wait_for_selector(READY)
    page.locator("#campaigns code").first.select_text()
    before = page.locator("#figures").inner_html()
    until(page, lambda: page.locator("#figures").inner_html() != before)
    assert page.evaluate("getSelection().toString()") == "cmp_1"
    page.context.close()


def test_without_a_script_the_page_is_whole(browser):
    """State, figures, drawing and tables arrive with the first answer."""
    # Of this minute: an attack that was served since the first test may be over by now.
    with served(filled_tally(SystemClock().now_us())) as attack:
        page, _ = opened(browser, attack, java_script_enabled=False, locale="ja")
        assert page.locator("h1").inner_text() == "攻撃を受けていますが、防いでいます"
        assert page.locator("#chart polygon").count() == 4
        assert page.locator("#latest tbody tr").count() == 12
        assert page.locator("#pause").is_hidden()
        page.context.close()


def test_everything_can_be_done_with_the_keyboard(browser, urls):
    """Skip to the state, pause, switch the language: by Tab and Enter alone, and it is seen where one is."""
    page, _ = opened(browser, urls["attack"], locale="en")
    page.wait_for_selector(READY)
    page.keyboard.press("Tab")
    assert page.locator(":focus").inner_text() == "Skip to what matters"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "state"
    page.locator("#pause").focus()
    page.keyboard.press("Enter")
    assert page.locator("#link-words").inner_text() == "Paused"
    assert page.locator("#pause").get_attribute("aria-pressed") == "true"
    page.keyboard.press("Enter")
    assert page.locator("#link-words").inner_text() == "Live"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("html[lang=ja]")
    page.context.close()


def test_the_chosen_language_stays(browser, urls):
    """A click, and the page comes back in Japanese, also the next time."""
    page, _ = opened(browser, urls["empty"], locale="en")
    page.get_by_role("link", name="日本語").click()
    page.wait_for_selector("html[lang=ja]")
    page.goto(urls["empty"])
    assert page.locator("h1").inner_text() == "最初のログイン試行を待っています"
    page.context.close()


def test_a_lost_connection_is_said(browser):
    """A picture that no longer moves must not look live."""
    with served(LiveTally()) as url:
        page, _ = opened(browser, url, locale="en")
        page.wait_for_selector(READY)
    page.wait_for_selector("#link[data-state=disconnected]")
    assert page.locator("#link-words").inner_text() == "Connection lost, trying again"
    page.context.close()
