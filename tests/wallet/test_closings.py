"""Closing a wallet: what stands in the way of it, what ends with it, and what it refuses from then on."""

import asyncio

import pytest
from sqlalchemy import func, select
from tests.lender.lender_at_hand import PlainGuard
from tests.linking.bank_double import MUTE
from tests.wallet.links_at_hand import ARRIVAL, BANK, within
from tests.wallet.money_at_hand import SHOP, Money, open_money
from tests.wallet.test_bank_moves import DEBITS, Move
from tests.wallet.wallet_at_hand import TARO

from sekisho.identity import holds
from sekisho.identity.assurance import InsufficientAuthentication, Way
from sekisho.identity.holds import HoldKind, HoldScope, OnHold
from sekisho.identity.people import Person
from sekisho.identity.person_checks import NobodyTrusted
from sekisho.kernel.clock import DAY_US, HOUR_US
from sekisho.kernel.posture import Posture
from sekisho.kernel.refusals import Refusal
from sekisho.kernel.yen import Yen
from sekisho.ledger.accounts import find_account
from sekisho.response import cases
from sekisho.response.cases import CaseKind, Opening, Reporter
from sekisho.storage.tables.ledger import ledger_journal
from sekisho.wallet.closings import ClosingDesk, WalletCaseOpen
from sekisho.wallet.identity_checks import IdentityDesk
from sekisho.wallet.link_rows import LinkState
from sekisho.wallet.merchants import register_merchant
from sekisho.wallet.payment_codes import CodeNotUsable, ShownCode, showing
from sekisho.wallet.payments import Order, PaymentRefused, purpose_of
from sekisho.wallet.refunds import Refund, refund_within
from sekisho.wallet.send_rows import SendState
from sekisho.wallet.sends import WAITS_US
from sekisho.wallet.staff_desk import WalletStaffDesk
from sekisho.wallet.wallets import (
    WalletClosed,
    WalletNotEmpty,
    WalletNotOpen,
    WalletState,
    freeze_wallet,
    unfreeze_wallet,
)

HANAKO = Person(name="八十八 花子", kana="ﾔｿﾊﾁ ﾊﾅｺ", birth_date="1990-02-03", home_address="宮城県架空市1-1")
NUMBER, E164 = "090-1234-9999", "+819012349999"


async def close(there, present):
    """Approve the closing of a wallet for itself, and close it."""
    desk = ClosingDesk(there.wallet.house)
    closing = await desk.look(present.session.member_id)
    return await desk.close(there.prove(present, closing.purpose))


def shop_beside(there):
    """Open a shop at the wallet, and the desks that move money inside it."""
    wallet = there.wallet
    shop = wallet.write(lambda at: register_merchant(at, wallet.house, "shop", SHOP))
    return Money(wallet, shop, PlainGuard())


async def send(money, present, yen):
    wanted = await money.sends.request(present, NUMBER, Yen(yen), f"send-{yen}")
    proven = money.prove(present, money.sends.purpose_of(wanted))
    return await money.sends.approve(proven, ARRIVAL, wanted.id)


async def code_of(asked):
    """Return the code of the refusal that something ends with; empty where it was done."""
    try:
        await asked
    except Refusal as refusal:
        return refusal.code
    return ""


def booked(wallet):
    """Return how much stands in the journal: a closing adds nothing to it."""
    return wallet.look(lambda at: at.execute(select(func.count()).select_from(ledger_journal)).scalar_one())


def test_a_closing_ends_the_links_tells_bank_and_member_and_moves_nothing(tmp_path):
    async def use(there):
        member = there.wallet.add_verified()
        link, present = await there.old_link(member), there.enter(member)
        unfinished = (await there.desk.begin(present, BANK, "another")).link
        before = booked(there.wallet)
        closed = await close(there, present)
        again = await ClosingDesk(there.wallet.house).close(present)
        ended = [there.find(each.id) for each in (link, unfinished)]
        account = there.wallet.look(lambda at: find_account(at, closed.account))
        told = await there.rounds.tell_banks()
        moved = booked(there.wallet) - before
        happened = there.events("wallet:wallet:closed")
        return closed, again, ended, account, told, moved, happened, there.wallet.at_hand.notices()

    closed, again, ended, account, told, moved, happened, notices = within(tmp_path, use)
    assert closed == again
    assert (closed.state, closed.stopped_for) == (WalletState.CLOSED, "member")
    assert {(link.state, link.ended_for) for link in ended} == {(LinkState.ENDED, "wallet_closed")}
    assert account.closed_at_us is not None
    assert (told, moved) == (1, 0)
    assert happened == [{"reason": "member", "by": "member"}]
    assert notices.count("wallet_closed") == 1


