"""A borrowing by a thief is claimed, assessed, decided by two, and taken back with its interest; once."""

import asyncio

import pytest
from sqlalchemy import func, select
from tests.lender.lender_at_hand import open_lender
from tests.response.test_cases import opening

from sekisho.identity.personal_data import Item, store
from sekisho.kernel.clock import DAY_US
from sekisho.kernel.yen import Yen
from sekisho.lender.incoming_payments import Incoming, take_incoming
from sekisho.lender.kept_payments import KeptPaymentDesk
from sekisho.lender.losses import LenderLosses
from sekisho.linking.banks import bank_in_words
from sekisho.response import cases
from sekisho.response.case_stages import Basis, Stage, damage
from sekisho.response.cases import CaseKind
from sekisho.response.claim_policy import Assessment, Fault
from sekisho.response.claims import ClaimDesk, ClaimRefused, ClaimState, ClaimUnknown, compensated
from sekisho.response.partner_books import ReceiptNotBookable
from sekisho.response.partner_receipts import Came, ReceiptDesk
from sekisho.response.partner_recoveries import RecoveryDesk, Wanted
from sekisho.response.recovery_rows import Way
from sekisho.response.staff import SecondPersonNeeded
from sekisho.storage.tables.lender import loan_event
from sekisho.storage.tables.messages import message

FULL = Assessment(Fault.NO_FAULT, 100, "entered in the campaign, drawn in that session")
PART = Assessment(Fault.SLIGHT_NEGLIGENCE, 75, "told a caller the code")


class Claiming:
    """A lender, a member, what a thief borrowed, and a case about it."""

    def __init__(self, folder):
        self.lender = open_lender(folder)
        self.parts = self.lender.house.parts
        self.desk = ClaimDesk(self.parts, LenderLosses(self.lender.house))
        self.write(
            lambda at: store(
                at,
                self.parts.keyring,
                self.lender.member_id,
                {Item.HOME_ADDRESS: "宮城県仙台市青葉区1-1", Item.NAME: "山田 花子"},
                self.lender.clock.now_us(),
            )
        )
        self.lender.register()
        self.lender.clock.advance(4 * DAY_US)
        self.before = self.lender.position()
        self.lender.lend(100_000)
        with self.lender.house.store.read() as connection:
            self.loss = connection.execute(select(loan_event.c.id)).scalar_one()
        self.case = self.open("case")

    def open(self, occasion, **more):
        values = {"member_id": self.lender.member_id, "kind": CaseKind.LOAN_DRAWN, "campaign": "cmp_1"} | more
        return self.write(lambda at: cases.open_case(at, self.parts, opening(occasion, **values), by="sato"))

    def write(self, work):
        return self.parts.store.write(work).result()

    def make(self, yen=100_000, loss=None, case=None):
        return asyncio.run(
            self.desk.make((case or self.case).id, self.loss if loss is None else loss, yen, by="sato")
        )

    def assess(self, made, found=FULL, by="sato"):
        return asyncio.run(self.desk.assess(made.id, found, by=by))

    def decide(self, made, *, pay=True, by="ito", why=""):
        return asyncio.run(self.desk.decide(made.id, pay=pay, by=by, why=why))

    def letters(self):
        with self.parts.store.read() as connection:
            sent = select(func.count()).where(message.c.channel == "letter")
            return connection.execute(sent).scalar_one()

    def case_now(self):
        with self.parts.store.read() as connection:
            return cases.require(connection, self.case.id)


@pytest.fixture
def claiming(tmp_path):
    opened = Claiming(tmp_path)
    yield opened
    opened.lender.audit()
    opened.parts.store.close()


def test_a_loan_of_a_thief_is_taken_back_with_its_interest(claiming):
    """Thirty days later the member owes what they owed before, and the loss is the lender's."""
    claiming.lender.clock.advance(30 * DAY_US)
    owed = claiming.lender.position()
    assert owed.interest == Yen(536)
    assert owed.delay > Yen(0)
    paid = claiming.decide(claiming.assess(claiming.make()))
    assert (paid.state, paid.awarded_yen) == (ClaimState.PAID, 100_000)
    position = claiming.lender.position()
    assert (position.principal, position.interest, position.delay) == (Yen(0), Yen(0), Yen(0))
    assert position.headroom == claiming.before.headroom
    assert claiming.lender.balance("fraud_loss") == 100_000
    assert claiming.letters() == 1
    case = claiming.case_now()
    assert (case.stage, case.loss_yen) == (Stage.COMPENSATED, 100_000)


