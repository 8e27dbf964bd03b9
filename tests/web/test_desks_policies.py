"""Policies at the desks: what runs, and what each said of the same attempts."""

import html
import re

import msgspec
import pytest
from tests.campaigns.recorded import NOON_US, Record, write_hunt
from tests.guard.small_world import new_guard
from tests.web.desks_site import DesksSite, at_the_desks

from sekisho.console.policy_desk import Span
from sekisho.console.rights import StaffRole
from sekisho.guard.attempts import ChallengeResult, Outcome
from sekisho.guard.decisions import Action
from sekisho.guard.policy import RuleSetting, default_policy, parse_policy
from sekisho.kernel.clock import DAY_US, HOUR_US, SECOND_US
from sekisho.web.console.policy_words import percent, share

AUDITOR = {"lender": (StaffRole.AUDITOR,)}
PAGE = "/lender/policies"
OURS = parse_policy(
    'id = "ours"\nrevision = 5\n[default]\non_outage = "open"\nfriction_calm = 0.02\ndeny_from = 0.9\n'
    '[default.rules]\nguesses_on_one_account = { action = "deny", limit = 3 }\n'
    '[gates.transfer]\non_outage = "closed"\nask = "puzzle"\nhold_s = 90\n'
)


def rows(table):
    """Return a table's rows, each as the texts of its cells."""
    lines = re.findall(r"<tr>(.*?)</tr>", table, re.DOTALL)
    return [
        [plain(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", line, re.DOTALL)] for line in lines
    ]


def plain(markup):
    return html.unescape(" ".join(re.sub(r"<[^>]+>", " ", markup).split()))


def under(caption, page):
    """Return the rows of the table of that caption."""
    table = re.search(rf"<table[^>]*>\s*<caption>{re.escape(caption)}.*?</table>", page, re.DOTALL)
    assert table, caption
    return rows(table[0])


def recorded(site: DesksSite) -> Record:
    """Let the lender's guard have decided some attempts in the last minutes."""
    record = Record(site.history)
    ago = (site.clock.now_us() - NOON_US) / SECOND_US - 600
    for number in range(150):
        asked = number < 2
        record.add(
            ago + number, f"m{number}", Action.CHALLENGE if asked else Action.ALLOW,
            outcome=Outcome.SUCCESS, challenge=ChallengeResult.PASSED if asked else ChallengeResult.NONE,
            shadow={"ours@5": "challenge" if number < 12 else "allow"},
        )  # fmt: skip
        record.add(ago + 200 + number, f"m{number}", outcome=Outcome.SUCCESS, vouched=True)
    for number in range(3):
        record.add(ago + 400 + number, f"e{number}", outcome=Outcome.SUCCESS, shadow={"ours@5": "deny"})
    record.write()
    write_hunt(
        site.file / "hunt" / "attempts.parquet",
        *((ago + 400 + number, f"e{number}", 0.9, "cmp_1") for number in range(3)),
    )
    return record


def test_what_a_shadow_would_have_cost_and_stopped_stands_beside_the_policy_in_force(tmp_path):
    async def scene(site: DesksSite) -> None:
        recorded(site)
        browser, _ = await site.at_work("Sato", AUDITOR)
        text = (await browser.get(PAGE)).text
        assert under("Answers", text) == [
            ["Answer", "default@1", "ours@5"],
            ["let through", "301 (99%)", "288 (95%)"],
            ["puzzle", "0 (0%)", "0 (0%)"],
            ["asked for more", "2 (0.7%)", "12 (4.0%)"],
            ["denied", "0 (0%)", "3 (1.0%)"],
        ]
        assert under("What is known of them now", text) == [
            ["Known now", "Attempts", "default@1", "ours@5"],
            ["the member, for sure", "300", "2 (0.7%)", "12 (4.0%)"],
            ["entered by a known campaign", "3", "0", "3"],
        ]
        said = plain(re.sub(r"</?span[^>]*>", "", text))
        assert "Stricter at 13 (4.3%), milder at 0 (0%) of 303 attempts." in said
        assert "it would have stopped 12 (4.0%); in force: 2 (0.7%)." in said
        assert "Of 3 entries by known campaigns it would have stopped 3; in force: 0." in said
        assert "303 attempts, 150 of them by known devices" in said

    at_the_desks(tmp_path, scene, guard=new_guard(shadows=(OURS,)))


def test_what_the_policies_say_is_told_in_words_and_what_is_other_is_marked(tmp_path):
    async def scene(site: DesksSite) -> None:
        browser, _ = await site.at_work("Sato", AUDITOR)
        text = (await browser.get(PAGE)).text
        every_gate = next(
            part for part in re.findall(r"<details.*?</details>", text, re.DOTALL) if "Every" in part
        )
        lines = {name: said for name, *said in rows(every_gate)}
        assert lines["Calm: honest successes asked for more, at most"] == ["0.22%", "2% other"]
        assert lines["In a campaign: denied from a probability of"] == ["nobody is denied", "90% other"]
        assert lines["Where the guard can't be reached"] == ["refuse", "let through other"]
        assert lines["A campaign goes on after its last sign for"] == ["6 h", "6 h"]
        assert lines["Rule: many guesses at one account"] == [
            "asked for more, from 10 on",
            "denied, from 3 on other",
        ]
        assert lines["Rule: forged device token"] == ["asked for more", "off other"]
        assert "Rule: one password on many accounts" not in lines
        assert "2 min" not in text
        assert "90 s" in text

    at_the_desks(tmp_path, scene, guard=new_guard(shadows=(OURS,)))


def test_without_a_shadow_the_page_says_how_to_run_one(tmp_path):
    async def scene(site: DesksSite) -> None:
        browser, _ = await site.at_work("Sato", AUDITOR)
        text = (await browser.get(PAGE)).text
        assert "No policy runs in the shadow" in text
        assert "--shadow default-2.toml" in text
        assert "Nothing was decided in this time." in text
        assert "/lender/what-if" not in text

    at_the_desks(tmp_path, scene)


def test_a_span_leaves_out_what_came_before(tmp_path):
    """The last hour, day or week: what else is asked for is the day."""

    async def scene(site: DesksSite) -> None:
        record = Record(site.history)
        now_s = (site.clock.now_us() - NOON_US) / SECOND_US
        for age_us in (HOUR_US, DAY_US, 7 * DAY_US):
            record.add(now_s - age_us / SECOND_US + 60, "m", shadow={"ours@5": "allow"})
        record.write()
        found = [(await site.desks.policies.compare(span)).compared for span in Span]
        assert found == [1, 2, 3]
        browser, _ = await site.at_work("Sato", AUDITOR)
        for asked, count in (("hour", 1), ("day", 2), ("week", 3), ("", 2), ("x", 2)):
            assert f"{count} attempts, 0 of them" in (await browser.get(f"{PAGE}?span={asked}")).text

    at_the_desks(tmp_path, scene, guard=new_guard(shadows=(OURS,)))


def test_a_look_is_kept_for_a_minute_unless_the_record_goes_on(tmp_path):
    """Whoever reloads the page does not have the whole record read again."""

    async def scene(site: DesksSite) -> None:
        desk, record = site.desks.policies, recorded(site)
        first = await desk.compare(Span.DAY)
        assert await desk.compare(Span.DAY) is first
        site.clock.advance(61 * SECOND_US)
        again = await desk.compare(Span.DAY)
        assert again is not first
        assert again == first
        record.add((site.clock.now_us() - NOON_US) / SECOND_US, "late", shadow={"ours@5": "deny"})
        record.write()
        assert (await desk.compare(Span.DAY)).compared == first.compared + 1

    at_the_desks(tmp_path, scene, guard=new_guard(shadows=(OURS,)))


def test_a_shadow_that_has_not_spoken_yet_is_told(tmp_path):
    async def scene(site: DesksSite) -> None:
        record = Record(site.history)
        now_s = (site.clock.now_us() - NOON_US) / SECOND_US
        record.add(now_s - 9, "m")
        record.add(now_s - 8, "m", policy=OURS)
        record.write()
        browser, _ = await site.at_work("Sato", AUDITOR)
        text = (await browser.get(PAGE)).text
        assert "1 attempts were decided in this time, none of them while all policies ran." in text
        assert "1 attempts are left out: another policy than default@1 decided them." in text

    at_the_desks(tmp_path, scene, guard=new_guard(shadows=(OURS,)))


def test_a_damaged_record_is_an_outage_and_no_empty_page(tmp_path):
    async def scene(site: DesksSite) -> None:
        recorded(site)
        (file,) = (site.history / "attempts").rglob("*.parquet")
        file.write_bytes(file.read_bytes()[:-50])
        browser, _ = await site.at_work("Sato", AUDITOR)
        assert (await browser.get(PAGE)).status_code == 503

    at_the_desks(tmp_path, scene, guard=new_guard(shadows=(OURS,)))


@pytest.mark.parametrize(
    ("part", "whole", "written"),
    [
        (1, 99, ""),
        (0, 100, "0%"),
        (1, 100, "1.0%"),
        (1, 3_000, "<0.1%"),
        (123, 1_000, "12%"),
        (300, 300, "100%"),
    ],
)
def test_a_share_has_no_more_digits_than_it_bears(part, whole, written):
    assert share(part, whole) == written


@pytest.mark.parametrize(
    ("value", "written"), [(0.0022, "0.22%"), (0.9999, "100%"), (0.3456, "35%"), (0.0, "0%")]
)
def test_a_probability_is_written_with_two_digits(value, written):
    assert percent(value) == written


def test_every_rule_of_a_policy_has_its_words(tmp_path):
    """In both languages: a rule without words would break the page of whoever switches it on."""
    on = {rule: RuleSetting(Action.PUZZLE, 7.5) for rule in default_policy().default.rules}
    policy = default_policy()
    every = msgspec.structs.replace(
        policy, id="every", default=msgspec.structs.replace(policy.default, rules=on)
    )

    async def scene(site: DesksSite) -> None:
        browser, _ = await site.at_work("Sato", AUDITOR)
        for language in ("ja", "en"):
            await browser.get(f"/language/{language}?back={PAGE}")
            text = (await browser.get(PAGE)).text
            assert text.count("7.5") == len(on)

    at_the_desks(tmp_path, scene, guard=new_guard(every))
