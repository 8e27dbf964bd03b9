"""What if at the desks: the record is decided again under another policy, in a process of its own."""

import html
import os
import sys

import msgspec
import pytest
from tests.campaigns.recorded import IN_FORCE, NEXT, OURS
from tests.guard.small_world import new_guard
from tests.web.desks_site import DesksSite, at_the_desks
from tests.web.test_desks_campaigns import attack_in
from tests.web.test_desks_policies import plain, under

from sekisho.campaigns.known_ends import End
from sekisho.console.policy_trials import TEXT_MAX, PolicyUnusable, changed_policy, read_policy
from sekisho.console.rights import StaffRole
from sekisho.guard.decisions import Action
from sekisho.guard.policy import parse_policy
from sekisho.guard.policy_text import policy_text
from sekisho.kernel.clock import DAY_US
from sekisho.response import audit

ANALYST = {"lender": (StaffRole.ANALYST,)}
PAGE = "/lender/what-if"
STRICT = {
    "days": "30",
    "friction_calm": "20",
    "friction_before_hash": "40",
    "friction_campaign": "60",
    "deny_from": "1",
}
ENDLESS = """
import os, time, pathlib
pathlib.Path({pid!r}).write_text(str(os.getpid()))
print(1, 4, flush=True)
time.sleep(20)
pathlib.Path({pid!r} + ".ended").touch()
"""
"""A comparison that is done by a quarter and takes its time for the rest."""


def trials_of(site: DesksSite):
    assert site.desks.trials is not None
    return site.desks.trials


def acts_of(site: DesksSite):
    """Return what staff did with policies, the oldest first: who, what, to which policy, how many days."""
    with site.lender.store.read() as connection:
        return [
            (one.act, one.subject, one.details.get("days"))
            for one in audit.all_acts(connection)
            if one.act.startswith("policy:")
        ]


def test_the_last_days_are_played_again_and_compared(tmp_path):
    """A far stricter policy answers more strictly; what is on is as it was."""

    async def scene(site: DesksSite) -> None:
        attack_in(site.history, site.clock.now_us())
        browser, _ = await site.at_work("Sato", ANALYST)
        await browser.get(PAGE)
        await browser.submit(PAGE, **STRICT)
        text, trials = browser.page.text, trials_of(site)
        assert "Playing again" in text
        assert "By Sato, 30 days." in text
        assert 'name="days"' not in text
        assert not trials.start(OURS, IN_FORCE, days=1, by="x")
        await trials.finished()
        await browser.get(PAGE)
        assert trials.trouble == ""
        last = trials.last()
        assert last is not None
        assert (last.now, last.tried.name) == (IN_FORCE, "default@2")
        found = last.found
        assert (found.compared, found.names) == (1_240, ("default@1", "default@2"))
        assert found.moved("login", 1, stricter=True) > found.moved("login", 1, stricter=False)
        denied = [found.count("login", number, Action.DENY, end=End.FAILED) for number in (0, 1)]
        assert denied[0] == 0
        assert denied[1] > 100
        answers = under("Answers", browser.page.text)
        assert answers[0] == ["Answer", "default@1", "default@2"]
        assert answers[4][2].startswith(f"{found.count('login', 1, Action.DENY):,} ")
        assert len(found.by_day("login")) >= 22
        assert f"Stricter at {found.moved('login', 1, stricter=True):,}" in plain(browser.page.text)
        assert site.desks.policies.policies == (IN_FORCE,)

    at_the_desks(tmp_path, scene)


def test_fewer_days_are_fewer_attempts_but_both_know_what_came_before(tmp_path):
    async def scene(site: DesksSite) -> None:
        attack_in(site.history, site.clock.now_us())
        browser, _ = await site.at_work("Sato", ANALYST)
        await browser.get(PAGE)
        await browser.submit(PAGE, days="1")
        await trials_of(site).finished()
        last = trials_of(site).last()
        assert last is not None
        assert (last.found.compared, last.found.lived_through) == (400, 14 * 40)
        moves = [last.found.moved("login", 1, stricter=stricter) for stricter in (True, False)]
        assert moves == [0, 0]
        assert "The two policies say the same." in (await browser.get(PAGE)).text

    at_the_desks(tmp_path, scene)


