"""Loans by transfer and repayments by debit on every store; on a server, by two processes at once."""

import asyncio
import threading
from concurrent.futures import TimeoutError as NotYet

import pytest
from tests.conformance.busy import hold_up
from tests.lender.lender_at_hand import ARRIVAL, OURS, open_lender

from sekisho.kernel.posture import Posture
from sekisho.kernel.yen import Yen
from sekisho.lender.gates import Gatekeeper
from sekisho.lender.house import open_house
from sekisho.lender.incoming_payments import Incoming, take_incoming
from sekisho.lender.transfer_loans import NotLent, OrderUnknown, TransferLoanDesk
from sekisho.lender.transfer_orders import OrderState, TransferOrder
from sekisho.lender.transfer_runs import TransferRuns
from sekisho.lender.web_debit_runs import WebDebitRuns
from sekisho.lender.web_debits import WebDebitDesk
from sekisho.linking.bank_files import ResultFileRefused
from sekisho.linking.exchange import FolderTray
from sekisho.linking.zengin import DebitResult, TransferResult, read_file, write_file
from sekisho.response.money_gates import OnOutage
from sekisho.storage.engine import open_store

CLOSED = OnOutage(Posture.CLOSED, Posture.CLOSED)


@pytest.fixture
def lender(store, tmp_path):
    opened = open_lender(tmp_path, opened_days_ago=0, store_at=store)
    opened.register()
    yield opened
    opened.audit()


def answered(lender, folder, result):
    """Return what the bank sends back for the newest file."""
    file = read_file(max(folder.glob("*.txt")).read_bytes(), near=lender.house.today())
    rows = tuple(row._replace(result=result) for row in file.rows)
    return write_file(file._replace(rows=rows))


def test_a_loan_goes_out_and_a_repayment_comes_in(lender, tmp_path):
    assert lender.lend(50_000).state is OrderState.APPROVED
    out = tmp_path / "out"
    transfers = TransferRuns(lender.house, OURS, FolderTray(out))
    asyncio.run(transfers.send_due())
    paid = answered(lender, out, TransferResult.PAID)
    assert asyncio.run(transfers.take_result(paid)) == 1
    with pytest.raises(ResultFileRefused):
        asyncio.run(transfers.take_result(paid))

    desk = WebDebitDesk(lender.house, lender.switches, on_outage=Posture.CLOSED)
    present = lender.enter()
    order, purpose = asyncio.run(desk.request(present, Yen(20_000), "r"))
    asyncio.run(desk.approve(lender.prove(present, purpose), order.id))
    out = tmp_path / "debits"
    debits = WebDebitRuns(lender.house, OURS, FolderTray(out))
    asyncio.run(debits.send_due())
    asyncio.run(debits.take_result(answered(lender, out, DebitResult.DONE)))
    assert lender.position().principal == Yen(30_000)
    assert (lender.balance("transfer_clearing"), lender.balance("web_debit_clearing")) == (0, 0)


def test_a_transfer_that_comes_back_was_never_lent(lender, tmp_path):
    lender.lend(50_000)
    transfers = TransferRuns(lender.house, OURS, FolderTray(tmp_path / "out"))
    asyncio.run(transfers.send_due())
    back = answered(lender, tmp_path / "out", TransferResult.NO_ACCOUNT)
    asyncio.run(transfers.take_result(back))
    assert lender.position().headroom == Yen(500_000)


@pytest.mark.server
def test_two_processes_lend_one_order_once_and_one_limit_once(server_store_url, tmp_path):
    """The same order from two servers, and two orders that do not both fit into the line."""
    stores = [open_store(server_store_url), open_store(server_store_url)]
    lender = open_lender(tmp_path, opened_days_ago=0, store_at=stores[0])
    lender.register()
    for attempt in range(3):
        desks = [_desk(lender, store) for store in stores]
        present = lender.enter()
        first, purpose = asyncio.run(desks[0].request(present, Yen(150_000), f"a{attempt}"))
        proven = lender.prove(present, purpose)
        results = _at_once([(desk, proven, first.id) for desk in desks])
        assert all(isinstance(result, (TransferOrder, OrderUnknown, NotLent)) for result in results)
        lender.clock.advance(1_000_000)
    assert lender.position().principal == Yen(450_000)
    assert lender.balance("transfer_clearing") == 450_000
    lender.audit()
    for store in stores:
        store.close()


def _desk(lender, store):
    parts = lender.house.parts._replace(store=store)
    house = open_house(parts)
    return TransferLoanDesk(house, Gatekeeper(house, lender.guard, lender.switches, on_outage=CLOSED))


def _at_once(calls):
    results = []

    def call(desk, present, order_id):
        try:
            results.append(asyncio.run(desk.approve(present, ARRIVAL, order_id)))
        except (OrderUnknown, NotLent) as refusal:
            results.append(refusal)

    threads = [threading.Thread(target=call, args=args) for args in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.server
def test_two_processes_book_one_transfer_once_whoever_knows_its_contract(server_store_url, tmp_path):
    """One enters it as nobody's while the other enters it for its contract."""
    one, other = open_store(server_store_url), open_store(server_store_url)
    lender = open_lender(tmp_path, opened_days_ago=0, store_at=one)
    lender.register()
    lender.lend(100_000)
    house, there = lender.house, open_house(lender.house.parts._replace(store=other))
    nobodys = Incoming("B-1", "NOBODY-1", Yen(10_000), house.today())
    known = nobodys._replace(contract_number=lender.contract().number)
    go_on = hold_up(one, before=lambda at: take_incoming(at, house, nobodys))
    repaying = other.write(lambda at: take_incoming(at, there, known))
    with pytest.raises(NotYet):
        repaying.result(timeout=0.3)
    go_on.set()
    assert repaying.result() is not None
    assert (lender.balance("bank"), lender.balance("unclaimed")) == (10_000, 0)
    assert lender.position().principal == Yen(90_000)
    lender.audit()
    one.close()
    other.close()
