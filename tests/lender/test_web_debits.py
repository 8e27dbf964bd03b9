"""Repaying by debit and by incoming transfer: only money that is here repays anything."""

import asyncio
from datetime import date

import pytest
from tests.lender.lender_at_hand import OURS, open_lender

from sekisho.identity.assurance import Standing, StepUp, Way
from sekisho.identity.holds import holds_on
from sekisho.kernel.posture import Posture
from sekisho.kernel.yen import Yen
from sekisho.lender.incoming_payments import Incoming, Taken, take_incoming, take_payment
from sekisho.lender.switches import SwitchedOff
from sekisho.lender.transfer_loans import NoPayoutAccount, OrderUnknown
from sekisho.lender.web_debit_orders import DebitState
from sekisho.lender.web_debit_runs import WebDebitRuns
from sekisho.lender.web_debits import DebitsStopped, NotRepaid, WebDebitDesk
from sekisho.linking.bank_files import ResultFileRefused
from sekisho.linking.exchange import FolderTray
from sekisho.linking.zengin import DebitResult, ZenginFile, read_file, write_file
from sekisho.response.money_gates import Held, HeldFor

DONE, NO_FUNDS, STOPPED = DebitResult.DONE, DebitResult.NO_FUNDS, DebitResult.DEPOSITOR_STOPPED


@pytest.fixture
def lender(tmp_path):
    opened = open_lender(tmp_path, opened_days_ago=0)
    opened.register()
    opened.lend(100_000)
    yield opened
    opened.audit()
    opened.house.store.close()


@pytest.fixture
def tray(tmp_path):
    return tmp_path / "to_bank"


@pytest.fixture
def runs(lender, tray):
    return WebDebitRuns(lender.house, OURS, FolderTray(tray))


def desk(lender, on_outage=Posture.CLOSED):
    return WebDebitDesk(lender.house, lender.switches, on_outage=on_outage)


def order(lender, yen, key="r"):
    """Order a repayment and approve it by passkey."""
    present = lender.enter()
    asked, purpose = asyncio.run(desk(lender).request(present, Yen(yen), key))
    return asyncio.run(desk(lender).approve(lender.prove(present, purpose), asked.id))


def send(runs, tray):
    """Send what is due, and return the file that is new; names of one moment have no order."""
    before = set(tray.glob("*.txt"))
    asyncio.run(runs.send_due())
    (new,) = set(tray.glob("*.txt")) - before
    return new.read_bytes()


def answered(octets, *results, on=None):
    file = read_file(octets, near=date(2026, 9, 21))
    rows = tuple(row._replace(result=result) for row, result in zip(file.rows, results, strict=True))
    return write_file(ZenginFile(file.kind, file.party, on or file.on, rows))


def take(runs, octets):
    return asyncio.run(runs.take_result(octets))


def state(lender):
    return asyncio.run(desk(lender).orders(lender.member_id))[0].state


def incoming(lender, key, number, yen):
    came = Incoming(key, number, Yen(yen), lender.house.today())
    return lender.house.store.write(lambda at: take_incoming(at, lender.house, came)).result()


def test_only_a_done_debit_repays(lender, runs, tray):
    """What may still fail makes no headroom: neither the order, nor the file."""
    assert order(lender, 40_000).state is DebitState.APPROVED
    assert lender.position().headroom == Yen(400_000)
    octets = send(runs, tray)
    assert lender.position().headroom == Yen(400_000)
    assert read_file(octets, near=lender.house.today()).rows[0].first is True
    assert take(runs, answered(octets, DONE)) == 1
    assert (lender.position().principal, lender.position().headroom) == (Yen(60_000), Yen(440_000))
    assert (lender.balance("web_debit_clearing"), lender.balance("bank")) == (0, 40_000)
    assert state(lender) is DebitState.DONE


def test_a_debit_without_funds_repays_nothing_and_is_told(lender, runs, tray):
    order(lender, 40_000)
    take(runs, answered(send(runs, tray), NO_FUNDS))
    assert state(lender) is DebitState.FAILED
    assert lender.position().principal == Yen(100_000)
    assert (lender.balance("web_debit_clearing"), lender.balance("bank")) == (0, 0)
    assert lender.at_hand.notices().count("debit_failed") == 2
    order(lender, 40_000, "again")
    take(runs, answered(send(runs, tray), DONE))


def test_a_depositor_who_stops_a_new_mandate_did_not_make_it(lender, runs, tray):
    order(lender, 40_000)
    take(runs, answered(send(runs, tray), STOPPED))
    with lender.house.store.read() as connection:
        assert [hold.kind for hold in holds_on(connection, lender.member_id, 0)] == ["containment"]
    with pytest.raises(DebitsStopped):
        order(lender, 40_000, "again")


def test_a_depositor_who_stops_an_old_mandate_only_ends_it(lender, runs, tray):
    order(lender, 10_000)
    take(runs, answered(send(runs, tray), DONE))
    lender.clock.advance(1)
    order(lender, 10_000, "second")
    octets = send(runs, tray)
    assert read_file(octets, near=lender.house.today()).rows[0].first is False
    take(runs, answered(octets, STOPPED))
    with lender.house.store.read() as connection:
        assert holds_on(connection, lender.member_id, 0) == []


@pytest.mark.parametrize(("yen", "why"), [(199, "too_little"), (100_001, "more_than_owed")])
def test_amounts_that_cannot_be_debited(lender, yen, why):
    with pytest.raises(NotRepaid) as refused:
        order(lender, yen)
    assert refused.value.why == why