def test_the_total_of_a_campaign_is_a_query(claiming):
    """What was paid, by whose campaign; and the damage counters follow."""
    claiming.decide(claiming.assess(claiming.make()))
    now_us = claiming.lender.clock.now_us()
    with claiming.parts.store.read() as connection:
        assert compensated(connection, as_of_us=now_us, campaign="cmp_1")[:2] == (1, 100_000)
        assert compensated(connection, as_of_us=now_us, campaign="cmp_2")[:2] == (0, 0)
        assert compensated(connection, as_of_us=now_us)[:2] == (1, 100_000)
        assert damage(connection, Basis.COMPENSATED, as_of_us=now_us).yen == 100_000


def test_deciding_twice_books_once(claiming):
    """The answer got lost, and somebody pressed again."""
    assessed = claiming.assess(claiming.make())
    assert claiming.decide(assessed) == claiming.decide(assessed)
    assert claiming.lender.balance("fraud_loss") == 100_000
    assert claiming.letters() == 1


def test_two_people_decide(claiming):
    """Who assessed it can't let it be paid."""
    assessed = claiming.assess(claiming.make())
    with pytest.raises(SecondPersonNeeded):
        claiming.decide(assessed, by="sato")
    assert claiming.lender.balance("fraud_loss") == 0


def test_nothing_is_claimed_above_the_loss_or_twice(claiming):
    """One yen more than was lost is refused, and so is the same loss again."""
    with pytest.raises(ClaimRefused):
        claiming.make(100_001)
    claiming.make()
    with pytest.raises(ClaimRefused):
        claiming.make(1)


def test_nobody_claims_what_somebody_else_lost(claiming):
    """A loss belongs to a member, and so does the case that it is claimed in."""
    other = claiming.open("other", member_id="mem_other")
    with pytest.raises(ClaimRefused):
        claiming.make(case=other)
    with pytest.raises(ClaimRefused):
        claiming.make(loss="lev_none")
    with pytest.raises(ClaimUnknown):
        asyncio.run(claiming.desk.assess("clm_none", FULL, by="sato"))


def test_a_part_is_paid_for_the_member(claiming):
    """Three quarters of the loss are paid back, the rest stays owed."""
    paid = claiming.decide(claiming.assess(claiming.make(), PART))
    assert paid.awarded_yen == 75_000
    assert claiming.lender.position().principal == Yen(25_000)
    assert claiming.lender.balance("fraud_loss") == 75_000


def test_a_part_of_what_the_member_has_repaid_is_kept_to_be_given_back(claiming):
    """Whoever paid for the thief first, and called us later, gets the same as whoever called at once."""
    lender = claiming.lender
    came = Incoming("n-1", lender.contract().number, lender.position().owed, lender.house.today())
    claiming.write(lambda at: take_incoming(at, lender.house, came))
    paid = claiming.decide(claiming.assess(claiming.make(), PART))
    (kept,) = asyncio.run(KeptPaymentDesk(lender.house).waiting())
    assert (paid.state, kept.amount) == (ClaimState.PAID, Yen(75_000))
    assert lender.balance("fraud_loss") == 75_000


def test_a_claim_is_turned_down_with_a_reason(claiming):
    """Nothing is booked, and the member is written to."""
    assessed = claiming.assess(claiming.make(), Assessment(Fault.OWN_USE, 0, "the member's own device"))
    with pytest.raises(ClaimRefused):
        claiming.decide(assessed, pay=False)
    turned_down = claiming.decide(assessed, pay=False, why="the camera shows the member")
    assert turned_down.state is ClaimState.TURNED_DOWN
    assert claiming.lender.balance("fraud_loss") == 0
    assert claiming.letters() == 1
    with pytest.raises(ClaimRefused):
        claiming.assess(turned_down)


