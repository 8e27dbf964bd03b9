"""Cash at the smartphone ATM: what stands in the books, whatever happens to the machine and the line."""

import asyncio

import pytest
from tests.lender.atm_at_hand import MACHINE, NETWORK, NUMBER, OTHER, pin_of

from sekisho.guard.decisions import Action
from sekisho.identity.assurance import InsufficientAuthentication
from sekisho.identity.hashing import octets_of
from sekisho.kernel.clock import DAY_US, MINUTE_US, SECOND_US
from sekisho.kernel.yen import Yen
from sekisho.lender.atm_machines import AtmOrderUnknown, Typed
from sekisho.lender.atm_network import CashAnswer, CashState, DayReport, PayOut, ReportLine
from sekisho.lender.atm_order_states import AtmNothingOwed
from sekisho.lender.atm_pins import AtmPinTooSimple, is_simple
from sekisho.lender.atm_sessions import AtmSessionOver, Direction
from sekisho.range.atm.vault import Jam


@pytest.fixture
def member_id(atm):
    """Give a member with a line of 500,000 yen."""
    return atm.member()


@pytest.fixture
def approved(atm, member_id):
    """Give a session in which 30,000 yen are approved and nothing was typed yet."""
    return atm.approved(atm.entered(member_id), 30_000)


def confirm(atm, order_id, moved=0, state=CashState.DONE, network=NETWORK):
    answer = CashAnswer(order_id=order_id, state=state, moved_yen=moved)
    return asyncio.run(atm.desk.confirm(network, answer))


def agrees(atm):
    """Say whether the books say exactly what the vaults say."""
    return atm.cash_booked() == atm.cash_given() + atm.fees()


def test_a_member_draws_cash_and_owes_it_with_the_fee(atm, member_id, approved):
    assert atm.principal(member_id) == (0, 30_220)

    entered = atm.type(approved)

    assert (entered.result, entered.amount_yen, entered.fee_yen) == ("paying", 30_000, 220)
    assert atm.cash_given() == 30_000
    assert atm.principal(member_id) == (30_220, 0)
    assert atm.order(approved)["state"] == "dispensed"
    assert agrees(atm)
    assert atm.at.notices() == ["atm_pin_set"] * 2 + ["cash_drawn"] * 2


def test_the_same_request_again_pays_nothing_again(atm, approved):
    first, again = (atm.type(approved, key="k") for _ in range(2))
    assert first == again
    assert atm.cash_given() == 30_000
    with pytest.raises(AtmSessionOver):
        atm.type(approved, key="another")
    assert atm.cash_given() == 30_000


def test_two_at_the_same_moment_are_paid_once(atm, approved):
    async def both():
        typed = (Typed(key, NUMBER, "5938") for key in ("a", "b"))
        deeds = (atm.desk.enter(NETWORK, approved, each) for each in typed)
        return await asyncio.gather(*deeds, return_exceptions=True)

    answers = asyncio.run(both())
    assert sum(isinstance(each, AtmSessionOver) for each in answers) == 1
    assert atm.cash_given() == 30_000


def test_a_wrong_company_number_costs_no_pin_and_three_end_the_session(atm, member_id, approved):
    assert [atm.type(approved, number="0000").tries_left for _ in range(3)] == [2, 1, 0]
    with pytest.raises(AtmSessionOver):
        atm.type(approved)
    assert atm.principal(member_id) == (0, 0)
    with atm.house.store.read() as connection:
        assert pin_of(connection, member_id).tries_left == 3


def test_three_wrong_pins_lock_the_pin_and_free_the_reservation(atm, member_id, approved):
    answers = [atm.type(approved, pin=pin) for pin in ("1593", "2604", "3715")]
    assert [each.result for each in answers] == ["wrong_pin", "wrong_pin", "refused"]
    with pytest.raises(AtmSessionOver):
        atm.type(approved)
    assert atm.cash_given() == 0
    assert atm.principal(member_id) == (0, 0)
    assert atm.at.notices() == ["atm_pin_locked"] * 2 + ["atm_pin_set"] * 2


