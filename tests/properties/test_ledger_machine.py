"""Over any sequence of transfers the books balance, no limit is exceeded and nothing happens twice.

The auditor is a few lines of plain arithmetic that predict every answer before the ledger gives it.
"""

import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule
from tests.ledger.books import LINE, moved, open_books

from sekisho.kernel.clock import MINUTE_US
from sekisho.kernel.yen import Yen
from sekisho.ledger.journal import first_fault, make_checkpoint
from sekisho.ledger.transfers import Booked, Refused, Why, expire_due, post, reserve, settle, void
from sekisho.storage.engine import open_store

YEN = st.integers(1, 300_000)
KEYS = st.integers(1, 40).map("key-{}".format)


class LedgerMachine(RuleBasedStateMachine):
    """Draws on a line of 500,000 yen and repayments of it, at once and in two phases."""

    pending = Bundle("pending")

    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.store = open_store(f"sqlite:///{Path(self.folder.name) / 'ledger.db'}")
        self.books = open_books(self.store)
        self.owed = 0
        self.held: dict[str, dict[str, int]] = {"draw": {}, "repay": {}}
        self.expiries = {}
        self.seen = {}

    def teardown(self):
        self.store.close()
        self.folder.cleanup()

    def _transfer(self, way, key, yen):
        debit, credit = (self.books.loan, self.books.cash)
        if way == "repay":
            debit, credit = credit, debit
        return moved(key, debit, credit, yen)

    def _expected(self, way, yen):
        """Predict a refusal: what is pending counts against a limit and never in favour of it."""
        held = sum(self.held[way].values())
        if way == "draw":
            return Why.ABOVE_DEBIT_LIMIT if self.owed + held + yen > LINE.amount else None
        return Why.ABOVE_CREDIT_LIMIT if held + yen > self.owed else None

    def _predict(self, request, way, yen):
        key = request[1]
        if key in self.seen:
            return "again" if self.seen[key] == request else Why.KEY_USED_OTHERWISE
        return self._expected(way, yen)

    def _agree(self, result, predicted):
        if predicted is None or predicted == "again":
            assert isinstance(result, Booked), result
            assert result.again == (predicted == "again")
        else:
            assert result == Refused(predicted)

    @rule(way=st.sampled_from(["draw", "repay"]), key=KEYS, yen=YEN)
    def post_one(self, way, key, yen):
        request = ("post", key, way, yen)
        predicted = self._predict(request, way, yen)
        self._agree(self.books.do(post, self._transfer(way, key, yen)), predicted)
        if predicted is None:
            self.seen[key] = request
            self.owed += yen if way == "draw" else -yen

    @rule(
        target=pending, way=st.sampled_from(["draw", "repay"]), key=KEYS, yen=YEN, minutes=st.integers(1, 9)
    )
    def reserve_one(self, way, key, yen, minutes):
        request = ("reserve", key, way, yen)
        predicted = self._predict(request, way, yen)
        until = self.books.clock.now_us() + minutes * MINUTE_US
        result = self.books.do(reserve, self._transfer(way, key, yen), expires_at_us=until)
        self._agree(result, predicted)
        if predicted is not None:
            return multiple()
        self.seen[key] = request
        self.held[way][result.transfer_id] = yen
        self.expiries[result.transfer_id] = until
        return way, result.transfer_id, yen

    @rule(one=consumes(pending), share=st.integers(1, 12))
    def settle_one(self, one, share):
        way, transfer_id, yen = one
        amount = yen * share // 10 or 1
        result = self.books.do(settle, transfer_id, amount=Yen(amount))
        if transfer_id not in self.held[way]:
            assert result == Refused(Why.ALREADY_EXPIRED)
        elif amount > yen:
            assert result == Refused(Why.ABOVE_RESERVED)
        else:
            del self.held[way][transfer_id]
            if self.expiries[transfer_id] <= self.books.clock.now_us():
                assert result == Refused(Why.ALREADY_EXPIRED)
                return
            assert isinstance(result, Booked)
            self.owed += amount if way == "draw" else -amount
            assert self.books.do(settle, transfer_id, amount=Yen(amount)).again

    @rule(one=consumes(pending))
    def void_one(self, one):
        way, transfer_id, _ = one
        result = self.books.do(void, transfer_id)
        if self.held[way].pop(transfer_id, None) is None:
            assert result == Refused(Why.ALREADY_EXPIRED)
        else:
            assert isinstance(result, Booked)

    @rule(minutes=st.integers(1, 6))
    def time_passes(self, minutes):
        self.books.clock.advance(minutes * MINUTE_US)
        gone = [one for one, until in self.expiries.items() if until <= self.books.clock.now_us()]
        due = [one for one in gone if any(one in held for held in self.held.values())]
        assert self.books.do(expire_due) == len(due)
        for one in due:
            for held in self.held.values():
                held.pop(one, None)

    @rule()
    def checkpoint(self):
        self.books.do(make_checkpoint)

    @invariant()
    def the_books_are_right(self):
        loan = self.books.account(self.books.loan)
        assert loan.balance == Yen(self.owed)
        assert (loan.debits_pending, loan.credits_pending) == tuple(
            sum(self.held[way].values()) for way in ("draw", "repay")
        )
        assert 0 <= self.owed <= LINE.amount
        with self.store.read() as connection:
            assert first_fault(connection) is None


LedgerMachine.TestCase.settings = settings(max_examples=25, stateful_step_count=25)
TestLedgerMachine = LedgerMachine.TestCase
