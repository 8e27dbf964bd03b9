"""Any course of withdrawals and repayments at machines that jam, die, and lose requests and answers.

What is held after each step: what the books lent is what left the vaults, but for orders that are openly
unknown. At the end, when power and line are back and everybody has been asked, the two are equal to the yen.
"""

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from sqlalchemy import select
from tests.lender.atm_at_hand import MACHINE, NETWORK, NUMBER, PIN, open_atm, pin_of

from sekisho.identity.assurance import Way
from sekisho.identity.session_desk import Present
from sekisho.kernel.clock import DAY_US, MINUTE_US
from sekisho.kernel.japan import day_in_japan
from sekisho.kernel.refusals import Refusal
from sekisho.kernel.yen import Yen
from sekisho.lender.atm_machines import Typed
from sekisho.lender.atm_network import CashState
from sekisho.range.atm.vault import Jam
from sekisho.storage.tables.atm import atm_order

OPEN = ("asked", "dispensing", "unknown")
LIMIT_YEN = 300_000


class PowerCutError(Exception):
    """The machine is dark."""


class CashMachine(RuleBasedStateMachine):
    """One member, one machine, and everything that may go wrong between them."""

    def __init__(self):
        super().__init__()
        self.folder = TemporaryDirectory()
        self.atm = open_atm(Path(self.folder.name))
        self.member_id = self.atm.member(limit=Yen(LIMIT_YEN))
        self.present = self.atm.entered(self.member_id)
        self.fault = None
        self.fault_after = 0
        self.atm.machine(before_note=self.before_note)
        self.approved = []
        self.counted = []

    def before_note(self, out):
        if self.fault is not None and out >= self.fault_after:
            raise self.fault

    def restart(self):
        self.atm.machines[MACHINE].close()
        self.fault = None
        self.atm.machine(before_note=self.before_note)

    def orders(self):
        with self.atm.house.store.read() as connection:
            return [dict(row) for row in connection.execute(select(atm_order)).mappings()]

    def again(self):
        """Log in anew, because sessions end after fifteen minutes; set a locked PIN anew."""
        with self.atm.house.store.read() as connection:
            locked = not pin_of(connection, self.member_id).tries_left
        entered = self.atm.at.log_in(self.member_id)
        self.present = self.atm.entered(self.member_id) if locked else Present(*entered)

    @rule(thousands=st.integers(1, 120), way=st.sampled_from([Way.PASSKEY, Way.CODE]))
    def approve(self, thousands, way):
        self.again()
        try:
            self.approved.append(self.atm.approved(self.present, thousands * 1_000, way))
        except Refusal:
            return

    @precondition(lambda self: self.approved)
    @rule(
        data=st.data(),
        right=st.sampled_from([True, True, True, False]),
        cut=st.sampled_from(["", "", "request", "answer", "late"]),
        fault=st.sampled_from([None, None, Jam, PowerCutError]),
        after=st.integers(0, 120),
        keep=st.booleans(),
    )
    def enter(self, data, right, cut, fault, after, keep):
        session_id = data.draw(st.sampled_from(self.approved[-2:]))
        self.atm.line.cut, self.fault, self.fault_after = cut, fault, after * 1_000
        try:
            self.atm.type(session_id, pin=PIN if right else "1593")
        except PowerCutError:
            self.restart()
        except Refusal:
            self.fault = None
        self.fault = None
        if not keep:
            self.atm.line.cut = ""

    @rule(thousands=st.integers(1, 60), cut=st.sampled_from(["", "request", "answer"]), wrong=st.booleans())
    def put_in(self, thousands, cut, wrong):
        self.again()
        self.atm.line.cut = cut
        try:
            session_id = self.atm.approved_deposit(self.present)
            typed = Typed(f"d{len(self.counted)}:{session_id}", "0000" if wrong else NUMBER)
            entered = asyncio.run(self.atm.desk.count(NETWORK, session_id, typed, Yen(thousands * 1_000)))
        except Refusal:
            return
        if entered.order_id:
            self.counted.append((entered, thousands * 1_000))

    @precondition(lambda self: self.counted)
    @rule(data=st.data())
    def keep(self, data):
        entered, yen = data.draw(st.sampled_from(self.counted))
        self.atm.machines[MACHINE].keep(entered.order_id, yen, entered.not_after_us)

    @rule(lost=st.booleans())
    def tell(self, lost):
        """Confirm what was not acknowledged; the acknowledgement may be lost."""
        for answer in self.atm.machines[MACHINE].untold():
            asyncio.run(self.atm.desk.confirm(NETWORK, answer))
            if not lost:
                self.atm.machines[MACHINE].told(answer.order_id)

    @precondition(lambda self: self.orders())
    @rule(data=st.data())
    def say_again(self, data):
        """Let a confirmation that was already taken arrive once more."""
        order = data.draw(st.sampled_from(self.orders()))
        said = self.atm.machines[MACHINE].query(order["id"])
        if said.state in {CashState.DONE, CashState.NEVER, CashState.WORKING}:
            asyncio.run(self.atm.desk.confirm(NETWORK, said))

    @rule(minutes=st.sampled_from([0, 1, 4, 20]))
    def wait_and_ask(self, minutes):
        self.atm.at.clock.advance(minutes * MINUTE_US)
        asyncio.run(self.atm.desk.settlement.end_what_expired())
        self.atm.ask_again()

    @rule()
    def cut_the_power(self):
        self.restart()

    @rule(to=st.sampled_from(["", "request", "answer"]))
    def cut_the_line(self, to):
        self.atm.line.cut = to

    @precondition(lambda self: self.atm.line.late)
    @rule()
    def deliver(self):
        """Let an order arrive that was long on its way."""
        self.atm.machines[MACHINE].pay_out(self.atm.line.late.pop(0))

    @rule()
    def reconcile_early(self):
        self.atm.reconcile()

    @invariant()
    def what_is_lent_was_given_but_for_what_is_openly_unknown(self):
        unknown = 0
        for order in self.orders():
            if order["state"] in OPEN:
                moved = self.atm.machines[MACHINE].vault.moved(order["id"])
                unknown += moved if order["direction"] == "withdrawal" else -moved
        assert self.atm.cash_booked() - self.atm.fees() + unknown == self.atm.cash_given()

    @invariant()
    def what_is_reserved_is_exactly_what_may_still_go(self):
        waiting = [
            order["amount_yen"] + order["fee_yen"]
            for order in self.orders()
            if order["state"] in {*OPEN, "reserved"} and order["direction"] == "withdrawal"
        ]
        owed, reserved = self.atm.principal(self.member_id)
        assert reserved == sum(waiting)
        assert owed + reserved <= LIMIT_YEN

    def teardown(self):
        self.atm.line.cut = ""
        self.restart()
        self.atm.at.clock.advance(10 * MINUTE_US)
        asyncio.run(self.atm.desk.settlement.end_what_expired())
        self.atm.at.clock.advance(DAY_US)
        for day in {day_in_japan(order["made_at_us"]) for order in self.orders()}:
            self.atm.reconcile(day=day)
        assert not [order for order in self.orders() if order["state"] in {*OPEN, "reserved", "disputed"}]
        assert self.atm.cash_booked() == self.atm.cash_given() + self.atm.fees()
        assert self.atm.principal(self.member_id)[1] == 0
        assert self.atm.discrepancies() == []
        self.atm.close()
        self.folder.cleanup()


TestCashMachine = CashMachine.TestCase
TestCashMachine.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
