"""Mandates, debits and payouts in any order: the books say what a far simpler model says."""

import contextlib
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule
from tests.bank.mandate_at_hand import OFF, asked, open_bank

from sekisho.bank import deposits, orders
from sekisho.bank.debit_signs import DebitWatchSettings
from sekisho.bank.deposits import DepositState
from sekisho.bank.mandate_states import Deed, Who
from sekisho.bank.mandates import AccountLinkedAlready
from sekisho.bank.orders import Direction, KeyUsedOtherwise, Why
from sekisho.bank.switches import Function
from sekisho.kernel.clock import DAY_US
from sekisho.kernel.japan import day_in_japan
from sekisho.kernel.yen import Yen

CEILING, MONTH = 100, 160
START = 600
PARTNERS = ("kamome-wallet", "hayabusa-pay")
OWES_MAX = 10_000_000
STATES = {"live": "active", "stopped": "suspended", "ended": "revoked", "disputed": "disputed"}
# Most of what is done to a mandate should leave it alive, or there is little to see.
DEEDS = st.sampled_from([*[Deed.STOP] * 3, *[Deed.ALLOW] * 6, *Deed])


class Model:
    """What is true, in the simplest words: no tables, no ledger, no clock but the day."""

    def __init__(self):
        self.standing: dict[str, str] = {}  # by mandate: live, stopped, ended, disputed
        self.stops: dict[str, set[Who]] = {}
        self.of: dict[str, tuple[str, str, str]] = {}  # by mandate: partner, account, user
        self.balance: dict[str, int] = {}
        self.settled = dict.fromkeys(PARTNERS, 0)
        self.month: dict[tuple[str, str, str], int] = {}
        self.blocked: set[str] = set()
        self.off = False

    def debit(self, mandate, yen, on):
        partner, account, _ = self.of[mandate]
        moved = self.month.get((partner, account, on), 0)
        if self.off or self.standing[mandate] != "live" or account in self.blocked:
            return False
        if yen > CEILING or moved + yen > MONTH or yen > self.balance[account]:
            return False
        self.balance[account] -= yen
        self.settled[partner] += yen
        self.month[partner, account, on] = moved + yen
        return True

    def credit(self, mandate, yen):
        partner, account, _ = self.of[mandate]
        if self.standing[mandate] != "live" or yen > self.settled[partner] + OWES_MAX:
            return False
        self.balance[account] += yen
        self.settled[partner] -= yen
        return True

    def deed(self, mandate, deed, who):
        standing, stops = self.standing[mandate], self.stops[mandate]
        living = standing in {"live", "stopped"}
        if deed is Deed.STOP and living:
            stops.add(who)
        elif deed is Deed.ALLOW and living:
            stops.discard(who)
        elif deed is Deed.REVOKE and who is not Who.WATCH and (living or self._decides(standing, who)):
            self.standing[mandate] = "ended"
            return
        elif deed is Deed.DISPUTE and who in {Who.DEPOSITOR, Who.BANK} and living:
            self.standing[mandate] = "disputed"
            return
        elif deed is Deed.CLEAR and who is Who.BANK and standing == "disputed":
            stops.add(Who.DEPOSITOR)
        else:
            return
        self.standing[mandate] = "stopped" if stops else "live"

    def _decides(self, standing, who):
        return standing == "disputed" and who is Who.BANK


