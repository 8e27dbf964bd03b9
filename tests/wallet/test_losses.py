"""What a thief paid out of a wallet is claimed, decided by two, and paid back into it at our loss; once."""

import asyncio

import pytest
from tests.response.test_cases import opening
from tests.wallet.money_at_hand import open_money
from tests.wallet.test_payments import order, pay
from tests.wallet.test_sends import E164, send

from sekisho.kernel.clock import DAY_US
from sekisho.kernel.ids import ClaimId
from sekisho.ledger.accounts import find_account
from sekisho.response import cases
from sekisho.response.claim_policy import Assessment, Fault
from sekisho.response.claims import Award, ClaimDesk, ClaimRefused, ClaimState
from sekisho.response.partner_books import Received
from sekisho.response.recovery_rows import Way
from sekisho.wallet.losses import WalletLosses

FULL = Assessment(Fault.NO_FAULT, 100, "entered in the campaign, paid in that session")


@pytest.fixture
def money(tmp_path):
    at_hand = open_money(tmp_path)
    yield at_hand
    at_hand.wallet.audit()
    at_hand.wallet.house.store.close()


def lost(money):
    """Return what stands on the account of losses, in yen."""
    account = money.wallet.look(lambda at: find_account(at, money.wallet.house.accounts.fraud_loss))
    return account.balance.amount


def test_a_payment_is_made_good_by_two_people_and_once(money):
    member_id = money.rich(50_000)
    paid = pay(money, member_id, order(money, 8_000))
    losses = WalletLosses(money.wallet.house)
    found = money.wallet.look(lambda at: losses.of_member(at, member_id))
    assert [(name, loss.yen) for name, loss in found.items()] == [(paid.id, 8_000)]
    desk, parts = ClaimDesk(money.wallet.parts, losses), money.wallet.parts
    case = money.wallet.write(
        lambda at: cases.open_case(at, parts, opening("case", member_id=member_id), by="sato")
    )
    made = asyncio.run(desk.make(case.id, paid.id, 8_000, by="sato"))
    assert asyncio.run(desk.claimable(member_id)) == {}
    asyncio.run(desk.assess(made.id, FULL, by="sato"))
    assert (money.wallet.balance(member_id), lost(money)) == (42_000, 0)
    for _ in range(2):
        decided = asyncio.run(desk.decide(made.id, pay=True, by="ito"))
        assert decided.state is ClaimState.PAID
    assert (money.wallet.balance(member_id), lost(money)) == (50_000, 8_000)


def test_what_nobody_lost_is_not_paid_back(money):
    """Nothing, somebody else's word, or more than was lost."""
    member_id = money.rich(50_000)
    paid = pay(money, member_id, order(money, 8_000))
    losses = WalletLosses(money.wallet.house)
    assert money.wallet.look(lambda at: losses.find(at, "pay_nothing")) is None
    above = Award(ClaimId("clm_1"), paid.id, 8_001, is_all=False)
    nothing = Award(ClaimId("clm_2"), "pay_nothing", 1, is_all=True)
    with pytest.raises(ClaimRefused):
        money.wallet.write(lambda at: losses.make_good(at, above))
    with pytest.raises(ClaimRefused):
        money.wallet.write(lambda at: losses.make_good(at, nothing))
    assert lost(money) == 0


def test_a_shop_may_bear_a_payment_and_nobody_a_send(money):
    """What it pays comes to our account at a bank, once a receipt."""
    member_id = money.rich(50_000)
    paid = pay(money, member_id, order(money, 8_000))
    losses, house = WalletLosses(money.wallet.house), money.wallet.house
    money.wallet.write(lambda at: losses.make_good(at, Award(ClaimId("c"), paid.id, 8_000, is_all=True)))
    assert money.wallet.look(lambda at: losses.partner_of(at, paid.id)) == money.shop.id
    assert money.wallet.look(lambda at: losses.partner_of(at, "snd_1")) == ""
    assert money.wallet.look(lambda at: losses.name_of(at, money.shop.id, "en")) == "Cafe Todai"
    assert money.wallet.look(lambda at: losses.name_of(at, "9901", "en")) == "みさき銀行"
    day, own = house.today(), house.accounts.bank_receivable
    before = money.wallet.look(lambda at: find_account(at, own)).balance.amount
    for _ in range(2):
        came = Received("prc_1", money.shop.id, Way.TRANSFER, "B-1", 5_000, day, (paid.id,))
        money.wallet.write(lambda at, of=came: losses.receive(at, of))
        money.wallet.clock.advance(DAY_US)
    assert lost(money) == 3_000
    assert money.wallet.look(lambda at: find_account(at, own)).balance.amount == before + 5_000


def test_what_was_sent_is_lost_when_somebody_has_accepted_it(money):
    """Until then it can be taken back. The charge that filled the wallet is no loss of the wallet."""
    sender, receiver = money.rich(50_000), money.wallet.add_with_phone(mobile=E164)
    sent = send(money, sender)
    losses = WalletLosses(money.wallet.house)
    assert money.wallet.look(lambda at: losses.of_member(at, sender)) == {}
    asyncio.run(money.sends.accept(receiver, sent.id))
    found = money.wallet.look(lambda at: losses.find(at, sent.id))
    assert (found.member_id, found.yen) == (sender, 5_000)
    award = Award(ClaimId("clm_1"), sent.id, 5_000, is_all=True)
    for _ in range(2):
        money.wallet.write(lambda at: losses.make_good(at, award))
        money.wallet.clock.advance(DAY_US)
    assert (money.wallet.balance(sender), lost(money)) == (50_000, 5_000)
