"""Applying on the pages: what is asked, each step, the documents before the signature, the signature."""

from html import unescape

import pytest
from sqlalchemy import select
from tests.test_access_coverage import form_of
from tests.web.lender_site import house_of, play
from tests.web.member_site import Forms, found

from sekisho.lender import application_rows as rows
from sekisho.lender.applications import Found, State
from sekisho.lender.contracts import contract_of
from sekisho.lender.refusal_reasons import reasons_in_words
from sekisho.storage.tables.members import member

TYPED = {
    "wanted": "50",
    "income": "400",
    "employer": "見本商事",
    "employed_years": "5",
    "owed": "",
    "due_day": "5",
}


async def begun(site, browser):
    """Open an account with a passkey, and type an application."""
    await site.sign_up(browser)
    authenticator = await site.make_passkey(browser)
    await browser.get("/apply")
    await site.approve(browser, authenticator)
    assert browser.path == "/apply"
    await browser.submit("/apply", **TYPED)
    return authenticator


def move(site, to, **changes):
    """Do what staff and the screening do behind the pages."""
    house = house_of(site)

    def work(connection):
        application = rows.newest_of(connection, house.keyring, member_of(connection))
        assert application is not None
        rows.move(connection, house.parts, application, to, **changes)

    house.store.write(work).result()


def member_of(connection):

    return connection.execute(select(member.c.id)).scalar_one()


def test_from_the_form_to_the_contract(tmp_path):
    """The document is there before the signature, the passkey approves exactly it, and a line is open."""

    async def scene(site):
        browser = site.browser()
        authenticator = await begun(site, browser)
        assert "A line of" in browser.page.text
        assert "¥500,000" in browser.page.text
        await browser.submit("/apply/submit")
        assert 'data-state="submitted"' in browser.page.text
        move(site, State.IDENTITY_CHECKED)
        assert "screened" in (await browser.get("/apply")).text
        move(site, State.GRANTED, limit_yen=500_000, rate=17_800, terms_id="line-2025")
        assert "17.8%" in (await browser.get("/apply")).text
        await browser.submit("/apply/documents", consent="yes")
        document = found(r'href="(/apply/documents/[^"]+)"', browser.page.text)
        assert "/apply/sign" not in Forms(browser.page.text).fields
        pdf = await browser.get(document)
        assert pdf.content.startswith(b"%PDF-")
        await browser.get("/apply")
        await browser.get(found(r'href="(/step-up\?wish=contract:[^"]+)"', browser.page.text))
        assert "500,000" in browser.page.text
        await site.approve(browser, authenticator)
        assert (await browser.submit("/apply/sign")).status_code == 200
        assert 'data-state="signed"' in browser.page.text
        house = house_of(site)
        with house.store.read() as connection:
            contract = contract_of(connection, member_of(connection))
        assert contract is not None
        assert (contract.limit_yen, contract.rate) == (500_000, 17_800)

    play(tmp_path, scene)


def test_without_consent_no_document_is_shown(tmp_path):
    """Paper is the way then."""

    async def scene(site):
        browser = site.browser()
        await begun(site, browser)
        await browser.submit("/apply/submit")
        move(site, State.IDENTITY_CHECKED)
        move(site, State.GRANTED, limit_yen=500_000, rate=17_800, terms_id="line-2025")
        await browser.get("/apply")
        await browser.submit("/apply/documents")
        assert 'data-state="granted"' in browser.page.text

    play(tmp_path, scene)


def test_an_approval_of_something_else_signs_nothing(tmp_path):
    """The passkey that showed the page has approved the look, not the contract."""

    async def scene(site):
        browser = site.browser()
        await begun(site, browser)
        await browser.submit("/apply/submit")
        move(site, State.IDENTITY_CHECKED)
        move(site, State.GRANTED, limit_yen=500_000, rate=17_800, terms_id="line-2025")
        await browser.get("/apply")
        await browser.submit("/apply/documents", consent="yes")
        application = found(r"wish=contract:(\w+)", browser.page.text)
        fields = {"application": application} | form_of(site, browser, "/apply/sign")
        assert (await browser.post("/apply/sign", fields)).url.path == "/step-up"
        with house_of(site).store.read() as connection:
            assert contract_of(connection, member_of(connection)) is None

    play(tmp_path, scene)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"wanted": "0"}, "wanted"),
        ({"wanted": "x"}, "wanted"),
        ({"income": ""}, "income"),
        ({"employer": " "}, "employer"),
        ({"employed_years": "-1"}, "employed_years"),
        ({"due_day": "6"}, "due_day"),
    ],
)
def test_what_cannot_be_taken_is_told_at_its_field(tmp_path, changes, field):
    """With what was typed."""

    async def scene(site):
        browser = site.browser()
        await site.sign_up(browser)
        authenticator = await site.make_passkey(browser)
        await browser.get("/apply")
        await site.approve(browser, authenticator)
        page = await browser.submit("/apply", **(TYPED | changes))
        assert page.status_code == 422
        assert f'id="{field}-error"' in page.text

    play(tmp_path, scene)


def test_a_refusal_says_why_and_an_application_can_be_taken_back(tmp_path):
    """In words, without the figures that the rules stand on."""

    async def scene(site):
        browser = site.browser()
        await begun(site, browser)
        await browser.submit("/apply/withdraw")
        assert browser.path == "/loan"
        await browser.get("/apply")
        await browser.submit("/apply", **TYPED)
        await browser.submit("/apply/submit")
        move(site, State.IDENTITY_CHECKED)
        findings = Found(verdict="refused", findings=("above_a_third",), query_id="q", income_proven=False)
        move(site, State.REFUSED, found=findings)
        page = (await browser.get("/apply")).text
        assert 'data-state="refused"' in page
        with house_of(site).store.read() as connection:
            ended = rows.newest_of(connection, house_of(site).keyring, member_of(connection))
        assert ended is not None
        assert [unescape(reason) in unescape(page) for reason in reasons_in_words(ended, "en")] == [True]

    play(tmp_path, scene)


def test_a_phished_session_reads_and_makes_no_application(tmp_path):
    """It is sent to the proof, whatever it asks for."""

    async def scene(site):
        owner = site.browser()
        number, mobile = await site.sign_up(owner)
        thief = site.browser("198.51.100.9")
        await site.log_in(thief, number, mobile)
        await thief.get("/apply")
        assert thief.path.startswith("/step-up")
        answer = await thief.post("/apply", TYPED | {"key": "k"} | form_of(site, thief, "/apply"))
        assert answer.url.path == "/step-up"
        with house_of(site).store.read() as connection:
            assert rows.newest_of(connection, house_of(site).keyring, member_of(connection)) is None

    play(tmp_path, scene)