def test_a_lost_answer_about_a_wrong_pin_costs_one_try(atm, approved):
    answers = [atm.type(approved, pin="1593", key="same") for _ in range(5)]
    assert [each.tries_left for each in answers] == [2] * 5


def test_tries_are_counted_over_all_machines_and_a_right_pin_starts_anew(atm, member_id):
    present = atm.entered(member_id)
    sessions = [atm.approved(present, 1_000, machine_id=machine) for machine in (MACHINE, OTHER, MACHINE)]
    assert [atm.type(each, pin="1593").tries_left for each in sessions[:2]] == [2, 1]
    assert atm.type(sessions[0]).result == "paying"
    assert atm.type(sessions[1], pin="1593").tries_left == 2


def test_full_width_digits_are_the_same_pin(atm, approved):
    assert atm.type(approved, pin="\uff15\uff19\uff13\uff18").result == "paying"


def test_the_guard_counts_pins_by_secret_and_never_sees_them(atm):
    sessions = [atm.approved(atm.entered(atm.member()), 1_000) for _ in range(2)]
    for session_id in sessions:
        atm.type(session_id, pin="1593")
    tried = [attempt for attempt in atm.guard.asked if attempt.secret]
    assert len({attempt.secret for attempt in tried}) == 1
    assert len({attempt.member for attempt in tried}) == 2
    assert "1593" not in tried[0].secret


def test_a_guard_that_denies_lets_no_pin_be_tried(atm, member_id, approved):
    atm.guard.elsewhere = Action.DENY
    assert atm.type(approved).result == "refused"
    assert atm.cash_given() == 0
    with atm.house.store.read() as connection:
        assert pin_of(connection, member_id).tries_left == 3


@pytest.mark.parametrize(
    "pin", ["", "12", "12345", "abcd", "1111", "1234", "9876", "8901", "1212", "2580", "1984", "2011"]
)
def test_simple_pins_are_refused(atm, member_id, pin):
    present = atm.entered(member_id)
    asyncio.run(atm.pins.set_pin(atm.proven(present, atm.setting), "5938"))
    with pytest.raises(AtmPinTooSimple):
        asyncio.run(atm.pins.set_pin(atm.proven(present, atm.setting), pin))


def test_what_stands_in_the_members_papers_is_simple():
    own = {
        pin for pin in map("{:04d}".format, range(10_000)) if is_simple(pin, "1986-03-27", "+819012345678")
    }
    nobody = {pin for pin in map("{:04d}".format, range(10_000)) if is_simple(pin, "", "")}
    assert own - nobody == {"0327", "2703", "8603", "0386"}
    assert "5678" in nobody
    assert len(nobody) < 400


def test_a_pin_needs_a_fresh_proof_and_uses_a_code_up(atm, member_id):
    present = atm.entered(member_id)
    with pytest.raises(InsufficientAuthentication):
        asyncio.run(atm.pins.set_pin(present, "4907"))


def test_a_pin_is_not_in_the_database(atm, member_id):
    atm.entered(member_id)
    with atm.house.store.read() as connection:
        kept = pin_of(connection, member_id)
    assert kept.hash.startswith("$argon2id$")
    assert octets_of("5938") not in kept.hash.encode()


@pytest.mark.parametrize("times", [1, 2, 5])
def test_a_confirmation_may_come_as_often_as_it_likes(atm, member_id, approved, times):
    order_id = atm.type(approved).order_id
    for _ in range(times):
        assert confirm(atm, order_id, 30_000).state == "dispensed"
    assert atm.principal(member_id) == (30_220, 0)
    assert atm.discrepancies() == []


