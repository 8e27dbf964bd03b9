"""Cases: who may report, which steps a case takes, and numbers that may become smaller and stay right."""

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import text
from tests.identity.member_at_hand import NOON_US, open_at_hand

from sekisho.identity.personal_data import Item
from sekisho.identity.reveals import told
from sekisho.kernel.clock import DAY_US, HOUR_US
from sekisho.kernel.japan import in_japan, japanese_us
from sekisho.response import cases
from sekisho.response.case_stages import Basis, Stage, damage
from sekisho.response.cases import (
    CaseKind,
    CaseStepRefused,
    CaseUnknown,
    Entry,
    Opening,
    Report,
    Reporter,
    Step,
)
from sekisho.response.staff import StaffIdUnusable


@pytest.fixture
def hand(tmp_path):
    opened = open_at_hand(tmp_path)
    yield opened
    opened.store.close()


def opening(occasion="o1", **more):
    values: dict[str, Any] = {
        "kind": CaseKind.MONEY_TAKEN,
        "reporter": Reporter.MEMBER,
        "loss_yen": 100_000,
    } | more
    return Opening(occasion=occasion, **values)


def open_case(hand, occasion="o1", **more):
    return write(hand, lambda at: cases.open_case(at, hand.parts, opening(occasion, **more), by="sato"))


def write(hand, work):
    return hand.store.write(work).result()


def step(hand, case, stage, yen, *, basis="bank", as_of_us=None, reason=""):
    at_us = hand.clock.now_us() if as_of_us is None else as_of_us
    taken = Step(stage, yen, basis, at_us, reason)
    return write(hand, lambda at: cases.take_step(at, hand.parts, case.id, taken, by="sato"))


def count(hand, basis, *, as_of_us=None, **more):
    with hand.store.read() as connection:
        at_us = hand.clock.now_us() if as_of_us is None else as_of_us
        found = damage(connection, basis, as_of_us=at_us, **more)
        again = connection.execute(text(found.query.replace(":", "\\:"))).one()
    # The query that stands beside a number gives that number.
    assert tuple(again) == (found.cases, found.yen, found.partners)
    return found.cases, found.yen


def test_somebody_without_an_account_can_report(hand):
    """The victim may not be our member; what they said is sealed."""
    said = Report(
        text="口座から知らない引き落としがある", name="鈴木 一郎", contact="0223334444", account="001-7654321"
    )
    case = open_case(hand, reporter=Reporter.NON_MEMBER, report=said, partner="9901")
    assert (case.member_id, case.stage, case.partner) == ("", Stage.DECLARED, "9901")
    with hand.store.read() as connection:
        assert cases.report_of(connection, hand.parts.keyring, case.id) == said
    for file in hand.file.parent.glob("lender.db*"):
        assert "鈴木".encode() not in file.read_bytes()


def test_one_occasion_is_one_case(hand):
    """Reported twice, it is counted once."""
    assert open_case(hand).id == open_case(hand, loss_yen=5).id
    assert count(hand, Basis.DECLARED) == (1, 100_000)


def test_a_case_for_a_member_who_is_gone(hand):
    """An account that was deleted can still have been robbed."""
    case = open_case(hand, member_id="mem_gone")
    with hand.store.read() as connection:
        assert cases.of_member(connection, "mem_gone") == [case]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ((), Stage.COMPENSATED),
        ((Stage.CONFIRMED,), Stage.DECLARED),
        ((Stage.CONFIRMED, Stage.COMPENSATED), Stage.WITHDRAWN),
        ((Stage.WITHDRAWN,), Stage.CONFIRMED),
    ],
)
def test_a_case_takes_no_step_that_makes_no_sense(hand, before, after):
    """Nothing is compensated that was not confirmed, nor withdrawn after it was paid."""
    case = open_case(hand)
    for stage in before:
        step(hand, case, stage, 100_000)
    with pytest.raises(CaseStepRefused):
        step(hand, case, after, 100_000)


def test_a_step_says_what_can_be(hand):
    """No negative damage, nothing from tomorrow, nothing without a basis, by nobody."""
    case = open_case(hand)
    for bad in ({"yen": -1}, {"as_of_us": NOON_US + 1}, {"basis": " "}):
        values = {"yen": 1} | bad
        with pytest.raises(CaseStepRefused):
            step(hand, case, Stage.CONFIRMED, **values)
    with pytest.raises(CaseUnknown):
        step(hand, case._replace(id="case_none"), Stage.CONFIRMED, 1)
    with pytest.raises(StaffIdUnusable):
        write(hand, lambda at: cases.assign(at, hand.parts, case.id, to="Nobody!", by="sato"))


