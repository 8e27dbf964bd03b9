"""Cohorts that are looked at again and again: read once, and anew as soon as anything says something else."""

import asyncio
import os

import pytest
from tests.identity.member_at_hand import open_at_hand

from sekisho.console.cohort_looks import KEPT_MAX, CohortLooks, Lines
from sekisho.console.hunts import Hunts
from sekisho.identity import sessions
from sekisho.identity.arrivals import Arrival
from sekisho.identity.assurance import Level
from sekisho.identity.sessions import Birth
from sekisho.response.cohorts import Suspect
from sekisho.response.containment import ContainmentDesk
from sekisho.response.containment_rows import Policy

CAMPAIGN = "cmp_0123456789abcdef0123456789abcdef"
POLICY = Policy(revision=1, automatic_from=0.9, proposed_from=0.5, automatic_members_max=50)


class CountedHunts(Hunts):
    """Hunts that count how often their list is read."""

    read = 0

    def entered(self, campaign):
        self.read += 1
        return super().entered(campaign)


class Looked:
    """An institution, the list of a hunt, and the looks at it."""

    def __init__(self, folder):
        self.at_hand = open_at_hand(folder)
        self.hunts = CountedHunts(folder / "history", folder / "hunt", ())
        self.looks = CohortLooks(self.at_hand.parts, self.hunts)
        self.hunted = 0

    def hunt(self, *rows, campaign=CAMPAIGN):
        """Put a list in place, as a hunt does when it ends."""
        folder = self.hunts.report.parent
        folder.mkdir(exist_ok=True)
        listed = folder / "entered.csv"
        lines = [f"{named},2026-11-21T05:00:00Z,{probability},{campaign}" for named, probability in rows]
        listed.write_text("\n".join(["member,first_entered_at,probability,campaign", *lines]))
        self.hunted += 1
        os.utime(listed, ns=(self.hunted, self.hunted))

    def enter(self, risk, campaign=CAMPAIGN):
        """Let somebody be in an account, in a session that the guard knows to be of the campaign."""
        member_id = self.at_hand.add_reachable_member()
        device = self.at_hand.log_in(member_id).device
        birth = Birth(
            member_id=member_id,
            device_id=device.id,
            level=Level.CODE,
            arrival=Arrival(ip="198.51.100.9", user_agent="x"),
            risk=risk,
            campaign=campaign,
        )
        parts = self.at_hand.parts
        parts.store.write(lambda at: sessions.open_session(at, parts, birth)).result()
        return member_id

    def cohort(self, campaign=CAMPAIGN):
        return asyncio.run(self.looks.cohort(campaign))


@pytest.fixture(name="looked")
def _looked(tmp_path):
    looked = Looked(tmp_path)
    yield looked
    looked.at_hand.store.close()


def test_the_list_is_read_once_a_hunt(looked):
    looked.hunt(("a", 0.95), ("b", 0.7))
    first = looked.cohort()
    assert looked.cohort() is first
    assert looked.hunts.read == 1
    looked.hunt(("a", 0.95), ("b", 0.8))
    again = looked.cohort()
    assert looked.hunts.read == 2
    assert again.digest != first.digest
    assert [one.probability for one in again.suspects] == [0.95, 0.8]


def test_a_session_of_the_campaign_makes_it_another_cohort(looked):
    """Who is entered now is in it at once, and what was approved before is not approved."""
    looked.hunt(("a", 0.95))
    before = looked.cohort()
    member_id = looked.enter(0.97)
    looked.enter(0.99, campaign="cmp_another")
    after = looked.cohort()
    assert [one.named for one in after.suspects] == [member_id, "a"]
    assert after.digest != before.digest


def test_without_a_hunt_the_sessions_are_the_cohort(looked):
    member_id = looked.enter(0.97)
    assert [one.named for one in looked.cohort().suspects] == [member_id]
    assert looked.cohort("cmp_another").suspects == []


def test_a_cohort_is_counted_between_the_lines(looked):
    """The lines themselves belong to what is above them."""
    looked.hunt(("a", 0.99), ("b", 0.9), ("c", 0.89), ("d", 0.5), ("e", 0.5), ("f", 0.49))
    assert looked.cohort().lines(POLICY) == Lines(automatic=2, proposed=3, below=1)


def test_those_who_are_new_are_counted_anew_when_the_containment_grows(looked):
    looked.hunt(("a", 0.99), ("b", 0.6), ("c", 0.6))
    cohort = looked.cohort()
    desk = ContainmentDesk(looked.at_hand.parts, POLICY)
    begun = asyncio.run(desk.begin(CAMPAIGN, cohort.suspects[:1], by="sato"))

    def new(size):
        return asyncio.run(looked.looks.new_in(CAMPAIGN, looked.cohort(), begun.id, size))

    assert new(1) == 2
    asyncio.run(desk.begin(CAMPAIGN, [Suspect("b", 1, 0.6), Suspect("z", 1, 0.6)], by="sato"))
    assert new(3) == 1
    looked.hunt(("x", 0.99), ("y", 0.99), ("z", 0.6))
    assert new(3) == 2


def test_only_the_cohorts_that_were_looked_at_last_are_kept(looked):
    """Each may be of hundreds of thousands."""
    for number in range(KEPT_MAX + 1):
        looked.cohort(f"cmp_{number}")
    read = looked.hunts.read
    looked.cohort(f"cmp_{KEPT_MAX}")
    assert looked.hunts.read == read
    looked.cohort("cmp_0")
    assert looked.hunts.read == read + 1