def test_what_is_on_its_way_is_not_debited_twice(lender):
    order(lender, 60_000)
    with pytest.raises(NotRepaid):
        order(lender, 60_000, "again")
    order(lender, 40_000, "rest")


def test_the_same_key_is_one_order(lender):
    assert order(lender, 40_000) == order(lender, 40_000)
    with pytest.raises(NotRepaid):
        order(lender, 30_000)


def test_each_debit_is_approved_by_itself(lender):
    present = lender.enter()
    first, purpose = asyncio.run(desk(lender).request(present, Yen(1_000), "a"))
    second, _ = asyncio.run(desk(lender).request(present, Yen(1_000), "b"))
    present = lender.prove(present, purpose, Way.CODE)
    assert isinstance(asyncio.run(desk(lender).approve(present, second.id)), StepUp)
    assert asyncio.run(desk(lender).approve(present, first.id)).state is DebitState.APPROVED
    thief = lender.prove(lender.enter(standing=Standing.UNCONFIRMED), purpose, Way.CODE)
    assert not hasattr(asyncio.run(desk(lender).approve(thief, second.id)), "state")


def test_a_session_born_suspiciously_debits_nothing_by_code(lender):
    thief = lender.enter(risk=0.4)
    asked, purpose = asyncio.run(desk(lender).request(thief, Yen(1_000), "a"))
    by_code = lender.prove(thief, purpose, Way.CODE)
    assert asyncio.run(desk(lender).approve(by_code, asked.id)) == StepUp((Way.PASSKEY,))
    honest = lender.prove(lender.enter(), purpose, Way.CODE)
    assert asyncio.run(desk(lender).approve(honest, asked.id)).state is DebitState.APPROVED


def test_debits_can_be_switched_off_and_an_outage_means_what_was_stated(lender):
    present = lender.enter()
    asked, purpose = asyncio.run(desk(lender).request(present, Yen(1_000), "a"))
    present = lender.prove(present, purpose)
    lender.switches.off = SwitchedOff("incident", {})
    assert asyncio.run(desk(lender).approve(present, asked.id)).why is HeldFor.SWITCHED_OFF
    lender.switches.down = True
    assert isinstance(asyncio.run(desk(lender).approve(present, asked.id)), Held)
    done = asyncio.run(desk(lender, Posture.OPEN).approve(present, asked.id))
    assert done.state is DebitState.APPROVED


def test_nobody_meets_another_members_order(lender):
    asked = order(lender, 1_000)
    with pytest.raises(OrderUnknown):
        asyncio.run(desk(lender).to_approve(lender.at_hand.add_reachable_member(), asked.id))


def test_without_an_account_there_is_nothing_to_debit(tmp_path):
    lender = open_lender(tmp_path)
    with pytest.raises(NoPayoutAccount):
        asyncio.run(desk(lender).request(lender.enter(), Yen(1_000), "a"))
    lender.house.store.close()


@pytest.mark.parametrize("fault", ["short", "doubled", "another day", "undecided"])
def test_a_result_that_is_not_whole_changes_nothing(lender, runs, tray, fault):
    order(lender, 10_000, "a")
    order(lender, 20_000, "b")
    octets = send(runs, tray)
    file = read_file(answered(octets, DONE, DONE), near=date(2026, 9, 21))
    faulty = {
        "short": write_file(file._replace(rows=file.rows[:1])),
        "doubled": write_file(file._replace(rows=file.rows * 2)),
        "another day": answered(octets, DONE, DONE, on=date(2026, 9, 1)),
        "undecided": answered(octets, DONE, None),
    }
    with pytest.raises(ResultFileRefused):
        take(runs, faulty[fault])
    assert lender.position().principal == Yen(100_000)
    take(runs, answered(octets, DONE, NO_FUNDS))
    with pytest.raises(ResultFileRefused):
        take(runs, answered(octets, DONE, NO_FUNDS))
    repaid = 100_000 - lender.position().principal.amount
    assert repaid in {10_000, 20_000}
    assert lender.balance("bank") == repaid
    assert lender.balance("web_debit_clearing") == 0


def test_a_debit_that_comes_after_all_was_repaid_is_kept_for_the_member(lender, runs, tray):
    order(lender, 100_000)
    octets = send(runs, tray)
    assert incoming(lender, "t1", lender.contract().number, 100_000) is not None
    take(runs, answered(octets, DONE))
    assert lender.balance("overpaid") == 100_000
    assert lender.balance("web_debit_clearing") == 0


def test_a_transfer_that_names_the_contract_repays_once(lender):
    number = lender.contract().number
    first = incoming(lender, "t1", number, 30_000)
    assert incoming(lender, "t1", f" {number} ", 30_000) == first
    assert lender.position().principal == Yen(70_000)
    with pytest.raises(ValueError, match="another payment"):
        incoming(lender, "t1", number, 40_000)


def test_a_transfer_that_names_no_contract_waits_unclaimed(lender):
    assert incoming(lender, "t1", "0000000000", 30_000) is None
    assert incoming(lender, "t1", "0000000000", 30_000) is None
    assert (lender.balance("unclaimed"), lender.position().principal) == (30_000, Yen(100_000))
    with pytest.raises(ValueError, match="key_used_otherwise"):
        incoming(lender, "t1", "0000000000", 1)


def test_a_payment_of_nothing_is_none(lender):
    nothing = Taken("k", lender.contract().id, Yen(0), lender.house.today(), "incoming", "acc")
    with pytest.raises(ValueError, match="no payment"):
        lender.house.store.write(lambda at: take_payment(at, lender.house, nothing)).result()
