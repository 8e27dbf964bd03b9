"""Debits on every store: killed in the middle, wanted by many at once, and by two processes at once."""

import subprocess
import sys
import threading

import pytest
from sqlalchemy import select
from tests.bank.debiting_process import YEN
from tests.bank.mandate_at_hand import START, asked, open_bank
from tests.bank.test_files import Sender
from tests.project_files import ROOT

from sekisho.bank.debits import DebitDesk
from sekisho.bank.house import open_house
from sekisho.bank.orders import Why
from sekisho.kernel.clock import DAY_US
from sekisho.kernel.yen import Yen
from sekisho.ledger.journal import first_fault
from sekisho.linking.zengin import write_file
from sekisho.storage.engine import open_store
from sekisho.storage.tables.ledger import ledger_transfer
from sekisho.storage.tables.mandates import mandate_order


@pytest.fixture
def bank(store, tmp_path):
    opened = open_bank(tmp_path, store_at=store)
    yield opened
    opened.audit()


def answered_before_killed(url, folder, enough):
    """Start a bank that debits, kill it with SIGKILL in the middle, and return what it answered."""
    command = [sys.executable, "-m", "tests.bank.debiting_process", url, str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        told = [process.stdout.readline() for _ in range(enough)]
        process.kill()
        told += process.stdout.readlines()
    lines = [line.decode().split() for line in told if line.endswith(b"\n")]
    return {(line[0], line[1]): (line[2], line[3]) for line in lines if len(line) == 4}


@pytest.mark.parametrize("enough", [1, 100])
def test_a_killed_bank_loses_nothing_that_it_answered(store_url, tmp_path, enough):
    """What was answered is there with the same answer, and everything that is there is in the books once."""
    told = answered_before_killed(store_url, tmp_path, enough)
    assert len(told) >= enough
    store = open_store(store_url)
    with store.read() as connection:
        rows = connection.execute(select(mandate_order)).all()
        kept = {(row.partner, row.key): (row.id, row.why) for row in rows}
        assert first_fault(connection) is None
        debits = select(ledger_transfer).where(ledger_transfer.c.kind == "bank:debit")
        booked = {row.id: row.amount_yen for row in connection.execute(debits)}
    store.close()
    assert told.items() <= kept.items()
    assert booked == {row.transfer_id: row.amount_yen for row in rows if row.why == Why.DONE}
    assert set(booked.values()) <= {YEN}


def test_many_want_one_mandate_at_once_and_none_passes_the_ceiling(bank):
    """Forty debits of 10,000 yen under a month's ceiling of 300,000: thirty get through."""
    mandate, desk = bank.mandate(), bank.debits()
    bank.clock.advance(2 * DAY_US)
    futures = [
        bank.bank.store.write(lambda at, n=number: desk.debit_within(at, asked(mandate, 10_000, f"{n}")))
        for number in range(40)
    ]
    whys = [future.result().why for future in futures]
    assert (whys.count(Why.DONE), whys.count(Why.ABOVE_MONTH_CEILING)) == (30, 10)
    assert bank.balance() == START.amount - 300_000


def test_a_file_is_taken_on_every_store(bank):
    sender = Sender(bank)
    octets = write_file(sender.file())
    assert sender.take(octets) == sender.take(octets)
    assert bank.balance() == START.amount - 10_000


@pytest.mark.server
def test_two_processes_debit_one_mandate_once_and_to_its_ceiling(server_store_url, tmp_path):
    """The same keys from two servers: each debit is booked once, and the month holds for both."""
    stores = [open_store(server_store_url), open_store(server_store_url)]
    bank = open_bank(tmp_path, store_at=stores[0])
    mandate = bank.mandate(month_ceiling=Yen(200_000))
    bank.clock.advance(2 * DAY_US)
    desks = [DebitDesk(open_house(bank.bank.parts._replace(store=store)), bank.switches) for store in stores]
    answers: list[list[str]] = [[], []]

    def debit(which):
        for number in range(30):
            wanted = asked(mandate, 10_000, f"{number}")
            work = stores[which].write(lambda at: desks[which].debit_within(at, wanted))  # noqa: B023 - done before the next
            answers[which].append(work.result().id)

    threads = [threading.Thread(target=debit, args=(which,)) for which in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers[0] == answers[1]
    assert bank.balance() == START.amount - 200_000
    bank.audit()
    for store in stores:
        store.close()
