"""Containment: what is taken out of an account, who decides, who is told, and how it is taken back."""

import asyncio
from threading import Barrier

import msgspec
import pytest
from sqlalchemy import select, update
from tests.response.cohort_at_hand import CAMPAIGN, POLICY, CohortAtHand, MemberState

from sekisho.identity import freezes, members, passwords
from sekisho.identity.arrivals import Arrival
from sekisho.identity.containment import enrol_anew
from sekisho.identity.holds import HoldKind, HoldScope, holds_on, place
from sekisho.identity.members import MemberState as State
from sekisho.identity.passkeys import of_member
from sekisho.identity.personal_data import Item, store
from sekisho.kernel.clock import HOUR_US
from sekisho.response import containment, containment_rows
from sekisho.response.cohorts import CohortUnreadable, Suspect, of_sessions, read_entered, together
from sekisho.response.containment import (
    ContainmentDesk,
    ContainmentStepRefused,
    ContainmentUnknown,
    CrowdChanged,
)
from sekisho.response.containment_rows import Rank, Standing
from sekisho.response.staff import SecondPersonNeeded
from sekisho.storage.engine import join_store
from sekisho.storage.tables.personal_data import personal_item
from sekisho.storage.tables.sessions import session

OPEN = MemberState("open", True, 1, 0, (), ())
SHUT = MemberState("invalidated", False, 0, 1, ("email", "letter", "sms"), ("suspected",))
HERE = Arrival(ip="192.0.2.7", user_agent="Mozilla/5.0")


@pytest.fixture
def hand(tmp_path):
    opened = CohortAtHand(tmp_path)
    for member_id in opened.members:
        opened.at_hand.log_in(member_id)
    yield opened
    opened.at_hand.store.close()


def write(hand, work):
    return hand.at_hand.store.write(work).result()


def undo(hand, begun, member_id):
    desk = hand.desk()
    return asyncio.run(desk.undo(begun.id, member_id, proof="called back, knew the last payment", by="ito"))


def test_an_account_is_shut_whole_and_its_member_told(hand):
    """No session, no password, no money out, a notice on every channel, a case."""
    assert hand.state_of(hand.members[0]) == OPEN
    begun = hand.contain()
    assert [hand.state_of(each) for each in hand.members] == [SHUT] * 3
    assert set(hand.standings(begun).values()) == {"done"}


def test_doing_it_again_changes_nothing(hand):
    """Nobody is told twice, nobody is held twice."""
    begun = hand.contain()
    again = hand.contain()
    assert again.id == begun.id
    assert hand.state_of(hand.members[0]) == SHUT


def test_the_policy_says_who_is_shut_and_who_is_proposed(hand):
    """Above the line by itself, between the lines by staff, below not at all."""
    begun = hand.contain(0.95, 0.7, 0.2)
    assert list(hand.standings(begun).values()) == ["done", "proposed", "below"]
    assert [hand.state_of(each) for each in hand.members[1:]] == [OPEN, OPEN]
    desk, (_, second, third) = hand.desk(), hand.members
    asyncio.run(desk.decide(begun.id, second, contain=True, by="sato"))
    asyncio.run(desk.decide(begun.id, third, contain=False, by="sato"))
    asyncio.run(desk.run(begun.id))
    assert list(hand.standings(begun).values()) == ["done", "done", "turned_down"]
    with pytest.raises(ContainmentStepRefused):
        asyncio.run(desk.decide(begun.id, second, contain=False, by="sato"))


def test_many_at_once_take_a_second_person(hand):
    """A stolen staff account cannot shut everybody."""
    policy = msgspec.structs.replace(POLICY, automatic_members_max=2)
    begun = hand.contain(policy=policy)
    assert set(hand.standings(begun).values()) == {"proposed"}
    with pytest.raises(SecondPersonNeeded):
        asyncio.run(hand.desk(policy).approve(begun.id, by="sato"))
    assert asyncio.run(hand.desk(policy).approve(begun.id, by="ito")) == 3
    asyncio.run(hand.desk(policy).run(begun.id))
    assert set(hand.standings(begun).values()) == {"done"}


