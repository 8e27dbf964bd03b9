"""The loan's pages: figures after a proof alone, history by month, statements as files."""

import csv
import io

import pytest
from sqlalchemy import select
from tests.web.lender_site import house_of, line_of, play
from tests.web.member_site import found, options

from sekisho.lender.contracts import ContractState, set_state
from sekisho.storage.tables.personal_data import reveal
from sekisho.web.lender.statement_files import guarded

FIGURES = ("loan_balance", "payment_information", "transaction_history")


async def with_loan(site, browser, yen=100_000, **options):
    """Open an account with a passkey and a line, and borrow."""
    number, _ = await site.sign_up(browser)
    authenticator = await site.make_passkey(browser)
    line = line_of(house_of(site), number, **options)
    if yen:
        line.borrow("first", yen)
    return line, authenticator


async def prove(site, browser, authenticator):
    """Approve with the passkey that the figures are shown."""
    await browser.get("/step-up?wish=loan")
    await site.approve(browser, authenticator)
    assert browser.path == "/loan"


def looks(site, form):
    with site.site.parts.store.read() as connection:
        rows = connection.execute(select(reveal).where(reveal.c.form == form)).all()
    return [(row.item, row.reason) for row in rows]


def test_a_member_without_a_contract_is_told_so(tmp_path):
    """And is shown the way to one."""

    async def scene(site):
        browser = site.browser()
        await site.sign_up(browser)
        page = await browser.get("/loan")
        assert "You have no contract with us yet." in page.text
        assert 'href="/diagnosis"' in page.text

    play(tmp_path, scene)


def test_a_line_that_lends_no_more_says_why_and_how_it_goes_on(tmp_path):
    """The way to borrowing is gone, the one to repaying is there."""

    async def scene(site):
        browser = site.browser()
        line, authenticator = await with_loan(site, browser)
        closed = ContractState.CLOSED_TO_BORROWING
        house_of(site).store.write(lambda at: set_state(at, line.contract_id, closed)).result()
        await prove(site, browser, authenticator)
        page = browser.page.text
        assert "late on our side" in page
        assert 'href="/borrow"' not in page
        assert 'id="next-title"' not in page
        assert "¥400,000" not in page
        assert 'href="/repay"' in page

    play(tmp_path, scene)


def test_the_figures_are_masked_until_a_proof(tmp_path):
    """The page without a fresh proof holds no figure; with one it shows them, and both are on record."""

    async def scene(site):
        browser = site.browser()
        _, authenticator = await with_loan(site, browser)
        site.wait(301)
        masked = (await browser.get("/loan")).text
        assert "¥" not in masked
        assert {item for item, reason in looks(site, "masked") if reason == "member:loan"} == set(FIGURES)
        assert looks(site, "shown") == []
        await prove(site, browser, authenticator)
        assert "¥100,000" in browser.page.text
        assert sorted(looks(site, "shown")) == sorted((item, "member:loan") for item in FIGURES)

    play(tmp_path, scene)


def test_a_phished_code_shows_no_figure(tmp_path):
    """A password and a relayed code open a session in which the loan stays masked, whatever is asked for."""

    async def scene(site):
        owner = site.browser()
        number, mobile = await site.sign_up(owner)
        line_of(house_of(site), number).borrow("first", 123_000)
        thief = site.browser("198.51.100.9")
        await site.log_in(thief, number, mobile)
        assert "123,000" not in (await thief.get("/loan")).text
        for path in ("/loan/history", "/loan/history/2026-11/csv", "/loan/history/2026-11/pdf", "/profile"):
            page = await thief.get(path)
            assert "123,000" not in page.text, path
            assert thief.path.startswith(("/step-up", "/profile")), path
        assert looks(site, "shown") == []

    play(tmp_path, scene)


def test_one_code_shows_all_figures_on_a_trusted_device(tmp_path):
    """Balance, payments and history follow from each other: one approval, told as one."""

    async def scene(site):
        browser = site.browser()
        number, mobile = await site.sign_up(browser)
        line_of(house_of(site), number).borrow("first", 50_000)
        site.wait(600)
        await browser.get("/step-up?wish=loan")
        assert "show your loan" in browser.page.text
        await browser.submit("/step-up/code/send")
        site.wait(20)
        await browser.submit("/step-up/code", code=site.code_to(mobile))
        assert browser.path == "/loan"
        assert "¥50,000" in browser.page.text
        assert "¥50,000" in (await browser.get("/profile/loan_balance")).text

    play(tmp_path, scene)


