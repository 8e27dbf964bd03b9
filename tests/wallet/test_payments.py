"""Paying at shops: exactly what was approved, once, within what the level allows; and refunds."""

import asyncio

import pytest
from tests.wallet.links_at_hand import PlainSwitches
from tests.wallet.money_at_hand import ARRIVAL, open_money

from sekisho.guard.attempts import Gate
from sekisho.identity import holds, sessions
from sekisho.identity.assurance import StepUp
from sekisho.identity.holds import HoldKind, HoldScope
from sekisho.identity.people import Person
from sekisho.identity.sessions import Ended
from sekisho.kernel.clock import DAY_US, MINUTE_US
from sekisho.kernel.yen import Yen
from sekisho.wallet.emv_qr import QrUnreadable, read_code, write_code
from sekisho.wallet.merchants import MerchantUnknown, stop_merchant
from sekisho.wallet.payment_codes import CEILING, CodeNotUsable, PaymentCodes, ShownCode, showing
from sekisho.wallet.payment_requests import Purchase, RequestOver, code_of, request_within
from sekisho.wallet.payments import NotEnough, Order, Payment, PaymentKeyReused, PaymentRefused, purpose_of
from sekisho.wallet.refunds import PaymentUnknown, Refund, refund_within
from sekisho.wallet.spending import AboveCeiling
from sekisho.wallet.switches import SwitchedOff

HANAKO = Person(name="八十八 花子", kana="ﾔｿﾊﾁ ﾊﾅｺ", birth_date="1990-02-03", home_address="宮城県架空市1-1")


@pytest.fixture
def money(tmp_path):
    at_hand = open_money(tmp_path)
    yield at_hand
    at_hand.wallet.audit()
    at_hand.wallet.house.store.close()


def order(money, yen=650, key="k1", **named):
    return Order(key, money.shop.id, Yen(yen), **named)


def pay(money, member_id, wanted):
    """Approve an order and pay it."""
    present = money.prove(money.enter(member_id), purpose_of(wanted, money.shop))
    return asyncio.run(money.payments.pay(present, ARRIVAL, wanted))


def test_a_payment_moves_what_was_approved_and_is_told(money):
    member_id = money.rich(50_000)
    paid = pay(money, member_id, order(money))
    assert isinstance(paid, Payment)
    assert (money.wallet.balance(member_id), money.owed()) == (49_350, 650)
    assert "payment_made" in money.wallet.at_hand.notices()
    (attempt,) = money.guard.asked
    assert (attempt.gate, attempt.amount_yen, attempt.target) == (Gate.TRANSFER, 650, money.shop.id)


def test_the_same_order_again_pays_once(money):
    member_id = money.rich(50_000)
    assert pay(money, member_id, order(money)) == pay(money, member_id, order(money))
    assert money.owed() == 650
    with pytest.raises(PaymentKeyReused):
        pay(money, member_id, order(money, 651))


def test_without_an_approval_nothing_is_paid(money):
    present = money.enter(money.rich())
    assert isinstance(asyncio.run(money.payments.pay(present, ARRIVAL, order(money))), StepUp)
    assert money.owed() == 0


def test_an_approval_of_another_amount_pays_nothing(money):
    present = money.prove(money.enter(money.rich()), purpose_of(order(money, 100), money.shop))
    assert isinstance(asyncio.run(money.payments.pay(present, ARRIVAL, order(money, 10_000))), StepUp)
    assert money.owed() == 0


def test_more_than_there_is_and_more_than_the_level_allows_is_refused(money):
    member_id = money.rich(1_000)
    with pytest.raises(NotEnough):
        pay(money, member_id, order(money, 1_001))
    with pytest.raises(AboveCeiling):
        pay(money, member_id, order(money, 300_001))


def test_a_day_s_ceiling_counts_all_payments_of_the_day(money):
    phone_only = money.wallet.add_with_phone()
    money.wallet.give(phone_only, 60_000, key="gift")
    pay(money, phone_only, order(money, 20_000, "k1"))
    with pytest.raises(AboveCeiling) as above:
        pay(money, phone_only, order(money, 10_001, "k2"))
    assert above.value.room == Yen(10_000)
    money.wallet.clock.advance(DAY_US)
    assert isinstance(pay(money, phone_only, order(money, 10_001, "k3")), Payment)


def test_a_code_for_one_purchase_is_paid_once_by_whoever_comes_first(money):
    house = money.wallet.house
    asked = Purchase("p1", money.shop.id, Yen(1_200), "T-7")
    request, payload = money.wallet.write(lambda at: request_within(at, house, asked))
    scanned = asyncio.run(money.payments.scan(payload))
    assert (scanned.amount, scanned.request_id, scanned.reference) == (Yen(1_200), request.id, "T-7")
    first, second = money.rich(), money.rich(person=HANAKO)
    assert isinstance(pay(money, first, order(money, 1_200, request_id=request.id)), Payment)
    with pytest.raises(RequestOver):
        pay(money, second, order(money, 1_200, request_id=request.id))
    with pytest.raises(RequestOver):
        asyncio.run(money.payments.scan(payload))
    assert money.owed() == 1_200


