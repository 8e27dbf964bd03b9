"""Debits under mandates: once by their key, within their ceilings, and only while everything allows them."""

import pytest
from tests.bank.mandate_at_hand import OFF, START, asked, open_bank

from sekisho.bank import deposits, mandates
from sekisho.bank.debits import DebitDesk
from sekisho.bank.deposits import DepositState
from sekisho.bank.holders import tie
from sekisho.bank.mandate_states import Deed, MandateState, Who
from sekisho.bank.mandates import AccountLinkedAlready, Action, MandateUnknown
from sekisho.bank.orders import Direction, KeyUsedOtherwise, OrderState, TooLate, Why, by_key
from sekisho.bank.switches import Function
from sekisho.identity.holds import HoldKind, HoldScope, place
from sekisho.kernel.clock import DAY_US, HOUR_US, SECOND_US
from sekisho.kernel.yen import Yen
from sekisho.linking.zengin import DebitResult


@pytest.fixture
def bank(tmp_path):
    opened = open_bank(tmp_path)
    yield opened
    opened.audit()
    opened.bank.store.close()


def test_a_debit_moves_the_amount_and_tells_the_depositor_once(bank):
    mandate = bank.mandate()
    order = bank.debit(mandate, 30_000, "a")
    assert (order.state, order.why, order.result) == (OrderState.DONE, Why.DONE, DebitResult.DONE)
    assert order.is_first
    assert bank.balance() == START.amount - 30_000
    bank.clock.advance(DAY_US)
    assert not bank.debit(mandate, 20_000, "b").is_first
    assert bank.at_hand.notices() == ["account_debited"]
    assert bank.now(mandate).first_debit_at_us == order.booked_at_us


def test_a_depositor_who_cannot_be_reached_is_not_left_in_silence(bank):
    """No number on file, no online bank: the desk hears of it."""
    mandate = bank.mandate(deposit_id=bank.open().id)
    assert bank.debit(mandate, 1_000).why is Why.DONE
    kinds = [event.kind for event in bank.at_hand.events()]
    assert kinds.count("bank:notice:undeliverable") == 1
    assert bank.at_hand.notices() == []


def test_the_same_key_is_answered_the_same_and_moves_nothing(bank):
    mandate = bank.mandate()
    first = bank.debit(mandate, 30_000)
    bank.clock.advance(DAY_US)
    bank.revoke(mandate)
    assert bank.debit(mandate, 30_000) == first
    assert bank.balance() == START.amount - 30_000


def test_a_refusal_is_kept_by_its_key_too(bank):
    mandate = bank.mandate()
    refused = bank.debit(mandate, 100_001)
    assert refused.why is Why.ABOVE_CEILING
    bank.mandate(ceiling=Yen(200_000))
    assert bank.debit(mandate, 100_001) == refused


@pytest.mark.parametrize("change", ["amount", "reference", "text", "mandate_id"])
def test_a_key_is_for_one_request(bank, change):
    mandate = bank.mandate()
    bank.debit(mandate, 10_000)
    other = {"amount": Yen(1), "reference": "x", "text": "x", "mandate_id": "x"}
    with pytest.raises(KeyUsedOtherwise):
        bank.debit(mandate, 10_000, **{change: other[change]})
    assert bank.balance() == START.amount - 10_000


def test_keys_are_the_partner_s_own(bank):
    """Two partners may draw the same key; neither hears of the other's debit."""
    one, other = bank.mandate(), bank.mandate(partner="hayabusa-pay")
    assert bank.debit(one, 1_000).id != bank.debit(other, 1_000).id
    assert bank.balance() == START.amount - 2_000


def test_after_its_time_a_new_key_books_nothing_ever(bank):
    """Whoever lost the answer knows then: what is not there by its key never will be."""
    mandate = bank.mandate()
    until_us = bank.clock.now_us() + 30 * SECOND_US
    in_time = bank.debit(mandate, 1_000, "in_time", not_after_us=until_us)
    bank.clock.advance(31 * SECOND_US)
    with pytest.raises(TooLate):
        bank.debit(mandate, 1_000, "late", not_after_us=until_us)
    assert bank.look(lambda at: by_key(at, mandate.partner, Direction.DEBIT, "late")) is None
    assert bank.debit(mandate, 1_000, "in_time", not_after_us=until_us) == in_time


def test_a_stranger_s_mandate_is_unknown(bank):
    mandate = bank.mandate()
    with pytest.raises(MandateUnknown):
        bank.debit(mandate, 1_000, partner="hayabusa-pay")
    with pytest.raises(MandateUnknown):
        bank.debit(mandate, 1_000, mandate_id="mdt_x")


