"""Every page of the lender's in a real browser: readable for everybody, on phones and wide screens."""

import base64

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped] # it ships no types
from playwright.sync_api import expect, sync_playwright
from tests.web.lender_walk import Walk, lender_served
from tests.web.served_members import new_context
from tests.web.test_members_looks import SERIOUS, watched

pytestmark = pytest.mark.server

PAGE_OCTETS_MAX = 150_000
LOOKS = [
    pytest.param(1, (390, 844), "light", "ja", id="phone-light-ja"),
    pytest.param(2, (390, 844), "dark", "en", id="phone-dark-en"),
    pytest.param(3, (1_440, 900), "dark", "ja", id="wide-dark-ja"),
]
BEFORE_THE_LOGIN = ("before_the_login",)
AS_A_MEMBER = ("application", "signature", "loan", "income", "transfer", "machine", "end")


@pytest.fixture(name="browser", scope="module")
def _browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(name="lender", scope="module")
def _lender(tmp_path_factory):
    with lender_served(tmp_path_factory.mktemp("lender")) as lender:
        yield lender


def faults_of(page, width, language):
    """Return what is wrong with the page that is open, once it is whole; nothing, as a rule."""
    page.wait_for_load_state()
    findings = Axe().run(page).response["violations"]
    faults = [f"{f['id']}: {f['nodes'][0]['html']}" for f in findings if f["impact"] in SERIOUS]
    if page.evaluate("document.documentElement.scrollWidth") > width:
        faults.append("it is wider than the screen")
    if page.evaluate("document.documentElement.lang") != language:
        faults.append("it is in the other language")
    if page.locator("h1").count() != 1:
        faults.append("it has not one heading")
    if page.locator("main .main:visible").count() > 1:
        faults.append("it has more than one main button")
    return faults


@pytest.mark.parametrize(("number", "size", "scheme", "language"), LOOKS)
def test_every_page_is_for_everybody(browser, lender, number, size, scheme, language):
    """Axe finds nothing serious, nothing is cut off, one question a page; state by state."""
    context = new_context(browser, viewport={"width": size[0], "height": size[1]}, color_scheme=scheme)
    context.add_cookies([{"name": "lang", "value": language, "url": lender.site.url}])
    page = context.new_page()
    walk = Walk(lender, page, number)
    wrong, seen = {}, []
    with watched(page) as (complaints, _):
        for part in (*BEFORE_THE_LOGIN, *AS_A_MEMBER):
            for name in getattr(walk, part)():
                seen.append(name)
                # What a browser drops when the walk goes on before a page is whole did not fail.
                said = [each for each in complaints if not each.startswith(lender.site.url)]
                if faults := [*faults_of(page, size[0], language), *said]:
                    wrong[name] = faults
                complaints.clear()
    context.close()
    assert wrong == {}
    assert len(seen) == len(set(seen))


def test_a_page_is_light(browser, lender):
    """Without its font, which is fetched once."""
    page = new_context(browser).new_page()
    with watched(page) as (_, octets):
        page.goto(f"{lender.site.url}/simulator")
        page.wait_for_load_state("networkidle")
    assert 0 < sum(octets) < PAGE_OCTETS_MAX
    page.context.close()


READER = """
window.BarcodeDetector = class {
  static getSupportedFormats() { return Promise.resolve(["qr_code"]); }
  detect(picture) {
    return Promise.resolve(picture.width > 1 ? [{ rawValue: "READ-FROM-THE-PICTURE" }] : []);
  }
};
"""
DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def test_a_picture_of_the_machine_s_code_is_read_where_the_browser_can(browser, lender):
    """What it finds is sent like a typed code; a picture without one is told; without a reader, no camera."""
    context = new_context(browser)
    context.add_init_script(READER)
    page = context.new_page()
    walk = Walk(lender, page, 4)
    list(walk.application())
    list(walk.signature())
    walk.open("/atm")
    picture = page.locator("[data-camera] input")
    picture.set_input_files({"name": "dot.png", "mimeType": "image/png", "buffer": DOT})
    expect(page.locator("[data-unread]")).to_be_visible()
    with page.expect_request("**/atm/claim") as sent:
        picture.set_input_files({"name": "code.png", "mimeType": "image/png", "buffer": page.screenshot()})
    assert "READ-FROM-THE-PICTURE" in (sent.value.post_data or "")
    context.close()
    plain = new_context(browser).new_page()
    plain.goto(f"{lender.site.url}/")
    assert plain.evaluate("'BarcodeDetector' in window") is False
    plain.context.close()