def test_the_next_borrowing_s_effect_is_told_also_where_it_lowers_the_payment(tmp_path):
    """At 300,000 yen the payment is 11,000; a thousand more and it is 8,000."""

    async def scene(site):
        browser = site.browser()
        _, authenticator = await with_loan(site, browser, 300_000)
        await prove(site, browser, authenticator)
        page = (await browser.get("/loan")).text
        assert "¥11,000" in page
        row = found(r'(<tr class="falls">.*?</tr>)', page.replace("\n", " "))
        assert "¥1,000<" in row
        assert "¥8,000<" in row
        assert "less than now" in row

    play(tmp_path, scene)


def test_what_is_late_is_told_first(tmp_path):
    """After the due date the page says so, and what the delay costs is a figure of its own."""

    async def scene(site):
        browser = site.browser()
        line, authenticator = await with_loan(site, browser)
        site.wait(60 * 86_400)
        number = found(r"(\d{12})", (await sign_in_again(browser, authenticator)).text)
        assert number
        page = (await browser.get("/loan")).text
        assert 'role="alert"' in page
        assert "for the delay" in page
        assert line.contract_id not in page

    play(tmp_path, scene)


async def sign_in_again(browser, authenticator):
    """Log in with the passkey, and show the member's number."""
    await browser.get("/login")
    page = browser.page
    begun = await options(browser, "/login/passkey/options")
    browser.page = page
    body = authenticator.get(begun["options"]).decode()
    await browser.submit("/login/passkey", ceremony=begun["ceremony"], credential=body)
    return await browser.get("/profile/member_number")


def test_the_profile_s_items_are_true(tmp_path):
    """What the profile shows of the loan comes from the books."""

    async def scene(site):
        browser = site.browser()
        line, authenticator = await with_loan(site, browser)
        site.wait(1)
        line.repay("back", 30_000)
        await prove(site, browser, authenticator)
        assert (await browser.get("/profile")).text.count("●●●●") >= len(FIGURES)
        assert "¥70,000 owed" in (await browser.get("/profile/loan_balance")).text
        assert "¥4,000 a month" in (await browser.get("/profile/payment_information")).text
        history = (await browser.get("/profile/transaction_history")).text
        assert "Repaid by debit ¥30,000" in history

    play(tmp_path, scene)


def test_a_month_as_a_table_and_as_a_page(tmp_path):
    """The CSV says what the page says; it begins with a byte order mark; the PDF is one."""

    async def scene(site):
        browser = site.browser(language="ja")
        line, authenticator = await with_loan(site, browser)
        site.wait(1)
        line.repay("back", 30_000)
        await prove(site, browser, authenticator)
        page = await browser.get("/loan/history")
        month = found(r"/loan/history/(\d{4}-\d\d)/csv", page.text)
        assert "30,000円" in page.text
        table = await browser.get(f"/loan/history/{month}/csv")
        assert table.headers["content-disposition"] == f'attachment; filename="statement-{month}.csv"'
        assert table.content.startswith(b"\xef\xbb\xbf")
        rows = list(csv.reader(io.StringIO(table.content.decode("utf-8-sig"))))
        assert [row[1] for row in rows] == ["お取引", "お借入れ", "ご返済"]
        assert [row[3] for row in rows[1:]] == ["100000", "30000"]
        assert rows[-1][-1] == "70000"
        pdf = await browser.get(f"/loan/history/{month}/pdf")
        assert pdf.content.startswith(b"%PDF-")
        assert (await browser.get("/loan/history/2026-13/csv")).status_code == 404
        reasons = {reason for _, reason in looks(site, "shown")}
        assert {"member:statement:page", "member:statement:csv", "member:statement:pdf"} <= reasons

    play(tmp_path, scene)


def test_another_site_makes_no_look(tmp_path):
    """A page elsewhere that has the browser fetch a statement leaves no trace of the member's."""

    async def scene(site):
        browser = site.browser(follow=False)
        browser.client.follow_redirects = True
        await with_loan(site, browser)
        browser.client.follow_redirects = False
        answer = await browser.get("/loan/history/2026-11/csv", **{"Sec-Fetch-Site": "cross-site"})
        assert answer.headers["location"] == "/loan"
        assert looks(site, "shown") == []

    play(tmp_path, scene)


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "\tx", "\uff1d1", " =1"])
def test_no_cell_is_a_formula(cell):
    """Spreadsheet programs run what begins like one."""
    assert guarded(cell) == f"'{cell}"


def test_other_cells_stay_as_they_are():
    """Words and days."""
    assert guarded("ご返済") == "ご返済"
    assert guarded("2026-11-21") == "2026-11-21"
