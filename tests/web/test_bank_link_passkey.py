"""Links by a passkey of the online bank: whose it is decides, and nothing is typed."""

import pytest
from tests.web.bank_site import BankSite, play

from sekisho.bank import deposits, holders
from sekisho.bank.authorisation.settings import LinkPolicy
from sekisho.bank.deposits import DepositState, Opening
from sekisho.bank.link_authentication import Came, Next
from sekisho.identity.holds import HoldKind, HoldScope, place
from sekisho.identity.members import MemberState, open_account, set_state


async def customer(site, *, number="1234567"):
    """Open an account whose holder is a customer of the online bank; return both."""
    one = await site.open(number=number)

    def tied(connection):
        member = open_account(connection, site.bank.parts, language="ja")
        holders.tie(connection, site.bank, one.depositor_id, member.id)
        return member.id

    return one, site.do(tied)


async def begun(site, wallet, details=None):
    """Send a browser for a link; return it, and how the bank knows that it came."""
    browser = site.browser()
    await wallet.send(browser, details)
    return browser, Came(browser.cookie("__Host-link"), "")


def test_a_holder_chooses_among_the_open_accounts_and_no_other(tmp_path):
    async def scene(site: BankSite) -> None:
        one, member_id = await customer(site)
        opening = Opening(one.depositor_id, "002", number="7654321")
        second = site.do(lambda at: deposits.open_deposit(at, site.bank, opening))
        blocked = site.do(lambda at: deposits.open_deposit(at, site.bank, opening._replace(number="1111111")))
        site.do(lambda at: deposits.set_state(at, site.bank, blocked.id, DepositState.BLOCKED, "test"))
        browser, came = await begun(site, site.partner())
        assert await site.links.authentication.by_passkey(came, member_id) is Next.CONSENT
        await browser.get("/link/consent")
        assert one.id in browser.page.text
        assert second.id in browser.page.text
        assert blocked.id not in browser.page.text
        await browser.submit("/link/consent", account=second.id)
        assert "code" in browser.answer().parameters
        mandate = site.mandates(second)[0]
        assert (mandate.way, site.mandates(one)) == ("passkey", [])

    play(tmp_path, scene)


@pytest.mark.parametrize("state", ["nobody", "another's wallet", "frozen", "on hold", "blocked", "gone"])
def test_whose_passkey_does_not_fit_is_told_nothing_more(tmp_path, state):
    async def scene(site: BankSite) -> None:
        one, member_id = await customer(site)
        details = None
        if state == "nobody":
            member_id = site.do(lambda at: open_account(at, site.bank.parts, language="ja")).id
        elif state == "another's wallet":
            details = {"holder": {"name_kana": "ｶﾓﾒ ﾀﾛｳ", "birth_date": "1990-04-01"}}
        elif state == "frozen":
            site.do(lambda at: set_state(at, site.bank.parts, member_id, MemberState.FROZEN))
        elif state == "on hold":
            kind, scope = HoldKind.RECOVERY, HoldScope.MONEY_OUT
            site.do(
                lambda at: place(at, site.bank.parts, member_id, kind, scope, reason="test", until_us=None)
            )
        elif state == "blocked":
            site.do(lambda at: deposits.set_state(at, site.bank, one.id, DepositState.BLOCKED, "test"))
        else:
            member_id = type(member_id)("mem_gone")
        _, came = await begun(site, site.partner(), details)
        steps = [await site.links.authentication.by_passkey(came, member_id) for _ in range(3)]
        assert steps == [Next.IDENTIFY, Next.IDENTIFY, Next.OVER]

    play(tmp_path, scene)


def test_a_bank_may_take_nothing_but_passkeys_and_says_so(tmp_path):
    async def scene(site: BankSite) -> None:
        await site.open(number="1234567")
        told = (await site.client.get("/.well-known/oauth-authorization-server")).json()
        assert (told["sekisho_link_authentication"], told["sekisho_link_strength"]) == ("passkey", 3)
        browser, _ = await begun(site, site.partner())
        assert 'name="pin"' not in browser.page.text
        fields = {"request": "lrq_x", "pin": "3817"}
        assert (await browser.post("/link/account", fields)).status_code in {400, 409}

    play(tmp_path, scene, policy=LinkPolicy.PASSKEY)


def test_strangers_wrong_pins_lock_no_passkey_out(tmp_path):
    async def scene(site: BankSite) -> None:
        _, member_id = await customer(site)
        wallet = site.partner()
        for _ in range(5):
            browser, _ = await begun(site, wallet)
            await browser.type_account(pin="9264")
        _, came = await begun(site, wallet)
        assert await site.links.authentication.by_passkey(came, member_id) is Next.CONSENT

    play(tmp_path, scene, policy=LinkPolicy.ACCOUNT_PIN)