def test_the_queue_shows_what_is_due_first(hand):
    """Money that is leaving comes before what waits for the desk; closed cases are gone."""
    later, first = open_case(hand, "a"), open_case(hand, "b", kind=CaseKind.ACCOUNT_LINKED)
    with hand.store.read() as connection:
        assert [case.id for case in cases.queue(connection)] == [first.id, later.id]
    assert first.due_at_us == NOON_US + HOUR_US
    write(hand, lambda at: cases.assign(at, hand.parts, later.id, to="mori", by="sato"))
    step(hand, first, Stage.WITHDRAWN, 0, reason="own use")
    with hand.store.read() as connection:
        assert [case.id for case in cases.queue(connection)] == [later.id]
        assert [case.id for case in cases.queue(connection, assigned_to="mori")] == [later.id]
        assert cases.queue(connection, assigned_to="") == []


def test_a_case_is_closed_with_a_reason_and_a_step_brings_it_back(hand):
    """The member has a new password, and nothing was lost; then something was."""
    case = open_case(hand, kind=CaseKind.ACCOUNT_ENTERED)
    with pytest.raises(CaseStepRefused):
        write(hand, lambda at: cases.close(at, hand.parts, case.id, by="sato", why=" "))
    for _ in range(2):
        closed = write(hand, lambda at: cases.close(at, hand.parts, case.id, by="sato", why="enrolled anew"))
    assert (closed.stage, closed.closed_at_us) == (Stage.DECLARED, NOON_US)
    with hand.store.read() as connection:
        assert cases.queue(connection) == []
    step(hand, case, Stage.SUSPECTED, 5)
    with hand.store.read() as connection:
        assert [each.id for each in cases.queue(connection)] == [case.id]


def test_the_record_of_a_case_is_kept_in_order(hand):
    """Notes and steps, each with who wrote it and when."""
    case = open_case(hand)
    said = Entry("call", NOON_US, "sato", "電話で本人を確認した")
    write(hand, lambda at: cases.note(at, hand.parts, case.id, said))
    hand.clock.advance(DAY_US)
    step(hand, case, Stage.CONFIRMED, 90_000, reason="the bank's list")
    with hand.store.read() as connection:
        assert cases.entries(connection, hand.parts.keyring, case.id) == [said]
        taken = cases.steps(connection, case.id)
    assert [(each.stage, each.amount_yen, by, at_us) for each, by, at_us in taken] == [
        (Stage.DECLARED, 100_000, "sato", NOON_US),
        (Stage.CONFIRMED, 90_000, "sato", NOON_US + DAY_US),
    ]


def test_what_a_thief_may_have_seen_is_a_query(hand):
    """The items that were shown in the sessions of that time, and no others."""
    member_id = hand.add_member()
    before = hand.log_in(member_id)
    hand.clock.advance(HOUR_US)
    thief = hand.log_in(member_id)
    for entered, item in ((before, Item.EMAIL), (thief, Item.NAME)):
        write(
            hand,
            lambda at, e=entered, i=item: told(at, hand.parts, member_id, e.session.id, [i], actor="member"),
        )
    with hand.store.read() as connection:
        seen = cases.exposed(connection, member_id, from_us=NOON_US + HOUR_US, until_us=NOON_US + DAY_US)
    assert [each.item for each in seen] == [Item.NAME]


def test_a_later_number_may_be_lower_and_both_are_right(hand):
    """What was withdrawn is gone from today's number, and is in that of the day when it was published."""
    kept, gone = open_case(hand, "a"), open_case(hand, "b")
    published_us = hand.clock.now_us()
    assert count(hand, Basis.DECLARED) == (2, 200_000)
    hand.clock.advance(DAY_US)
    step(hand, gone, Stage.WITHDRAWN, 0, reason="the owner's own use")
    step(hand, kept, Stage.CONFIRMED, 90_000)
    assert count(hand, Basis.DECLARED) == (1, 90_000)
    assert count(hand, Basis.DECLARED, as_of_us=published_us) == (2, 200_000)
    assert count(hand, Basis.CONFIRMED, as_of_us=published_us) == (0, 0)


