"""Cases and claims at the desks: reported by anybody, brought from stage to stage, made good by two."""

import re

from sqlalchemy import select
from tests.lender.lender_at_hand import open_lender
from tests.web.desks_site import DesksSite, at_the_desks
from tests.web.member_site import Browser

from sekisho.console import staff
from sekisho.console.rights import StaffRole
from sekisho.identity import personal_data
from sekisho.identity.personal_data import Item
from sekisho.kernel.clock import DAY_US, HOUR_US
from sekisho.response import audit, cases, claims
from sekisho.storage.tables.cases import case_file
from sekisho.storage.tables.lender import loan_event

DESK = {"lender": (StaffRole.DESK,)}
APPROVER = {"lender": (StaffRole.APPROVER,)}
BOTH = {"lender": (StaffRole.DESK, StaffRole.APPROVER)}
NEW, CASES = "/lender/cases/new", "/lender/cases"
WHY = "the depositor called again"
STRANGER = {
    "kind": "money_taken",
    "reporter": "non_member",
    "name": "鈴木 一郎",
    "contact": "090-0000-0000",
    "address": "大阪府大阪市北区1-1",
    "text": "<b>somebody</b> drew from my account",
    "loss": "120,000",
}


async def opened(site: DesksSite, browser: Browser, passkey, **typed: str) -> str:
    """Open a case and return its page."""
    await browser.get(NEW)
    await browser.submit(CASES, **typed)
    await site.approve_deed(browser, passkey, CASES)
    assert re.fullmatch(r"/lender/cases/case_\w+", browser.path), browser.page.text
    return browser.path


def acts(site: DesksSite, act: str):
    with site.lender.store.read() as connection:
        return audit.search(connection, act=act)


def test_who_is_no_member_reports_as_a_member_does(tmp_path):
    """What they said is sealed, and shown for a reason that a passkey approved."""

    async def scene(site: DesksSite) -> None:
        browser, passkey = await site.at_work("Sato", DESK)
        page = await opened(site, browser, passkey, **STRANGER)
        assert "鈴木" not in browser.page.text
        assert "120,000 yen" in browser.page.text
        await browser.submit(f"{page}/open", reason=WHY)
        assert "鈴木" not in browser.page.text
        await site.approve_deed(browser, passkey, f"{page}/open")
        assert "鈴木 一郎" in browser.page.text
        assert "&lt;b&gt;somebody" in browser.page.text
        (seen,) = acts(site, "case:seen")
        assert seen.reason == WHY

    at_the_desks(tmp_path, scene)


def test_a_form_opens_one_case_however_often_it_is_sent(tmp_path):
    async def scene(site: DesksSite) -> None:
        browser, passkey = await site.at_work("Sato", DESK)
        await browser.get(NEW)
        form = browser.page
        for _ in range(2):
            browser.page = form
            await browser.submit(CASES, **STRANGER)
            await site.approve_deed(browser, passkey, CASES)
            assert browser.page.status_code == 200
        with site.lender.store.read() as connection:
            assert len(connection.execute(select(case_file.c.id)).all()) == 1

    at_the_desks(tmp_path, scene)


def test_what_can_t_be_opens_no_case(tmp_path):
    async def scene(site: DesksSite) -> None:
        browser, _ = await site.at_work("Sato", DESK)
        wrong = (
            {"name": ""},
            {"kind": "nonsense"},
            {"reporter": "system"},
            {"reporter": "member"},
            {"reporter": "partner"},
            {"loss": "-5"},
            {"loss": "１２"},  # noqa: RUF001 - full-width, as people type it
            {"as_of": "99999-01-01T00:00"},
            {"name": "x" * 400},
            {"member": "nobody@example.jp"},
        )
        for one in wrong:
            await browser.get(NEW)
            await browser.submit(CASES, **(STRANGER | one))
            assert browser.page.status_code == 422, one
            assert "deed=" not in browser.page.text
            assert "drew from my account" in browser.page.text

    at_the_desks(tmp_path, scene)