@pytest.mark.parametrize("way", [None, "elsewhere"])
def test_nothing_but_an_approval_of_exactly_this_closes(tmp_path, way):
    """A passkey that approved something else a moment ago has not approved this."""

    async def use(there):
        member = there.wallet.add_verified()
        present, desk = there.enter(member), ClosingDesk(there.wallet.house)
        if way is not None:
            other = (await there.desk.begin(present, BANK, "k")).purpose
            present = there.prove(present, other, Way.PASSKEY)
        with pytest.raises(InsufficientAuthentication):
            await desk.close(present)
        assert there.wallet.wallet(member).state is WalletState.OPEN
        assert (await close(there, present)).state is WalletState.CLOSED

    within(tmp_path, use)


def test_money_in_it_stands_in_the_way_until_it_is_paid_out(tmp_path):
    async def use(there):
        one = await Move.of(there)
        await one.go(10_000)
        with pytest.raises(WalletNotEmpty) as refused:
            await close(there, one.present)
        assert "10,000" in refused.value.told
        await one.go(10_000, out=True)
        assert (await close(there, one.present)).state is WalletState.CLOSED
        there.wallet.audit()

    within(tmp_path, use)


def test_a_charge_that_the_bank_may_have_heard_of_stands_in_the_way_until_its_end_is_known(tmp_path):
    """While the bank is asked, and while a person asks it, the wallet stays: the money would have no home."""

    async def use(there):
        one = await Move.of(there)
        there.bank.moods[DEBITS] = [MUTE]
        moved = await one.go(10_000)
        desk = ClosingDesk(there.wallet.house)
        seen = []
        for _ in ("ordered", "lost"):
            with pytest.raises(WalletNotEmpty):
                await close(there, one.present)
            seen += [move.state.value for move in (await desk.look(one.member)).in_the_way.moves]
            there.bank.is_revoked = True
            there.clock.advance(HOUR_US)
            await there.booked_orders.carry_out_due()
            one.present = there.enter(one.member)
        there.wallet.write(lambda at: there.books.decide_lost(at, moved.id, moved=False, by="aoki"))
        assert seen == ["ordered", "lost"]
        assert (await close(there, one.present)).state is WalletState.CLOSED
        there.wallet.audit()

    within(tmp_path, use)


def test_a_send_that_may_come_back_stands_in_the_way_until_it_is_taken_back_and_spent(tmp_path):
    async def use(there):
        money = shop_beside(there)
        member = money.rich(5_000)
        present = there.enter(member)
        sent = await send(money, present, 5_000)
        with pytest.raises(WalletNotEmpty) as refused:
            await close(there, present)
        assert "not accepted yet: 1" in refused.value.told
        await money.sends.take_back(member, sent.id)
        order = Order("p1", money.shop.id, Yen(5_000))
        await money.payments.pay(there.prove(present, purpose_of(order, money.shop)), ARRIVAL, order)
        assert (await close(there, present)).state is WalletState.CLOSED
        there.wallet.audit()

    within(tmp_path, use)


def frozen(there, member):
    """Stop a wallet; return what lets it go."""
    wallet_id = there.wallet.wallet(member).id
    there.wallet.write(lambda at: freeze_wallet(at, there.parts, wallet_id, reason="staff", by="aoki"))
    return lambda at: unfreeze_wallet(at, there.parts, wallet_id, by="aoki")


def on_hold(there, member):
    """Put money on hold; return what lifts it."""
    kind, scope = HoldKind.CONTAINMENT, HoldScope.MONEY_OUT
    hold_id = there.wallet.write(
        lambda at: holds.place(at, there.parts, member, kind, scope, reason="test", until_us=None)
    )
    return lambda at: holds.lift(at, there.parts, hold_id, by="aoki")


def in_a_case(there, member):
    """Report damage; return what settles the report."""
    opening = Opening(
        kind=CaseKind.MONEY_TAKEN, reporter=Reporter.MEMBER, occasion="report:1", member_id=member
    )
    case = there.wallet.write(lambda at: cases.open_case(at, there.parts, opening, by="aoki"))
    return lambda at: cases.close(at, there.parts, case.id, by="aoki", why="settled")


@pytest.mark.parametrize(
    ("put", "refusal"), [(frozen, WalletNotOpen), (on_hold, OnHold), (in_a_case, WalletCaseOpen)]
)
def test_what_protects_the_member_keeps_the_wallet_open_until_it_is_lifted(tmp_path, put, refusal):
    """Whoever got in could close it, and what is made good could not be paid into it any more."""

    async def use(there):
        member = there.wallet.add_verified()
        present, lift = there.enter(member), put(there, member)
        with pytest.raises(refusal):
            await close(there, present)
        there.wallet.write(lift)
        assert (await close(there, present)).state is WalletState.CLOSED

    within(tmp_path, use)