def test_what_is_learnt_late_counts_for_its_own_time(hand):
    """As of then, and as we knew it then, are two questions."""
    case = open_case(hand)
    hand.clock.advance(2 * DAY_US)
    step(hand, case, Stage.CONFIRMED, 70_000, as_of_us=NOON_US + DAY_US)
    then_us = NOON_US + DAY_US
    assert count(hand, Basis.CONFIRMED, as_of_us=then_us) == (0, 0)
    assert count(hand, Basis.CONFIRMED, as_of_us=then_us, known_by_us=hand.clock.now_us()) == (1, 70_000)


def test_an_account_that_was_entered_is_no_damage_by_itself(hand):
    """826 accounts may be entered and nothing be lost."""
    open_case(hand, "a", kind=CaseKind.ACCOUNT_ENTERED, campaign="cmp_1")
    open_case(hand, "b", campaign="cmp_1", partner="0125")
    open_case(hand, "c", campaign="cmp_2", partner="0001")
    assert count(hand, Basis.DECLARED) == (2, 200_000)
    assert count(hand, Basis.DECLARED, campaign="cmp_1") == (1, 100_000)
    assert count(hand, Basis.DECLARED, partner="0001") == (1, 100_000)
    assert count(hand, Basis.DECLARED, partner="x' OR 'x'='x") == (0, 0)


# What was published of an incident in 2020: as of when, on which basis, cases and yen (docs/incidents).
PUBLISHED = (
    ("2020-09-10 12:00", Basis.DECLARED, 66, 18_000_000),
    ("2020-09-14 00:00", Basis.DECLARED, 120, 25_420_000),
    ("2020-09-15 00:00", Basis.DECLARED, 143, 26_760_000),
    ("2020-09-24 20:00", Basis.DECLARED, 211, 28_330_000),
    ("2020-09-27 20:00", Basis.DECLARED, 219, 28_480_000),
    ("2020-10-07 18:00", Basis.CONFIRMED, 125, 28_420_000),
    ("2020-10-14 18:00", Basis.CONFIRMED, 127, 28_500_000),
    ("2020-10-27 18:00", Basis.CONFIRMED, 128, 28_850_000),
)


def at(day):
    return japanese_us(datetime.fromisoformat(day))


def spread(yen, over):
    """Share an amount among cases, in whole yen."""
    each, rest = divmod(yen, over)
    return [each + (place < rest) for place in range(over)]


def report_them(hand):
    """Open the cases as the banks declared them, and return them."""
    opened: list[cases.Case] = []
    yen = 0
    for day, _, number, total in [each for each in PUBLISHED if each[1] is Basis.DECLARED]:
        hand.clock.set(at(day))
        for loss in spread(total - yen, number - len(opened)):
            occasion = f"bank:{len(opened)}"
            opened.append(open_case(hand, occasion, reporter=Reporter.PARTNER, loss_yen=loss))
        yen = total
    return opened


def confirm_them(hand, opened):
    """Confirm cases as they became known; a victim's several reports become one, and the others go."""
    confirmed = 0
    for day, _, number, total in [each for each in PUBLISHED if each[1] is Basis.CONFIRMED]:
        hand.clock.set(at(day))
        for case, loss in zip(opened[:number], spread(total, number), strict=True):
            step(hand, case, Stage.CONFIRMED, loss)
        for case in [] if confirmed else opened[128:]:
            step(hand, case, Stage.WITHDRAWN, 0, reason="counted in another case")
        confirmed = number
    for case, loss in zip(opened[:128], spread(28_850_000, 128), strict=True):
        step(hand, case, Stage.COMPENSATED, loss)


def test_the_published_numbers_of_2020_come_out_of_one_record(hand):
    """219 cases became 125 and then 128: each is right as of its time and on its basis."""
    confirm_them(hand, report_them(hand))
    found = [(day, basis, *count(hand, basis, as_of_us=at(day))) for day, basis, _, _ in PUBLISHED]
    assert found == list(PUBLISHED)
    assert count(hand, Basis.COMPENSATED) == (128, 28_850_000)
    assert in_japan(hand.clock.now_us()).isoformat() == "2020-10-27T18:00:00+09:00"
