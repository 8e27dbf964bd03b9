"""What was done about a campaign: out of every record, once each, in the order in which it happened."""

import asyncio

import pytest
from sqlalchemy import insert
from tests.response.cohort_at_hand import CAMPAIGN, CohortAtHand

from sekisho.console.campaign_story import LATE_US, SHOWN_EACH, Seen, story_of
from sekisho.kernel.clock import MINUTE_US
from sekisho.response import cases, containment_rows
from sekisho.response.cases import CaseKind, Opening, Reporter
from sekisho.response.switch_desk import SwitchDesk, Wish
from sekisho.response.switches import Scope
from sekisho.storage.tables.cases import claim, report_version


class Incident(CohortAtHand):
    """A cohort, and what people do about it, a minute apart."""

    def then(self, work):
        self.at_hand.clock.advance(MINUTE_US)
        return asyncio.run(work)

    def write(self, work):
        self.at_hand.clock.advance(MINUTE_US)
        return self.at_hand.store.write(work).result()

    def set_switch(self, by, function="atm_withdrawal"):
        wish = Wish(scope=Scope(function=function), reason="phished", open_ways=("atm_repayment",))
        return self.then(SwitchDesk(self.parts).set(wish, by=by))

    def open_case(self, number, kind=CaseKind.MONEY_TAKEN, campaign=CAMPAIGN):
        opening = Opening(
            kind=kind, reporter=Reporter.MEMBER, occasion=f"{campaign}:{kind}:{number}", campaign=campaign
        )
        return self.write(lambda at: cases.open_case(at, self.parts, opening, by="tanaka"))

    def pay(self, case_id, number, yen, campaign_by="suzuki"):
        now_us = self.at_hand.clock.now_us()
        texts = dict.fromkeys(("policy", "reason", "assessed_by", "posting", "made_by"), "x")
        values = texts | {"id": f"clm_{number}", "case_id": case_id, "loss": f"lev_{number}", "state": "paid"}
        yens = {"loss_yen": yen, "claimed_yen": yen, "awarded_yen": yen}
        times = dict.fromkeys(("lost_at_us", "made_at_us", "decided_at_us", "posted_at_us"), now_us)
        row = values | yens | times | {"decided_by": campaign_by}
        self.write(lambda at: at.execute(insert(claim).values(row)))

    def draw_up(self, version, *, kind="breach_preliminary", sent=False):
        now_us = self.at_hand.clock.now_us()
        row = {"kind": kind, "about": CAMPAIGN, "version": version, "sheet": b"", "sha256": ""}
        row |= {"made_by": "sato", "made_at_us": now_us}
        row |= {"sent_by": "abe" if sent else "", "sent_at_us": now_us + 1 if sent else None}
        self.write(lambda at: at.execute(insert(report_version).values(row)))

    def story(self, *, seen=None, campaign=CAMPAIGN):
        when = seen or Seen(self.entered_at_us, self.entered_at_us + MINUTE_US)
        with self.at_hand.store.read() as connection:
            begun = containment_rows.of_campaign(connection, campaign)
            return story_of(connection, campaign, begun=begun, seen=when)


@pytest.fixture(name="incident")
def _incident(tmp_path):
    opened = Incident(tmp_path, count=4)
    yield opened
    opened.at_hand.store.close()


def told(story):
    return [(one.what, one.kind or one.of, one.by, one.many) for one in story.done]


def test_nothing_was_done_yet(incident):
    assert incident.story().done == []


def test_everything_stands_in_the_order_in_which_it_was_done(incident):
    """Switches, containment, cases, payments and reports, each with who did it."""
    desk = incident.desk()
    switch = incident.set_switch("sato")
    begun = incident.then(desk.begin(CAMPAIGN, incident.cohort(0.99, 0.99, 0.6, 0.6), by="sato"))
    incident.then(desk.run(begun.id))
    incident.then(SwitchDesk(incident.parts).approve(switch.id, by="suzuki"))
    case = incident.open_case(1)
    incident.pay(case.id, 1, 30_000)
    incident.draw_up(1, sent=True)
    story = incident.story()
    assert told(story) == [
        ("switch", "set", "sato", 1),
        ("containment_begun", "", "sato", 1),
        ("members_done", "done", "", 2),
        ("cases", "account_entered", "", 2),
        ("switch", "approved", "suzuki", 1),
        ("case", "money_taken", "tanaka", 1),
        ("claims_paid", "", "suzuki", 1),
        ("report_made", "breach_preliminary", "sato", 1),
        ("report_sent", "breach_preliminary", "abe", 1),
    ]
    assert [one.at_us for one in story.done] == sorted(one.at_us for one in story.done)
    assert set(story.switches) == {switch.id}
    assert next(one.yen for one in story.done if one.what == "claims_paid") == 30_000


