"""Charges and payouts: approved for one amount, in the wallet when the bank has moved, or all as it was."""

import asyncio

import pytest
from tests.linking.bank_double import DEAF, MUTE
from tests.wallet.links_at_hand import ARRIVAL, within

from sekisho.identity.assurance import StepUp, Way
from sekisho.kernel.clock import DAY_US, HOUR_US, MINUTE_US
from sekisho.kernel.yen import Yen
from sekisho.ledger.accounts import find_account
from sekisho.response.money_gates import Held, Stopped
from sekisho.wallet.bank_moves import (
    WISH_US,
    BankMoveKeyReused,
    BankMoveUnknown,
    MoveState,
    WalletFull,
    WalletTooEmpty,
)
from sekisho.wallet.bank_orders import LinkNotUsable
from sekisho.wallet.link_limits import AboveLinkCeiling, LinkCoolingOff
from sekisho.wallet.links import LinkUnknown
from sekisho.wallet.losses import WalletLosses
from sekisho.wallet.spending import AboveCeiling
from sekisho.wallet.switches import Function, SwitchedOff
from sekisho.wallet.wallets import WalletNotOpen, account_of, freeze_wallet

DEBITS = "/v1/debits"


class Move:
    """One member with an old link, who charges and pays out."""

    def __init__(self, there, member, link):
        self.there = there
        self.member = member
        self.link = link
        self.present = there.enter(member)
        self.made = 0

    @classmethod
    async def of(cls, there):
        member = there.wallet.add_verified()
        return cls(there, member, await there.old_link(member))

    async def wish(self, yen, *, out=False, key=""):
        self.made += 1
        desk = self.there.moves
        take = desk.pay_out if out else desk.charge
        return await take(self.present, self.link.id, Yen(yen), key or f"wish-{self.made}")

    async def go(self, yen, *, out=False, way=Way.PASSKEY):
        """Wish, approve and order."""
        wished = await self.wish(yen, out=out)
        proven = self.there.prove(self.present, wished.purpose, way)
        return await self.there.moves.approve(proven, ARRIVAL, wished.move.id)

    def balance(self):
        return self.there.wallet.balance(self.member)


def house_balance(there, name):
    """Return what stands on one of the house's own accounts."""
    account = there.wallet.look(lambda at: find_account(at, getattr(there.wallet.house.accounts, name)))
    assert account is not None
    return account.balance.amount


def test_a_charge_is_in_the_wallet_when_the_bank_has_debited_it(tmp_path):
    async def use(there):
        one = await Move.of(there)
        done = await one.go(10_000)
        there.wallet.audit()
        return done, one.balance(), there.wallet.at_hand.notices(), house_balance(there, "bank_receivable")

    done, balance, notices, receivable = within(tmp_path, use)
    assert (done.state, done.approved_by) == (MoveState.DONE, "passkey")
    assert balance == receivable == 10_000
    assert "wallet_charged" in notices


def test_a_payout_has_left_at_once_and_settles_with_the_bank(tmp_path):
    async def use(there):
        one = await Move.of(there)
        await one.go(10_000)
        paid = await one.go(4_000, out=True)
        there.wallet.audit()
        standing = [house_balance(there, name) for name in ("payout_clearing", "bank_receivable")]
        return paid, one.balance(), standing, there.wallet.at_hand.notices()

    paid, balance, standing, notices = within(tmp_path, use)
    assert paid.state is MoveState.DONE
    assert balance == 6_000
    assert standing == [0, 6_000]
    assert "wallet_paid_out" in notices


def test_what_the_bank_refuses_leaves_everything_as_it_was(tmp_path):
    async def use(there):
        one = await Move.of(there)
        await one.go(10_000)
        there.bank.answer_changes = {"state": "refused", "result": "no_funds"}
        charged, paid = await one.go(5_000), await one.go(3_000, out=True)
        there.wallet.audit()
        books = there.wallet.look(lambda at: account_of(at, there.wallet.wallet(one.member)))
        return charged, paid, one.balance(), books, there.wallet.at_hand.notices()

    charged, paid, balance, books, notices = within(tmp_path, use)
    assert (books.credits_pending, books.debits_pending) == (0, 0)
    assert (charged.state, charged.result) == (paid.state, paid.result) == (MoveState.FAILED, "no_funds")
    assert balance == 10_000
    assert "wallet_payout_failed" in notices


def test_an_answer_that_was_lost_is_booked_when_it_is_known_and_once(tmp_path):
    """The charge is on its way; nothing is in the wallet until the bank has said what it did."""

    async def use(there):
        one = await Move.of(there)
        there.bank.moods[DEBITS] = [MUTE]
        waits = await one.go(10_000)
        before = one.balance()
        there.clock.advance(MINUTE_US)
        await there.booked_orders.carry_out_due()
        await there.booked_orders.carry_out_due()
        there.wallet.audit()
        return waits, before, one.balance(), there.bank.booked_yen()

    waits, before, after, booked = within(tmp_path, use)
    assert waits.state is MoveState.ORDERED
    assert (before, after, booked) == (0, 10_000, 10_000)


