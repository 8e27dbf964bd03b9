"""What time does to links: codes that never come, and what is forgotten."""

from sqlalchemy import func, select
from tests.web.bank_site import BankSite, play

from sekisho.bank.authorisation.settings import LinkPolicy
from sekisho.bank.mandate_states import MandateState
from sekisho.guard.attempts import ChallengeResult, Outcome
from sekisho.kernel.clock import DAY_US, MINUTE_US
from sekisho.storage.tables.deposits import link_code, link_proof, link_request, link_token


def test_a_right_pin_whose_code_never_comes_is_told_to_the_guard_once(tmp_path):
    async def scene(site: BankSite) -> None:
        await site.open(number="1234567")
        wallet = site.partner()
        for pin in ("3817", "9264"):
            browser = site.browser()
            await wallet.send(browser)
            await browser.type_account(pin=pin)
        site.clock.advance(11 * MINUTE_US)
        for _ in range(2):
            await site.links.sweep()
        late = [each for each in site.guard.settled if each[1] == Outcome.CHALLENGED]
        assert [each[2] for each in late] == [ChallengeResult.ABANDONED]
        assert (await browser.get("/link/code")).status_code == 400

    play(tmp_path, scene)


def test_what_can_count_no_more_is_forgotten_and_consents_are_kept(tmp_path):
    async def scene(site: BankSite) -> None:
        one = await site.open(number="1234567")
        wallet, browser = site.partner(), site.browser()
        await wallet.send(browser)
        await browser.type_account()
        site.wait(20)
        await browser.submit("/link/code", code=site.code())
        answer = await browser.agree()
        tokens = (await wallet.redeem(answer.parameters["code"])).json()
        site.clock.advance(3 * DAY_US)
        await site.links.sweep()
        left = [select(func.count()).select_from(table) for table in (link_code, link_proof, link_request)]
        counts = site.look(lambda at: [at.execute(each).scalar() for each in left])
        assert counts == [0, 0, 0]
        kinds = site.look(lambda at: at.execute(select(link_token.c.kind)).scalars().all())
        assert kinds == ["refresh"]
        assert (await wallet.refresh(tokens["refresh_token"])).status_code == 200
        assert len(site.mandates(one)) == 1

    play(tmp_path, scene)


def test_a_link_whose_code_nobody_came_for_ends(tmp_path):
    """A stolen browser session, or a wallet that saw a foreign state: the depositor reads of no link."""

    async def scene(site: BankSite) -> None:
        one = await site.open(number="1234567")
        wallet = site.partner()
        answers = []
        for _ in range(2):
            browser = site.browser()
            await wallet.send(browser)
            await browser.type_account()
            answers.append(await browser.agree())
            await site.links.sweep()
        # The second took the first one's place; both are of one moment, and stand in no order.
        standing = [each.state for each in site.mandates(one)]
        assert sorted(standing) == [MandateState.ACTIVE, MandateState.REVOKED]
        site.wait(60)
        await site.links.sweep()
        assert {each.state for each in site.mandates(one)} == {MandateState.REVOKED}
        refused = await wallet.redeem(answers[-1].parameters["code"])
        assert refused.json()["error"] == "invalid_grant"

    play(tmp_path, scene, policy=LinkPolicy.ACCOUNT_PIN)


def test_a_link_that_was_taken_up_stays(tmp_path):
    async def scene(site: BankSite) -> None:
        one = await site.open(number="1234567")
        wallet, browser = site.partner(), site.browser()
        await wallet.send(browser)
        await browser.type_account()
        answer = await browser.agree()
        assert (await wallet.redeem(answer.parameters["code"])).status_code == 200
        site.wait(61)
        await site.links.sweep()
        assert site.mandates(one)[0].state is MandateState.ACTIVE

    play(tmp_path, scene, policy=LinkPolicy.ACCOUNT_PIN)
