"""The desks' pages in a real browser: readable for everybody, and a passkey that approves a deed."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped] # it ships no types
from playwright.sync_api import sync_playwright
from sqlalchemy import insert
from tests.campaigns.conftest import START_US, MadeLog, honest_traffic, list_attack
from tests.web.desks_site import OPERATOR, lender_desks
from tests.web.served_members import new_context, served, with_authenticator
from tests.web.test_members_looks import LOOKS, SERIOUS, check

from sekisho.campaigns.hunt import hunt
from sekisho.campaigns.writing import write_findings
from sekisho.console import staff
from sekisho.console.rights import StaffRole
from sekisho.identity import devices, holds, members, personal_data, sessions
from sekisho.identity.arrivals import Arrival
from sekisho.identity.assurance import Level, Standing
from sekisho.identity.holds import HoldKind, HoldScope
from sekisho.identity.personal_data import Item
from sekisho.identity.sessions import Birth
from sekisho.kernel.japan import day_in_japan
from sekisho.lender.house import open_house
from sekisho.lender.losses import LenderLosses
from sekisho.response import cases, glass, recovery_rows
from sekisho.response.cases import CaseKind, Opening, Reporter
from sekisho.response.cohorts import Suspect
from sekisho.response.containment import ContainmentDesk
from sekisho.response.partner_receipts import Came, ReceiptDesk
from sekisho.response.partner_recoveries import RecoveryDesk, Wanted
from sekisho.response.recovery_rows import Way
from sekisho.storage.tables.cases import claim
from sekisho.web.console.staff_app import create_desks_app

pytestmark = pytest.mark.server

PAGES = (
    "/desks",
    "/lender",
    "/lender/campaigns",
    "/lender/switches",
    "/lender/switches/new",
    "/lender/members",
    "/lender/cases",
    "/lender/cases/new",
    "/lender/claims",
    "/lender/recoveries",
    "/lender/applications",
    "/lender/atm-orders",
    "/lender/reports",
    "/lender/audit",
    "/lender/policies",
    "/lender/what-if",
    "/audit",
    "/nothing",
)


@pytest.fixture(name="folder", scope="module")
def _folder(tmp_path_factory):
    return tmp_path_factory.mktemp("lender")


@pytest.fixture(name="browser", scope="module")
def _browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(name="site", scope="module")
def _site(tmp_path_factory, folder):
    """Serve the desks. The lender has the same record as they, which is all the same to how pages look."""

    def with_desks(site):
        return create_desks_app(site, {"lender": lender_desks(site.parts, folder)})

    with served(tmp_path_factory.mktemp("desks"), with_desks) as site:
        yield site


def enter(site, browser, name, roles):
    """Let somebody in, make a passkey and log in with it, as people do; roles are the lender's, or named."""
    given = roles if isinstance(roles, dict) else {"lender": roles}
    made = site.parts.store.write(lambda at: staff.add_staff(at, site.parts, name, given, OPERATOR))
    code = made.result().code
    page = new_context(browser).new_page()
    with_authenticator(page)
    page.goto(f"{site.url}/enrol")
    page.fill("#code", code)
    page.click("main button")
    page.wait_for_url("**/passkey/new")
    page.click("form[data-passkey] button")
    page.wait_for_url("**/login")
    page.click("form[data-passkey] button")
    page.wait_for_url("**/desks")
    return page


@pytest.fixture(name="responder", scope="module")
def _responder(site, browser):
    return enter(site, browser, "佐藤", (StaffRole.RESPONDER, StaffRole.DESK, StaffRole.AUDITOR))


@pytest.mark.parametrize(("size", "scheme", "language"), LOOKS)
@pytest.mark.parametrize("path", PAGES)
def test_the_pages_of_the_desks_are_for_everybody(site, responder, path, size, scheme, language):
    check(site, responder, path, size, scheme, language)


def hunted(folder, now_us):
    """Put what a hunt found in place: a campaign over three days, from everywhere; return its id."""
    chance = np.random.default_rng(7)
    log = MadeLog()
    honest_traffic(log, chance, days=9)
    list_attack(log, chance, first_hour=5 * 24, hours=72, tries=3_000)
    shift_us = now_us - 10 * 86_400_000_000 - START_US
    for row in log.rows:
        row["time_us"] = int(str(row["time_us"])) + shift_us
        row["user_agent"] = f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {row['user_agent']} Chrome/140.0"
    findings = hunt(log.table(), lambda _: None)
    write_findings(findings, folder, logs=["history"], broken=0)
    return str(findings.campaigns[0].campaign)