def test_a_payout_that_was_never_heard_comes_back(tmp_path):
    async def use(there):
        one = await Move.of(there)
        await one.go(10_000)
        there.bank.moods["/v1/credits"] = [DEAF]
        waits = await one.go(10_000, out=True)
        empty = one.balance()
        there.clock.advance(HOUR_US)
        await there.booked_orders.carry_out_due()
        there.wallet.audit()
        (move,) = [each for each in await there.moves.of_member(one.member) if each.id == waits.id]
        return waits.state, empty, move, one.balance()

    state, empty, move, balance = within(tmp_path, use)
    assert state is MoveState.ORDERED
    assert (empty, balance) == (10_000, 10_000)
    assert (move.state, move.result) == (MoveState.FAILED, "never")


def test_money_on_its_way_out_can_not_be_spent_again(tmp_path):
    async def use(there):
        one = await Move.of(there)
        await one.go(10_000)
        there.bank.moods["/v1/credits"] = [MUTE]
        await one.go(10_000, out=True)
        with pytest.raises(WalletTooEmpty):
            await one.go(1, out=True)

    within(tmp_path, use)


@pytest.mark.parametrize("moved", [True, False])
def test_what_was_lost_is_decided_by_a_person(tmp_path, moved):
    async def use(there):
        one = await Move.of(there)
        there.bank.moods[DEBITS] = [MUTE]
        await one.go(10_000)
        there.bank.is_revoked = True
        there.clock.advance(HOUR_US)
        await there.booked_orders.carry_out_due()
        lost = (await there.moves.of_member(one.member))[0]
        decided = there.wallet.write(
            lambda at: there.books.decide_lost(at, lost.id, moved=moved, by="staff-1")
        )
        with pytest.raises(BankMoveUnknown):
            there.wallet.write(lambda at: there.books.decide_lost(at, lost.id, moved=moved, by="staff-1"))
        there.wallet.audit()
        return lost.state, decided.state, one.balance()

    lost, decided, balance = within(tmp_path, use)
    assert lost is MoveState.LOST
    assert decided is (MoveState.DONE if moved else MoveState.FAILED)
    assert balance == (10_000 if moved else 0)


def test_an_approval_is_for_one_movement_and_used_up(tmp_path):
    async def use(there):
        one = await Move.of(there)
        first, second = await one.wish(1_000), await one.wish(1_000)
        proven = there.prove(one.present, first.purpose)
        other = await there.moves.approve(proven, ARRIVAL, second.move.id)
        done = await there.moves.approve(proven, ARRIVAL, first.move.id)
        again = await there.moves.approve(proven, ARRIVAL, first.move.id)
        return other, done, again, one.balance()

    other, done, again, balance = within(tmp_path, use)
    assert isinstance(other, StepUp)
    assert done == again
    assert balance == 1_000


def test_an_approval_that_comes_twice_at_once_orders_once(tmp_path):
    async def use(there):
        one = await Move.of(there)
        wished = await one.wish(1_000)
        proven = there.prove(one.present, wished.purpose)
        await asyncio.gather(
            *(there.moves.approve(proven, ARRIVAL, wished.move.id) for _ in range(4)),
            return_exceptions=True,
        )
        await there.booked_orders.carry_out_due()
        there.wallet.audit()
        return one.balance(), there.bank.booked_yen()

    assert within(tmp_path, use) == (1_000, 1_000)


def test_an_old_link_takes_a_code_and_a_doubted_charge_a_passkey(tmp_path):
    async def use(there):
        one = await Move.of(there)
        with_code = await one.go(1_000, way=Way.CODE)
        one.present = there.enter(one.member, risk=0.5)
        doubted = await one.go(1_000, way=Way.CODE)
        return with_code, doubted

    with_code, doubted = within(tmp_path, use)
    assert (with_code.state, with_code.approved_by) == (MoveState.DONE, "code")
    assert doubted == StepUp((Way.PASSKEY,))


def test_a_large_first_charge_of_a_first_day_is_stopped(tmp_path):
    """The desk weighs what the trace of the incident is made of."""

    async def use(there):
        member = there.wallet.add_verified()
        link = await there.link(member)
        return await Move(there, member, link).go(50_000)

    assert isinstance(within(tmp_path, use, authentication="passkey", strength=3), Stopped)


def test_switches_stop_charges_and_payouts_each_for_itself(tmp_path):
    async def use(there):
        one = await Move.of(there)
        await one.go(10_000)
        there.switches.off = {Function.CHARGE: SwitchedOff("incident", {})}
        return await one.go(1_000), await one.go(1_000, out=True)

    charged, paid = within(tmp_path, use)
    assert isinstance(charged, Held)
    assert paid.state is MoveState.DONE