def test_what_was_not_assessed_is_not_decided(claiming):
    """First somebody says why, then somebody else says yes."""
    made = claiming.make()
    with pytest.raises(ClaimRefused):
        claiming.decide(made)
    with pytest.raises(ClaimRefused):
        claiming.assess(made, FULL._replace(share=50))


class Recovering(Claiming):
    """What was lent to a thief was made good, and the bank that it went to was asked to bear all of it."""

    def __init__(self, folder):
        super().__init__(folder)
        books = LenderLosses(self.lender.house)
        self.recoveries, self.receipts = RecoveryDesk(self.parts, books), ReceiptDesk(self.parts, books)
        self.decide(self.assess(self.make()))
        wanted = Wanted("0125", "cmp_1", 100, "the account was frozen at our word")
        expected = asyncio.run(self.recoveries.asking(wanted))
        asyncio.run(self.recoveries.ask(wanted, expected, by="sato"))

    def came(self, yen, number="B-1"):
        came = Came("0125", None, Way.TRANSFER, number, yen, self.lender.house.today())
        parts = asyncio.run(self.receipts.counts_for(came))
        receipt = asyncio.run(self.receipts.enter(came, parts, by="sato"))
        return asyncio.run(self.receipts.book(receipt.id, by="ito"))

    def repay(self, number, contract, yen):
        came = Incoming(number, contract, Yen(yen), self.lender.house.today())
        return self.write(lambda at: take_incoming(at, self.lender.house, came))

    def stands(self):
        """Return what stands on the accounts of losses, at the bank, and unclaimed."""
        return tuple(self.lender.balance(account) for account in ("fraud_loss", "bank", "unclaimed"))


@pytest.fixture
def recovering(tmp_path):
    opened = Recovering(tmp_path)
    yield opened
    opened.lender.audit()
    opened.parts.store.close()


def test_the_bank_that_a_loan_went_to_bears_it(recovering):
    """The money comes to our account there, and the loss is lower by it."""
    lost, bank, _ = recovering.stands()
    recovering.came(60_000)
    assert recovering.stands() == (lost - 60_000, bank + 60_000, 0)
    named = bank_in_words("0125", recovering.lender.house.today())
    assert asyncio.run(recovering.recoveries.names({"0125"}, "ja")) == {"0125": named}


def test_one_transfer_is_a_payment_of_a_member_or_of_a_partner_and_never_both(recovering):
    """By the bank's number of it: whichever is entered first."""
    before = recovering.stands()
    recovering.came(10_000)
    with pytest.raises(ValueError, match="stood for"):
        recovering.repay("B-1", recovering.lender.contract().number, 10_000)
    with pytest.raises(ValueError, match="otherwise"):
        recovering.repay("B-1", "NOBODY", 10_000)
    recovering.lender.lend(20_000, "again")
    recovering.repay("B-2", recovering.lender.contract().number, 5_000)
    recovering.repay("B-3", recovering.lender.contract().number, 15_000)
    recovering.repay("B-4", recovering.lender.contract().number, 1_000)
    for number in ("B-2", "B-3", "B-4"):
        with pytest.raises(ReceiptNotBookable):
            recovering.came(1_000, number)
    assert recovering.stands()[0] == before[0] - 10_000


def test_what_waits_as_unclaimed_is_taken_from_there(recovering):
    """By a partner or by a member, once: the bank has handed it over only once."""
    lost, bank, _ = recovering.stands()
    recovering.lender.lend(20_000, "again")
    for number in ("B-1", "B-2"):
        assert recovering.repay(number, "NOBODY", 10_000) is None
    assert recovering.stands()[1:] == (bank + 20_000, 20_000)
    recovering.came(10_000)
    assert recovering.stands() == (lost - 10_000, bank + 20_000, 10_000)
    number = recovering.lender.contract().number
    with pytest.raises(ValueError, match="stood for"):
        recovering.repay("B-1", number, 10_000)
    for _ in range(2):
        assert recovering.repay("B-2", number, 10_000).amount_yen == 10_000
    assert recovering.stands() == (lost - 10_000, bank + 20_000, 0)
    with pytest.raises(ValueError, match="stood for"):
        recovering.repay("B-2", number, 9_000)
