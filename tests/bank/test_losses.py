"""A debit that the depositor did not make is claimed, decided by two, paid back, and recovered; each once."""

import asyncio

import pytest
from tests.bank.mandate_at_hand import WALLET, open_bank
from tests.response.test_cases import opening

from sekisho.bank import deposits, holders
from sekisho.bank.debit_statements import settlement_of
from sekisho.bank.deposits import DepositState
from sekisho.bank.losses import BankLosses
from sekisho.kernel.clock import DAY_US
from sekisho.ledger.accounts import find_account
from sekisho.response import cases
from sekisho.response.claim_policy import Assessment, Fault
from sekisho.response.claims import Award, ClaimDesk, ClaimRefused, ClaimState
from sekisho.response.partner_books import ReceiptNotBookable, Received
from sekisho.response.recovery_rows import Way
from sekisho.response.staff import SecondPersonNeeded

FULL = Assessment(Fault.NO_FAULT, 100, "the depositor never linked this account")
LEFT = 1_000_000 - 30_000


class Debited:
    """A bank whose depositor uses the online bank, and a debit of 30,000 yen under a thief's mandate."""

    def __init__(self, folder):
        self.hand = open_bank(folder)
        self.member_id = self.hand.at_hand.add_member()
        self.parts = self.hand.bank.parts
        self.hand.do(
            lambda at: holders.tie(at, self.hand.bank, self.hand.deposit.depositor_id, self.member_id)
        )
        self.mandate = self.hand.mandate()
        self.order = self.hand.debit(self.mandate, 30_000)
        self.losses = BankLosses(self.hand.bank)
        self.desk = ClaimDesk(self.parts, self.losses)

    def assessed(self, yen=30_000):
        case = self.hand.do(
            lambda at: cases.open_case(at, self.parts, opening(member_id=self.member_id), by="sato")
        )
        made = asyncio.run(self.desk.make(case.id, self.order.id, yen, by="sato"))
        return asyncio.run(self.desk.assess(made.id, FULL, by="sato"))

    def decide(self, claim, by="ito"):
        return asyncio.run(self.desk.decide(claim.id, pay=True, by=by))

    def award(self, yen=30_000, claim_id="clm_1", loss=""):
        return Award(claim_id, loss or self.order.id, yen, is_all=yen == 30_000)

    def make_good(self, award):
        return self.hand.do(lambda at: self.losses.make_good(at, award))

    def receive(self, yen, way, number="B-1", losses=(), day=None):
        on = day or self.hand.bank.today()
        came = Received(f"prc_{number}", WALLET, way, number, yen, on, losses or (self.order.id,))
        return self.hand.do(lambda at: self.losses.receive(at, came))

    def interbank(self):
        of = self.hand.bank.accounts.interbank
        return self.hand.look(lambda at: find_account(at, of)).balance.amount

    def stands(self):
        """Return what stands on the deposit, on the account of losses, and on the partner's."""
        own = (self.hand.bank.accounts.fraud_loss, self.hand.look(lambda at: settlement_of(at, WALLET)))
        books = [self.hand.look(lambda at, of=of: find_account(at, of)).balance.amount for of in own]
        return (self.hand.balance(), *books)


@pytest.fixture
def debited(tmp_path):
    opened = Debited(tmp_path)
    yield opened
    opened.hand.audit()
    opened.parts.store.close()


def test_a_claim_decided_by_two_ends_in_money_on_the_account(debited):
    """Who assessed it can't decide; deciding twice pays once; the bank bears it."""
    found = debited.hand.look(lambda at: debited.losses.of_member(at, debited.member_id))
    assert [(name, loss.yen) for name, loss in found.items()] == [(debited.order.id, 30_000)]
    assessed = debited.assessed()
    with pytest.raises(SecondPersonNeeded):
        debited.decide(assessed, by="sato")
    assert debited.stands() == (LEFT, 0, 30_000)
    for _ in range(2):
        assert debited.decide(assessed).state is ClaimState.PAID
    assert debited.stands() == (1_000_000, 30_000, 30_000)


def test_a_partner_bears_what_was_paid_back(debited):
    """Set off against what it is owed, or come from another bank; once a receipt, also a day later."""
    paid = debited.decide(debited.assessed())
    assert debited.hand.look(lambda at: debited.losses.partner_of(at, paid.loss)) == WALLET
    assert debited.hand.look(lambda at: debited.losses.name_of(at, "nobody", "en")) == "nobody"
    day = debited.hand.bank.today()
    first = debited.receive(20_000, Way.SET_OFF, day=day)
    debited.hand.clock.advance(DAY_US)
    assert debited.stands() == (1_000_000, 10_000, 10_000)
    assert debited.receive(20_000, Way.SET_OFF, day=day) == first
    before = debited.interbank()
    debited.receive(10_000, Way.TRANSFER, "B-2")
    assert debited.stands() == (1_000_000, 0, 10_000)
    assert debited.interbank() == before + 10_000


def test_what_was_credited_to_nobody_or_to_two_is_not_set_off(debited):
    """The loss stays the bank's until it is clear whose money that would be."""
    of_another = debited.hand.mandate(partner="another")
    other = debited.hand.debit(of_another, 500, "k2", partner="another")
    debited.decide(debited.assessed())
    for losses in ((debited.order.id, other.id), ("dbt_none",)):
        with pytest.raises(ReceiptNotBookable):
            debited.receive(100, Way.SET_OFF, losses=losses)
    assert debited.stands()[1] == 30_000


def test_a_debit_is_made_good_once_and_never_above_it(debited):
    """A second claim, one yen more, or what was no debit: nothing moves."""
    with pytest.raises(ClaimRefused):
        debited.make_good(debited.award(30_001))
    debited.make_good(debited.award())
    refused = debited.hand.debit(debited.mandate, 200_000, "k2")
    paid_out = debited.hand.credit(debited.mandate, 10_000, "k3")
    others = (debited.award(30_000, "clm_2"), debited.award(1, "clm_3", "dbt_none"))
    for award in (*others, *(debited.award(1, "clm_4", each.id) for each in (refused, paid_out))):
        with pytest.raises(ClaimRefused):
            debited.make_good(award)
    for each in (refused, paid_out):
        assert debited.hand.look(lambda at, of=each: debited.losses.find(at, of.id)) is None
    assert debited.stands()[:2] == (1_010_000, 30_000)


def test_a_blocked_account_is_paid_and_a_closed_one_is_not(debited):
    """Money may come in while nothing goes out."""

    def set_state(state):
        debited.hand.do(
            lambda at: deposits.set_state(at, debited.hand.bank, debited.hand.deposit.id, state, "test")
        )

    other = debited.hand.debit(debited.mandate, 10, "k2")
    set_state(DepositState.BLOCKED)
    debited.make_good(debited.award())
    set_state(DepositState.CLOSED)
    with pytest.raises(ClaimRefused):
        debited.make_good(debited.award(10, "clm_2", other.id))
    assert debited.stands()[0] == 1_000_000 - 10


def test_a_debit_of_somebody_without_online_bank_belongs_to_nobody(debited):
    """It is claimed in a case without a member."""
    other = debited.hand.open(kana="スズキ イチロウ")
    order = debited.hand.debit(debited.hand.mandate(deposit_id=other.id), 500, "k2")
    loss = debited.hand.look(lambda at: debited.losses.find(at, order.id))
    assert (loss.member_id, loss.yen) == ("", 500)