def test_ceilings_of_the_level_count_over_all_links(tmp_path):
    """100,000 yen a day, whatever a link and its bank would give."""

    async def use(there):
        one = await Move.of(there)
        first = await one.go(60_000)
        room = await there.moves.room(one.present, one.link.id)
        with pytest.raises(AboveCeiling) as refused:
            await one.wish(40_001)
        there.clock.advance(DAY_US)
        return first.state, room, refused.value.room, await there.moves.room(one.present, one.link.id)

    first, room, left, tomorrow = within(tmp_path, use)
    assert first is MoveState.DONE
    assert room == left == Yen(40_000)
    assert tomorrow == Yen(100_000)


def test_two_wishes_that_fit_each_and_not_together_are_seen_when_they_are_approved(tmp_path):
    """The day's ceiling is asked in the unit of work that books, not when somebody wished."""

    async def use(there):
        one = await Move.of(there)
        wishes = [await one.wish(60_000), await one.wish(60_000)]
        for wished in wishes:
            proven = there.prove(one.present, wished.purpose)
            outcome = there.moves.approve(proven, ARRIVAL, wished.move.id)
            if wished is wishes[0]:
                assert (await outcome).state is MoveState.DONE
            else:
                with pytest.raises(AboveCeiling):
                    await outcome
        return one.balance(), there.bank.booked_yen()

    assert within(tmp_path, use) == (60_000, 60_000)


def test_a_wallet_holds_no_more_than_its_level_allows(tmp_path):
    async def use(there):
        one = await Move.of(there)
        there.wallet.give(one.member, 995_000)
        with pytest.raises((WalletFull, AboveCeiling)):
            await one.go(5_001)
        return one.balance()

    assert within(tmp_path, use) == 995_000


def test_a_young_link_is_refused_when_it_is_wished_for(tmp_path):
    async def use(there):
        member = there.wallet.add_verified()
        one = Move(there, member, await there.link(member))
        with pytest.raises(LinkCoolingOff):
            await one.wish(1_000)
        there.clock.advance(HOUR_US)
        with pytest.raises(AboveLinkCeiling):
            await one.wish(30_001)
        return await there.moves.room(one.present, one.link.id)

    assert within(tmp_path, use) == Yen(30_000)


def test_a_link_that_ended_between_wish_and_approval_moves_nothing(tmp_path):
    async def use(there):
        one = await Move.of(there)
        wished = await one.wish(1_000)
        proven = there.prove(one.present, wished.purpose)
        await there.desk.end(one.present, one.link.id)
        with pytest.raises(LinkNotUsable):
            await there.moves.approve(proven, ARRIVAL, wished.move.id)
        return there.bank.booked_yen()

    assert within(tmp_path, use) == 0


def test_a_frozen_wallet_moves_nothing(tmp_path):
    async def use(there):
        one = await Move.of(there)
        wallet_id = there.wallet.wallet(one.member).id
        there.wallet.write(lambda at: freeze_wallet(at, there.parts, wallet_id, reason="test", by="staff-1"))
        with pytest.raises(WalletNotOpen):
            await one.wish(1_000)

    within(tmp_path, use)


def test_a_wish_waits_a_quarter_of_an_hour_and_a_key_wishes_once(tmp_path):
    async def use(there):
        one = await Move.of(there)
        first, second = await one.wish(1_000, key="k"), await one.wish(1_000, key="k")
        with pytest.raises(BankMoveKeyReused):
            await one.wish(1_001, key="k")
        there.clock.advance(WISH_US)
        with pytest.raises(BankMoveUnknown):
            await there.moves.to_approve(one.member, first.move.id)
        return first, second

    first, second = within(tmp_path, use)
    assert first == second
    assert first.purpose.amount_yen == 1_000
    assert first.purpose.details["account"] == "***4567"


def test_others_movements_and_links_are_not_found(tmp_path):
    async def use(there):
        one = await Move.of(there)
        wished = await one.wish(1_000)
        stranger = there.enter(there.wallet.add_with_phone())
        with pytest.raises(BankMoveUnknown):
            await there.moves.approve(stranger, ARRIVAL, wished.move.id)
        with pytest.raises(LinkUnknown):
            await there.moves.charge(stranger, one.link.id, Yen(1_000), "k")

    within(tmp_path, use)


@pytest.mark.parametrize("yen", [0, -1])
def test_no_amount_is_no_movement(tmp_path, yen):
    async def use(there):
        one = await Move.of(there)
        for out in (False, True):
            with pytest.raises(AboveCeiling):
                await one.wish(yen, out=out)

    within(tmp_path, use)


def test_the_bank_that_took_a_payout_may_bear_it(tmp_path):
    async def use(there):
        one = await Move.of(there)
        there.wallet.give(one.member, 20_000)
        paid_out = await one.go(5_000, out=True)
        losses = WalletLosses(there.wallet.house)
        assert there.wallet.look(lambda at: losses.partner_of(at, paid_out.id)) == one.link.bank

    within(tmp_path, use)
