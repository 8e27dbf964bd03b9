"""Over borrowings, repayments and ends in any order the books agree with who counts day by day."""

import tempfile
from calendar import isleap
from datetime import timedelta
from fractions import Fraction
from math import floor
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from tests.lender.lines import SIGNED, open_line

from sekisho.kernel.yen import Yen
from sekisho.ledger.journal import first_fault
from sekisho.lender.loan_events import LoanEvent, NotDone
from sekisho.storage.engine import open_store

LINE = 500_000
RATE, DELAY_RATE = Fraction(178, 1_000), Fraction(200, 1_000)
FREE_DAYS = 30


class LoanMachine(RuleBasedStateMachine):
    """One member with a line of 500,000 yen, over some years."""

    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.store = open_store(f"sqlite:///{Path(self.folder.name) / 'lender.db'}")
        self.line = open_line(self.store, interest_free=True)
        self.today = SIGNED
        self.count = 0
        self.principal = self.interest = self.delay = self.overpaid = self.lent = self.taken = 0
        self.since = self.first_used = None

    def teardown(self):
        self.store.close()
        self.folder.cleanup()

    def _key(self):
        self.count += 1
        return f"key-{self.count}"

    def _cost(self, due):
        """Add up each day's cost, and drop fractions at the end."""
        ordinary = late = Fraction(0)
        day = self.since
        while day is not None and day < self.today:
            day += timedelta(days=1)
            share = Fraction(self.principal, 366 if isleap(day.year) else 365)
            if due is not None and day > due:
                late += share * DELAY_RATE
            elif self.first_used is None or day > self.first_used + timedelta(days=FREE_DAYS):
                ordinary += share * RATE
        return floor(ordinary), floor(late)

    def _due(self):
        return self.line.position(self.today).next_due_on

    def _charge(self, due):
        ordinary, late = self._cost(due)
        self.interest += ordinary
        self.delay += late
        self.since = self.today

    @rule(days=st.integers(1, 40))
    def days_pass(self, days):
        self.today += timedelta(days=days)

    @rule()
    def pay_on_the_due_date(self):
        """As members do, so that a line stays open for years."""
        due = self._due()
        if due is not None:
            self.today = max(self.today, due)
            self.repay(self.line.position(self.today).payment.amount)

    @rule(days=st.integers(0, 9), yen=st.integers(1, 30_000))
    def pay_and_borrow_again(self, days, yen):
        self.pay_on_the_due_date()
        self.today += timedelta(days=days)
        self.borrow(yen)

    @rule(yen=st.integers(1, 200_000))
    def borrow_some(self, yen):
        self.borrow(yen)

    @rule(yen=st.integers(1, 250_000))
    def repay_some(self, yen):
        self.repay(yen)

    def borrow(self, yen):
        due = self._due()
        done = self.line.borrow(self._key(), yen, self.today)
        if due is not None and self.today > due:
            assert done is NotDone.OVERDUE
        elif self.principal + yen > LINE:
            assert done is NotDone.ABOVE_LIMIT
        else:
            assert isinstance(done, LoanEvent)
            self._charge(due)
            self.principal += yen
            self.lent += yen
            self.first_used = self.first_used or self.today

    def repay(self, yen):
        due = self._due()
        ordinary, late = self._cost(due)
        done = self.line.repay(self._key(), yen, self.today)
        if self.principal + self.interest + self.delay + ordinary + late == 0:
            assert done is NotDone.NOTHING_OWED
            return
        assert isinstance(done, LoanEvent)
        self._charge(due)
        self.taken += yen
        for part in ("delay", "interest", "principal"):
            paid = min(yen, getattr(self, part))
            assert getattr(done, f"{part}_yen") == paid
            setattr(self, part, getattr(self, part) - paid)
            yen -= paid
        self.overpaid += yen

    @rule()
    def end(self):
        """Where nothing is owed it ends, and the same member signs another contract."""
        ended = self.line.end(self.today)
        ordinary, late = self._cost(self._due())
        if self.principal + self.interest + self.delay + ordinary + late:
            assert ended is NotDone.STILL_OWED
            return
        assert isinstance(ended, LoanEvent)
        assert self.line.end(self.today) == ended
        assert self.line.borrow(self._key(), 1, self.today) is NotDone.BORROWING_CLOSED
        assert self.line.repay(self._key(), 1, self.today) is NotDone.NOTHING_OWED
        self.line = self.line.signed_again(self.today)
        self.since = self.first_used = None

    @invariant()
    def the_books_agree_with_the_auditor(self):
        position = self.line.position(self.today)
        ordinary, late = self._cost(position.next_due_on)
        assert position.principal == Yen(self.principal)
        assert position.interest == Yen(self.interest + ordinary)
        assert position.delay == Yen(self.delay + late)
        assert position.headroom == Yen(LINE - self.principal)
        assert (position.payment == Yen(0)) == (position.next_due_on is None)
        assert self.line.balance(self.line.cash) == Yen(self.taken - self.lent)
        assert self.line.balance(self.line.overpaid) == Yen(self.overpaid)
        with self.store.read() as connection:
            assert first_fault(connection) is None


LoanMachine.TestCase.settings = settings(max_examples=20, stateful_step_count=25)
TestLoanMachine = LoanMachine.TestCase
