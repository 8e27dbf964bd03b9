"""A newer income on its pages: declared after a proof, where it stands, and what came of it."""

import asyncio

import pytest
from tests.web.lender_site import house_of, play
from tests.web.test_lender_loan import prove, with_loan

from sekisho.kernel.yen import Yen
from sekisho.lender.contracts import ContractState, set_state
from sekisho.lender.income_checks import IncomeDocument
from sekisho.lender.income_renewal_desk import IncomeReadingDesk
from sekisho.lender.income_renewals import NotTaken

PATH = "/loan/income"


async def ready(site, browser):
    """Make a member with a line, and figures on the screen."""
    line, authenticator = await with_loan(site, browser)
    await prove(site, browser, authenticator)
    await browser.get(PATH)
    return line


async def waiting(site):
    """Return what waits for a person, and the desk where it is read."""
    desk = IncomeReadingDesk(house_of(site))
    (sight,) = await desk.waiting()
    return desk, sight.renewal


async def declare(browser, **typed):
    return await browser.submit(PATH, **({"income": "600", "paper": "withholding_slip"} | typed))


def test_what_is_declared_waits_for_its_document_and_is_read(tmp_path):
    async def scene(site):
        browser = site.browser()
        await ready(site, browser)
        page = await declare(browser)
        assert browser.path == PATH
        assert 'data-state="a_person_reads"' in page.text
        assert "¥6,000,000" in page.text
        assert "0120-000-000" in page.text
        desk, renewal = await waiting(site)
        await desk.read(renewal.id, IncomeDocument(staff_id="aoki", reference="s", income=Yen(5_100_000)))
        page = await browser.get(PATH)
        assert 'data-state="proven"' in page.text
        assert "¥5,100,000" in page.text

    play(tmp_path, scene)


@pytest.mark.parametrize(
    ("typed", "wrong"),
    [({"income": "much"}, "income"), ({"income": "0"}, "income"), ({"paper": "letter"}, "paper")],
)
def test_what_cannot_be_taken_is_told_at_its_field(tmp_path, typed, wrong):
    async def scene(site):
        browser = site.browser()
        await ready(site, browser)
        page = await declare(browser, **typed)
        assert page.status_code == 422
        assert f'id="{wrong}-error"' in page.text
        assert page.text.count('class="error"') == 1

    play(tmp_path, scene)


def test_a_declaration_can_be_taken_back_and_made_anew(tmp_path):
    async def scene(site):
        browser = site.browser()
        await ready(site, browser)
        await declare(browser)
        page = await browser.submit("/loan/income/withdraw")
        assert 'name="income"' in page.text
        page = await declare(browser, paper="tax_return")
        assert "Tax return" in page.text

    play(tmp_path, scene)


@pytest.mark.parametrize("why", list(NotTaken))
def test_a_document_that_proves_nothing_is_told_with_its_reason(tmp_path, why):
    async def scene(site):
        browser = site.browser()
        await ready(site, browser)
        await declare(browser)
        desk, renewal = await waiting(site)
        await desk.refuse(renewal.id, why, by="aoki")
        page = await browser.get(PATH)
        assert 'data-state="refused"' in page.text
        assert 'name="income"' in page.text

    play(tmp_path, scene)


def test_a_stolen_session_declares_nothing_and_sees_nothing(tmp_path):
    """Without a proof of who is there, the page is not shown and nothing is taken."""

    async def scene(site):
        browser = site.browser()
        await ready(site, browser)
        form = browser.page
        site.wait(301)
        browser.page = form
        await declare(browser)
        assert browser.path.startswith("/step-up?wish=loan:income")
        assert await IncomeReadingDesk(house_of(site)).waiting() == []

    play(tmp_path, scene)


def test_the_page_of_a_closed_loan_leads_to_it_and_a_loan_that_is_over_leads_back(tmp_path):
    async def scene(site):
        browser = site.browser()
        line = await ready(site, browser)
        assert f'href="{PATH}"' in (await browser.get("/loan")).text
        house = house_of(site)
        ended = ContractState.ENDED
        await asyncio.to_thread(
            lambda: house.store.write(lambda at: set_state(at, line.contract_id, ended)).result()
        )
        await browser.get(PATH)
        assert browser.path == "/loan"

    play(tmp_path, scene)
