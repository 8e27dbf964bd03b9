"""Linking an account at the bank: pushed, proved, consented, exchanged, used, ended."""

import pytest
from tests.web.bank_site import BACK, DETAILS, ORIGIN, PHONE, STATE_WORD, WALLET, BankSite, play

from sekisho.bank.authorisation.settings import LinkPolicy
from sekisho.bank.mandate_states import MandateState
from sekisho.guard.decisions import Action


def test_a_depositor_links_an_account_with_a_code_to_the_phone_on_file(tmp_path):
    async def scene(site: BankSite) -> None:
        one = await site.open(number="1234567")
        wallet, browser = site.partner(), site.browser()
        await wallet.send(browser)
        assert browser.path == "/link/account"
        assert "Kamome Wallet" in browser.page.text
        await browser.type_account()
        assert browser.path == "/link/code"
        site.wait(20)
        sent = site.sent("code")
        assert [each.to for each in sent] == [PHONE]
        assert "100,000円" in sent[0].text
        assert "かもめウォレット" in sent[0].text
        await browser.submit("/link/code", code=site.code())
        assert browser.path == "/link/consent"
        assert "¥100,000" in browser.page.text
        assert "****4567" in browser.page.text
        answer = await browser.agree()
        assert answer.uri.startswith(BACK + "?")
        assert answer.parameters["state"] == STATE_WORD
        assert answer.parameters["iss"] == ORIGIN
        mandate = site.mandates(one)[0]
        assert mandate.state is MandateState.ACTIVE
        assert mandate.way == "account_pin_code"
        tokens = (await wallet.redeem(answer.parameters["code"])).json()
        assert tokens["token_type"].lower() == "dpop"
        assert tokens["expires_in"] <= 600
        granted = tokens["authorization_details"][0]
        assert granted["mandate_id"] == mandate.id
        account = {"bank": "9901", "branch": "001", "kind": "1", "last4": "4567"}
        assert {name: granted["account"][name] for name in account} == account
        assert granted["holder"] == {
            "name_kana": "ﾔﾏﾀﾞ ﾊﾅｺ",
            "birth_date": "1990-04-01",
            "phone_matches": None,
        }
        assert "1234567" not in str(tokens)

    play(tmp_path, scene)


def test_the_depositor_is_told_by_the_bank_and_how_to_stop_it(tmp_path):
    async def scene(site: BankSite) -> None:
        await site.open(number="1234567")
        browser = site.browser()
        await site.partner().send(browser)
        await browser.type_account()
        await browser.agree()
        told = site.sent("notice:account_linked")
        assert [each.to for each in told] == [PHONE]
        assert "かもめウォレット" in told[0].text
        assert "100,000円" in told[0].text

    play(tmp_path, scene, policy=LinkPolicy.ACCOUNT_PIN)


def test_a_guard_in_doubt_asks_for_a_code_where_the_policy_does_not(tmp_path):
    async def scene(site: BankSite) -> None:
        await site.open(number="1234567")
        site.guard.elsewhere = Action.CHALLENGE
        browser = site.browser()
        await site.partner().send(browser)
        await browser.type_account()
        assert browser.path == "/link/code"
        site.guard.elsewhere = Action.ALLOW
        site.wait(20)
        await browser.submit("/link/code", code=site.code())
        assert browser.path == "/link/consent"

    play(tmp_path, scene, policy=LinkPolicy.ACCOUNT_PIN)


def test_the_guard_is_asked_before_the_pin_is_looked_at(tmp_path):
    async def scene(site: BankSite) -> None:
        await site.open(number="1234567")
        site.guard.elsewhere = Action.DENY
        browser = site.browser()
        await site.partner().send(browser)
        await browser.type_account()
        assert browser.path == "/link/account"
        assert browser.page.status_code == 401
        asked = site.guard.asked[-1]
        assert (asked.gate, asked.client, asked.actor) == ("bank_link", WALLET, f"{WALLET}:user-0000-0001")
        assert (asked.member, asked.known) == ("001-1234567", True)
        assert asked.secret
        assert "3817" not in asked.secret

    play(tmp_path, scene, policy=LinkPolicy.ACCOUNT_PIN)


def test_a_phone_is_compared_and_not_told(tmp_path):
    async def scene(site: BankSite) -> None:
        await site.open(number="1234567")
        wallet = site.partner()
        for phone, matches in ((PHONE, True), ("+819099999999", False)):
            browser = site.browser()
            holder = DETAILS["holder"] | {"phone": phone}
            await wallet.send(browser, {"holder": holder})
            await browser.type_account()
            answer = await browser.agree()
            tokens = (await wallet.redeem(answer.parameters["code"])).json()
            assert tokens["authorization_details"][0]["holder"]["phone_matches"] is matches

    play(tmp_path, scene, policy=LinkPolicy.ACCOUNT_PIN)


def test_a_no_goes_back_as_a_no_and_nothing_is_linked(tmp_path):
    async def scene(site: BankSite) -> None:
        one = await site.open(number="1234567")
        browser = site.browser()
        await site.partner().send(browser)
        await browser.type_account()
        await browser.submit("/link/decline")
        answer = browser.answer()
        assert answer.parameters["error"] == "access_denied"
        assert answer.parameters["iss"] == ORIGIN
        assert site.mandates(one) == []
        await browser.get("/link/consent")
        assert browser.page.status_code == 400

    play(tmp_path, scene, policy=LinkPolicy.ACCOUNT_PIN)


def test_an_account_is_one_users_at_a_partner(tmp_path):
    async def scene(site: BankSite) -> None:
        one = await site.open(number="1234567")
        wallet = site.partner()
        for user in ("user-0000-0001", "user-0000-0002"):
            browser = site.browser()
            await wallet.send(browser, {"user_ref": user})
            await browser.type_account()
            answer = await browser.agree()
        assert answer.parameters["error"] == "access_denied"
        assert len(site.mandates(one)) == 1

    play(tmp_path, scene, policy=LinkPolicy.ACCOUNT_PIN)


@pytest.mark.parametrize("language", ["ja", "en"])
def test_every_page_says_who_asks(tmp_path, language):
    async def scene(site: BankSite) -> None:
        await site.open(number="1234567")
        browser = site.browser(language=language)
        name = {"ja": "かもめウォレット", "en": "Kamome Wallet"}[language]
        await site.partner().send(browser)
        for step in ("account", "code", "consent"):
            assert browser.path == f"/link/{step}"
            assert name in browser.page.text
            if step == "account":
                await browser.type_account()
                site.wait(20)
            elif step == "code":
                await browser.submit("/link/code", code=site.code())

    play(tmp_path, scene)
