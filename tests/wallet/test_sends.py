"""Sending money to a phone number: it waits, is accepted or comes back, and is never in two places."""

import asyncio

import pytest
from tests.wallet.money_at_hand import ARRIVAL, open_money

from sekisho.identity.assurance import StepUp
from sekisho.identity.people import Person
from sekisho.kernel.clock import DAY_US
from sekisho.kernel.yen import Yen
from sekisho.ledger.accounts import find_account
from sekisho.wallet.identity_levels import LevelTooLow
from sekisho.wallet.payments import NotEnough
from sekisho.wallet.send_rows import SendState, SendUnknown
from sekisho.wallet.sends import SendKeyReused, SendRefused

HANAKO = Person(name="八十八 花子", kana="ﾔｿﾊﾁ ﾊﾅｺ", birth_date="1990-02-03", home_address="宮城県架空市1-1")
NUMBER = "090-1234-9999"
E164 = "+819012349999"


@pytest.fixture
def money(tmp_path):
    at_hand = open_money(tmp_path)
    yield at_hand
    at_hand.wallet.audit()
    at_hand.wallet.house.store.close()


def send(money, member_id, yen=5_000, key="k1", phone=NUMBER):
    """Ask for a send, approve and make it."""
    present = money.enter(member_id)
    wanted = asyncio.run(money.sends.request(present, phone, Yen(yen), key))
    proven = money.prove(present, money.sends.purpose_of(wanted))
    return asyncio.run(money.sends.approve(proven, ARRIVAL, wanted.id))


def waits(money):
    account = money.wallet.look(lambda at: find_account(at, money.wallet.house.accounts.sends_waiting))
    return account.balance.amount


def test_money_waits_until_the_number_s_owner_accepts_it(money):
    sender, receiver = money.rich(50_000), money.wallet.add_with_phone(mobile=E164)
    sent = send(money, sender)
    assert (sent.state, money.wallet.balance(sender), waits(money)) == (SendState.WAITING, 45_000, 5_000)
    (offer,) = asyncio.run(money.sends.offers(receiver))
    assert offer.sender_name == "七十七 太郎"
    accepted = asyncio.run(money.sends.accept(receiver, sent.id))
    assert (accepted.state, accepted.receiver_id) == (SendState.ACCEPTED, receiver)
    assert (money.wallet.balance(receiver), waits(money)) == (5_000, 0)
    with pytest.raises(SendUnknown):
        asyncio.run(money.sends.accept(receiver, sent.id))
    with pytest.raises(SendUnknown):
        asyncio.run(money.sends.take_back(sender, sent.id))


def test_who_joins_later_finds_what_was_sent_to_the_number(money):
    sent = send(money, money.rich())
    receiver = money.wallet.add_with_phone(mobile=E164)
    assert [offer.send.id for offer in asyncio.run(money.sends.offers(receiver))] == [sent.id]


def test_nobody_else_sees_or_takes_it(money):
    sender = money.rich()
    sent, thief = send(money, sender), money.wallet.add_with_phone()
    assert asyncio.run(money.sends.offers(thief)) == []
    for taking in (money.sends.accept, money.sends.decline, money.sends.take_back):
        with pytest.raises(SendUnknown):
            asyncio.run(taking(thief, sent.id))
    assert waits(money) == 5_000


@pytest.mark.parametrize("way", ["declined", "taken_back", "expired"])
def test_what_is_not_accepted_comes_back(money, way):
    sender, receiver = money.rich(50_000), money.wallet.add_with_phone(mobile=E164)
    sent = send(money, sender)
    if way == "declined":
        asyncio.run(money.sends.decline(receiver, sent.id))
    elif way == "taken_back":
        asyncio.run(money.sends.take_back(sender, sent.id))
    else:
        money.wallet.clock.advance(7 * DAY_US)
        with pytest.raises(SendUnknown):
            asyncio.run(money.sends.accept(receiver, sent.id))
        assert asyncio.run(money.sends.expire_due()) == 1
        assert asyncio.run(money.sends.expire_due()) == 0
    assert asyncio.run(money.sends.of_sender(sender, sent.id)).state == way
    assert (money.wallet.balance(sender), waits(money)) == (50_000, 0)
    assert "send_returned" in money.wallet.at_hand.notices()


def test_money_that_a_full_wallet_can_t_take_back_goes_on_waiting(money):
    sender = money.rich(50_000)
    send(money, sender)
    money.wallet.give(sender, 955_000, key="salary")
    money.wallet.clock.advance(7 * DAY_US)
    assert asyncio.run(money.sends.expire_due()) == 0
    assert waits(money) == 5_000


def test_only_a_proven_person_sends(money):
    phone_only = money.wallet.add_with_phone()
    money.wallet.give(phone_only, 10_000)
    with pytest.raises(LevelTooLow):
        send(money, phone_only)


def test_without_an_approval_nothing_leaves(money):
    sender = money.rich(50_000)
    present = money.enter(sender)
    wanted = asyncio.run(money.sends.request(present, NUMBER, Yen(5_000), "k1"))
    assert isinstance(asyncio.run(money.sends.approve(present, ARRIVAL, wanted.id)), StepUp)
    assert money.wallet.balance(sender) == 50_000


def test_an_approval_for_another_number_sends_nothing(money):
    sender = money.rich()
    present = money.enter(sender)
    one = asyncio.run(money.sends.request(present, NUMBER, Yen(5_000), "k1"))
    other = asyncio.run(money.sends.request(present, "090-1234-8888", Yen(5_000), "k2"))
    proven = money.prove(present, money.sends.purpose_of(one))
    assert isinstance(asyncio.run(money.sends.approve(proven, ARRIVAL, other.id)), StepUp)


def test_the_same_request_again_is_one_send_and_one_approval_sends_once(money):
    sender = money.rich(50_000)
    assert send(money, sender).id == send(money, sender).id
    assert money.wallet.balance(sender) == 45_000
    with pytest.raises(SendKeyReused):
        send(money, sender, 6_000)


def test_more_than_there_is_and_to_oneself_is_refused(money):
    sender = money.rich(1_000, mobile="+819012340077")
    with pytest.raises(NotEnough):
        send(money, sender, 1_001)
    with pytest.raises(SendRefused):
        send(money, sender, 100, "k2", "090-1234-0077")


def test_a_wallet_without_a_proven_phone_accepts_nothing(money):
    sent = send(money, money.rich())
    nobody = money.wallet.add()
    with pytest.raises(SendUnknown):
        asyncio.run(money.sends.accept(nobody, sent.id))