def test_what_was_decided_of_single_members_is_put_together_by_person(incident):
    desk = incident.desk()
    begun = incident.then(desk.begin(CAMPAIGN, incident.cohort(0.99, 0.6, 0.6, 0.6), by="sato"))
    incident.then(desk.run(begun.id))
    for place, (by, contain) in enumerate((("ito", True), ("ito", True), ("abe", False)), 1):
        incident.then(desk.decide(begun.id, incident.members[place], contain=contain, by=by))
    incident.then(desk.run(begun.id))
    incident.then(desk.undo(begun.id, incident.members[0], proof="came with a passport", by="abe"))
    other = incident.then(desk.begin("cmp_other", incident.cohort(0.6, 0.6, 0.6, 0.6), by="sato"))
    incident.then(desk.decide(other.id, incident.members[0], contain=True, by="ito"))
    decided = [one for one in told(incident.story()) if one[0].startswith("decided_")]
    assert decided == [
        ("decided_waiting", "waiting", "ito", 2),
        ("decided_turned_down", "turned_down", "abe", 1),
        ("decided_undone", "undone", "abe", 1),
    ]
    two = next(one for one in incident.story().done if one.what == "decided_waiting")
    assert two.until_us == two.at_us + MINUTE_US


def test_who_adds_to_a_containment_did_not_begin_it(incident):
    desk, cohort = incident.desk(), incident.cohort()
    incident.then(desk.begin(CAMPAIGN, cohort[:1], by="sato"))
    incident.then(desk.begin(CAMPAIGN, cohort, by="ito"))
    begun = incident.then(desk.begin(CAMPAIGN, [], by="sato"))
    incident.then(desk.approve(begun.id, by="suzuki"))
    assert [one[:3:2] for one in told(incident.story())] == [
        ("containment_begun", "sato"),
        ("containment_added", "ito"),
        ("containment_added", "sato"),
        ("containment_approved", "suzuki"),
    ]


def test_a_switch_of_another_time_is_about_something_else(incident):
    """One from before the first attempt, and one of weeks after the last."""
    before = incident.set_switch("sato")
    seen = Seen(before.set_at_us + 1, before.set_at_us + MINUTE_US)
    during = incident.set_switch("sato", "link_register")
    incident.at_hand.clock.set(seen.last_us + LATE_US)
    incident.set_switch("sato", "transfer_loan")
    assert set(incident.story(seen=seen).switches) == {during.id}


def test_the_cases_of_another_campaign_are_no_part_of_it(incident):
    case = incident.open_case(1, campaign="cmp_other")
    incident.pay(case.id, 1, 5_000)
    assert incident.story().done == []


def test_many_cases_of_damage_are_counted_behind_the_first_ones(incident):
    for number in range(SHOWN_EACH + 3):
        incident.open_case(number)
    found = told(incident.story())
    assert found[:SHOWN_EACH] == [("case", one[1], "tanaka", 1) for one in found[:SHOWN_EACH]]
    assert found[SHOWN_EACH:] == [("cases", "more", "", 3)]


def test_drafts_that_were_replaced_are_left_out_where_they_are_many(incident):
    """What was sent stays, and so does the newest."""
    for version in range(1, SHOWN_EACH + 3):
        incident.draw_up(version, sent=version == 2)
    versions = [(one.what, one.version) for one in incident.story().done]
    assert versions == [("report_made", 2), ("report_sent", 2), ("report_made", SHOWN_EACH + 2)]


def test_a_broken_account_is_told_as_one_that_needs_a_look(incident):
    desk = incident.desk()
    begun = incident.then(desk.begin(CAMPAIGN, incident.cohort(), by="sato"))

    def broken(*_):
        raise RuntimeError("broken")

    desk._contain = broken  # noqa: SLF001 - every account of this one is broken
    incident.then(desk.run(begun.id))
    assert ("members_failed", "failed", "", 4) in told(incident.story())