def test_a_case_goes_from_stage_to_stage_and_keeps_what_it_was(tmp_path):
    async def scene(site: DesksSite) -> None:
        browser, passkey = await site.at_work("Sato", DESK)
        page = await opened(site, browser, passkey, **STRANGER)
        step = {"stage": "confirmed", "amount": "110,000", "basis": "bank's statement", "why": "<i>"}
        await browser.submit(f"{page}/step", **step)
        await site.approve_deed(browser, passkey, f"{page}/step", amount="1")
        assert browser.page.status_code == 401
        await browser.get(page)
        await browser.submit(f"{page}/step", **step)
        await site.approve_deed(browser, passkey, f"{page}/step")
        assert "confirmed · 110,000 yen" in browser.page.text
        assert "declared · 120,000 yen" in browser.page.text
        await browser.submit(f"{page}/step", **(step | {"stage": "declared"}))
        await site.approve_deed(browser, passkey, f"{page}/step")
        assert browser.page.status_code == 409
        await browser.get(page)
        later = await browser.submit(f"{page}/step", **(step | {"as_of": "2099-01-01T00:00"}))
        assert later.status_code == 422

    at_the_desks(tmp_path, scene)


def test_the_queue_has_mine_and_nobody_s_and_says_what_is_late(tmp_path):
    async def scene(site: DesksSite) -> None:
        browser, passkey = await site.at_work("Sato", DESK)
        page = await opened(site, browser, passkey, **STRANGER)
        other, _ = await site.at_work("Ito", APPROVER)
        assert page not in (await browser.get(f"{CASES}?whose=mine")).text
        assert page in (await browser.get(f"{CASES}?whose=nobody")).text
        who = found_option(await browser.get(page), "Sato")
        await browser.submit(f"{page}/assign", to=who)
        await site.approve_deed(browser, passkey, f"{page}/assign")
        assert page in (await browser.get(f"{CASES}?whose=mine")).text
        site.clock.advance(10 * HOUR_US)
        with site.lender.store.read() as connection:
            (one,) = cases.queue(connection)
        site.clock.set(one.due_at_us + 1)
        again = site.browser()
        await site.log_in_by_passkey(again, passkey)
        assert "late since" in (await again.get(CASES)).text
        assert (await other.get(NEW)).status_code in {303, 401, 403, 200}
        assert "Open a case" not in other.page.text

    at_the_desks(tmp_path, scene)


def found_option(page, name: str) -> str:
    match = re.search(rf'<option value="(mem_\w+)">{name}<', page.text)
    assert match
    return match[1]


def test_nobody_gets_a_case_who_handles_none(tmp_path):
    async def scene(site: DesksSite) -> None:
        browser, passkey = await site.at_work("Sato", DESK)
        page = await opened(site, browser, passkey, **STRANGER)
        await site.at_work("Ito", APPROVER)
        approver = next(each.id for each in await site_staff(site) if each.name == "Ito")
        for to in (approver, "", "mem_nobody", "../x"):
            await browser.get(page)
            assert (await browser.submit(f"{page}/assign", to=to)).status_code == 422, to

    at_the_desks(tmp_path, scene)


async def site_staff(site: DesksSite):
    return await site.site.parts.read(staff.all_staff)


def test_notes_are_sealed_and_kept(tmp_path):
    async def scene(site: DesksSite) -> None:
        browser, passkey = await site.at_work("Sato", DESK)
        page = await opened(site, browser, passkey, **STRANGER)
        await browser.submit(f"{page}/note", kind="call", text="asked for the statement")
        await site.approve_deed(browser, passkey, f"{page}/note")
        assert "asked for the statement" not in browser.page.text
        await browser.submit(f"{page}/open", reason=WHY)
        await site.approve_deed(browser, passkey, f"{page}/open")
        assert "asked for the statement" in browser.page.text
        await browser.get(page)
        assert (await browser.submit(f"{page}/note", kind="system", text="x")).status_code == 422

    at_the_desks(tmp_path, scene)