def test_a_code_with_another_amount_painted_in_is_refused(money):
    """What stands in the picture proves nothing: the purchase is looked up."""
    house = money.wallet.house
    asked = Purchase("p1", money.shop.id, Yen(1_200))
    _, payload = money.wallet.write(lambda at: request_within(at, house, asked))
    painted = write_code(read_code(payload)._replace(amount=Yen(12_000)))
    with pytest.raises(QrUnreadable):
        asyncio.run(money.payments.scan(painted))


def test_a_purchase_that_waited_too_long_is_over(money):
    house = money.wallet.house
    asked = Purchase("p1", money.shop.id, Yen(1_200))
    _, payload = money.wallet.write(lambda at: request_within(at, house, asked))
    money.wallet.clock.advance(15 * MINUTE_US)
    with pytest.raises(RequestOver):
        asyncio.run(money.payments.scan(payload))


def test_the_code_that_hangs_at_the_till_leaves_the_amount_to_the_member(money):
    scanned = asyncio.run(money.payments.scan(code_of(money.shop)))
    assert (scanned.merchant.id, scanned.amount) == (money.shop.id, None)


def test_a_shop_that_was_stopped_takes_nothing(money):
    member_id = money.rich()
    money.wallet.write(lambda at: stop_merchant(at, money.wallet.house, money.shop.id, by="s1"))
    with pytest.raises(MerchantUnknown):
        pay(money, member_id, order(money))


def test_a_refund_gives_back_in_parts_and_never_more_than_was_paid(money):
    member_id, house = money.rich(50_000), money.wallet.house
    paid = pay(money, member_id, order(money, 1_000))

    def refund(yen, key, merchant_id=money.shop.id):
        wanted = Refund(key, merchant_id, paid.id, Yen(yen))
        return money.wallet.write(lambda at: refund_within(at, house, wanted))

    assert refund(400, "r1").refunded_yen == 400
    assert refund(400, "r1").refunded_yen == 400
    with pytest.raises(PaymentKeyReused):
        refund(300, "r1")
    with pytest.raises(PaymentRefused):
        refund(601, "r2")
    with pytest.raises(PaymentUnknown):
        refund(1, "r3", "mer_other")
    assert refund(600, "r2").refunded_yen == 1_000
    assert (money.wallet.balance(member_id), money.owed()) == (50_000, 0)


def shown(money, member_id, occasion="o1"):
    present = money.prove(money.enter(member_id), showing(occasion))
    code = asyncio.run(money.codes.show(present, ARRIVAL, occasion))
    assert isinstance(code, ShownCode), code
    return code


def take(money, code, yen=650, key="t1"):
    return asyncio.run(money.codes.take(code.text, Order(key, money.shop.id, Yen(yen))))


def test_a_shown_code_pays_once(money):
    member_id = money.rich()
    code = shown(money, member_id)
    paid = take(money, code)
    assert take(money, code) == paid
    with pytest.raises(CodeNotUsable):
        take(money, code, key="t2")
    assert money.owed() == 650


@pytest.mark.parametrize("yen", [CEILING.amount + 1, 50_001])
def test_a_shown_code_takes_no_more_than_its_ceiling(money, yen):
    code = shown(money, money.rich(50_000))
    with pytest.raises(CodeNotUsable):
        take(money, code, yen)
    assert money.owed() == 0


def test_a_shown_code_is_over_after_a_minute_and_when_the_next_is_shown(money):
    member_id = money.rich()
    old = shown(money, member_id)
    new = shown(money, member_id, "o2")
    with pytest.raises(CodeNotUsable):
        take(money, old)
    money.wallet.clock.advance(MINUTE_US)
    with pytest.raises(CodeNotUsable):
        take(money, new)


def test_no_code_is_shown_without_an_approval_of_this_showing(money):
    present = money.prove(money.enter(money.rich()), showing("o1"))
    assert isinstance(asyncio.run(money.codes.show(present, ARRIVAL, "o2")), StepUp)


@pytest.mark.parametrize("how", ["a hold", "the session's end", "a switch", "a switch that can't be asked"])
def test_a_code_that_is_shown_is_stopped_with_the_money(money, how):
    """Who stops everything while a thief stands at the till stops that code as well."""
    member_id, parts = money.rich(10_000), money.wallet.parts
    code = shown(money, member_id)
    switches = PlainSwitches(off={"payment": SwitchedOff("attack", {})} if how == "a switch" else {})
    switches.down = how == "a switch that can't be asked"
    money.codes = PaymentCodes(money.wallet.house, money.gatekeeper(switches))
    if how == "a hold":
        scope, kind = HoldScope.MONEY_OUT, HoldKind.SELF_FREEZE
        money.wallet.write(
            lambda at: holds.place(at, parts, member_id, kind, scope, reason="frozen", until_us=None)
        )
    if how == "the session's end":
        money.wallet.write(lambda at: sessions.end_all(at, parts, member_id, Ended.CONTAINED))
    with pytest.raises(CodeNotUsable):
        take(money, code, 800)
    assert money.owed() == 0


def test_what_a_till_took_is_told_again_after_a_stop(money):
    """The answer got lost: asked again by its key, it is the payment that was made, stopped since or not."""
    member_id, parts = money.rich(10_000), money.wallet.parts
    code = shown(money, member_id)
    paid = take(money, code, 800)
    money.wallet.write(lambda at: sessions.end_all(at, parts, member_id, Ended.CONTAINED))
    assert take(money, code, 800) == paid
