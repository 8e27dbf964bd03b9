"""What the desks read of a campaign and of how things stand, on every engine."""

import asyncio

import msgspec
import pytest
from tests.conformance.test_identity_rows import on
from tests.response.cohort_at_hand import CAMPAIGN, POLICY, CohortAtHand
from tests.response.incident_at_hand import lost

from sekisho.console.campaign_story import Seen, story_of
from sekisho.console.standing import standing_at
from sekisho.identity import devices, sessions
from sekisho.identity.arrivals import Arrival
from sekisho.identity.assurance import Level
from sekisho.identity.assurance import Standing as DeviceStanding
from sekisho.identity.holds import HoldKind
from sekisho.identity.sessions import Birth
from sekisho.response import containment_rows
from sekisho.response.cohorts import Suspect, of_sessions
from sekisho.response.containment_rows import Rank, Standing

ARRIVAL = Arrival(ip="198.51.100.9", user_agent="x")


@pytest.fixture
def hand(store, tmp_path):
    return CohortAtHand(tmp_path, 3, of=on(store))


def read(hand, look):
    with hand.at_hand.store.read() as connection:
        return look(connection)


def test_a_story_and_what_waits_are_read(hand):
    """One account is shut, one waits for a decision, and money was lost."""
    begun = hand.contain(0.99, 0.6, 0.2)
    lost(hand, hand.members[0], "9901")
    seen = Seen(hand.entered_at_us, hand.entered_at_us)
    story = read(hand, lambda at: story_of(at, CAMPAIGN, begun=begun, seen=seen))
    whats = ["containment_begun", "members_done", "cases", "case"]
    assert sorted(one.what for one in story.done) == sorted(whats)
    standing = read(hand, standing_at(hand.at_hand.clock.now_us(), "sato"))
    assert standing.holds == {HoldKind.CONTAINMENT: 1}
    assert {one.what: one.many for one in standing.work} == {"cohort": 1, "cases_nobodys": 2}


def test_a_cohort_is_listed_in_order_and_a_crowd_is_bound(hand):
    desk = hand.desk(msgspec.structs.replace(POLICY, automatic_members_max=0))
    cohort = [Suspect(f"m{number:02d}", 1, 0.9 + number % 3 / 100) for number in range(30)]
    begun = asyncio.run(desk.begin(CAMPAIGN, cohort, by="sato"))
    found: list[str] = []
    after = None
    for _ in range(3):
        some = read(
            hand,
            lambda at, after=after: containment_rows.listed(
                at, begun.id, Standing.PROPOSED, after=after, limit=10
            ),
        )
        found += [one.named for one in some]
        after = Rank(some[-1].probability, some[-1].named)
    ordered = sorted(cohort, key=lambda one: (one.probability, one.named), reverse=True)
    assert found == [one.named for one in ordered]
    crowd = read(hand, lambda at: containment_rows.crowd(at, begun.id, 0.9))
    assert crowd.size == len(cohort)
    assert asyncio.run(desk.approve(begun.id, by="ito", crowd=crowd)) == len(cohort)


def test_who_was_entered_and_is_in_no_containment_is_counted(hand):
    """Nobody twice, and nobody who is hardly suspected or contained."""

    def enter(connection):
        for member_id, risk in zip(hand.members, (0.95, 0.95, 0.1), strict=True):
            device = devices.enrol(connection, hand.parts, member_id, ARRIVAL, DeviceStanding.UNCONFIRMED)
            birth = Birth(
                member_id=member_id,
                device_id=device.device.id,
                level=Level.CODE,
                arrival=ARRIVAL,
                risk=risk,
                campaign=CAMPAIGN,
            )
            sessions.open_session(connection, hand.parts, birth)
            sessions.open_session(connection, hand.parts, birth)

    hand.at_hand.store.write(enter).result()
    assert len(read(hand, lambda at: of_sessions(at, CAMPAIGN))) == 3
    uncontained = read(hand, lambda at: containment_rows.not_contained(at, [CAMPAIGN, "cmp_other"], 0.5))
    assert uncontained == {CAMPAIGN: 2}
    asyncio.run(hand.desk().begin(CAMPAIGN, hand.cohort(0.99, 0.99, 0.99)[:1], by="sato"))
    assert read(hand, lambda at: containment_rows.not_contained(at, [CAMPAIGN], 0.5)) == {CAMPAIGN: 1}
