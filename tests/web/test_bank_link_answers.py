"""One answer for all: whoever types something wrong learns nothing from the page, its status or its time."""

import re
import time
from dataclasses import dataclass
from typing import Any

import pytest
from tests.web.bank_site import PHONE, BankSite, play

from sekisho.bank import deposits
from sekisho.bank.authorisation.settings import LinkPolicy
from sekisho.bank.deposits import DepositState
from sekisho.bank.link_authentication import ANSWER_FLOOR_S
from sekisho.bank.pins import WEB_LOCKED_US, WEB_TRIES
from sekisho.guard.decisions import Action
from sekisho.identity.holds import HoldKind, HoldScope, place
from sekisho.identity.members import open_account
from sekisho.kernel.clock import SECOND_US

RANDOM = re.compile(r"[0-9a-f]{32,}|lrq_[0-9a-f]+")
WRONG = {
    "branch that there is not": {"branch": "777"},
    "branch that can be none": {"branch": "abc"},
    "another branch": {"branch": "002"},
    "account that there is not": {"number": "7654321"},
    "account that can be none": {"number": "x" * 60},
    "another name": {"name_kana": "ヤマダ タロウ"},
    "a name that can be none": {"name_kana": "\u202e<b>"},
    "another birth date": {"birth_date": "1990-04-02"},
    "no birth date": {"birth_date": "soon"},
    "another PIN": {"pin": "9264"},
    "no PIN": {"pin": ""},
    "a long PIN": {"pin": "38173817"},
}


def plain(page: str) -> str:
    """Return a page without what is random on every page."""
    return RANDOM.sub("*", page)


@dataclass
class CountedHasher:
    """Counts how often something was verified, and lets the real one do it."""

    inner: Any
    verified: int = 0

    async def verify(self, stored: str | None, peppered: bytes, *, of_stranger: bool = False) -> bool:
        self.verified += 1
        return bool(await self.inner.verify(stored, peppered, of_stranger=of_stranger))


def counted(site: BankSite) -> CountedHasher:
    hasher = CountedHasher(site.site.desks.hasher)
    site.links.authentication._hasher = hasher  # type: ignore[assignment]  # noqa: SLF001 - counts what is hashed
    return hasher


@pytest.mark.parametrize("policy", [LinkPolicy.ACCOUNT_PIN, LinkPolicy.ACCOUNT_PIN_CODE])
def test_everything_wrong_is_answered_alike_and_costs_the_same(tmp_path, policy):
    async def scene(site: BankSite) -> None:
        await site.open(number="1234567")
        wallet, hasher = site.partner(), counted(site)
        seen = {}
        for name, typed in WRONG.items():
            browser = site.browser()
            await wallet.send(browser)
            before, began_s = hasher.verified, time.monotonic()
            page = await browser.type_account(**typed)
            assert time.monotonic() - began_s >= ANSWER_FLOOR_S, name
            assert hasher.verified == before + 1, name
            seen[name] = (page.status_code, browser.path, plain(page.text))
            # So that no account is locked before the last of them.
            site.clock.advance(WEB_LOCKED_US)
        assert len(set(seen.values())) == 1, {name: each[:2] for name, each in seen.items()}

    play(tmp_path, scene, policy=policy)


@pytest.mark.parametrize("policy", [LinkPolicy.ACCOUNT_PIN, LinkPolicy.ACCOUNT_PIN_CODE])
@pytest.mark.parametrize("state", ["locked", "blocked", "closed", "on hold", "another's wallet", "denied"])
def test_what_is_right_and_may_not_be_is_answered_as_wrong(tmp_path, policy, state):
    async def scene(site: BankSite) -> None:
        one = await site.open(number="1234567")
        wallet = site.partner()
        wrong = site.browser()
        await wallet.send(wrong)
        await wrong.type_account(pin="9264")
        details = None
        if state == "locked":
            for _ in range(WEB_TRIES):
                guess = site.browser()
                await wallet.send(guess)
                await guess.type_account(pin="9264")
        elif state in {"blocked", "closed"}:
            site.do(lambda at: deposits.set_state(at, site.bank, one.id, DepositState(state), "test"))
        elif state == "on hold":
            site.do(lambda at: put_on_hold(at, site, one))
        elif state == "another's wallet":
            details = {"holder": {"name_kana": "ｶﾓﾒ ﾀﾛｳ", "birth_date": "1990-04-01"}}
        else:
            site.guard.elsewhere = Action.DENY
        browser = site.browser()
        await wallet.send(browser, details)
        site.wait(31)
        page = await browser.type_account()
        assert (page.status_code, browser.path) == (wrong.page.status_code, wrong.path)
        assert plain(page.text) == plain(wrong.page.text)
        assert [sent for sent in site.sent("code") if sent.to == PHONE] == []

    play(tmp_path, scene, policy=policy)


