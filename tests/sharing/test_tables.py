"""The two tables of the policy: what they say is what happens, and what cannot be is refused by name."""

import tomllib
from pathlib import Path

import pytest

from sekisho.bank.mandate_states import MandateState
from sekisho.guard.rules.shared_signal import POINTS
from sekisho.identity.members import MemberState
from sekisho.sharing import actions, announcing
from sekisho.sharing.actions import Action, BadActionTable, rule_for
from sekisho.sharing.agreed_subjects import MEMBER
from sekisho.sharing.announcing import BadAnnouncingTable
from sekisho.sharing.caep_events import RiskLevelChange
from sekisho.sharing.events import BY_SHORT_NAME, SHAREABLE
from sekisho.sharing.risc_events import AccountDisabled, AccountPurged, OptIn


def test_every_sign_of_the_table_is_worth_something_to_the_guard():
    """A sign that the rule does not know would be a warning that nobody hears."""
    signs = {rule.sign for rule in actions.load_table() if rule.sign}
    assert signs <= POINTS.keys()
    assert POINTS.keys() - signs == {"partner_hostile_source", "partner_hostile_device"}


def test_every_event_that_we_announce_leads_to_something_where_the_same_table_holds():
    announced = {BY_SHORT_NAME[said.type] for rule in announcing.load_table() for said in rule.event}
    acted_on = {BY_SHORT_NAME[rule.event] for rule in actions.load_table()}
    assert announced <= acted_on
    assert announced <= set(SHAREABLE)


def test_the_first_rule_that_an_event_meets_counts():
    rules = actions.load_table()
    hijacked, stopped = (
        rule_for(rules, AccountDisabled(reason="hijacking"), MEMBER),
        rule_for(rules, AccountDisabled(), MEMBER),
    )
    assert hijacked is not None
    assert stopped is not None
    assert Action.SUSPEND_LINK in hijacked.actions
    assert Action.SUSPEND_LINK not in stopped.actions
    low = rule_for(rules, RiskLevelChange(principal="USER", current_level="LOW"), MEMBER)
    assert low is not None
    assert low.actions == (Action.LIFT,)
    assert rule_for(rules, OptIn(), MEMBER) is None


def test_a_rule_may_be_for_one_kind_alone():
    """That a mandate is gone ends the link over it, and no session of whoever made it."""
    rules = actions.load_table()
    of_link, of_member = (rule_for(rules, AccountPurged(), kind) for kind in ("bank_link", MEMBER))
    assert of_link is not None
    assert of_member is not None
    assert of_link.actions == (Action.END_LINK,)
    assert Action.END_LINK not in of_member.actions


RULE = '[[rule]]\nevent = "session-revoked"\nactions = ["end_sessions"]\n'


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "rule"),
        ("[[rule]]", "event"),
        (RULE.replace("session-revoked", "session-burnt"), "there is no event 'session-burnt'"),
        (RULE.replace("end_sessions", "burn"), "burn"),
        (RULE.replace("end_sessions", "raise_evidence"), "raise_evidence needs a sign"),
        (RULE + "hours = 0\n", "hours"),
        (RULE + "hour = 3\n", "hour"),
        (RULE + "[", ""),
    ],
)
def test_a_table_of_actions_that_cannot_be_used_is_refused(tmp_path, text, complaint):
    assert actions.parse_table(RULE)
    file = tmp_path / "ours.toml"
    file.write_text(text, "utf-8")
    with pytest.raises(BadActionTable, match=r"ours\.toml") as refused:
        actions.load_table(file)
    assert complaint in str(refused.value)


HAPPENS = '[[rule]]\nhappening = "member:account:frozen"\n[[rule.event]]\ntype = "account-disabled"\n'


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "rule"),
        (HAPPENS.replace("account-disabled", "account-burnt"), "account-burnt"),
        (HAPPENS + 'say = { reason = "boredom" }\n', "reason"),
        (HAPPENS + 'sya = { reason = "hijacking" }\n', "sya"),
        (HAPPENS.replace("account-disabled", "risk-level-change"), "principal"),
    ],
)
def test_a_table_of_announcements_that_cannot_be_used_is_refused(tmp_path, text, complaint):
    assert announcing.parse_table(HAPPENS)
    file = tmp_path / "ours.toml"
    file.write_text(text, "utf-8")
    with pytest.raises(BadAnnouncingTable, match=r"ours\.toml") as refused:
        announcing.load_table(file)
    assert complaint in str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(BadActionTable, match="nowhere"):
        actions.load_table(tmp_path / "nowhere")
    with pytest.raises(BadAnnouncingTable, match="nowhere"):
        announcing.load_table(tmp_path / "nowhere")


def test_the_happenings_of_the_table_are_those_that_the_program_writes_down():
    """A happening that is spelt otherwise than its writer spells it would never be announced."""
    source = Path(announcing.__file__).parent.parent
    rooms = [file for room in ("identity", "bank") for file in (source / room).rglob("*.py")]
    written = "\n".join(file.read_text("utf-8") for file in rooms)
    states: dict[str, set[str]] = {
        "member:account": {each.value for each in MemberState},
        "bank:mandate": {each.value for each in MandateState},
    }
    table = tomllib.loads(announcing.DEFAULT.read_text("utf-8"))
    for rule in table["rule"]:
        area, _, what = rule["happening"].rpartition(":")
        spelt = f'"{rule["happening"]}"' in written
        assert spelt or what in states.get(area, ()), rule["happening"]
