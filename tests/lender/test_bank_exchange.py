"""Files between the lender, the banks outside and a bank that plays along."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select
from tests.lender.lender_at_hand import OURS, open_lender

from sekisho.kernel.yen import Yen
from sekisho.lender.bank_exchange import BankExchange
from sekisho.lender.payout_accounts import Typed
from sekisho.linking.exchange import REFUSED, FolderTray, InTray
from sekisho.linking.zengin import (
    BankAccount,
    DebitResult,
    FileKind,
    Row,
    TransferResult,
    ZenginFile,
    read_file,
    write_file,
)
from sekisho.range.clearing import Clearing
from sekisho.storage.tables.borrowings import transfer_order

HOLDER = "やまだ はなこ"


class Outside:
    """The lender's exchange, and the clearing behind it, in one folder."""

    def __init__(self, lender, folder, banks=None):
        self.lender = lender
        self.folder = folder
        out, results = FolderTray(folder / "lender" / "clearing"), InTray(folder / "clearing" / "lender")
        self.exchange = BankExchange(lender.house, OURS, out, results)
        self.clearing = Clearing(folder, "lender", banks or {}, lender.clock)

    def go_round(self):
        asyncio.run(self.exchange.go_round())
        asyncio.run(self.clearing.go_round())
        asyncio.run(self.exchange.go_round())

    def states(self):
        with self.lender.house.store.read() as connection:
            return list(connection.execute(select(transfer_order.c.state)).scalars())

    def owed(self):
        return self.lender.position().owed.amount

    def cleared(self):
        self.lender.audit()
        return self.lender.balance("transfer_clearing") == 0


@pytest.fixture
def lender(tmp_path):
    opened = open_lender(tmp_path / "lender", opened_days_ago=0)
    yield opened
    opened.house.store.close()


def test_a_bank_outside_pays_what_was_sent(lender, tmp_path):
    """From the approval to the cleared account without a hand on it."""
    outside = Outside(lender, tmp_path / "exchange")
    lender.register(Typed("0005", "001", "1", "1234567", HOLDER))
    lender.lend(30_000)
    outside.go_round()
    assert outside.states() == ["paid"]
    assert outside.cleared()
    assert outside.owed() == 30_000


def test_what_the_bank_sends_back_was_never_lent(lender, tmp_path):
    """An account that is not there: the borrowing is taken back."""
    outside = Outside(lender, tmp_path / "exchange")
    lender.register(Typed("0005", "001", "1", "1234901", HOLDER))
    lender.lend(30_000)
    outside.go_round()
    assert outside.states() == ["returned"]
    assert outside.cleared()
    assert outside.owed() == 0


def test_a_bank_that_plays_along_answers_for_itself(lender, tmp_path):
    """Its rows wait for it, in a file of their own; until then nothing of the whole file is answered."""
    folder = tmp_path / "exchange"
    outside = Outside(lender, folder, {"9901": "bank"})
    lender.register(Typed("9901", "001", "1", "1234567", HOLDER))
    lender.lend(30_000)
    outside.go_round()
    assert outside.states() == ["sent"]

    asked, answers = InTray(folder / "clearing" / "bank"), FolderTray(folder / "bank" / "clearing")
    [name] = asked.waiting()
    file = read_file(asked.read(name), near=lender.house.today())
    [row] = file.rows
    answers.put(name, write_file(file._replace(rows=(row._replace(result=TransferResult.HOLDER_DIFFERS),))))
    outside.go_round()
    assert outside.states() == ["returned"]
    assert InTray(folder / "bank" / "clearing").waiting() == []
    assert outside.cleared()


def test_a_debit_is_brought_forward_to_today_and_answered_for_its_own_day(lender, tmp_path):
    """A bank takes no file of tomorrow; what it answers is about the file of tomorrow all the same."""
    folder = tmp_path / "exchange"
    outside = Outside(lender, folder, {"9901": "bank"})
    lender.register(Typed("9901", "001", "1", "1234567", HOLDER))
    tomorrow = lender.house.today() + timedelta(days=1)
    row = Row(BankAccount("9901", "001", "1", "1234567"), "ﾔﾏﾀﾞ ﾊﾅｺ", Yen(3_000), "r1")
    sent = FolderTray(folder / "lender" / "clearing")
    sent.put("debits.txt", write_file(ZenginFile(FileKind.DEBITS, OURS, tomorrow, (row,))))
    asyncio.run(outside.clearing.go_round())
    asked = InTray(folder / "clearing" / "bank")
    file = read_file(asked.read("debits.txt"), near=tomorrow)
    assert file.on == lender.house.today()
    answered = file._replace(rows=(row._replace(result=DebitResult.DONE),))
    FolderTray(folder / "bank" / "clearing").put("debits.txt", write_file(answered))
    asyncio.run(outside.clearing.go_round())
    result = read_file(InTray(folder / "clearing" / "lender").read("debits.txt"), near=tomorrow)
    assert (result.on, result.rows[0].result) == (tomorrow, DebitResult.DONE)


def test_a_result_that_comes_again_after_a_crash_changes_nothing(lender, tmp_path):
    """It was taken, and the program died before it had put it away."""
    folder = tmp_path / "exchange"
    outside = Outside(lender, folder)
    lender.register(Typed("0005", "001", "1", "1234567", HOLDER))
    lender.lend(30_000)
    outside.go_round()
    results = folder / "clearing" / "lender"
    [taken] = (results / "taken").iterdir()
    taken.replace(results / taken.name)
    asyncio.run(outside.exchange.go_round())
    assert [each.name for each in (results / "taken").iterdir()] == [taken.name]
    assert outside.cleared()


def test_a_strange_result_lies_apart_and_stops_nobody(lender, tmp_path):
    """What is no answer to a file of ours is put aside for a person, and the next one is taken."""
    folder = tmp_path / "exchange"
    outside = Outside(lender, folder)
    results = FolderTray(folder / "clearing" / "lender")
    results.put("a-strange.txt", b"not a file")
    lender.register(Typed("0005", "001", "1", "1234567", HOLDER))
    lender.lend(30_000)
    outside.go_round()
    assert outside.states() == ["paid"]
    assert [each.name for each in (folder / "clearing" / "lender" / REFUSED).iterdir()] == ["a-strange.txt"]