@pytest.fixture(name="details", scope="module")
def _details(site, folder):
    """Give the pages of one member, one case, one claim, the reports of a campaign, and two campaigns."""
    parts, campaign = site.parts, "cmp_0123456789abcdef0123456789abcdef"
    found = hunted(folder / "hunt", parts.clock.now_us())
    items = {
        Item.NAME: "山田 花子",
        Item.HOME_ADDRESS: "東京都千代田区千代田1-1",
        Item.EMAIL: "hana@example.jp",
    }
    now_us = parts.clock.now_us()

    def work(at):
        one = members.open_account(at, parts, language="ja")
        personal_data.store(at, parts.keyring, one.id, items, now_us)
        holds.place(at, parts, one.id, HoldKind.NUMBER_CHANGE, HoldScope.MONEY_OUT, reason="x", until_us=None)
        arrival = Arrival(ip="192.0.2.1", user_agent="Mozilla/5.0 (Windows NT 10.0) Chrome/140.0")
        device = devices.enrol(at, parts, one.id, arrival, Standing.TRUSTED).device
        birth = Birth(member_id=one.id, device_id=device.id, level=Level.CODE, arrival=arrival, risk=0.9)
        sessions.open_session(at, parts, birth)
        opening = Opening(
            kind=CaseKind.LOAN_DRAWN,
            reporter=Reporter.MEMBER,
            occasion="looks",
            member_id=one.id,
            campaign=campaign,
            loss_yen=120_000,
        )
        case = cases.open_case(at, parts, opening, by="sato")
        made = dict.fromkeys(("policy", "reason", "assessed_by", "decided_by", "posting"), "")
        made |= {"id": "clm_1", "case_id": case.id, "loss": "lev_1", "state": "made", "made_by": "sato"}
        yen = {"loss_yen": 120_000, "claimed_yen": 120_000, "lost_at_us": now_us, "made_at_us": now_us}
        at.execute(insert(claim).values(**made, **yen))
        return one.id, case.id

    member_id, case_id = parts.store.write(work).result()
    desk = ContainmentDesk(parts)
    begun = desk.begin(campaign, [Suspect(member_id, now_us, 0.7)], by="sato")
    # The browser's driver has a loop of its own in this thread.
    with ThreadPoolExecutor(1) as beside:
        beside.submit(asyncio.run, begun).result()
    return {
        "member": f"/lender/members/{member_id}",
        "case": f"/lender/cases/{case_id}",
        "claim": "/lender/claims/clm_1",
        "report": f"/lender/reports/{campaign}",
        "campaign": f"/lender/campaigns/{campaign}?as_of=2026-11-22T10:00",
        "hunted": f"/lender/campaigns/{found}",
        "one": f"/lender/campaigns/{campaign}/one?named={member_id}",
    }


@pytest.mark.parametrize(("size", "scheme", "language"), LOOKS)
@pytest.mark.parametrize("page", ["member", "case", "claim", "report", "campaign", "hunted", "one"])
def test_the_pages_of_one_thing_are_for_everybody(site, responder, details, page, size, scheme, language):
    check(site, responder, details[page], size, scheme, language)


@pytest.fixture(name="recovered", scope="module")
def _recovered(site, details):
    """Give the pages of a partner that was asked, of which money waits, some was booked, some turned down."""
    parts, books = site.parts, LenderLosses(open_house(site.parts))
    recoveries, receipts = RecoveryDesk(parts, books), ReceiptDesk(parts, books)
    made = dict.fromkeys(("policy", "reason", "decided_by", "posting"), "") | {"assessed_by": "sato"}
    made |= {"case_id": details["case"].rpartition("/")[2], "state": "paid", "made_by": "sato"}
    now_us = parts.clock.now_us()

    def pay(at, number, campaign):
        yen = {"loss_yen": 120_000, "claimed_yen": 120_000, "awarded_yen": 120_000}
        its = {"id": f"clm_paid_{number}", "loss": f"lev_paid_{number}", "decided_at_us": now_us}
        when = {"lost_at_us": now_us, "made_at_us": now_us, "posted_at_us": now_us}
        at.execute(insert(claim).values(**made, **yen, **its, **when))
        recovery_rows.begin(at, parts, (its["id"], "0125", campaign), 120_000)

    async def recover():
        for number, campaign in enumerate(("cmp_1", "cmp_1", "cmp_2")):
            await parts.written(lambda at, n=number, c=campaign: pay(at, n, c))
        wanted = Wanted("0125", "cmp_1", 50, "提携契約第12条")
        await recoveries.ask(wanted, await recoveries.asking(wanted), by="sato")
        entered = []
        for key, yen in (("B-1", 20_000), ("B-2", 30_000), ("B-3", 1_000)):
            came = Came("0125", None, Way.TRANSFER, key, yen, day_in_japan(now_us))
            entered.append(await receipts.enter(came, await receipts.counts_for(came), by="sato"))
        await receipts.book(entered[0].id, by="ito")
        await receipts.turn_down(entered[2].id, by="ito", why="typed wrongly")
        return [f"/lender/recoveries/{one.id}" for one in entered]

    with ThreadPoolExecutor(1) as beside:
        return beside.submit(asyncio.run, recover()).result()