def test_a_crowd_does_not_come_in_little_by_little(hand):
    """Begun again and again with a few, it is counted together; what was approved stays approved."""
    policy = msgspec.structs.replace(POLICY, automatic_members_max=2)
    desk, cohort = hand.desk(policy), hand.cohort()
    begun = asyncio.run(desk.begin(CAMPAIGN, cohort[:2], by="sato"))
    asyncio.run(desk.run(begun.id))
    asyncio.run(desk.begin(CAMPAIGN, cohort, by="sato"))
    assert [hand.standings(begun)[each] for each in hand.members] == ["done", "done", "proposed"]
    asyncio.run(desk.approve(begun.id, by="ito"))
    asyncio.run(desk.run(begun.id))
    more = [Suspect(f"mem_{number}", 1, 0.99) for number in range(2)]
    asyncio.run(desk.begin(CAMPAIGN, more, by="sato"))
    assert [hand.standings(begun)[each.named] for each in more] == ["proposed"] * 2


def test_who_put_people_into_it_does_not_approve_them(hand):
    """A second begins again with more, and would be the second person for what they added themselves."""
    policy = msgspec.structs.replace(POLICY, automatic_members_max=2)
    desk, cohort = hand.desk(policy), hand.cohort()
    begun = asyncio.run(desk.begin(CAMPAIGN, cohort[:2], by="sato"))
    asyncio.run(desk.begin(CAMPAIGN, cohort, by="ito"))
    with pytest.raises(SecondPersonNeeded):
        asyncio.run(desk.approve(begun.id, by="ito"))
    assert asyncio.run(desk.approve(begun.id, by="abe")) == 1


def test_a_crowd_does_not_come_in_by_two_doors_at_once(hand, monkeypatch):
    """Two begin at the same moment, at the desks and by the command: together they are too many for one."""
    both, fresh = Barrier(2), containment._fresh  # noqa: SLF001 - where both have looked, and neither has written

    def looked(*given):
        found = fresh(*given)
        both.wait(10)
        return found

    monkeypatch.setattr(containment, "_fresh", looked)
    desk = hand.desk(msgspec.structs.replace(POLICY, automatic_members_max=2))
    ones = [Suspect(f"m{number}", 1, 0.95) for number in range(4)]

    async def begin():
        begun = await desk.open(CAMPAIGN, 4, by="sato")
        await asyncio.gather(desk.add(begun, ones[:2]), desk.add(begun, ones[2:]))
        return begun

    begun = asyncio.run(begin())
    with hand.parts.store.read() as connection:
        counted = containment_rows.counts(connection, [begun.id])[begun.id]
    assert counted == {Standing.WAITING: 2, Standing.PROPOSED: 2}


def crowd_of(hand, begun):
    with hand.at_hand.store.read() as connection:
        return containment_rows.crowd(connection, begun.id, POLICY.automatic_from)


def test_exactly_the_crowd_that_was_seen_is_approved(hand):
    """One more, one less, or another likelihood of one: it is not what the second person saw."""
    policy = msgspec.structs.replace(POLICY, automatic_members_max=1)
    desk = hand.desk(policy)
    begun = asyncio.run(desk.begin(CAMPAIGN, hand.cohort(0.99, 0.99, 0.6), by="sato"))
    seen = crowd_of(hand, begun)
    assert seen.size == 2
    more = [Suspect(f"mem_{number}", 1, 0.95) for number in range(2)]
    asyncio.run(desk.begin(CAMPAIGN, more, by="sato"))
    with pytest.raises(CrowdChanged):
        asyncio.run(desk.approve(begun.id, by="ito", crowd=seen))
    for one in more:
        assert hand.standings(begun)[one.named] == "proposed"
        asyncio.run(desk.decide(begun.id, one.named, contain=False, by="sato"))
    assert crowd_of(hand, begun) == seen
    assert asyncio.run(desk.approve(begun.id, by="ito", crowd=seen)) == 2


