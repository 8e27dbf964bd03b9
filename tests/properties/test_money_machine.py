"""Over any sequence of orders, crashes and results nothing is paid twice, and every clearing ends at zero.

The auditor keeps what was lent and paid as a plain list and works the balances out by addition; all happens
on one day, so that there is no interest. The bank pays whatever it finds in the tray, and complains when it
finds a reference for the second time.
"""

import asyncio
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from tests.lender.lender_at_hand import OURS, open_lender

from sekisho.kernel.clock import SECOND_US
from sekisho.kernel.posture import Posture
from sekisho.kernel.yen import Yen
from sekisho.lender.incoming_payments import Incoming, take_incoming
from sekisho.lender.loan_events import NotDone
from sekisho.lender.transfer_loans import NotLent
from sekisho.lender.transfer_runs import TransferRuns
from sekisho.lender.web_debit_runs import WebDebitRuns
from sekisho.lender.web_debits import NotRepaid, WebDebitDesk
from sekisho.linking.bank_files import ResultFileRefused
from sekisho.linking.exchange import TAKEN, FolderTray
from sekisho.linking.zengin import DebitResult, FileKind, TransferResult, read_file, write_file

LINE = 500_000
YEN = st.integers(1, 260_000)
KEYS = st.integers(1, 8).map("key-{}".format)


class DiedError(Exception):
    """The process ended here."""


class DyingTray:
    """A tray at which the process ends before or after it took a file."""

    def __init__(self, tray, *, after):
        self._tray, self._after = tray, after

    def put(self, name, octets):
        if self._after:
            self._tray.put(name, octets)
        raise DiedError


