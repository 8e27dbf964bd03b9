"""The pages of policies in a real browser, with figures on them: readable for everybody."""

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped] # it ships no types
from playwright.sync_api import sync_playwright
from tests.campaigns.recorded import NOON_US, Record, write_hunt
from tests.guard.small_world import new_guard
from tests.web.desks_site import lender_desks
from tests.web.served_members import served
from tests.web.test_desks_looks import enter
from tests.web.test_desks_policies import OURS
from tests.web.test_members_looks import LOOKS, SERIOUS, check

from sekisho.console.rights import StaffRole
from sekisho.guard.attempts import Outcome
from sekisho.guard.decisions import Action
from sekisho.guard.policy import parse_policy
from sekisho.kernel.clock import SECOND_US, SystemClock
from sekisho.web.console.staff_app import create_desks_app

pytestmark = pytest.mark.server

LONG = parse_policy(f'id = "{"n" * 64}"\nrevision = 2147483647\n[default]\non_outage = "closed"\n')
GATES = ("login", "bank_link")


def record_in(folder):
    """Write a record of the last hour in which the policies differ at two gates."""
    record, found = Record(folder / "history"), []
    ago = (SystemClock().now_us() - NOON_US) / SECOND_US - 1_800
    for number in range(600):
        hostile, gate = number % 5 == 0, GATES[number % 3 == 0]
        shadow = {OURS.name: Action.DENY if hostile else Action.ALLOW, LONG.name: Action.ALLOW}
        record.add(ago + number, f"m{number % 50}", outcome=Outcome.SUCCESS, vouched=True, gate=gate)
        outcome = Outcome.WRONG_SECRET if hostile and number % 20 else Outcome.SUCCESS
        record.add(ago + number, f"m{number % 50}", outcome=outcome, shadow=shadow, gate=gate)
        if hostile:
            found.append((ago + number, f"m{number % 50}", 0.9, "cmp_1"))
    record.write()
    write_hunt(folder / "hunt" / "attempts.parquet", *found)


def fits(page):
    """Look at a page as it stands now: no serious finding of axe, nothing wider than the screen."""
    findings = Axe().run(page).response["violations"]
    assert [(f["id"], f["nodes"][0]["html"]) for f in findings if f["impact"] in SERIOUS] == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.fixture(name="site", scope="module")
def _site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("policies")
    record_in(folder)
    guard = new_guard(shadows=(OURS, LONG))
    with served(
        folder, lambda site: create_desks_app(site, {"lender": lender_desks(site.parts, folder, guard)})
    ) as site:
        yield site


@pytest.fixture(name="analyst", scope="module")
def _analyst(site):
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = enter(site, browser, "佐藤", (StaffRole.ANALYST,))
        page.wait_for_load_state("networkidle")
        yield page
        browser.close()


@pytest.mark.parametrize(("size", "scheme", "language"), LOOKS)
def test_policies_side_by_side_are_for_everybody(site, analyst, size, scheme, language):
    """Two gates, three policies, one of them with the longest name there can be."""
    check(site, analyst, "/lender/policies?span=hour", size, scheme, language)
    assert analyst.locator("table caption").count() == 4
    analyst.locator("details").evaluate_all("all => all.forEach(one => { one.open = true })")
    fits(analyst)


@pytest.mark.parametrize(("size", "scheme", "language"), LOOKS)
def test_what_is_wrong_with_a_typed_policy_is_for_everybody(site, analyst, size, scheme, language):
    """The page that answers a form, with a line that is longer than a phone is wide."""
    check(site, analyst, "/lender/what-if", size, scheme, language)
    analyst.locator("summary").nth(1).click()
    analyst.fill("#policy", f'id = "ours"\nrevision = 1\n[default]\non_outage = "{"x" * 200}"\n')
    with analyst.expect_navigation():
        analyst.locator("form[action$='/policy'] button").click()
    analyst.locator(".trouble code", has_text="x" * 200).wait_for()
    fits(analyst)


def test_a_trial_from_the_form_to_the_file_is_for_everybody(site, analyst):
    """Somebody changes a gate, waits while it runs, reads the result, and takes the policy along."""
    analyst.goto(f"{site.url}/lender/what-if?gate=bank_link")
    analyst.fill("#days", "1")
    analyst.fill("#friction_calm", "30")
    analyst.click("main .main")
    # The page asks again by itself until the trial is done.
    analyst.locator("#found-title").wait_for(timeout=60_000)
    for size, scheme, language in (look.values for look in LOOKS):
        check(site, analyst, "/lender/what-if?gate=bank_link", size, scheme, language)
        analyst.locator("details").evaluate_all("all => all.forEach(one => { one.open = true })")
        fits(analyst)
    with analyst.expect_download() as taken:
        analyst.locator("a[download]").click()
    assert taken.value.suggested_filename == "default-2.toml"
    policy = parse_policy(Path(taken.value.path()).read_text("utf-8"))
    assert policy.gates["bank_link"].friction_calm == 0.3