def test_a_crowd_is_another_one_by_any_name_time_or_likelihood(hand):
    """Also where names are made to look like the bounds between them."""
    cohorts = (
        [Suspect("a", 1, 0.99), Suspect("b", 1, 0.99)],
        [Suspect("a", 1, 0.98), Suspect("b", 1, 0.99)],
        [Suspect("a", 2, 0.99), Suspect("b", 1, 0.99)],
        [Suspect("a", 1, 0.99), Suspect("c", 1, 0.99)],
        [Suspect('a",1,0.99],["b', 1, 0.99)],
    )
    policy = msgspec.structs.replace(POLICY, automatic_members_max=0)
    begun = [
        asyncio.run(hand.desk(policy).begin(f"cmp_{place}", each, by="sato"))
        for place, each in enumerate(cohorts)
    ]
    assert len({crowd_of(hand, each).digest for each in begun}) == len(cohorts)


def test_a_cohort_is_listed_in_pages_without_a_gap(hand):
    """The likeliest first; many are equally likely, and none is listed twice or left out."""
    cohort = [Suspect(f"m{number:03d}", 1, (0.1, 0.2, 0.2, 0.3)[number % 4]) for number in range(103)]
    begun = asyncio.run(hand.desk().begin(CAMPAIGN, cohort, by="sato"))
    found, after = [], None
    with hand.at_hand.store.read() as connection:
        for _ in range(11):
            some = containment_rows.listed(connection, begun.id, Standing.BELOW, after=after, limit=10)
            found += some
            after = Rank(some[-1].probability, some[-1].named)
    assert sorted(one.named for one in found) == sorted(one.named for one in cohort)
    assert [one.probability for one in found] == sorted((one.probability for one in cohort), reverse=True)


def test_two_who_run_it_at_once_do_it_once(hand):
    """Two responders, and the process that takes up what waits: nobody is shut or told twice."""
    begun = asyncio.run(hand.desk().begin(CAMPAIGN, hand.cohort(), by="sato"))
    beside = join_store(f"sqlite:///{hand.at_hand.file}")
    other = ContainmentDesk(hand.parts._replace(store=beside), POLICY)

    async def at_once():
        await asyncio.gather(*(desk.run(begun.id, at_once=1) for desk in (hand.desk(), other, hand.desk())))

    asyncio.run(at_once())
    beside.close()
    assert [hand.state_of(each) for each in hand.members] == [SHUT] * 3


def test_what_the_thief_left_behind_goes_and_what_the_member_had_stays(hand):
    """A passkey and a device from after the entry open nothing; the older ones do."""
    member_id = hand.members[0]
    hand.at_hand.clock.set(hand.entered_at_us - HOUR_US)
    own = hand.at_hand.log_in(member_id)
    hand.add_passkey(member_id, b"own")
    hand.at_hand.clock.set(hand.entered_at_us + HOUR_US)
    thief = hand.at_hand.log_in(member_id)
    hand.add_passkey(member_id, b"thief")
    begun = hand.contain()
    with hand.at_hand.store.read() as connection:
        works = {each.credential_id: each.works for each in of_member(connection, member_id)}
        row = containment_rows.member(connection, begun.id, member_id)
    assert works.get(b"own")
    assert not works.get(b"thief")
    assert hand.at_hand.now(own).device.standing == "trusted"
    assert hand.at_hand.now(thief).device.standing == "revoked"
    assert row is not None
    assert (row.outcome.passkeys, row.outcome.told_by) == (1, ("sms", "email"))


def test_a_contact_that_the_thief_changed_is_not_told(hand):
    """The notice goes by what was not touched since the entry; a letter where nothing is left."""
    first, second, third = hand.members
    keyring, later = hand.parts.keyring, hand.entered_at_us + HOUR_US
    thief = {Item.EMAIL: "thief@example.jp"}
    both = thief | {Item.MOBILE_PHONE: "+819099999999"}
    every = both | {Item.HOME_ADDRESS: "東京都千代田区1"}
    for member_id, changed in ((first, thief), (second, both), (third, every)):
        write(hand, lambda at, m=member_id, c=changed: store(at, keyring, m, c, later))
    hand.at_hand.clock.set(later)
    begun = hand.contain()
    assert [hand.state_of(each).notices for each in hand.members] == [
        ("letter", "sms"),
        ("letter", "letter"),
        (),
    ]
    with hand.at_hand.store.read() as connection:
        row = containment_rows.member(connection, begun.id, third)
    assert row is not None
    assert row.outcome.note == "nobody could be told: call"


