"""The audit: everything staff do and see is one act in a chain, and whatever is changed of it shows."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update
from tests.identity.member_at_hand import NOON_US, open_at_hand
from tests.response.cohort_at_hand import CohortAtHand
from tests.response.test_cases import opening
from tests.response.test_switches import wish

from sekisho.identity.personal_data import Item, store
from sekisho.kernel.clock import SetClock
from sekisho.response import audit, cases
from sekisho.response.access import ReasonMissing, access_case, access_member
from sekisho.response.audit import Act
from sekisho.response.cases import Report
from sekisho.response.glass import Glass
from sekisho.response.staff import StaffIdUnusable
from sekisho.response.switch_desk import SwitchDesk
from sekisho.storage.engine import join_store, open_store
from sekisho.storage.history.parquet import HistoryFolder
from sekisho.storage.history.sealing import Sealing
from sekisho.storage.tables.audit import staff_act
from sekisho.storage.tables.outbox import outbox
from sekisho.storage.tables.personal_data import reveal

WHY = "called us about an unknown login"


@pytest.fixture
def hand(tmp_path):
    opened = open_at_hand(tmp_path)
    yield opened
    opened.store.close()


def write(hand, work):
    return hand.store.write(work).result()


def acts(hand):
    with hand.store.read() as connection:
        return [(one.actor, one.act) for one in reversed(audit.search(connection))]


def fault(hand, history=None):
    with hand.store.read() as connection:
        return audit.first_fault(connection, history)


def act_thrice(hand):
    for number in range(3):
        act = Act(actor="sato", act="case:noted", subject=f"case_{number}", details={"n": number})
        write(hand, lambda at, one=act: audit.record(at, one, at_us=NOON_US))


def test_acts_are_kept_in_order_and_the_chain_holds(hand):
    """Who did what to whom, each linked to the one before."""
    act_thrice(hand)
    assert acts(hand) == [("sato", "case:noted")] * 3
    with hand.store.read() as connection:
        assert [one.details for one in audit.all_acts(connection)] == [{"n": n} for n in range(3)]
        assert audit.search(connection, subject="case_1")[0].position == 2
        assert audit.search(connection, act="switch:") == []
        assert audit.search(connection, actor="ito") == []
        assert len(audit.search(connection, before_us=NOON_US)) == 0
    assert fault(hand) is None


@settings(max_examples=20)
@given(
    st.integers(1, 3),
    st.sampled_from(["at_us", "actor", "act", "subject", "reason", "details", "link", "gone"]),
)
def test_whatever_is_changed_shows(tmp_path_factory, position, what):
    """Any field of any act, and any act that is taken away, the last one too."""
    hand = open_at_hand(tmp_path_factory.mktemp("audit"))
    act_thrice(hand)
    place = staff_act.c.position == position
    values = {"at_us": 1, "details": b"{}", "link": bytes(32)}
    if what == "gone":
        write(hand, lambda at: at.execute(delete(staff_act).where(place)))
    else:
        write(
            hand, lambda at: at.execute(update(staff_act).where(place).values({what: values.get(what, "x")}))
        )
    assert fault(hand) is not None
    hand.store.close()


def test_an_end_that_was_sealed_away_cannot_be_cut_off(hand, tmp_path):
    """The outbox is pruned, the last acts deleted: history still says that there were three."""
    act_thrice(hand)
    history = HistoryFolder(tmp_path / "history")
    sealing = Sealing(hand.store, history, clock=SetClock(NOON_US + 10**12), keep_us=0)
    while sealing.step().more:
        pass
    with hand.store.read() as connection:
        assert connection.execute(select(outbox.c.position)).first() is None
    assert fault(hand, history) is None
    write(hand, lambda at: at.execute(delete(staff_act).where(staff_act.c.position > 1)))
    assert fault(hand) is None
    found = fault(hand, history)
    assert found is not None
    assert found.position == 2


def test_who_looks_at_a_member_is_written_down_with_a_reason(hand):
    """The act first, then the data; each item is a reveal of staff."""
    member_id = hand.add_member()
    items = {Item.NAME: "山田 花子", Item.EMAIL: "h@example.jp"}
    write(hand, lambda at: store(at, hand.parts.keyring, member_id, items, NOON_US))
    seen = write(
        hand, lambda at: access_member(at, hand.parts, member_id, [Item.NAME], by="sato", reason=WHY)
    )
    assert seen == {Item.NAME: "山田 花子"}
    assert acts(hand) == [("sato", "member:seen")]
    with hand.store.read() as connection:
        assert connection.execute(select(reveal.c.actor, reveal.c.item, reveal.c.reason)).all() == [
            ("staff:sato", "name", WHY)
        ]


@pytest.mark.parametrize(
    ("by", "reason", "refused"), [("sato", " why ", ReasonMissing), ("S!", WHY, StaffIdUnusable)]
)
def test_without_a_reason_or_a_name_nothing_is_shown(hand, by, reason, refused):
    """And nothing is written down as seen."""
    member_id = hand.add_member()
    with pytest.raises(refused):
        write(hand, lambda at: access_member(at, hand.parts, member_id, [Item.NAME], by=by, reason=reason))
    assert acts(hand) == []


def test_broken_glass_is_loud(hand):
    """It opens, and an event of its own says so."""
    case = write(
        hand, lambda at: cases.open_case(at, hand.parts, opening(report=Report(name="x")), by="sato")
    )
    broken = Glass.BROKEN
    said, _ = write(
        hand, lambda at: access_case(at, hand.parts, case.id, by="mori", reason=WHY, glass=broken)
    )
    assert said.name == "x"
    assert "staff:glass:broken" in [event.kind for event in hand.events()]
    with hand.store.read() as connection:
        assert audit.search(connection, act="case:seen")[0].details == {"glass": "broken"}


def test_what_the_desks_do_is_an_act(tmp_path):
    """Switches, containments and cases, each by who did it; what the clock does is nobody's."""
    hand = CohortAtHand(tmp_path, 1)
    desk = SwitchDesk(hand.parts)
    one = asyncio.run(desk.set(wish(), by="sato"))
    asyncio.run(desk.approve(one.id, by="ito"))
    begun = hand.contain()
    asyncio.run(hand.desk().undo(begun.id, hand.members[0], proof="called back", by="ito"))
    assert acts(hand.at_hand) == [
        ("sato", "switch:set"),
        ("ito", "switch:approved"),
        ("sato", "containment:begun"),
        ("ito", "case:withdrawn"),
        ("ito", "containment:member_undone"),
    ]
    assert fault(hand.at_hand) is None
    hand.at_hand.store.close()


def test_two_processes_write_one_chain(tmp_path):
    """An operator's command beside the serving process continues the same chain."""
    hand = open_at_hand(tmp_path)
    joined = join_store(f"sqlite:///{hand.file}")
    act = Act(actor="sato", act="x:y", subject="z")
    for number in range(4):
        writing = (hand.store, joined)[number % 2]
        writing.write(lambda connection: audit.record(connection, act, at_us=NOON_US)).result()
    assert fault(hand) is None
    joined.close()
    hand.store.close()
    open_store(f"sqlite:///{hand.file}").close()