def test_any_gate_of_the_policy_in_force_is_changed_and_no_other(tmp_path):
    """The forms hold what is in force, not what Sekisho comes with."""
    own = parse_policy(
        'id = "own"\nrevision = 7\n[default]\non_outage = "open"\nhold_s = 60\nfriction_calm = 0.001\n'
        '[gates.transfer]\non_outage = "closed"\nfriction_calm = 0.3\n'
        '[gates.transfer.rules]\nforged_device_token = { action = "deny" }\n'
    )

    async def scene(site: DesksSite) -> None:
        attack_in(site.history, site.clock.now_us())
        browser, _ = await site.at_work("Sato", ANALYST)
        assert 'name="friction_calm" type="text" value="0.1"' in (await browser.get(PAGE)).text
        text = (await browser.get(f"{PAGE}?gate=transfer")).text
        assert 'name="friction_calm" type="text" value="30"' in text
        assert "This gate has no part of its own" not in text
        await browser.submit(PAGE, deny_from="90", days="1")
        await trials_of(site).finished()
        last = trials_of(site).last()
        assert last is not None
        assert last.now == own
        transfer = msgspec.structs.replace(own.gates["transfer"], deny_from=0.9)
        assert last.tried == msgspec.structs.replace(own, revision=8, gates={"transfer": transfer})
        assert "This gate has no part of its own" in (await browser.get(f"{PAGE}?gate=code_entry")).text
        await browser.submit(PAGE, deny_from="50", days="1")
        await trials_of(site).finished()
        last = trials_of(site).last()
        assert last is not None
        assert last.tried.default == own.default
        assert last.tried.gates["code_entry"] == msgspec.structs.replace(own.default, deny_from=0.5)

    at_the_desks(tmp_path, scene, guard=new_guard(own))


def test_a_whole_policy_is_tried_as_it_was_typed(tmp_path):
    async def scene(site: DesksSite) -> None:
        attack_in(site.history, site.clock.now_us())
        browser, _ = await site.at_work("Sato", ANALYST)
        text = html.unescape((await browser.get(PAGE)).text)
        assert policy_text(NEXT) in text
        await browser.submit(f"{PAGE}/policy", policy=policy_text(OURS).replace("\n", "\r\n"), days="1")
        assert browser.path == PAGE
        await trials_of(site).finished()
        last = trials_of(site).last()
        assert last is not None
        assert last.tried == OURS

    at_the_desks(tmp_path, scene)


def test_what_is_wrong_with_a_policy_is_told_line_by_line_and_it_is_not_tried(tmp_path):
    async def scene(site: DesksSite) -> None:
        browser, _ = await site.at_work("Sato", ANALYST)
        await browser.get(PAGE)
        wrong = 'id = "<b>"\nrevision = 3\n[default]\non_outage = "closed"\nfriction_calm = 7\n'
        await browser.submit(f"{PAGE}/policy", policy=wrong, days="14")
        text = html.unescape(browser.page.text)
        assert browser.page.status_code == 422
        assert "line 1: id must be 1 to 64" in text
        assert "line 5: default: friction budgets are shares from 0 to 1" in text
        assert "<code>friction_calm = 7</code>" in text
        assert "&lt;b&gt;" in browser.page.text
        assert f">{wrong}</textarea>" in text
        for policy, why in (
            (policy_text(IN_FORCE), "line 2: default@1 is in force"),
            ("#" * (TEXT_MAX + 1), "longer than 16,384 characters"),
            ("", "missing required field `id`"),
        ):
            await browser.get(PAGE)
            await browser.submit(f"{PAGE}/policy", policy=policy, days="14")
            assert browser.page.status_code == 422, why
            assert why in html.unescape(browser.page.text)
        assert (trials_of(site).running, trials_of(site).last(), acts_of(site)) == (None, None, [])

    at_the_desks(tmp_path, scene)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("days", "0"),
        ("days", "x"),
        ("days", "91"),
        ("days", ""),
        ("friction_calm", "101"),
        ("friction_calm", "nan"),
        ("friction_calm", ""),
        ("friction_before_hash", "99"),
        ("deny_from", "-1"),
        ("deny_from", "0"),
        ("deny_from", "1e1"),
    ],
)
def test_figures_that_make_no_policy_are_not_tried(tmp_path, name, text):
    async def scene(site: DesksSite) -> None:
        browser, _ = await site.at_work("Sato", ANALYST)
        await browser.get(PAGE)
        assert (await browser.submit(PAGE, **(STRICT | {name: text}))).status_code == 422
        assert "can't be tried" in html.unescape(browser.page.text)
        assert trials_of(site).running is None

    at_the_desks(tmp_path, scene)


