"""What happens to an account while somebody links it counts: between the PIN and its hash, and at the yes."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from tests.identity.login_house import SaidGuard
from tests.web.bank_site import BankSite, play

from sekisho.bank import deposits, holders, pins
from sekisho.bank.authorisation.settings import LinkPolicy
from sekisho.bank.deposits import DepositState
from sekisho.identity.holds import HoldKind, HoldScope, place
from sekisho.identity.members import open_account


@dataclass
class _BusyGuard(SaidGuard):
    """A guard during whose answer something happens, once."""

    meanwhile: list[Callable[[], None]] = field(default_factory=list)

    async def assess(self, attempt):
        if self.meanwhile:
            self.meanwhile.pop()()
        return await super().assess(attempt)


def _stop(site: BankSite, one, how):
    """Let others mistype the PIN too often, let the holder stop everything, or block the account."""

    def work(connection):
        bank = site.bank
        if how == "locked":
            for _ in range(pins.WEB_TRIES):
                pins.count_wrong(connection, one.id, bank.clock.now_us())
        elif how == "on hold":
            member = open_account(connection, bank.parts, language="ja")
            holders.tie(connection, bank, one.depositor_id, member.id)
            kind, scope = HoldKind.SELF_FREEZE, HoldScope.ALL
            place(connection, bank.parts, member.id, kind, scope, reason="test", until_us=None)
        else:
            deposits.set_state(connection, bank, one.id, DepositState.BLOCKED, "test")

    site.do(work)


@pytest.mark.parametrize("how", ["locked", "on hold", "blocked"])
@pytest.mark.parametrize("policy", [LinkPolicy.ACCOUNT_PIN, LinkPolicy.ACCOUNT_PIN_CODE])
def test_a_pin_counts_for_nothing_where_the_account_was_stopped_before_it_was_hashed(tmp_path, how, policy):
    """Thirty guesses at the same moment are five guesses: the sixth finds the lock, right or wrong."""

    async def scene(site):
        one, browser = await site.open(number="1234567"), site.browser()
        await site.partner().send(browser)
        site.guard.meanwhile.append(lambda: _stop(site, one, how))
        answer = await browser.type_account()
        assert site.sent("code") == []
        if policy is LinkPolicy.ACCOUNT_PIN:
            assert answer.status_code == 401
        assert "consent" not in str(answer.url)

    play(tmp_path, scene, policy=policy, guard=_BusyGuard())


@pytest.mark.parametrize("how", ["on hold", "blocked"])
def test_nobody_agrees_for_an_account_that_was_stopped_meanwhile(tmp_path, how):
    """The holder stops everything while somebody with the PIN reads the consent page."""

    async def scene(site):
        one, browser = await site.open(number="1234567"), site.browser()
        await site.partner().send(browser)
        await browser.type_account()
        _stop(site, one, how)
        answer = await browser.submit("/link/consent")
        assert answer.status_code == 400
        assert site.mandates(one) == []

    play(tmp_path, scene, policy=LinkPolicy.ACCOUNT_PIN)
