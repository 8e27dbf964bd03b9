"""Every page of a link in a real browser: for everybody, on phones and wide screens; and a passkey used."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, sync_playwright
from sqlalchemy import Connection
from tests.bank.mandate_at_hand import BANK
from tests.web.bank_site import TYPED, BankSite, PlayedPartner
from tests.web.served_bank import beside, served_bank
from tests.web.served_members import Served, new_context, sign_up, with_authenticator
from tests.web.test_lender_looks import LOOKS, PAGE_OCTETS_MAX, faults_of
from tests.web.test_members_looks import watched

from sekisho.bank import deposits, holders
from sekisho.bank.authorisation.settings import LinkPolicy
from sekisho.identity import members

pytestmark = pytest.mark.server


@pytest.fixture(name="browser", scope="module")
def _browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(name="bank")
def _bank(tmp_path):
    with served_bank(tmp_path, policy=LinkPolicy.ACCOUNT_PIN_CODE, host=BANK.host) as site:
        beside(site.open(number="1234567"))
        yield site


def sent(site: BankSite, wallet: PlayedPartner, page: Page) -> None:
    """Send the browser for a link, as the wallet does."""
    uri = beside(wallet.push()).json()["request_uri"]
    page.goto(f"{site.origin}/link/authorize?client_id={wallet.client_id}&request_uri={uri}")


def typed(page: Page, **changes: str) -> None:
    for name, value in (TYPED | changes).items():
        page.fill(f"#{name}", value)
    page.click("form[action='/link/account'] button.main")


def walk(site: BankSite, wallet: PlayedPartner, page: Page) -> Iterator[str]:
    """Open one page after another, and say which it is."""
    page.goto(site.origin)
    yield "front"
    sent(site, wallet, page)
    yield "account"
    typed(page, pin="9264")
    page.fill("#code", "000000")
    page.click("form[action='/link/code'] button.main")
    yield "code wrong"
    for _ in range(2):
        page.fill("#code", "000000")
        page.click("form[action='/link/code'] button.main")
    yield "given up"
    sent(site, wallet, page)
    typed(page)
    yield "code"
    page.fill("#code", site.code())
    page.click("form[action='/link/code'] button.main")
    yield "consent"
    page.goto(f"{site.origin}/link/authorize?client_id={wallet.client_id}&request_uri=urn:x")
    yield "request gone"
    page.context.clear_cookies(name="__Host-link")
    page.goto(f"{site.origin}/link/account")
    yield "visit over"


@pytest.mark.parametrize(("number", "size", "scheme", "language"), LOOKS)
def test_every_page_is_for_everybody(browser, bank, number, size, scheme, language):
    """Axe finds nothing serious, nothing is cut off, one question a page."""
    del number
    context = new_context(browser, viewport={"width": size[0], "height": size[1]}, color_scheme=scheme)
    context.add_cookies([{"name": "lang", "value": language, "url": bank.origin}])
    page, wrong = context.new_page(), {}
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if "policy" in said.text.lower() else None)
    for name in walk(bank, bank.partner(), page):
        if faults := [*faults_of(page, size[0], language), *complaints]:
            wrong[name] = faults
        complaints.clear()
    context.close()
    assert wrong == {}


def test_a_page_is_light(browser, bank):
    page = new_context(browser).new_page()
    sent(bank, bank.partner(), page)
    with watched(page) as (_, octets):
        page.goto(f"{bank.origin}/link/account")
        page.wait_for_load_state("networkidle")
    assert 0 < sum(octets) < PAGE_OCTETS_MAX
    page.context.close()


def tie(connection: Connection, bank: BankSite, number: str) -> None:
    """Make a member the access of the account's holder to the online bank."""
    one = deposits.find_by_number(connection, "001", "1234567")
    member = members.find_by_name(connection, bank.bank.keyring, number)
    assert one is not None
    assert member is not None
    holders.tie(connection, bank.bank, one.depositor_id, member.id)


def test_a_depositor_links_with_a_passkey_and_types_nothing(browser, bank):
    """The passkey of the online bank proves the holder; the account is chosen on the consent page."""
    context = new_context(browser)
    page = context.new_page()
    with_authenticator(page)
    number = sign_up(Served(bank.origin, bank.bank.parts, bank.app), page, 1)
    page.click("form[data-passkey=create] button")
    page.wait_for_url("**/security?done=passkey_added")
    bank.do(lambda at: tie(at, bank, number))
    sent(bank, bank.partner(), page)
    page.click("form[action='/link/passkey'] button")
    page.wait_for_url("**/link/consent")
    assert "****4567" in page.inner_text("main")
    context.route("https://wallet.example/**", lambda route: route.fulfill(body="back"))
    page.click("form[action='/link/consent'] button.main")
    page.wait_for_url("https://wallet.example/**")
    assert "code=" in page.url
    assert "iss=" in page.url
    context.close()