def test_what_a_thief_borrowed_is_claimed_assessed_and_paid_by_a_second_person(tmp_path):
    """Over the lender's books: the loan is taken back, the letter written, the total counted."""
    lent = open_lender(tmp_path)
    lent.register()
    lent.clock.advance(4 * DAY_US)
    address = {Item.HOME_ADDRESS: "宮城県仙台市青葉区1-1", Item.NAME: "山田 花子"}
    keyring = lent.house.keyring
    lent.house.store.write(
        lambda at: personal_data.store(at, keyring, lent.member_id, address, lent.clock.now_us())
    ).result()
    lent.lend(100_000)
    with lent.house.store.read() as connection:
        loss = connection.execute(select(loan_event.c.id)).scalar_one()

    async def scene(site: DesksSite) -> None:
        browser, passkey = await site.at_work("Sato", BOTH)
        typed = {
            "reporter": "member",
            "kind": "loan_drawn",
            "member": lent.member_id,
            "loss": "100000",
            "campaign": "cmp_1",
        }
        page = await opened(site, browser, passkey, **typed)
        assert loss in browser.page.text
        await browser.submit(f"{page}/claims", loss=loss, claimed="100000")
        await site.approve_deed(browser, passkey, f"{page}/claims")
        claim = browser.path
        assert claim.startswith("/lender/claims/clm_"), browser.page.text
        await browser.submit(f"{claim}/assess", fault="gross_negligence", share="100", why="told a code")
        await site.approve_deed(browser, passkey, f"{claim}/assess")
        assert browser.page.status_code == 409
        await browser.get(claim)
        await browser.submit(f"{claim}/assess", fault="no_fault", share="100", why="entered in the campaign")
        await site.approve_deed(browser, passkey, f"{claim}/assess")
        assert f'action="{claim}/decide"' not in browser.page.text
        second, seal = await site.at_work("Ito", APPROVER)
        await second.get(claim)
        assert f'action="{claim}/assess"' not in second.page.text
        await second.submit(f"{claim}/decide", what="pay")
        assert "100,000" in second.page.text
        await site.approve_deed(second, seal, f"{claim}/decide")
        assert "written" in second.page.text
        with site.lender.store.read() as connection:
            total = claims.compensated(connection, as_of_us=site.clock.now_us(), campaign="cmp_1")
        assert (total.claims, total.yen) == (1, 100_000)
        assert "100,000 yen" in (await second.get("/lender/claims")).text
        lent.audit()

    at_the_desks(tmp_path, scene, lent.house.parts)


def test_one_person_with_both_roles_does_not_decide_their_own_assessment(tmp_path):
    """Also where the form is posted past the page, which does not offer it."""
    lent = open_lender(tmp_path)
    lent.register()
    lent.clock.advance(4 * DAY_US)
    lent.lend(100_000)
    with lent.house.store.read() as connection:
        loss = connection.execute(select(loan_event.c.id)).scalar_one()

    async def scene(site: DesksSite) -> None:
        browser, passkey = await site.at_work("Sato", BOTH)
        page = await opened(
            site, browser, passkey, reporter="member", kind="loan_drawn", member=lent.member_id
        )
        above = await browser.submit(f"{page}/claims", loss=loss, claimed="100001")
        await site.approve_deed(browser, passkey, f"{page}/claims")
        assert browser.page.status_code == 409, above.text
        await browser.get(page)
        await browser.submit(f"{page}/claims", loss=loss, claimed="100000")
        await site.approve_deed(browser, passkey, f"{page}/claims")
        claim = browser.path
        assessed = {"fault": "no_fault", "share": "100", "why": "entered"}
        other, seal = await site.at_work("Ito", BOTH)
        await other.get(claim)
        await other.submit(f"{claim}/assess", **assessed)
        await site.approve_deed(other, seal, f"{claim}/assess")
        await browser.get(claim)
        await browser.submit(f"{claim}/assess", **assessed)
        waiting = browser.page
        # Meanwhile the page of the other one offers a decision, since this one assessed last.
        await site.approve_deed(browser, passkey, f"{claim}/assess")
        assert waiting.status_code == 200
        await other.get(claim)
        await other.submit(f"{claim}/decide", what="pay")
        shown = other.page
        await other.get(claim)
        await other.submit(f"{claim}/assess", **assessed)
        await site.approve_deed(other, seal, f"{claim}/assess")
        other.page = shown
        await site.approve_deed(other, seal, f"{claim}/decide")
        assert other.page.status_code == 403
        with site.lender.store.read() as connection:
            assert claims.compensated(connection, as_of_us=site.clock.now_us()).claims == 0

    at_the_desks(tmp_path, scene, lent.house.parts)
