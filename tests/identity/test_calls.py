"""A member can tell our calls from a stranger's."""

import asyncio

import pytest
from sqlalchemy import select
from tests.identity.code_desk import code_desk

from sekisho.identity import holds, members
from sekisho.identity.calls import CallDesk, CallReport, CallUnrecordable, Genuine, NotOurs
from sekisho.identity.calls import record as write_down
from sekisho.identity.code_rows import End
from sekisho.identity.codes import Over
from sekisho.identity.holds import HoldKind, HoldScope
from sekisho.identity.members import MemberState
from sekisho.kernel.clock import DAY_US, MINUTE_US
from sekisho.kernel.ids import MemberId
from sekisho.storage.tables.calls import call_report, outbound_call

STAFF = "stf_sato"
WHY = "お申し込み内容の確認"


@pytest.fixture
def desk(tmp_path):
    opened = code_desk(tmp_path)
    yield opened
    opened.here.store.close()


@pytest.fixture
def calls(desk):
    return CallDesk(desk.here.parts)


def record(desk, member_id=None, *, staff=STAFF, why=WHY):
    parts = desk.here.parts
    return parts.store.write(lambda at: write_down(at, parts, staff, member_id or desk.someone, why)).result()


def confirm(calls, desk, said, member_id=None):
    return asyncio.run(calls.confirm(member_id or desk.someone, said))


def shown(calls, desk, member_id=None):
    return asyncio.run(calls.shown_to(member_id or desk.someone))


def other(code):
    return f"{(int(code) + 1) % 1_000_000:06d}"


def test_the_member_sees_the_call_with_what_the_caller_must_say(desk, calls):
    call = record(desk)
    assert shown(calls, desk) == [call]
    assert (len(call.code), call.purpose, call.staff) == (6, WHY, STAFF)
    assert shown(calls, desk, desk.here.add_member()) == []


def test_the_right_digits_prove_a_call_once(desk, calls):
    call = record(desk)
    assert confirm(calls, desk, call.code) == Genuine(call)
    assert confirm(calls, desk, call.code) == NotOurs()
    assert shown(calls, desk) == []


def test_digits_are_read_as_people_write_them_down(desk, calls):
    call = record(desk)
    assert confirm(calls, desk, f"{call.code[:3]}-{call.code[3:]}") == Genuine(call)


@pytest.mark.parametrize("said", ["", "123", "わかりません", "\ud800", "9" * 10_000])
def test_what_is_no_code_proves_nothing_and_costs_nothing(desk, calls, said):
    call = record(desk)
    for _ in range(9):
        assert confirm(calls, desk, said) == NotOurs()
    assert confirm(calls, desk, call.code) == Genuine(call)


def test_a_caller_who_guesses_spends_the_call(desk, calls):
    call = record(desk)
    for _ in range(5):
        assert confirm(calls, desk, other(call.code)) == NotOurs()
    assert confirm(calls, desk, call.code) == NotOurs()
    with desk.here.store.read() as connection:
        assert connection.execute(select(outbound_call.c.result)).scalar_one() == "spent"


def test_another_member_s_call_proves_nothing(desk, calls):
    call = record(desk)
    assert confirm(calls, desk, call.code, desk.here.add_member()) == NotOurs()
    assert confirm(calls, desk, call.code) == Genuine(call)


@pytest.mark.parametrize("minutes", [30, -1])
def test_a_call_is_ours_for_half_an_hour(desk, calls, minutes):
    """And not before it was recorded, where the clock was set back."""
    call = record(desk)
    desk.here.clock.advance(minutes * MINUTE_US)
    assert shown(calls, desk) == []
    assert confirm(calls, desk, call.code) == NotOurs()


def test_a_second_record_ends_the_first(desk, calls):
    first = record(desk)
    second = record(desk, staff="stf_tanaka")
    assert shown(calls, desk) == [second]
    assert first.code == second.code or confirm(calls, desk, first.code) == NotOurs()


def test_staff_end_their_own_calls(desk, calls):
    call = record(desk)
    assert not asyncio.run(calls.finish(call.id, "stf_tanaka"))
    assert asyncio.run(calls.finish(call.id, STAFF))
    assert not asyncio.run(calls.finish(call.id, STAFF))
    assert confirm(calls, desk, call.code) == NotOurs()


@pytest.mark.parametrize(
    ("member_id", "staff", "why"),
    [(MemberId("mem_" + "0" * 32), STAFF, WHY), (None, "", WHY), (None, STAFF, " \n "), (None, STAFF, "")],
)
def test_a_call_has_a_member_staff_and_a_purpose(desk, member_id, staff, why):
    with pytest.raises(CallUnrecordable):
        record(desk, member_id, staff=staff, why=why)


def test_nobody_calls_a_member_who_left(desk):
    closed = MemberState.CLOSED
    desk.here.store.write(lambda at: members.set_state(at, desk.here.parts, desk.someone, closed)).result()
    with pytest.raises(CallUnrecordable):
        record(desk)


def test_the_digits_are_sealed_at_rest(desk):
    call = record(desk)
    with desk.here.store.read() as connection:
        kept = repr(connection.execute(select(outbound_call)).one()._asdict())
    assert call.code not in kept.replace(call.id, "")


def report(calls, desk, **said):
    told = {"called_at_us": desk.here.clock.now_us()} | said
    return asyncio.run(calls.report(desk.someone, CallReport(**told)))


@pytest.mark.parametrize(("minutes", "ours"), [(0, True), (-9, True), (39, True), (-11, False), (41, False)])
def test_a_report_says_whether_we_had_a_call_on_record(desk, calls, minutes, ours):
    call = record(desk)
    reported = report(calls, desk, called_at_us=call.recorded_at_us + minutes * MINUTE_US)
    assert reported.call_id == (call.id if ours else "")


def test_another_member_s_call_is_not_this_one(desk, calls):
    record(desk, desk.here.add_member())
    assert report(calls, desk).call_id == ""


def test_what_was_said_is_sealed_and_cut(desk, calls):
    report(calls, desk, number_shown="0312345678", words="局番は" + "あ" * 9_000)
    with desk.here.store.read() as connection:
        row = connection.execute(select(call_report)).one()
    assert "0312345678" not in repr(row._asdict())
    opened = desk.here.parts.keyring.open(row.sealed, context=f"call_report:{row.id}").decode()
    assert "0312345678" in opened
    assert opened.count("あ") < 2_001
    assert desk.told("call:reported") == [{"member_id": desk.someone, "told_code": False, "ours": False}]


def held(desk):
    with desk.here.store.read() as connection:
        standing = holds.holds_on(connection, desk.someone, desk.here.clock.now_us())
    return [(each.kind, each.scope) for each in standing]


def test_a_report_alone_stops_nothing(desk, calls):
    asked, code = desk.asked()
    report(calls, desk)
    assert held(desk) == []
    assert desk.enter(asked.code_id, code) != Over(End.WITHDRAWN)


def test_who_told_a_code_is_protected_at_once(desk, calls):
    asked, code = desk.asked()
    report(calls, desk, told_code=True)
    assert desk.enter(asked.code_id, code) == Over(End.WITHDRAWN)
    assert held(desk) == [(HoldKind.CONTAINMENT, HoldScope.MONEY_OUT)]
    desk.here.clock.advance(3 * DAY_US)
    assert held(desk) == []
