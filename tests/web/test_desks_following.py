"""Pages of the desks that follow something that goes on, in a real browser: by themselves, and to its end."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from playwright.sync_api import sync_playwright
from tests.console.lived import attempt, decision
from tests.web.desks_site import lender_desks
from tests.web.served_members import served
from tests.web.test_desks_looks import enter
from tests.web.test_members_looks import LOOKS, check

from sekisho.console.rights import StaffRole
from sekisho.guard.decisions import Action
from sekisho.kernel.clock import SECOND_US
from sekisho.response.cohorts import Suspect
from sekisho.web.console.staff_app import create_desks_app

pytestmark = pytest.mark.server

CALM, ATTACK = "最初のログイン試行を待っています", "攻撃を受けていますが、防いでいます"
CAMPAIGN = "cmp_0123456789abcdef0123456789abcdef"
PAGE = f"/lender/campaigns/{CAMPAIGN}"
TOLD = "main #progress p"


class Held:
    """A lender at which accounts are shut when the test says so."""

    def __init__(self, folder):
        self.folder = folder
        self.further, self.to_the_end = threading.Event(), threading.Event()

    def make(self, site):
        """Make the desks."""
        self.lender = lender_desks(site.parts, self.folder)
        really = self.lender.containments.run

        async def held(containment_id, **named):
            for goes_on in (self.further, self.to_the_end):
                named["progress"](1)
                await asyncio.to_thread(goes_on.wait)
            return await really(containment_id, **named)

        self.lender.containments.run = held  # type: ignore[method-assign] # it waits where it is too quick
        return create_desks_app(site, {"lender": self.lender})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        """Hold up nothing for longer than the test lasts."""
        self.further.set()
        self.to_the_end.set()


def beside(work):
    """Run something: the browser's driver has a loop of its own in this thread."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


def test_a_page_follows_a_containment_and_shows_what_came_of_it(tmp_path):
    """The figures change on the page that is open, and it is shown anew when all is done."""
    held = Held(tmp_path)
    with served(tmp_path, held.make) as site, held, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = enter(site, browser, "佐藤", (StaffRole.RESPONDER,))
        cohort = [Suspect(f"m{number}", 1, 0.6) for number in range(2)]
        begun = beside(held.lender.containments.begin(CAMPAIGN, cohort, by="sato"))
        page.goto(f"{site.url}{PAGE}/one?named=m1")
        page.click("form:has([value=shut]) button")
        page.wait_for_url(f"**{PAGE}")
        assert page.locator(TOLD).inner_text() == "会員ごとに対処しています(1名中1名)。"
        for size, scheme, language in (look.values for look in LOOKS):
            check(site, page, PAGE, size, scheme, language)
        page.evaluate("window.kept = true")
        held.further.set()
        page.locator(TOLD, has_text="2 of 2").wait_for(timeout=10_000)
        assert page.evaluate("window.kept") is True
        beside(held.lender.containments.decide(begun.id, "m0", contain=True, by="sato"))
        held.to_the_end.set()
        page.locator("#progress").wait_for(state="detached", timeout=10_000)
        assert page.evaluate("window.kept") is None
        assert "no account 2" in page.inner_text("main")
        browser.close()


def test_the_first_page_turns_when_an_attack_begins(tmp_path):
    """By itself, and aloud; without a connection it says that what it shows is of before."""
    held = Held(tmp_path)
    with served(tmp_path, held.make) as site, held, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = enter(site, browser, "佐藤", (StaffRole.RESPONDER,))
        page.goto(f"{site.url}/lender")
        assert page.inner_text("h1") == CALM
        page.evaluate("window.kept = true")
        attack(held.lender.watch, site.parts.clock.now_us())
        page.locator("h1", has_text=ATTACK).wait_for(timeout=10_000)
        assert page.evaluate("window.kept") is True
        assert page.inner_text("#said") == ATTACK
        assert page.title().startswith(ATTACK)
        page.route("**/now", lambda route: route.abort())
        page.locator("#lost").wait_for(timeout=10_000)
        page.unroute("**/now")
        page.locator("#lost").wait_for(state="hidden", timeout=10_000)
        for size, scheme, language in (look.values for look in LOOKS):
            check(site, page, "/lender", size, scheme, language)
            check(site, page, "/desks", size, scheme, language)
            check(site, page, "/lender/campaigns/cmp_1", size, scheme, language)
        browser.close()


def attack(watch, now_us):
    """Let the guard have decided what it decides in an attack, two minutes long."""
    for ago_s in range(120, 0, -1):
        for number, action in enumerate((Action.ALLOW, Action.CHALLENGE, Action.DENY, Action.DENY)):
            campaign = "" if action is Action.ALLOW else "cmp_1"
            tried = attempt(f"m{ago_s}{number}", ip=f"203.0.113.{number}")
            watch.decided(tried, decision(action, campaign=campaign), now_us - ago_s * SECOND_US)
