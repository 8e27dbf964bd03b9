"""Ending the contract on its pages: what is in the way, the approval, and what is left afterwards."""

import pytest
from sqlalchemy import select
from tests.web.lender_site import house_of, play
from tests.web.test_lender_loan import prove, with_loan

from sekisho.identity import holds
from sekisho.identity.holds import HoldKind, HoldScope
from sekisho.lender.contracts import ContractState, find_contract
from sekisho.lender.loan_events import LoanEvent
from sekisho.storage.tables.lender import loan_event
from sekisho.web.lender.desks import STATE

BACK_TO_LOAN = ("/borrow", "/borrow/transfer", "/repay", "/loan/settle", "/atm", "/loan/end")


def state_of(line):
    with line.house.store.read() as connection:
        contract = find_contract(connection, line.contract_id)
    assert contract is not None
    return contract.state


async def approve_the_end(site, browser, authenticator, line):
    await browser.get(f"/step-up?wish=loan_end:{line.contract_id}")
    assert "end the contract" in browser.page.text
    await site.approve(browser, authenticator)
    assert browser.path == "/loan/end"


async def end(site, browser, authenticator, line):
    await prove(site, browser, authenticator)
    await approve_the_end(site, browser, authenticator, line)
    await browser.submit("/loan/end")


def test_from_the_loan_to_the_end(tmp_path):
    """The page says what follows, takes an approval of its own, and the loan's page says that it is over."""

    async def scene(site):
        browser = site.browser()
        line, authenticator = await with_loan(site, browser, 0)
        await prove(site, browser, authenticator)
        assert 'href="/loan/end"' in browser.page.text
        page = (await browser.get("/loan/end")).text
        assert 'action="/loan/end"' not in page
        assert f"/step-up?wish=loan_end:{line.contract_id}" in page
        await approve_the_end(site, browser, authenticator, line)
        await browser.submit("/loan/end")
        assert browser.path == "/loan"
        assert 'id="ended"' in browser.page.text
        assert 'href="/apply"' in browser.page.text
        assert state_of(line) == ContractState.ENDED
        assert "Contract ended" in (await browser.get("/loan/history")).text
        assert (await browser.get("/loan/history/2026-11/csv")).status_code == 200
        assert "Contract ended" in (await browser.get("/profile/transaction_history")).text

    play(tmp_path, scene)


def test_without_its_own_approval_nothing_ends(tmp_path):
    """The proof that showed the figures has approved nothing else."""

    async def scene(site):
        browser = site.browser()
        line, authenticator = await with_loan(site, browser, 0)
        await prove(site, browser, authenticator)
        await approve_the_end(site, browser, authenticator, line)
        forms = browser.page
        site.wait(301)
        browser.page = forms
        await browser.submit("/loan/end")
        assert browser.path.startswith("/step-up?wish=loan_end:")
        assert state_of(line) == ContractState.OPEN

    play(tmp_path, scene)


def test_what_is_owed_is_told_with_the_way_to_repay_it(tmp_path):
    async def scene(site):
        browser = site.browser()
        line, authenticator = await with_loan(site, browser, 100_000)
        await prove(site, browser, authenticator)
        page = (await browser.get("/loan/end")).text
        assert "¥100,000" in page
        assert 'href="/loan/settle"' in page
        assert "loan_end:" not in page
        assert state_of(line) == ContractState.OPEN

    play(tmp_path, scene)


@pytest.mark.parametrize("as_json", [False, True])
def test_what_came_in_between_is_told_and_nothing_ends(tmp_path, as_json):
    """Borrowed after the approval, and before the button: the page says what is owed now."""

    async def scene(site):
        browser = site.browser()
        line, authenticator = await with_loan(site, browser, 0)
        await prove(site, browser, authenticator)
        await approve_the_end(site, browser, authenticator, line)
        assert isinstance(line.borrow("first", 20_000), LoanEvent)
        if as_json:
            browser.client.headers["Accept"] = "application/json"
        answer = await browser.submit("/loan/end")
        assert answer.status_code == 409
        assert ("contract_still_owed" if as_json else "¥20,000") in answer.text
        assert state_of(line) == ContractState.OPEN

    play(tmp_path, scene)


def test_a_hold_is_told_first(tmp_path):
    async def scene(site):
        browser = site.browser()
        line, authenticator = await with_loan(site, browser, 0)
        await prove(site, browser, authenticator)
        house, kind = house_of(site), HoldKind.CONTAINMENT
        house.store.write(
            lambda at: holds.place(
                at, house.parts, line.member_id, kind, HoldScope.MONEY_OUT, reason="t", until_us=None
            )
        ).result()
        page = (await browser.get("/loan/end")).text
        assert "on hold for your protection" in page
        assert 'id="in-the-way"' in page

    play(tmp_path, scene)


def test_after_the_end_the_pages_of_a_loan_lead_back_and_the_way_in_is_open(tmp_path):
    """Nothing of a loan that is over can be used; an application can be made anew."""

    async def scene(site):
        browser = site.browser()
        line, authenticator = await with_loan(site, browser, 0)
        await end(site, browser, authenticator, line)
        for path in BACK_TO_LOAN:
            await browser.get(path)
            assert (path, browser.path) == (path, "/loan")
        asked = await browser.get("/apply")
        assert 'name="wanted"' in asked.text
        with line.house.store.read() as connection:
            event_id = connection.execute(select(loan_event.c.id)).scalar_one()
        await site.app.state[STATE].documents.of_event(line.member_id, event_id)
        assert 'data-document="contract_end"' in (await browser.get("/loan/documents")).text

    play(tmp_path, scene)


def test_who_has_no_contract_is_led_to_the_loan_s_page(tmp_path):
    async def scene(site):
        browser = site.browser()
        await site.sign_up(browser)
        authenticator = await site.make_passkey(browser)
        await browser.get("/step-up?wish=loan")
        await site.approve(browser, authenticator)
        await browser.get("/loan/end")
        assert browser.path == "/loan"
        answer = await browser.get("/step-up?wish=loan_end:x")
        assert answer.status_code == 404

    play(tmp_path, scene)
