"""Links on every store: a whole one, and what is good once, taken by several at the same moment."""

import asyncio

import pytest
from tests.identity.member_at_hand import NOON_US
from tests.web.bank_site import open_bank_site

from sekisho.bank import pins
from sekisho.bank.authorisation.settings import LinkPolicy
from sekisho.bank.mandate_states import MandateState
from sekisho.kernel.clock import SetClock
from sekisho.ledger.journal import first_fault


@pytest.fixture(name="site")
def _site(store, tmp_path):
    site = open_bank_site(tmp_path, SetClock(NOON_US), policy=LinkPolicy.ACCOUNT_PIN, store_at=store)
    yield site
    site.site.desks.hasher.close()


async def agreed(site, wallet):
    browser = site.browser()
    await wallet.send(browser)
    await browser.type_account()
    return await browser.agree()


def test_a_link_is_made_used_and_ended(site):
    async def scene():
        one, wallet = await site.open(number="1234567"), site.partner()
        answer = await agreed(site, wallet)
        tokens = (await wallet.redeem(answer.parameters["code"])).json()
        fresh = await wallet.refresh(tokens["refresh_token"])
        assert fresh.status_code == 200
        assert (await wallet.post("/link/revoke", {"token": tokens["refresh_token"]})).status_code == 200
        assert (await wallet.refresh(tokens["refresh_token"])).status_code == 400
        assert site.mandates(one)[0].state is MandateState.REVOKED
        assert site.look(first_fault) is None
        await site.links.sweep()

    asyncio.run(scene())


def test_what_is_good_once_is_good_once_for_several_at_the_same_moment(site):
    async def scene():
        one, wallet = await site.open(number="1234567"), site.partner()
        uri = (await wallet.push()).json()["request_uri"]
        path = f"/link/authorize?client_id={wallet.client_id}&request_uri={uri}"
        browsers = [site.browser() for _ in range(4)]
        pages = await asyncio.gather(*(browser.get(path) for browser in browsers))
        assert sorted(page.status_code for page in pages) == [200, 400, 400, 400]
        browser = next(each for each in browsers if each.page.status_code == 200)
        await browser.type_account()
        fields = {"code_verifier": "v" * 43}
        await browser.submit("/link/consent")
        code = browser.answer().parameters["code"]
        await wallet.refresh("x" * 43)  # brings the nonce
        tries = await asyncio.gather(*(wallet.redeem(code, **fields) for _ in range(4)))
        assert sorted(answer.status_code for answer in tries) == [200, 400, 400, 400]
        # A code that several hands held gives nothing in the end.
        assert site.mandates(one)[0].state is MandateState.REVOKED

    asyncio.run(scene())


def test_one_consent_is_given_once_however_often_it_is_sent(site):
    async def scene():
        one, wallet, browser = await site.open(number="1234567"), site.partner(), site.browser()
        await wallet.send(browser)
        await browser.type_account()
        page = browser.page
        others = [site.browser() for _ in range(3)]
        for other in others:
            other.client.cookies = browser.client.cookies
            other.page = page
        await asyncio.gather(*(other.submit("/link/consent") for other in others))
        assert sum("code=" in other.page.text for other in others) == 1
        assert len(site.mandates(one)) == 1

    asyncio.run(scene())


def test_wrong_pins_at_the_same_moment_are_all_counted(site):
    async def scene():
        one, wallet = await site.open(number="1234567"), site.partner()

        async def wrong():
            browser = site.browser()
            await wallet.send(browser)
            await browser.type_account(pin="9264")

        await asyncio.gather(*(wrong() for _ in range(pins.WEB_TRIES)))
        kept = site.look(lambda at: pins.find(at, one.id))
        assert pins.is_locked(kept, site.clock.now_us())
        assert len(site.sent("notice:link_pin_locked")) == 1

    asyncio.run(scene())