def test_no_more_than_the_month_s_ceiling(bank):
    """Three of 100,000 are the month; the next month begins at midnight in Japan."""
    mandate = bank.mandate()
    bank.clock.advance(2 * DAY_US)
    for key in "abc":
        assert bank.debit(mandate, 100_000, key).why is Why.DONE
    assert bank.debit(mandate, 1, "d").why is Why.ABOVE_MONTH_CEILING
    bank.clock.advance(31 * DAY_US)
    assert bank.debit(mandate, 100_000, "e").why is Why.DONE


def test_a_new_mandate_of_the_same_user_does_not_begin_the_month_anew(bank):
    mandate = bank.mandate()
    bank.clock.advance(2 * DAY_US)
    for key in "abc":
        bank.debit(mandate, 100_000, key)
    again = bank.mandate()
    assert bank.now(mandate).state is MandateState.REVOKED
    bank.clock.advance(DAY_US)
    assert bank.debit(again, 1, "d").why is Why.ABOVE_MONTH_CEILING


def test_another_user_of_the_same_partner_cannot_link_the_account(bank):
    """Whoever had linked before was immune in the incident: here the bank sees to it."""
    mandate = bank.mandate()
    with pytest.raises(AccountLinkedAlready):
        bank.mandate(user_ref="thief")
    bank.deed(mandate, Deed.DISPUTE)
    with pytest.raises(AccountLinkedAlready):
        bank.mandate()


def test_what_the_account_does_not_hold_is_not_debited(bank):
    poor = bank.open(500)
    mandate = bank.mandate(deposit_id=poor.id)
    order = bank.debit(mandate, 501)
    assert (order.why, order.result) == (Why.NO_FUNDS, DebitResult.NO_FUNDS)
    assert bank.debit(mandate, 500, "all").why is Why.DONE
    assert bank.balance(poor) == 0


STANDS_IN_THE_WAY = {
    "depositor stopped": (lambda b, m: b.deed(m, Deed.STOP), Why.DEPOSITOR_STOPPED, "3"),
    "depositor revoked": (lambda b, m: b.revoke(m), Why.DEPOSITOR_STOPPED, "3"),
    "disputed": (lambda b, m: b.deed(m, Deed.DISPUTE), Why.DEPOSITOR_STOPPED, "3"),
    "partner stopped": (lambda b, m: b.deed(m, Deed.STOP, Who.PARTNER), Why.PARTNER_STOPPED, "8"),
    "partner revoked": (lambda b, m: b.revoke(m, Who.PARTNER), Why.PARTNER_STOPPED, "8"),
    "bank stopped": (lambda b, m: b.deed(m, Deed.STOP, Who.BANK), Why.BANK_STOPPED, "9"),
    "account blocked": (lambda b, _: set_state(b, DepositState.BLOCKED), Why.BANK_STOPPED, "9"),
    "account closed": (lambda b, _: set_state(b, DepositState.CLOSED), Why.NO_ACCOUNT, "2"),
    "switched off": (lambda b, _: b.switches.off.update({Function.DEBIT: OFF}), Why.SWITCHED_OFF, "9"),
}


def set_state(bank, state):
    bank.do(lambda at: deposits.set_state(at, bank.bank, bank.deposit.id, state, "test"))


@pytest.mark.parametrize("case", STANDS_IN_THE_WAY)
def test_what_stands_in_the_way(bank, case):
    work, why, code = STANDS_IN_THE_WAY[case]
    mandate = bank.mandate()
    work(bank, mandate)
    order = bank.debit(mandate, 1_000)
    assert (order.state, order.why, order.result) == (OrderState.REFUSED, why, code)
    assert bank.balance() == START.amount


def test_a_mandate_for_payouts_alone_debits_nothing(bank):
    mandate = bank.mandate(actions=(Action.CREDIT,))
    assert bank.debit(mandate, 1_000).why is Why.NO_MANDATE


def test_a_frozen_online_bank_lets_nothing_be_debited(bank):
    """Who stopped the account there means linked services too."""
    member_id = bank.at_hand.add_reachable_member()
    mandate = bank.mandate()
    holder = bank.deposit.depositor_id
    bank.do(lambda at: tie(at, bank.bank, holder, member_id))
    assert bank.debit(mandate, 1_000, "before").why is Why.DONE
    bank.do(
        lambda at: place(
            at,
            bank.bank.parts,
            member_id,
            HoldKind.SELF_FREEZE,
            HoldScope.ALL,
            reason="by_member",
            until_us=None,
        )
    )
    assert bank.debit(mandate, 1_000, "after").why is Why.DEPOSITOR_STOPPED


def test_the_switch_hears_whether_a_mandate_is_new(bank):
    """Registration can be off for a partner while what was linked before goes on."""
    mandate = bank.mandate()
    for key in "ab":
        bank.debit(mandate, 1_000, key)
    assert [usage.is_new for usage in bank.switches.asked] == [True, False]