def test_a_machine_that_says_another_amount_later_is_a_case_for_a_person(atm, member_id, approved):
    order_id = atm.type(approved).order_id
    confirm(atm, order_id, 20_000)
    confirm(atm, order_id, 0, CashState.NEVER)
    assert atm.principal(member_id) == (30_220, 0)
    assert atm.discrepancies() == ["another_amount"]


def test_another_network_confirms_nothing(atm, approved):
    order_id = atm.type(approved).order_id
    for refused in ((order_id, "somebody-else"), ("ato_" + "0" * 32, NETWORK), ("", NETWORK)):
        with pytest.raises(AtmOrderUnknown):
            confirm(atm, refused[0], 30_000, network=refused[1])


def test_what_jams_half_way_is_owed_half_way(atm, member_id):
    def jam(out):
        if out >= 10_000:
            raise Jam

    atm.machine(before_note=jam)
    session_id = atm.approved(atm.entered(member_id), 30_000)
    atm.type(session_id)
    assert atm.cash_given() == 10_000
    assert atm.principal(member_id) == (10_110, 0)
    assert atm.order(session_id)["fee_yen"] == 110
    assert agrees(atm)


def test_a_machine_without_cash_pays_nothing_and_nothing_is_owed(atm, member_id):
    atm.machines[OTHER].vault.fill(-2_000_000)
    session_id = atm.approved(atm.entered(member_id), 30_000, machine_id=OTHER)
    atm.type(session_id)
    assert atm.order(session_id)["state"] == "failed"
    assert atm.principal(member_id) == (0, 0)


@pytest.mark.parametrize(("cut", "given"), [("request", 0), ("answer", 30_000)])
def test_where_the_line_is_cut_the_order_is_unknown_until_it_is_asked_again(
    atm, member_id, approved, cut, given
):
    atm.line.cut = cut
    atm.type(approved)
    assert atm.order(approved)["state"] == "unknown"
    assert atm.principal(member_id) == (0, 30_220)
    assert atm.ask_again() == 0

    atm.line.cut = ""
    atm.at.clock.advance(60 * SECOND_US)
    assert atm.ask_again() == 1

    assert atm.cash_given() == given
    assert atm.principal(member_id) == ((30_220, 0) if given else (0, 0))
    assert agrees(atm)


def test_what_was_given_up_is_not_paid_by_an_order_that_arrives_late(atm, approved):
    atm.line.cut = "request"
    order_id = atm.type(approved).order_id
    atm.line.cut = ""
    atm.at.clock.advance(20 * SECOND_US)
    assert atm.ask_again() == 1

    order = atm.order(approved)
    late = PayOut(
        order_id=order_id,
        machine_id=MACHINE,
        session_id=approved,
        amount_yen=30_000,
        not_after_us=order["not_after_us"],
    )
    assert asyncio.run(atm.line.pay_out(late)).state is CashState.NEVER
    assert atm.cash_given() == 0


def test_an_order_after_its_time_is_not_begun(atm, approved):
    late = PayOut(
        order_id="ato_" + "1" * 32,
        machine_id=MACHINE,
        session_id=approved,
        amount_yen=1_000,
        not_after_us=atm.at.clock.now_us(),
    )
    assert asyncio.run(atm.line.pay_out(late)).state is CashState.NEVER


class PowerCutError(Exception):
    """The machine is dark."""


@pytest.mark.parametrize("out", [0, 10_000, 20_000])
def test_a_machine_that_dies_while_paying_is_believed_by_its_sensors(atm, member_id, out):
    def cut(already_out):
        if already_out >= out:
            raise PowerCutError

    atm.machine(before_note=cut)
    session_id = atm.approved(atm.entered(member_id), 30_000)
    with pytest.raises(PowerCutError):
        atm.type(session_id)
    assert atm.order(session_id)["state"] == "asked"

    atm.machine()
    atm.at.clock.advance(MINUTE_US)
    assert atm.ask_again() == 1

    assert atm.cash_given() == out
    assert agrees(atm)
    assert atm.principal(member_id)[1] == 0