@pytest.mark.parametrize(("size", "scheme", "language"), LOOKS)
def test_the_pages_of_recovery_are_for_everybody(site, responder, recovered, size, scheme, language):
    """All partners, one partner with its forms, and money that was booked, waits, and was turned down."""
    for path in ("/lender/recoveries", "/lender/recoveries/partner?of=0125", *recovered):
        check(site, responder, path, size, scheme, language)


@pytest.mark.parametrize(("size", "scheme", "language"), LOOKS)
def test_the_tables_of_a_campaign_are_for_everybody(site, responder, details, size, scheme, language):
    """Every count of the drawings, and every source, however narrow the screen."""
    check(site, responder, details["hunted"], size, scheme, language)
    for summary in responder.locator("main summary").all():
        summary.click()
    assert responder.locator("main table:visible").count() >= 6
    findings = Axe().run(responder).response["violations"]
    assert [f["id"] for f in findings if f["impact"] in SERIOUS] == []
    assert responder.evaluate("document.documentElement.scrollWidth") <= size[0]


@pytest.mark.parametrize(("size", "scheme", "language"), LOOKS)
@pytest.mark.parametrize("path", ["/login", "/enrol"])
def test_the_way_in_is_for_everybody(site, browser, path, size, scheme, language):
    check(site, new_context(browser).new_page(), path, size, scheme, language)


@pytest.fixture(name="through_glass", scope="module")
def _through_glass(site, browser, details):
    """Give the browser of an analyst to whom the member's record was opened, and the path of the glass."""
    analyst = enter(site, browser, "森", (StaffRole.ANALYST,))
    analyst.goto(f"{site.url}/lender/glass{details['member'].removeprefix('/lender')}")
    analyst.fill("#reason", "the desk is shut, and a victim stands at the machine now")
    analyst.click("main button.grave")
    analyst.click("form[data-passkey] button")
    analyst.wait_for_url(f"{site.url}{details['member']}")
    with site.parts.store.read() as connection:
        (pane,) = glass.unseen(connection)
    return analyst, f"/lender/glass/{pane.id}"


@pytest.mark.parametrize(("size", "scheme", "language"), LOOKS)
def test_the_pages_of_broken_glass_are_for_everybody(
    site, responder, through_glass, details, size, scheme, language
):
    """The refusal with its offer, the glass, the record behind it, and what auditors see."""
    analyst, broken = through_glass
    case = details["case"]
    for path in (case, f"/lender/glass{case.removeprefix('/lender')}", details["member"]):
        check(site, analyst, path, size, scheme, language)
    for path in ("/desks", "/lender", "/audit", broken):
        check(site, responder, path, size, scheme, language)


def test_a_passkey_sets_a_switch_and_another_one_approves_it(site, browser, responder):
    """In the browser, with its own passkeys: the page's script signs what the page shows."""
    responder.goto(f"{site.url}/lender/switches/new")
    responder.select_option("#function", "atm_withdrawal")
    responder.check("input[name=open_transfer_loan]")
    responder.fill("#reason", "codes were phished")
    responder.click("main .main")
    responder.wait_for_url("**/switches/preview")
    responder.click("form[data-passkey] button")
    responder.wait_for_url("**/switches/swt_*")
    page = responder.url
    assert responder.locator("form[action$='/approve']").count() == 0
    for size, scheme, language in (look.values for look in LOOKS):
        check(site, responder, page.removeprefix(site.url), size, scheme, language)
    approver = enter(site, browser, "鈴木", (StaffRole.APPROVER,))
    approver.goto(page)
    approver.click("form[action$='/approve'] button")
    approver.locator(".badge.doubt", has_text="停止中").wait_for()