def test_every_move_says_who_and_why(bank):
    mandate = bank.mandate(by="mem_x")
    bank.deed(mandate, Deed.STOP, why="lost_phone")
    bank.deed(mandate, Deed.ALLOW, why="found_it")
    moves = bank.look(lambda at: mandates.moves_of(at, mandate.id))
    assert [(move.before, move.after, move.by, move.why) for move in moves] == [
        ("", "requested", "partner:kamome-wallet", "requested"),
        ("requested", "bank_authenticated", "depositor:mem_x", "account_pin"),
        ("bank_authenticated", "active", "depositor:mem_x", "consented"),
        ("active", "suspended", "depositor", "lost_phone"),
        ("suspended", "active", "depositor", "found_it"),
    ]
    assert [move.number for move in moves] == [1, 2, 3, 4, 5]


def test_the_stop_code_finds_its_mandate_however_it_is_typed(bank):
    mandate, other = bank.mandate(), bank.mandate(partner="hayabusa-pay")
    code = mandates.stop_code(bank.bank.keyring, mandate.id)
    for typed in (code, code.lower(), code.replace("-", " "), f" {code} "):
        found = bank.look(lambda at, typed=typed: mandates.by_stop_code(at, bank.bank.keyring, typed))
        assert found.id == mandate.id
    assert code != mandates.stop_code(bank.bank.keyring, other.id)
    for wrong in ("", code[:-1], "BBBB-BBBB-BBBB", code + "B"):
        assert bank.look(lambda at, t=wrong: mandates.by_stop_code(at, bank.bank.keyring, t)) is None


def test_a_payout_goes_to_the_account_from_what_the_partner_has(bank):
    mandate = bank.mandate()
    bank.debit(mandate, 50_000, "d")
    order = bank.credit(mandate, 20_000, "c")
    assert order.why is Why.DONE
    assert bank.credit(mandate, 20_000, "c") == order
    assert bank.balance() == START.amount - 30_000


def test_a_partner_owes_the_bank_no_more_than_it_may(bank):
    mandate = bank.mandate()
    assert bank.credit(mandate, 10_000_000, "a").why is Why.DONE
    assert bank.credit(mandate, 1, "b").why is Why.PARTNER_FUNDS


def test_a_stopped_mandate_pays_nothing_out_either(bank):
    mandate = bank.mandate()
    bank.deed(mandate, Deed.STOP)
    assert bank.credit(mandate, 1_000).why is Why.DEPOSITOR_STOPPED


def test_the_trace_of_the_incident_is_stopped_after_its_first_debit(bank):
    """Four debits of 100,000, 90,000, 90,000 and 20,000 yen in a minute, on the day of the link."""
    mandate = bank.mandate()
    whys = []
    for key, yen in enumerate((100_000, 90_000, 90_000, 20_000)):
        whys.append(bank.debit(mandate, yen, f"{key}").why)
        bank.clock.advance(15 * SECOND_US)
    assert whys == [Why.DONE, Why.HELD_FOR_REVIEW, Why.HELD_FOR_REVIEW, Why.HELD_FOR_REVIEW]
    assert bank.balance() == START.amount - 100_000
    assert bank.at_hand.notices() == ["account_debited", "debit_held"]
    assert bank.now(mandate).standing.stops == {Who.WATCH}


def test_many_first_debits_of_one_partner_are_held_and_older_mandates_go_on(bank):
    old = bank.mandate()
    bank.debit(old, 1_000, "old")
    bank.clock.advance(2 * DAY_US)
    whys = []
    for number in range(32):
        deposit = bank.open(10_000)
        mandate = bank.mandate(deposit_id=deposit.id, user_ref=f"u{number}")
        whys.append(bank.debit(mandate, 5_000, f"first-{number}").why)
    assert whys == [Why.DONE] * 30 + [Why.HELD_FOR_REVIEW] * 2
    assert bank.debit(old, 1_000, "old again").why is Why.DONE
    bank.clock.advance(HOUR_US + SECOND_US)
    later = bank.mandate(deposit_id=bank.open(10_000).id, user_ref="later")
    assert bank.debit(later, 5_000, "later").why is Why.DONE


def test_a_debit_is_asked_for_by_many_at_once_and_booked_once(bank):
    mandate = bank.mandate()
    desk = DebitDesk(bank.bank, bank.switches)
    futures = [
        bank.bank.store.write(lambda at: desk.debit_within(at, asked(mandate, 40_000, "one")))
        for _ in range(20)
    ]
    assert len({future.result().id for future in futures}) == 1
    assert bank.balance() == START.amount - 40_000