class DebitMachine(RuleBasedStateMachine):
    """The bank beside the model."""

    mandates = Bundle("mandates")
    keys = Bundle("keys")

    @initialize()
    def opened(self):
        self.folder = contextlib.ExitStack()
        place = self.folder.enter_context(tempfile.TemporaryDirectory())
        self.bank = open_bank(Path(place))
        self.model = Model()
        self.deposits = [self.bank.open(START), self.bank.open(START)]
        self.model.balance = {one.id: START for one in self.deposits}
        self.answers = {}
        watch = DebitWatchSettings(new_for_us=0)
        self.debits, self.credits = self.bank.debits(watch=watch), self.bank.credits()

    @rule(
        target=mandates,
        partner=st.sampled_from(PARTNERS),
        account=st.integers(0, 1),
        user=st.sampled_from("ab"),
    )
    def consents(self, partner, account, user):
        model, deposit_id = self.model, self.deposits[account].id
        there = [
            one
            for one, of in model.of.items()
            if of[:2] == (partner, deposit_id) and model.standing[one] != "ended"
        ]
        refused = any(model.of[one][2] != user or model.standing[one] == "disputed" for one in there)
        try:
            made = self.bank.mandate(
                partner=partner,
                deposit_id=deposit_id,
                user_ref=user,
                ceiling=Yen(CEILING),
                month_ceiling=Yen(MONTH),
            )
        except AccountLinkedAlready:
            assert refused
            return multiple()
        assert not refused
        for one in there:
            model.standing[one] = "ended"
        model.standing[made.id], model.stops[made.id] = "live", set()
        model.of[made.id] = (partner, deposit_id, user)
        return made

    @rule(mandate=mandates, deed=DEEDS, who=st.sampled_from(list(Who)))
    def does(self, mandate, deed, who):
        self.bank.deed(mandate, deed, who)
        self.model.deed(mandate.id, deed, who)
        now = self.bank.now(mandate)
        assert now.state == STATES[self.model.standing[mandate.id]]
        assert now.standing.stops == self.model.stops[mandate.id]

    @rule(
        target=keys,
        mandate=mandates,
        yen=st.sampled_from([1, 40, 99, CEILING, CEILING + 1]),
        direction=st.sampled_from(list(Direction)),
    )
    def orders(self, mandate, yen, direction):
        return self.ordered(mandate, yen, direction)

    @rule(target=keys, mandate=mandates, yen=st.sampled_from([60, 99]))
    def debits_until_it_is_too_much(self, mandate, yen):
        return [self.ordered(mandate, yen, Direction.DEBIT) for _ in range(3)][-1]

    def ordered(self, mandate, yen, direction):
        key = f"key-{len(self.answers)}"
        order = self.order(mandate, yen, direction, key)
        on = f"{day_in_japan(self.bank.clock.now_us()):%Y-%m}"
        debits = direction is Direction.DEBIT
        moved = self.model.debit(mandate.id, yen, on) if debits else self.model.credit(mandate.id, yen)
        assert (order.why is Why.DONE) is moved, (order.why, moved)
        self.answers[mandate.partner, direction, key] = order
        return mandate, yen, direction, key

    @rule(one=keys)
    def asks_again(self, one):
        mandate, _, direction, key = one
        assert self.order(*one) == self.answers[mandate.partner, direction, key]

    @rule(one=keys, more=st.integers(1, 50))
    def asks_for_more_by_the_same_key(self, one, more):
        mandate, yen, direction, key = one
        with contextlib.suppress(KeyUsedOtherwise):
            self.order(mandate, yen + more, direction, key)
            raise AssertionError(key)

    @rule(account=st.integers(0, 1), blocked=st.sampled_from([True, False, False]))
    def blocks(self, account, blocked):
        state, one = DepositState.BLOCKED if blocked else DepositState.OPEN, self.deposits[account]
        self.bank.do(lambda at: deposits.set_state(at, self.bank.bank, one.id, state, "test"))
        (self.model.blocked.add if blocked else self.model.blocked.discard)(one.id)

    @rule(off=st.sampled_from([True, False, False]))
    def switches(self, off):
        self.model.off = off
        self.bank.switches.off.clear()
        if off:
            self.bank.switches.off[Function.DEBIT] = OFF

    @rule(days=st.sampled_from([1, 1, 1, 20]))
    def waits(self, days):
        self.bank.clock.advance(days * DAY_US)

    @invariant()
    def balances_are_the_model_s(self):
        if hasattr(self, "model"):
            for one in self.deposits:
                assert self.bank.balance(one) == self.model.balance[one.id]

    @invariant()
    def no_month_is_above_its_ceiling(self):
        if hasattr(self, "model"):
            month = orders.month_of(self.bank.clock.now_us())
            for partner in PARTNERS:
                for one in self.deposits:
                    moved = self.bank.look(lambda at, p=partner, o=one: orders.debited_in(at, p, o.id, month))
                    assert moved <= Yen(MONTH)

    def order(self, mandate, yen, direction, key):
        wanted = asked(mandate, yen, key)
        if direction is Direction.DEBIT:
            return self.bank.do(lambda at: self.debits.debit_within(at, wanted))
        return self.bank.do(lambda at: self.credits.credit_within(at, wanted))

    def teardown(self):
        if hasattr(self, "model"):
            self.bank.audit()
            self.bank.bank.store.close()
            self.folder.close()


DebitMachine.TestCase.settings = settings(max_examples=25, stateful_step_count=50)
TestDebitMachine = DebitMachine.TestCase
