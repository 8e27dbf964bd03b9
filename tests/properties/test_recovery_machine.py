"""Any course of paying, asking, entering, booking, turning down and giving up: sums, books and past agree."""

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.response.recoveries_at_hand import RecoveriesAtHand

from sekisho.kernel.clock import HOUR_US
from sekisho.kernel.refusals import Refusal

CAMPAIGNS, PEOPLE = ("cmp_1", "cmp_2"), ("sato", "ito")
campaigns, people = st.sampled_from(CAMPAIGNS), st.sampled_from(PEOPLE)
seldom = st.sampled_from([False, False, False, True])


class Recoveries(RuleBasedStateMachine):
    """One partner, two campaigns, two people; the model is a handful of sums."""

    def __init__(self):
        super().__init__()
        self.folder = TemporaryDirectory()
        self.at_hand = RecoveriesAtHand(Path(self.folder.name))
        self.paid = self.asked = self.came = 0
        self.waiting = []
        self.past = []

    @property
    def entered_yen(self):
        return sum(receipt.yen for receipt, _ in self.waiting)

    @initialize()
    def begin(self):
        """Something is open from the beginning on, so that money can come at any step."""
        self.pay(50_000, "cmp_1", 100, "sato")

    @rule(yen=st.integers(1, 50_000), campaign=campaigns, share=st.integers(1, 100), by=people)
    def pay(self, yen, campaign, share, by):
        """Pay a claim, and ask for a share of all that was not asked for."""
        self.at_hand.pay(yen, campaign=campaign)
        self.paid += yen
        asked = self._try(lambda: self.at_hand.ask(campaign=campaign, share=share, by=by))
        self.asked += 0 if asked is None else asked.yen

    @rule(per_cent=st.sampled_from([60, 100, 101, 1]), campaign=st.none() | campaigns, by=people)
    def enter(self, per_cent, campaign, by):
        """Enter so much of what is open, or a little more than all of it."""
        still_open = self.at_hand.sums(campaign=campaign or "")[-1]
        number = f"B-{len(self.past)}-{len(self.waiting)}-{self.came}-{per_cent}-{campaign}"
        came = self.at_hand.came(-(-still_open * per_cent // 100), number, campaign=campaign)
        receipt = self._try(lambda: self.at_hand.enter(came, by))
        if receipt is not None:
            self.waiting.append((receipt, by))

    @precondition(lambda self: self.waiting)
    @rule(which=st.integers(0, 9), alone=seldom)
    def book(self, which, alone):
        place = which % len(self.waiting)
        receipt, entered_by = self.waiting[place]
        other = PEOPLE[1 - PEOPLE.index(entered_by)]
        booked = self._try(lambda: self.at_hand.book(receipt, entered_by if alone else other))
        assert (booked is None) is alone
        if booked is not None:
            self.came += self.waiting.pop(place)[0].yen

    @precondition(lambda self: self.waiting)
    @rule(which=st.integers(0, 9))
    def turn_down(self, which):
        receipt, _ = self.waiting.pop(which % len(self.waiting))
        self.at_hand.turn_down(receipt)

    @precondition(lambda self: self.came)
    @rule(campaign=campaigns, by=people)
    def give_up(self, campaign, by):
        self._try(lambda: self.at_hand.give_up(campaign=campaign, by=by))

    @rule()
    def wait(self):
        self.past.append((self.at_hand.clock.now_us(), self.at_hand.sums()))
        self.at_hand.clock.advance(HOUR_US)

    @invariant()
    def the_sums_are_what_happened(self):
        paid, asked, came, given_up, still_open = self.at_hand.sums()
        assert (paid, asked, came) == (self.paid, self.asked, self.came)
        assert still_open == asked - came - given_up
        assert came + given_up + self.entered_yen <= asked <= paid

    @invariant()
    def the_books_say_the_same(self):
        assert self.at_hand.lost() == self.paid - self.came

    @invariant()
    def the_past_stays_what_it_was(self):
        for at_us, sums in self.past[-2:]:
            assert self.at_hand.sums(at_us) == sums

    def teardown(self):
        self.at_hand.parts.store.close()
        self.folder.cleanup()

    def _try(self, deed):
        try:
            return deed()
        except Refusal:
            return None


TestRecoveries = Recoveries.TestCase
TestRecoveries.settings = settings(max_examples=12, stateful_step_count=12)