def test_the_days_report_settles_what_nobody_ever_heard_about(atm, member_id, approved):
    atm.line.cut = "answer"
    atm.type(approved)
    assert atm.reconcile() == (1, 0, 0, 0)
    assert atm.principal(member_id) == (30_220, 0)
    assert atm.reconcile() == (0, 0, 0, 0)


def test_yesterday_is_compared_at_every_machine_that_answers(atm, approved):
    """What was given under an order that nobody heard of is owed; a line that is cut costs nothing."""
    atm.line.cut = "answer"
    atm.type(approved)
    assert atm.order(approved)["state"] == "unknown"
    atm.at.clock.advance(DAY_US)
    atm.line.cut = "request"
    assert asyncio.run(atm.desk.settlement.reconcile_yesterday()) == 0
    assert atm.order(approved)["state"] == "unknown"
    atm.line.cut = ""
    for _ in range(2):
        assert asyncio.run(atm.desk.settlement.reconcile_yesterday()) == len(atm.machines)
        assert atm.order(approved)["state"] == "dispensed"
        assert atm.cash_booked() - atm.fees() == atm.cash_given()
    assert atm.discrepancies() == []


def test_the_days_report_ends_what_can_no_longer_begin_and_nothing_before(atm, member_id, approved):
    atm.line.cut = "request"
    atm.type(approved)
    assert atm.reconcile() == (0, 0, 0, 1)
    assert atm.principal(member_id) == (0, 30_220)
    atm.at.clock.advance(2 * MINUTE_US)
    assert atm.reconcile() == (0, 1, 0, 0)
    assert atm.principal(member_id) == (0, 0)
    assert agrees(atm)


def test_a_confirmation_of_the_next_day_counts_for_the_day_of_the_cash(atm, member_id, approved):
    atm.line.cut = "answer"
    day = atm.house.today()
    order_id = atm.type(approved).order_id
    atm.at.clock.advance(DAY_US)
    confirm(atm, order_id, 30_000)
    contract = atm.contract(member_id)
    assert contract.charged_until == day.isoformat()


def test_after_an_event_of_a_later_day_it_counts_for_that_day(atm, member_id):
    present = atm.entered(member_id)
    first = atm.approved(present, 30_000)
    atm.type(first)
    second = atm.approved(present, 10_000)
    atm.line.cut = "answer"
    order_id = atm.type(second).order_id
    atm.at.clock.advance(DAY_US)
    deposit = atm.approved_deposit(atm.entered_again(present))
    asyncio.run(atm.desk.count(NETWORK, deposit, Typed("d", NUMBER), Yen(5_000)))
    confirm(atm, atm.order(deposit)["id"], 5_000)
    assert confirm(atm, order_id, 10_000).state == "dispensed"
    assert atm.principal(member_id)[1] == 0


def test_a_report_of_what_we_never_ordered_or_that_lacks_what_we_booked_is_a_case(atm, approved):
    atm.type(approved)
    day = atm.house.today().isoformat()
    strange = ReportLine(order_id="ato_" + "7" * 32, moved_yen=10_000)
    report = DayReport(
        machine_id=MACHINE, day=day, made_at_us=atm.at.clock.now_us() + DAY_US, lines=(strange,)
    )
    assert asyncio.run(atm.desk.settlement.reconcile(MACHINE, report)).discrepancies == 2
    assert atm.discrepancies() == ["not_ours", "not_reported"]
    other = asyncio.run(atm.desk.settlement.reconcile(MACHINE, report))
    assert other.discrepancies == 2
    assert atm.discrepancies() == ["not_ours", "not_reported"]


def test_more_than_was_ordered_is_disputed_and_stays_reserved(atm, member_id, approved):
    atm.line.cut = "request"
    order_id = atm.type(approved).order_id
    assert confirm(atm, order_id, 40_000).state == "disputed"
    assert atm.principal(member_id) == (0, 30_220)
    assert atm.discrepancies() == ["above_order"]