def test_a_contact_that_does_not_open_stops_nothing(hand):
    """A row that is broken costs that channel, and no account stays open for it."""
    broken = update(personal_item).where(personal_item.c.item == "email").values(sealed=b"broken")
    write(hand, lambda at: at.execute(broken))
    hand.contain()
    assert hand.state_of(hand.members[0]) == SHUT._replace(notices=("letter", "sms"))


def test_names_of_a_list_are_found_and_others_are_said_to_be_unknown(hand):
    """A list names members by id or number; the same member twice is shut once."""
    first, second, _ = hand.members
    with hand.at_hand.store.read() as connection:
        found = members.find(connection, first)
    assert found is not None
    write(hand, lambda at: members.set_state(at, hand.parts, second, State.CLOSED))
    names = [first, "nobody@example.jp", "mem_1", second]
    desk = hand.desk()
    cohort = [Suspect(name, hand.entered_at_us, 0.99) for name in names]
    begun = asyncio.run(desk.begin(CAMPAIGN, cohort, by="sato"))
    asyncio.run(desk.run(begun.id))
    assert hand.standings(begun) == {
        first: "done",
        "nobody@example.jp": "unknown",
        "mem_1": "unknown",
        second: "unknown",
    }


def test_who_proves_that_it_was_them_gets_everything_back(hand):
    """State, password and money are as before, the case is withdrawn, and the member is told."""
    begun = hand.contain()
    member_id = hand.members[0]
    assert undo(hand, begun, member_id).standing == "undone"
    after = MemberState("open", True, 0, 0, ("email", "email", "letter", "sms", "sms"), ("withdrawn",))
    assert hand.state_of(member_id) == after
    assert hand.state_of(hand.members[1]) == SHUT
    with pytest.raises(ContainmentStepRefused):
        undo(hand, begun, member_id)


def test_nothing_is_taken_back_without_a_proof(hand):
    """Undoing says how somebody proved it."""
    begun = hand.contain()
    with pytest.raises(ContainmentStepRefused):
        asyncio.run(hand.desk().undo(begun.id, hand.members[0], proof=" ", by="ito"))
    with pytest.raises(ContainmentUnknown):
        undo(hand, begun, "mem_other")


def test_a_member_of_two_campaigns_stays_shut_until_both_are_undone(hand):
    """Proving one login says nothing of the other."""
    first, second = hand.contain(), hand.contain(campaign="cmp_2")
    member_id = hand.members[0]
    undo(hand, first, member_id)
    assert hand.state_of(member_id)[:4] == ("invalidated", False, 0, 1)
    undo(hand, second, member_id)
    assert hand.state_of(member_id)[:4] == ("open", True, 0, 0)


def test_an_account_that_its_member_stopped_stays_stopped(hand):
    """Opening it again does not make the password valid that the thief knows."""
    member_id = hand.members[0]
    write(hand, lambda at: freezes.freeze(at, hand.parts, member_id, HERE))
    hand.contain()
    assert hand.state_of(member_id).state == "frozen"
    write(hand, lambda at: freezes.unfreeze(at, hand.parts, member_id, HERE, by="passkey"))
    assert hand.state_of(member_id)[:2] == ("open", False)


def test_a_new_password_by_passkey_opens_the_account_again(hand):
    """Who enrols anew is free again; a hold for another reason stays."""
    member_id = hand.members[0]
    hand.contain()
    kind, scope = HoldKind.CONTAINMENT, HoldScope.MONEY_OUT
    write(hand, lambda at: place(at, hand.parts, member_id, kind, scope, reason="disowned", until_us=None))
    write(hand, lambda at: passwords.put(at, hand.parts, member_id, "new", "pepper"))
    assert write(hand, lambda at: enrol_anew(at, hand.parts, member_id, by="member"))
    assert hand.state_of(member_id)[:2] == ("open", True)
    with hand.at_hand.store.read() as connection:
        reasons = [each.reason for each in holds_on(connection, member_id, hand.at_hand.clock.now_us())]
    assert reasons == ["disowned"]
    assert not write(hand, lambda at: enrol_anew(at, hand.parts, member_id, by="member"))


