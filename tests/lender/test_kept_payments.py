"""What members paid too much: it waits by name, and goes back once."""

import asyncio

import pytest
from sqlalchemy import select
from tests.lender.atm_at_hand import MACHINE, NETWORK, NUMBER
from tests.lender.lender_at_hand import open_lender
from tests.lender.test_contract_ends import borrow, end, repay
from tests.lender.test_web_debits import incoming

from sekisho.kernel.clock import MINUTE_US, SECOND_US
from sekisho.kernel.yen import Yen
from sekisho.ledger.journal import first_fault
from sekisho.lender.atm_machines import Typed
from sekisho.lender.incoming_payments import Incoming, take_incoming
from sekisho.lender.kept_payments import GivingBackUnusable, KeptPaymentDesk, NothingKept
from sekisho.response.staff import StaffIdUnusable
from sekisho.storage.tables.audit import staff_act


@pytest.fixture(name="lender")
def _lender(tmp_path):
    opened = open_lender(tmp_path, opened_days_ago=0)
    yield opened
    opened.audit()
    opened.house.store.close()


def waiting(house):
    return asyncio.run(KeptPaymentDesk(house).waiting())


def give_back(lender, key, by="aoki", reason="transfer 0415"):
    return asyncio.run(KeptPaymentDesk(lender.house).give_back(key, by=by, reason=reason))


def test_a_payment_for_an_ended_contract_waits_by_its_number_and_goes_back_once(lender):
    number = end(lender).number
    incoming(lender, "t1", number, 30_000)
    (kept,) = waiting(lender.house)
    assert (kept.key, kept.contract_number) == ("incoming:t1:overpaid", number)
    assert (kept.amount, kept.day) == (Yen(30_000), lender.house.today())
    assert give_back(lender, kept.key) == kept
    assert waiting(lender.house) == []
    assert (lender.balance("overpaid"), lender.balance("bank")) == (0, 0)
    with pytest.raises(NothingKept):
        give_back(lender, kept.key)
    with lender.house.store.read() as connection:
        acts = connection.execute(select(staff_act.c.act, staff_act.c.subject, staff_act.c.reason)).all()
    assert acts == [("payment:given_back", kept.key, "transfer 0415")]


def test_what_was_left_of_a_payment_waits_and_so_does_what_was_repaid_of_a_stolen_borrowing(lender):
    """Everything that stands as overpaid is on the list, each with its contract; nothing else is."""
    stolen = borrow(lender, 40_000)
    lender.clock.advance(SECOND_US)
    repay(lender, 41_000)
    lender.house.store.write(
        lambda at: lender.house.loans.reverse(at, stolen.id, lender.house.today())
    ).result()
    found = waiting(lender.house)
    assert sorted(one.amount.amount for one in found) == [1_000, 40_000]
    assert {one.contract_number for one in found} == {lender.contract().number}
    assert sum(one.amount.amount for one in found) == lender.balance("overpaid")
    for one in found:
        give_back(lender, one.key)
    assert (lender.balance("overpaid"), waiting(lender.house)) == (0, [])


def test_cash_that_a_machine_kept_for_nothing_waits(atm):
    """Somebody repaid all of it by another way while the machine counted."""
    member_id = atm.member()
    present = atm.entered(member_id)
    atm.type(atm.approved(present, 20_000))
    session_id = atm.approved_deposit(atm.entered_again(present))
    entered = asyncio.run(atm.desk.count(NETWORK, session_id, Typed("d1", NUMBER), Yen(25_000)))
    number = atm.contract(member_id).number
    incoming_to(atm, number, 20_220)
    atm.machines[MACHINE].keep(entered.order_id, 25_000, entered.not_after_us)
    asyncio.run(atm.desk.settlement.ask_again())
    atm.house.clock.advance(MINUTE_US)
    asyncio.run(atm.desk.settlement.ask_again())
    found = waiting(atm.house)
    assert {one.contract_number for one in found} == {number}
    assert sum(one.amount.amount for one in found) == atm.overpaid() > 0
    with atm.house.store.read() as connection:
        assert first_fault(connection) is None


def incoming_to(atm, number, yen):
    came = Incoming("t1", number, Yen(yen), atm.house.today())
    atm.house.store.write(lambda at: take_incoming(at, atm.house, came)).result()


def test_who_gives_back_is_named_and_says_how(lender):
    number = end(lender).number
    incoming(lender, "t1", number, 30_000)
    with pytest.raises(StaffIdUnusable):
        give_back(lender, "incoming:t1:overpaid", by="Frau Aoki")
    for reason in (" ", "x" * 401):
        with pytest.raises(GivingBackUnusable):
            give_back(lender, "incoming:t1:overpaid", reason=reason)
    with pytest.raises(NothingKept):
        give_back(lender, "incoming:t1")
    assert lender.balance("overpaid") == 30_000