def test_a_trial_without_a_record_is_told_and_what_was_tried_before_stays(tmp_path):
    async def scene(site: DesksSite) -> None:
        attack_in(site.history, site.clock.now_us())
        browser, _ = await site.at_work("Sato", ANALYST)
        await browser.get(PAGE)
        await browser.submit(PAGE, **STRICT)
        await trials_of(site).finished()
        (site.history / "attempts").rename(tmp_path / "elsewhere")
        await browser.get(PAGE)
        await browser.submit(PAGE, days="3")
        await trials_of(site).finished()
        assert "The trial was not done" in (await browser.get(PAGE)).text
        last = trials_of(site).last()
        assert last is not None
        assert last.wish.days == 30

    at_the_desks(tmp_path, scene)


def test_a_trial_is_cancelled_with_its_process_and_its_folder_stays_as_it_was(tmp_path):
    """One at a time: whoever waits for another's trial can end it, and it is on the audit who did."""

    async def scene(site: DesksSite) -> None:
        attack_in(site.history, site.clock.now_us())
        trials = trials_of(site)
        trials.command = (sys.executable, "-c", ENDLESS.format(pid=str(tmp_path / "pid")))
        browser, _ = await site.at_work("Sato", ANALYST)
        second, _ = await site.at_work("Suzuki", ANALYST)
        await browser.get(PAGE)
        await browser.submit(PAGE, **STRICT)
        while "Playing again: 25%" not in (await second.get(PAGE)).text:
            assert trials.running
        assert "By Sato, 30 days." in second.page.text
        assert f'data-watch="{PAGE}/progress"' in second.page.text
        told = (await second.client.get(f"{PAGE}/progress")).json()
        assert 'max="100" value="25"' in told["parts"]["progress"]
        pid = int((tmp_path / "pid").read_text())
        os.kill(pid, 0)
        await second.submit(f"{PAGE}/cancel")
        assert "Suzuki has cancelled the trial." in second.page.text
        assert 'name="days"' in second.page.text
        assert (await second.client.get(f"{PAGE}/progress")).json()["over"]
        assert (trials.running, trials.last()) == (None, None)
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
        assert not (tmp_path / "pid.ended").exists()
        assert not await trials.cancel(by="x")
        assert acts_of(site) == [("policy:tried", "default@2", 30), ("policy:trial_cancelled", "", None)]

    at_the_desks(tmp_path, scene)


def test_a_trial_that_is_ended_before_it_began_leaves_the_way_free(tmp_path):
    async def scene(site: DesksSite) -> None:
        trials = trials_of(site)
        assert trials.start(OURS, IN_FORCE, days=1, by="x")
        await trials.close()
        assert trials.running is None
        assert trials.start(OURS, IN_FORCE, days=1, by="x")
        await trials.finished()

    at_the_desks(tmp_path, scene)


def test_the_tried_policy_is_taken_along_and_who_took_it_is_on_the_audit(tmp_path):
    """What is handed out is what was tried, and can be run in the shadow as it is."""

    async def scene(site: DesksSite) -> None:
        attack_in(site.history, site.clock.now_us())
        browser, _ = await site.at_work("Sato", ANALYST)
        assert (await browser.get(f"{PAGE}/policy.toml")).status_code == 404
        await browser.get(PAGE)
        await browser.submit(PAGE, **STRICT)
        await trials_of(site).finished()
        taken = await browser.get(f"{PAGE}/policy.toml")
        assert taken.headers["content-disposition"] == 'attachment; filename="default-2.toml"'
        tried = parse_policy(taken.text)
        assert tried.default.budgets == (0.2, 0.4, 0.6)
        new_guard(shadows=(tried,))
        assert acts_of(site) == [("policy:tried", "default@2", 30), ("policy:taken", "default@2", None)]

    at_the_desks(tmp_path, scene)