def deposit(atm, member_id, yen, key="d"):
    session_id = atm.approved_deposit(atm.entered(member_id))
    typed = Typed(key, NUMBER)
    return session_id, asyncio.run(atm.desk.count(NETWORK, session_id, typed, Yen(yen)))


def test_a_repayment_needs_no_pin_and_pays_the_fee_from_it(atm, member_id, approved):
    atm.type(approved)
    session_id, counted = deposit(atm, member_id, 10_000)
    assert (counted.result, counted.fee_yen) == ("counted", 110)
    assert atm.principal(member_id) == (30_220, 0)

    answer = atm.machines[MACHINE].keep(counted.order_id, 10_000, counted.not_after_us)
    for _ in range(3):
        confirm(atm, counted.order_id, answer.moved_yen)

    assert atm.order(session_id)["state"] == "deposited"
    assert atm.principal(member_id) == (20_330, 0)
    assert atm.cash_given() == 20_000
    assert atm.cash_booked() == 20_000 + 220 + 110


def test_a_deposit_that_a_machine_hands_back_is_no_repayment(atm, member_id, approved):
    atm.type(approved)
    _, counted = deposit(atm, member_id, 10_000)
    atm.at.clock.advance(MINUTE_US)
    assert atm.machines[MACHINE].keep(counted.order_id, 10_000, counted.not_after_us).state == "never"
    atm.ask_again()
    assert atm.principal(member_id) == (30_220, 0)


def test_a_deposit_that_was_never_confirmed_is_found_by_asking(atm, member_id, approved):
    atm.type(approved)
    _, counted = deposit(atm, member_id, 10_000)
    atm.machines[MACHINE].keep(counted.order_id, 10_000, counted.not_after_us)
    atm.at.clock.advance(MINUTE_US)
    assert atm.ask_again() == 1
    assert atm.principal(member_id) == (20_330, 0)


def test_the_same_count_again_is_one_deposit(atm, member_id, approved):
    atm.type(approved)
    session_id, first = deposit(atm, member_id, 10_000)
    again = asyncio.run(atm.desk.count(NETWORK, session_id, Typed("d", NUMBER), Yen(10_000)))
    assert again == first
    with pytest.raises(AtmSessionOver):
        asyncio.run(atm.desk.count(NETWORK, session_id, Typed("e", NUMBER), Yen(10_000)))


def test_who_owes_nothing_puts_nothing_in(atm, member_id):
    with pytest.raises(AtmNothingOwed):
        deposit(atm, member_id, 10_000)


def test_what_is_too_much_is_kept_as_overpaid(atm, member_id, approved):
    atm.type(approved)
    _, counted = deposit(atm, member_id, 50_000)
    confirm(atm, counted.order_id, 50_000)
    assert atm.principal(member_id) == (0, 0)
    assert atm.overpaid() == 50_000 - 220 - 30_220


def test_a_deposit_takes_no_withdrawal_and_the_other_way_round(atm, member_id, approved):
    with pytest.raises(AtmSessionOver):
        asyncio.run(atm.desk.count(NETWORK, approved, Typed("d", NUMBER), Yen(1_000)))
    in_app = atm.chosen(atm.entered(member_id), 0, direction=Direction.REPAYMENT)
    with pytest.raises(AtmSessionOver):
        atm.type(in_app.session.id)


def test_the_settlement_asks_by_itself(atm, member_id, approved):
    atm.line.cut = "answer"
    atm.type(approved)
    atm.line.cut = ""
    atm.at.clock.advance(MINUTE_US)

    async def scene():
        booked, take_answer = asyncio.Event(), atm.desk.settlement.take_answer

        async def taken(*said):
            order = await take_answer(*said)
            booked.set()
            return order

        atm.desk.settlement.take_answer = taken
        async with atm.desk.settlement.settling():
            await booked.wait()

    asyncio.run(scene())
    assert atm.principal(member_id) == (30_220, 0)