class MoneyMachine(RuleBasedStateMachine):
    """Loans by transfer, repayments by debit and by transfer, of one member with a line of 500,000 yen."""

    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name)
        self.lender = open_lender(self.path, opened_days_ago=0)
        self.lender.register()
        self.debits = WebDebitDesk(self.lender.house, self.lender.switches, on_outage=Posture.CLOSED)
        self.tray = FolderTray(self.path / "tray")
        self.events = []
        self.keys: dict[str, dict[str, Any]] = {"lend": {}, "debit": {}}
        self.seen, self.at_bank = set(), []
        self.waiting_debits, self.came, self.paid_out = {}, 0, 0

    def teardown(self):
        self.send(tray=self.tray)
        self.bank_takes()
        while self.at_bank:
            self.bank_answers(0, [True])
        for clearing in ("transfer_clearing", "web_debit_clearing"):
            assert self.lender.balance(clearing) == 0
        self.lender.audit()
        self.lender.house.store.close()
        self.folder.cleanup()

    # What the auditor expects.

    def books(self):
        """Return the principal and what was overpaid, by addition."""
        owed = overpaid = 0
        for kind, yen, _ in self.events:
            if kind == "lent":
                owed += yen
            else:
                overpaid += max(0, yen - owed)
                owed = max(0, owed - yen)
        return owed, overpaid

    @invariant()
    def the_books_are_as_expected(self):
        owed, overpaid = self.books()
        assert self.lender.position().principal.amount == owed
        assert self.lender.balance("overpaid") == overpaid
        assert self.lender.balance("web_debit_clearing") == 0
        assert self.lender.balance("bank") == self.came - self.paid_out

    # What members do.

    @rule(key=KEYS, yen=YEN)
    def lend(self, key, yen):
        self.lender.clock.advance(SECOND_US)
        known = self.keys["lend"].get(key)
        owed, _ = self.books()
        expected = None
        if known is not None:
            expected = None if known[0] == yen else NotDone.KEY_USED_OTHERWISE
        elif owed + yen > LINE:
            expected = NotDone.ABOVE_LIMIT
        try:
            order = self.lender.lend(yen, key)
        except NotLent as refusal:
            order = refusal.why
        if expected is not None:
            assert order is expected
            return
        if known is None:
            self.keys["lend"][key] = (yen, order.reference)
            self.events.append(("lent", yen, order.reference))
        else:
            assert order.reference == known[1]

    @rule(key=KEYS, yen=YEN)
    def order_debit(self, key, yen):
        self.lender.clock.advance(SECOND_US)
        known = self.keys["debit"].get(key)
        left = self.books()[0] - sum(self.waiting_debits.values())
        fits = known[0] == yen if known else min(200, left) <= yen <= left
        present = self.lender.enter()
        try:
            order, purpose = asyncio.run(self.debits.request(present, Yen(yen), key))
            present = self.lender.prove(present, purpose)
            asyncio.run(self.debits.approve(present, order.id))
        except NotRepaid:
            assert not fits
            return
        assert fits
        if known is None:
            self.keys["debit"][key] = (yen, order.reference)
            self.waiting_debits[order.reference] = yen

    @rule(key=KEYS, yen=YEN)
    def pay_in(self, key, yen):
        self.lender.clock.advance(SECOND_US)
        house, number = self.lender.house, self.lender.contract().number
        once = f"{key}-{yen}"
        came = Incoming(once, number, Yen(yen), house.today())
        house.store.write(lambda at: take_incoming(at, house, came)).result()
        if ("paid", yen, once) not in self.events:
            self.events.append(("paid", yen, once))
            self.came += yen

    # What happens between us and the bank.

    @rule()
    def die_before_handing_over(self):
        self.send(tray=DyingTray(self.tray, after=False))

    @rule(key=KEYS, yen=st.integers(1, 9_999))
    def die_after_handing_over_to_a_quick_bank(self, key, yen):
        self.lend(key, yen)
        self.send(tray=DyingTray(self.tray, after=True))
        self.bank_takes()

    @rule()
    def send_all(self):
        self.send(tray=self.tray)

    def send(self, tray):
        self.lender.clock.advance(SECOND_US)
        for runs in (TransferRuns, WebDebitRuns):
            try:
                asyncio.run(runs(self.lender.house, OURS, tray).send_due())
            except DiedError:
                continue

    @rule()
    def bank_takes(self):
        for file in sorted((self.path / "tray").glob("*.txt")):
            read = read_file(file.read_bytes(), near=self.lender.house.today())
            for row in read.rows:
                assert row.reference not in self.seen, "the bank was told twice"
                self.seen.add(row.reference)
            self.at_bank.append(read)
            file.rename(self.path / "tray" / TAKEN / file.name)

    @rule(which=st.integers(0, 5), outcomes=st.lists(st.booleans(), min_size=1, max_size=4))
    def bank_answers(self, which, outcomes):
        if not self.at_bank:
            return
        file = self.at_bank[which % len(self.at_bank)]
        transfers = file.kind is FileKind.TRANSFERS
        good, bad = (
            (TransferResult.PAID, TransferResult.NO_ACCOUNT)
            if transfers
            else (DebitResult.DONE, DebitResult.NO_FUNDS)
        )
        results = [good if outcomes[at % len(outcomes)] else bad for at in range(len(file.rows))]
        rows = tuple(row._replace(result=result) for row, result in zip(file.rows, results, strict=True))
        octets = write_file(file._replace(rows=rows))
        self._take(transfers, octets)
        # Short, doubled, or for the second time: refused, and the invariant sees that nothing changed.
        for wrong in (octets[:-244], octets * 2, octets):
            try:
                self._take(transfers, wrong)
            except ResultFileRefused:
                continue
            raise AssertionError("a result was taken that is none")
        for row in rows:
            self._account_for(row, transfers=transfers)
        self.at_bank.remove(file)

    def _take(self, transfers, octets):
        runs = (TransferRuns if transfers else WebDebitRuns)(self.lender.house, OURS, self.tray)
        asyncio.run(runs.take_result(octets))

    def _account_for(self, row, *, transfers):
        yen = row.amount.amount
        if transfers and row.result is TransferResult.PAID:
            self.paid_out += yen
        elif transfers:
            self.events = [event for event in self.events if event[2] != row.reference]
        else:
            del self.waiting_debits[row.reference]
            if row.result is DebitResult.DONE:
                self.events.append(("paid", yen, row.reference))
                self.came += yen


MoneyMachine.TestCase.settings = settings(
    max_examples=15, stateful_step_count=20, phases=(Phase.explicit, Phase.generate)
)
test_the_money_machine = MoneyMachine.TestCase