def test_known_campaigns_and_members_are_told_apart_where_somebody_hunted(tmp_path):
    async def scene(site: DesksSite) -> None:
        attack_in(site.history, site.clock.now_us())
        browser, _ = await site.at_work("Ito", {"lender": (StaffRole.RESPONDER,)})
        await browser.get("/lender/campaigns")
        await browser.submit("/lender/campaigns/hunt")
        await site.desks.hunts.finished()
        await browser.get(PAGE)
        await browser.submit(PAGE, **STRICT)
        await trials_of(site).finished()
        last = trials_of(site).last()
        assert last is not None
        tried = last.found.attempts_at("login", end=End.CAMPAIGN)
        assert last.found.hunted
        assert tried > 300
        text = (await browser.get(PAGE)).text
        (row,) = [
            row for row in under("What is known of them now", text) if row[0] == "tried by a known campaign"
        ]
        stopped = [last.found.stopped("login", number, end=End.CAMPAIGN) for number in (0, 1)]
        assert row[1] == str(tried)
        assert [cell.split()[0] for cell in row[2:]] == [str(count) for count in stopped]
        denied = [last.found.count("login", number, Action.DENY, end=End.CAMPAIGN) for number in (0, 1)]
        assert denied[0] == 0 < denied[1]
        assert "Nobody has hunted" not in text

    at_the_desks(tmp_path, scene)


def test_a_result_of_another_version_is_none(tmp_path):
    """It is no reason for a page that fails: whoever wants to know tries again."""

    async def scene(site: DesksSite) -> None:
        attack_in(site.history, site.clock.now_us())
        assert trials_of(site).start(OURS, IN_FORCE, days=1, by="x")
        await trials_of(site).finished()
        assert trials_of(site).last() is not None
        (tmp_path / "what-if" / "result.json").write_text('{"attempts": 1}')
        assert trials_of(site).last() is None

    at_the_desks(tmp_path, scene)


def test_what_if_and_the_preview_of_a_switch_lead_to_each_other(tmp_path):
    """The one for who may do it: an analyst sets no switches, and comes to their list."""

    async def scene(site: DesksSite) -> None:
        responder, _ = await site.at_work("Ito", {"lender": (StaffRole.RESPONDER,)})
        assert 'href="/lender/switches/new"' in (await responder.get(PAGE)).text
        analyst, _ = await site.at_work("Sato", ANALYST)
        assert 'href="/lender/switches"' in (await analyst.get(PAGE)).text
        await responder.get("/lender/switches/new")
        await responder.submit(
            "/lender/switches/preview", function="atm_withdrawal", reason="codes were phished"
        )
        assert responder.page.status_code == 200
        assert 'href="/lender/what-if"' in responder.page.text

    at_the_desks(tmp_path, scene)


def test_the_next_revision_is_one_that_no_policy_runs_under():
    running = (IN_FORCE, NEXT, OURS)
    assert changed_policy(running, "default", {}).name == "default@3"
    with pytest.raises(PolicyUnusable):
        changed_policy(running, "default", {"friction_before_hash": 0.4, "friction_campaign": 0.3})
    assert read_policy(policy_text(NEXT), IN_FORCE) == NEXT


def test_days_are_counted_back_from_when_the_trial_began(tmp_path):
    async def scene(site: DesksSite) -> None:
        attack_in(site.history, site.clock.now_us())
        assert trials_of(site).start(OURS, IN_FORCE, days=2, by="x")
        begun_us = site.clock.now_us()
        site.clock.advance(5 * DAY_US)
        await trials_of(site).finished()
        last = trials_of(site).last()
        assert last is not None
        assert (last.wish.begun_us, last.found.compared) == (begun_us, 400 + 40)

    at_the_desks(tmp_path, scene)