def test_undo_after_a_new_password_leaves_the_new_one(hand):
    """What the member has set since is the member's."""
    member_id = hand.members[0]
    begun = hand.contain()
    write(hand, lambda at: passwords.put(at, hand.parts, member_id, "new", "pepper"))
    undo(hand, begun, member_id)
    with hand.at_hand.store.read() as connection:
        kept = passwords.find(connection, member_id)
    assert kept is not None
    assert (kept.hash, kept.is_valid) == ("new", True)


def test_a_second_hunt_adds_who_is_new(hand):
    """A cohort may grow; who was shut stays as they are."""
    desk = hand.desk()
    cohort = hand.cohort()
    begun = asyncio.run(desk.begin(CAMPAIGN, cohort[:1], by="sato"))
    asyncio.run(desk.run(begun.id))
    again = asyncio.run(desk.begin(CAMPAIGN, cohort, by="ito"))
    assert asyncio.run(desk.run(again.id)) == 2
    assert hand.state_of(hand.members[0]) == SHUT


def test_what_waited_is_taken_up_at_the_start(hand):
    """A process that ended in the middle goes on by itself."""
    desk = hand.desk()
    asyncio.run(desk.begin(CAMPAIGN, hand.cohort(), by="sato"))
    assert asyncio.run(desk.run_unfinished()) == 3
    assert asyncio.run(desk.run_unfinished()) == 0


def test_a_follower_acts_in_the_same_unit_of_work(hand):
    """What else follows is done with it, or neither is; one account that breaks leaves the others shut."""
    seen = []

    class Follower:
        def contained(self, connection, of):
            del connection
            seen.append(of.member_id)
            if of.member_id == hand.members[1]:
                raise RuntimeError

        def reopened(self, connection, of):
            del connection
            seen.append(("reopened", of.member_id))

    desk = hand.desk(following=[Follower()])
    begun = asyncio.run(desk.begin(CAMPAIGN, hand.cohort(), by="sato"))
    asyncio.run(desk.run(begun.id))
    assert sorted(seen) == sorted(hand.members)
    assert [hand.standings(begun)[each] for each in hand.members] == ["done", "failed", "done"]
    assert hand.state_of(hand.members[1]) == OPEN
    asyncio.run(desk.undo(begun.id, hand.members[0], proof="came to the desk", by="ito"))
    assert seen[-1] == ("reopened", hand.members[0])


def test_a_list_is_read_whole_before_anybody_is_touched(tmp_path):
    """One bad line and nothing is taken; another campaign's rows are left out."""
    file = tmp_path / "entered.csv"
    head = "member,first_entered_at,probability,campaign,attempts,why\n"
    rows = "a,2026-01-01T00:00:00Z,0.97,cmp_1,1,x\nb,2026-01-01T00:00:00Z,0.6,cmp_2,1,x\n"
    file.write_text(head + rows, encoding="utf-8")
    assert read_entered(file, "cmp_1") == [Suspect("a", 1_767_225_600_000_000, 0.97)]
    assert len(read_entered(file, "")) == 2
    for bad in (
        "c,yesterday,0.9,cmp_1,1,x",
        "c,2026-01-01T00:00:00Z,2,cmp_1,1,x",
        ",2026-01-01T00:00:00Z,1,,,",
    ):
        file.write_text(head + rows + bad + "\n", encoding="utf-8")
        with pytest.raises(CohortUnreadable):
            read_entered(file, "")
    file.write_text("name\nx\n", encoding="utf-8")
    with pytest.raises(CohortUnreadable):
        read_entered(file, "")


def test_a_campaigns_sessions_are_a_cohort_too(hand):
    """Whom the guard let in while it knew the campaign, since when and how risky."""
    own = select(session.c.id).where(session.c.member_id == hand.members[0])
    hit = update(session).where(session.c.id.in_(own)).values(campaign=CAMPAIGN, risk=0.4)
    write(hand, lambda at: at.execute(hit))
    with hand.at_hand.store.read() as connection:
        found = of_sessions(connection, CAMPAIGN)
    assert found == [Suspect(hand.members[0], hand.entered_at_us, 0.4)]
    both = together(found, [Suspect(hand.members[0], 5, 0.2), Suspect("x", 1, 0.9)])
    assert both == [Suspect("x", 1, 0.9), Suspect(hand.members[0], 5, 0.4)]
