"""What if at the desks: the record is decided again under another policy, in a process of its own."""

import pytest
from tests.web.desks_site import DesksSite, at_the_desks
from tests.web.test_desks_campaigns import attack_in

from sekisho.console.policy_trials import PolicyUnusable, Wish, policy_of
from sekisho.console.rights import StaffRole
from sekisho.guard.attempts import Outcome
from sekisho.guard.decisions import Action
from sekisho.guard.policy import default_policy, parse_policy

ANALYST = {"lender": (StaffRole.ANALYST,)}
PAGE = "/lender/what-if"
STRICT = {
    "days": "30",
    "friction_calm": "20",
    "friction_before_hash": "40",
    "friction_campaign": "60",
    "deny_from": "1",
}


def test_the_last_days_are_played_again_and_compared(tmp_path):
    """A far stricter policy answers more strictly; what is on is as it was."""

    async def scene(site: DesksSite) -> None:
        attack_in(tmp_path / "history", site.clock.now_us())
        browser, _ = await site.at_work("Sato", ANALYST)
        await browser.get(PAGE)
        await browser.submit(PAGE, **STRICT)
        assert "Playing again" in browser.page.text
        trials = site.desks.trials
        assert trials is not None
        assert not trials.start(Wish(days=1, friction_calm=0, friction_before_hash=0, friction_campaign=0))
        await trials.finished()
        await browser.get(PAGE)
        assert trials.trouble == ""
        last = trials.last()
        assert last is not None
        assert last.found.attempts == 1_240
        assert last.found.moved(stricter=True) > last.found.moved(stricter=False)
        denied = last.found.count(Outcome.NO_SUCH_MEMBER, Action.DENY, tried=True)
        assert denied > last.found.count(Outcome.NO_SUCH_MEMBER, Action.DENY, tried=False)
        assert f"{denied:,}" in browser.page.text

    at_the_desks(tmp_path, scene)


def test_fewer_days_are_fewer_attempts(tmp_path):
    async def scene(site: DesksSite) -> None:
        attack_in(tmp_path / "history", site.clock.now_us())
        browser, _ = await site.at_work("Sato", ANALYST)
        await browser.get(PAGE)
        await browser.submit(PAGE, days="1")
        trials = site.desks.trials
        assert trials is not None
        await trials.finished()
        last = trials.last()
        assert last is not None
        assert last.found.attempts == 400
        assert last.found.moved(stricter=True) == last.found.moved(stricter=False) == 0

    at_the_desks(tmp_path, scene)


def test_what_is_no_policy_is_not_tried(tmp_path):
    async def scene(site: DesksSite) -> None:
        browser, _ = await site.at_work("Sato", ANALYST)
        for name, text in (
            ("days", "0"),
            ("days", "x"),
            ("days", "999"),
            ("friction_calm", "101"),
            ("friction_calm", "nan"),
            ("friction_before_hash", "99"),
            ("deny_from", "-1"),
            ("deny_from", "0"),
        ):
            await browser.get(PAGE)
            assert (await browser.submit(PAGE, **(STRICT | {name: text}))).status_code == 422, (name, text)
        trials = site.desks.trials
        assert trials is not None
        assert not trials.is_running
        assert trials.last() is None

    at_the_desks(tmp_path, scene)


def test_a_trial_without_a_record_is_told(tmp_path):
    async def scene(site: DesksSite) -> None:
        browser, _ = await site.at_work("Sato", ANALYST)
        await browser.get(PAGE)
        await browser.submit(PAGE, **STRICT)
        trials = site.desks.trials
        assert trials is not None
        await trials.finished()
        assert "The trial was not done" in (await browser.get(PAGE)).text

    at_the_desks(tmp_path, scene)


def test_the_budgets_of_a_wish_stand_in_the_policy():
    wish = Wish(days=7, friction_calm=0.1, friction_before_hash=0.2, friction_campaign=0.3, deny_from=0.9)
    policy = parse_policy(policy_of(wish))
    assert policy.default.budgets == (0.1, 0.2, 0.3)
    assert policy.default.deny_from == 0.9
    assert policy.gates == default_policy().gates
    with pytest.raises(PolicyUnusable):
        policy_of(Wish(days=7, friction_calm=0.1, friction_before_hash=0.4, friction_campaign=0.3))
