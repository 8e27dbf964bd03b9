"""Reports and the audit at the desks: drawn up, compared, taken along; searched, verified, and broken."""

import json

from sqlalchemy import text
from tests.web.desks_site import DesksSite, at_the_desks
from tests.web.test_desks_campaigns import CAMPAIGN, PAGE, entered

from sekisho.console.rights import StaffRole
from sekisho.console.standing import standing_at
from sekisho.response import audit

RESPONDER = {"lender": (StaffRole.RESPONDER,)}
AUDITOR = {"lender": (StaffRole.AUDITOR,)}
REPORTS = f"/lender/reports/{CAMPAIGN}"


async def contained(site: DesksSite):
    """Contain a campaign of two, and return the browser of who did it."""
    entered(site, 0.97)
    entered(site, 0.98)
    browser, passkey = await site.at_work("Sato", RESPONDER)
    await browser.get(PAGE)
    await site.approve_deed(browser, passkey, f"{PAGE}/contain")
    await site.desks.runs.quiet()
    return browser, passkey


def acts(site: DesksSite, act: str):
    with site.lender.store.read() as connection:
        return audit.search(connection, act=act)


async def drawn(site: DesksSite, browser, passkey, **typed: str) -> None:
    await browser.get(REPORTS)
    await browser.submit(REPORTS, **typed)
    await site.approve_deed(browser, passkey, REPORTS)
    assert browser.page.status_code == 200, browser.page.text


def test_a_report_is_drawn_up_taken_sent_and_compared_with_what_was_sent(tmp_path):
    async def scene(site: DesksSite) -> None:
        browser, passkey = await contained(site)
        await drawn(site, browser, passkey, paper="breach_preliminary")
        pdf = await browser.client.get(f"{REPORTS}/breach_preliminary/1")
        assert pdf.headers["content-type"] == "application/pdf"
        assert pdf.content.startswith(b"%PDF")
        assert "attachment" in pdf.headers["content-disposition"]
        sent = f"{REPORTS}/breach_preliminary/1/sent"
        await browser.submit(sent)
        await site.approve_deed(browser, passkey, sent)
        await drawn(site, browser, passkey, paper="breach_preliminary", cause="<b>leaked lists</b>")
        assert "from version 1, which was sent" in browser.page.text
        assert "&lt;b&gt;leaked lists" in browser.page.text
        assert [each.subject.rpartition(":")[2] for each in acts(site, "report:made")] == ["2", "1"]
        assert len(acts(site, "report:taken")) == 1

    at_the_desks(tmp_path, scene)


def test_every_paper_can_be_drawn_up(tmp_path):
    async def scene(site: DesksSite) -> None:
        browser, passkey = await contained(site)
        for paper in ("breach_final", "police", "public"):
            await drawn(site, browser, passkey, paper=paper)
            assert (await browser.client.get(f"{REPORTS}/{paper}/1")).status_code == 200
        await drawn(site, browser, passkey, paper="partner", partner="9901", partner_name="みさき銀行")
        assert (await browser.client.get(f"{REPORTS}/partner_9901/1")).status_code == 200

    at_the_desks(tmp_path, scene)


def test_a_report_about_nothing_or_out_of_nonsense_is_refused(tmp_path):
    async def scene(site: DesksSite) -> None:
        browser, passkey = await contained(site)
        wrong = (
            {"paper": "nonsense"},
            {"paper": "partner"},
            {"paper": "police", "known_on": "yesterday"},
            {"paper": "police", "cause": "x" * 3_000},
        )
        for typed in wrong:
            await browser.get(REPORTS)
            assert (await browser.submit(REPORTS, **typed)).status_code == 422, typed
        await browser.get(REPORTS)
        await browser.submit(REPORTS, paper="partner", partner="../../etc")
        await site.approve_deed(browser, passkey, REPORTS)
        assert browser.page.status_code == 404
        for path in ("cmp_0", f"{CAMPAIGN}/police/1", f"{CAMPAIGN}/x%22y/9"):
            assert (await browser.get(f"/lender/reports/{path}")).status_code == 404, path
        assert (await browser.get("/lender/reports?about=case_1")).status_code == 404

    at_the_desks(tmp_path, scene)


def test_an_auditor_reads_takes_along_and_verifies(tmp_path):
    async def scene(site: DesksSite) -> None:
        await contained(site)
        browser, _ = await site.at_work("Ito", AUDITOR)
        assert "/lender/audit" in (await browser.get("/audit")).text
        await browser.get("/lender/audit?act=containment:")
        assert "containment:" in browser.page.text
        assert "Sato" in browser.page.text
        await browser.submit("/lender/audit/export")
        lines = [json.loads(line) for line in browser.page.text.splitlines()]
        assert [line["position"] for line in lines] == list(range(1, len(lines) + 1))
        assert lines[-1]["act"] == "audit:exported"
        await browser.get("/lender/audit")
        await browser.submit("/lender/audit/verify")
        assert "Everything holds" in browser.page.text

    at_the_desks(tmp_path, scene)


def test_the_page_says_where_the_chain_breaks(tmp_path):
    async def scene(site: DesksSite) -> None:
        await contained(site)
        change = text("UPDATE staff_act SET reason = 'nothing to see' WHERE position = 1")
        site.lender.store.write(lambda at: at.execute(change)).result()
        browser, _ = await site.at_work("Ito", AUDITOR)
        await browser.get("/lender/audit")
        await browser.submit("/lender/audit/verify")
        assert "act 1: the chain is broken" in browser.page.text

    at_the_desks(tmp_path, scene)


def test_a_hostile_search_of_the_audit_finds_nothing_and_says_nothing(tmp_path):
    async def scene(site: DesksSite) -> None:
        await contained(site)
        browser, _ = await site.at_work("Ito", AUDITOR)
        hostile = await browser.get(
            "/lender/audit?act=%25&actor=%27%20OR%201&before=never&subject=%3Cscript%3E"
        )
        assert "Nothing is on record of this." in hostile.text
        assert "<script>" not in hostile.text.replace("<script src", "")

    at_the_desks(tmp_path, scene)


def test_the_overview_counts_what_was_drawn_up_and_not_sent(tmp_path):
    """A version that was drawn up again is no work left over; and the cases of a containment are nobody's."""

    async def scene(site: DesksSite) -> None:
        browser, passkey = await contained(site)
        now_us = site.clock.now_us()
        for _ in range(2):
            await drawn(site, browser, passkey, paper="police")
        assert waiting(site, now_us) == {"reports": 1, "cases_nobodys": 2}
        sent = f"{REPORTS}/police/2/sent"
        await browser.get(REPORTS)
        await browser.submit(sent)
        await site.approve_deed(browser, passkey, sent)
        assert waiting(site, now_us) == {"cases_nobodys": 2}

    at_the_desks(tmp_path, scene)


def waiting(site: DesksSite, now_us):
    """Return the work that waits at the lender."""
    with site.lender.store.read() as connection:
        return {one.what: one.many for one in standing_at(now_us, "nobody")(connection).work}