def test_a_closed_wallet_refuses_everything_that_moves_money_or_links(tmp_path):
    """What was begun before is refused as well, however far it had come."""

    async def use(there):
        money, one = shop_beside(there), await Move.of(there)
        await one.go(3_000)
        order = Order("p1", money.shop.id, Yen(1_000))
        paid = await money.payments.pay(
            there.prove(one.present, purpose_of(order, money.shop)), ARRIVAL, order
        )
        await one.go(2_000, out=True)
        charge = await one.wish(1_000)
        sending = await money.sends.request(one.present, NUMBER, Yen(100), "s1")
        present = there.prove(one.present, showing("o1"))
        shown = await money.codes.show(present, ARRIVAL, "o1")
        assert isinstance(shown, ShownCode)
        identity = IdentityDesk(there.wallet.house, NobodyTrusted(), on_outage=Posture.CLOSED)
        await identity.claim(one.present, TARO)
        await close(there, one.present)
        present, next_order = there.enter(one.member), Order("p2", money.shop.id, Yen(100))

        def proven(purpose):
            return there.prove(present, purpose)

        refused = {
            "charge": there.moves.charge(present, one.link.id, Yen(1_000), "k1"),
            "payout": there.moves.pay_out(present, one.link.id, Yen(1_000), "k2"),
            "charge, approved": there.moves.approve(proven(charge.purpose), ARRIVAL, charge.move.id),
            "payment": money.payments.pay(proven(purpose_of(next_order, money.shop)), ARRIVAL, next_order),
            "code": money.codes.show(proven(showing("o2")), ARRIVAL, "o2"),
            "send": money.sends.request(present, NUMBER, Yen(100), "s2"),
            "send, approved": money.sends.approve(
                proven(money.sends.purpose_of(sending)), ARRIVAL, sending.id
            ),
            "link": there.desk.begin(present, BANK, "k3"),
            "identity": identity.claim(present, TARO),
        }
        codes = {name: await code_of(asked) for name, asked in refused.items()}
        assert codes == dict.fromkeys(refused, WalletClosed.code)
        with pytest.raises(CodeNotUsable):
            await money.codes.take(shown.text, Order("t1", money.shop.id, Yen(100)))
        back = Refund("r1", money.shop.id, paid.id, Yen(100))
        with pytest.raises(PaymentRefused):
            there.wallet.write(lambda at: refund_within(at, there.wallet.house, back))
        assert await identity.standing_claim(one.member) is None
        there.wallet.audit()

    within(tmp_path, use)


def test_what_is_sent_to_the_number_of_a_closed_wallet_comes_back(tmp_path):
    """Its member neither sees nor declines it: the number may be somebody else's by then."""
    money = open_money(tmp_path)
    sender, receiver = money.rich(5_000, person=HANAKO), money.wallet.add_with_phone(mobile=E164)
    desk = ClosingDesk(money.wallet.house)
    present = money.enter(receiver)
    closing = asyncio.run(desk.look(receiver))
    asyncio.run(desk.close(money.prove(present, closing.purpose)))
    sent = asyncio.run(send(money, money.enter(sender), 500))
    assert asyncio.run(money.sends.offers(receiver)) == []
    money.wallet.clock.advance(WAITS_US + DAY_US)
    assert asyncio.run(money.sends.expire_due()) == 1
    assert asyncio.run(money.sends.of_sender(sender, sent.id)).state is SendState.EXPIRED
    assert money.wallet.balance(sender) == 5_000
    money.wallet.audit()
    money.wallet.house.store.close()


def test_staff_do_not_wait_for_the_claim_of_a_closed_wallet(tmp_path):
    money = open_money(tmp_path)
    member = money.wallet.add_with_phone()
    present = money.enter(member)
    identity = IdentityDesk(money.wallet.house, NobodyTrusted(), on_outage=Posture.CLOSED)
    asyncio.run(identity.claim(present, TARO))
    staff, desk = WalletStaffDesk(money.wallet.house), ClosingDesk(money.wallet.house)
    assert [one.member_id for one in asyncio.run(staff.waiting())] == [member]
    closing = asyncio.run(desk.look(member))
    asyncio.run(desk.close(money.prove(present, closing.purpose)))
    assert asyncio.run(staff.waiting()) == []
    money.wallet.house.store.close()