def put_on_hold(connection, site, one):
    """Make the holder a member whose money is on hold."""
    from sekisho.bank import holders  # noqa: PLC0415 - only here

    member = open_account(connection, site.bank.parts, language="ja")
    holders.tie(connection, site.bank, one.depositor_id, member.id)
    kind, scope = HoldKind.CONTAINMENT, HoldScope.MONEY_OUT
    place(connection, site.bank.parts, member.id, kind, scope, reason="test", until_us=None)


def test_a_code_that_never_was_is_answered_as_a_wrong_one(tmp_path):
    async def scene(site: BankSite) -> None:
        await site.open(number="1234567")
        wallet, seen = site.partner(), []
        for pin in ("3817", "9264"):
            browser = site.browser()
            await wallet.send(browser)
            await browser.type_account(pin=pin)
            site.wait(20)
            answers = []
            for _ in range(3):
                page = await browser.submit("/link/code", code="000000")
                answers.append((page.status_code, browser.path, plain(page.text)))
            seen.append(answers)
        assert seen[0] == seen[1]
        assert [answer[0] for answer in seen[0]] == [401, 401, 200]

    play(tmp_path, scene)


def test_another_code_is_sent_to_who_was_right_and_everybody_reads_the_same(tmp_path):
    async def scene(site: BankSite) -> None:
        await site.open(number="1234567")
        wallet, seen = site.partner(), []
        for pin in ("9264", "3817"):
            browser = site.browser()
            await wallet.send(browser)
            await browser.type_account(pin=pin)
            site.wait(31)
            page = await browser.submit("/link/code/again")
            seen.append((page.status_code, browser.path, plain(page.text)))
        assert seen[0] == seen[1]
        assert len(site.sent("code")) == 2
        await browser.submit("/link/code", code=site.code())
        assert browser.path == "/link/consent"

    play(tmp_path, scene)


def test_after_three_wrong_entries_the_partner_is_told_no(tmp_path):
    async def scene(site: BankSite) -> None:
        await site.open(number="1234567")
        browser = site.browser()
        await site.partner().send(browser)
        for _ in range(3):
            await browser.type_account(pin="9264")
        assert browser.answer().parameters["error"] == "access_denied"
        await browser.get("/link/account")
        assert browser.page.status_code == 400

    play(tmp_path, scene, policy=LinkPolicy.ACCOUNT_PIN)


def test_strangers_lock_the_web_for_a_day_and_nothing_else_and_the_holder_hears_of_it(tmp_path):
    async def scene(site: BankSite) -> None:
        one = await site.open(number="1234567")
        wallet = site.partner()

        async def tries(pin: str) -> str:
            browser = site.browser()
            await wallet.send(browser)
            await browser.type_account(pin=pin)
            return browser.path

        for _ in range(WEB_TRIES):
            assert await tries("9264") == "/link/account"
        assert [told.to for told in site.sent("notice:link_pin_locked")] == [PHONE]
        assert await tries("3817") == "/link/account"
        # While it is locked nothing is counted, so that nobody can keep it locked for good.
        for _ in range(WEB_TRIES):
            await tries("9264")
        now = site.look(lambda at: deposits.find(at, one.id))
        assert now.state is DepositState.OPEN
        site.clock.advance(WEB_LOCKED_US + SECOND_US)
        assert await tries("3817") == "/link/consent"
        assert len(site.sent("notice:link_pin_locked")) == 1

    play(tmp_path, scene, policy=LinkPolicy.ACCOUNT_PIN)


def test_a_pin_made_of_the_birth_date_is_no_proof(tmp_path):
    """Whoever stole the birth date has such a PIN too: a code is asked for, right or wrong."""

    async def scene(site: BankSite) -> None:
        await site.open(number="1234567", pin="0401")
        await site.open(number="2222222", pin="3817")
        wallet = site.partner()
        for number in ("1234567", "2222222"):
            browser = site.browser()
            await wallet.send(browser)
            await browser.type_account(number=number, pin="0401")
            assert browser.path == "/link/code"
        assert len(site.sent("code")) == 1

    play(tmp_path, scene, policy=LinkPolicy.ACCOUNT_PIN)


def test_without_its_guard_the_bank_links_nothing_by_pin(tmp_path):
    class Away:
        async def assess(self, attempt):
            del attempt
            from sekisho.guard.answers import answer_without_guard  # noqa: PLC0415 - only here
            from sekisho.kernel.posture import Posture  # noqa: PLC0415 - only here

            return answer_without_guard(Posture.OPEN)

        async def settle(self, *told, **named):
            del told, named

    async def scene(site: BankSite) -> None:
        await site.open(number="1234567")
        browser = site.browser()
        await site.partner().send(browser)
        await browser.type_account()
        assert (browser.path, browser.page.status_code) == ("/link/account", 401)

    play(tmp_path, scene, policy=LinkPolicy.ACCOUNT_PIN, guard=Away())
