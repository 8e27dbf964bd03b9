"""Links and the money over them on every store; on a server, by two processes at once."""

import asyncio
import contextlib
from concurrent.futures import TimeoutError as NotYet

import pytest
from tests.conformance.busy import hold_up
from tests.linking.bank_double import MUTE
from tests.wallet.links_at_hand import ARRIVAL, TARO, beside, links_at_hand

from sekisho.identity.people import Person
from sekisho.kernel.yen import Yen
from sekisho.storage.engine import open_store
from sekisho.wallet.bank_moves import BankMoveUnknown, MoveBooks, MoveState, change, find
from sekisho.wallet.bank_order_rows import OrderState
from sekisho.wallet.link_rows import AccountTaken, LinkState

NAMESAKE = Person(name="七十七 太朗", kana=TARO.kana, birth_date=TARO.birth_date, home_address="別の町")


async def moved(there, present, link, yen, *, out=False):
    take = there.moves.pay_out if out else there.moves.charge
    wished = await take(present, link.id, Yen(yen), f"key-{yen}")
    proven = there.prove(present, wished.purpose)
    return await there.moves.approve(proven, ARRIVAL, wished.move.id)


def test_a_link_a_charge_and_a_payout(store, tmp_path):
    async def use():
        async with links_at_hand(tmp_path, store_at=store) as there:
            link = await there.old_link(there.wallet.add_verified())
            present = there.enter(link.member_id)
            charged = await moved(there, present, link, 20_000)
            paid = await moved(there, present, link, 5_000, out=True)
            there.wallet.audit()
            balance = there.wallet.balance(link.member_id)
            with pytest.raises(AccountTaken):
                await there.link(there.wallet.add_verified(NAMESAKE))
            await there.desk.end(present, link.id)
            return charged.state, paid.state, balance, await there.rounds.tell_banks()

    assert asyncio.run(use()) == (MoveState.DONE, MoveState.DONE, 15_000, 2)


@contextlib.asynccontextmanager
async def two_processes(folder, url):
    """Open one wallet twice, as two processes do."""
    one, other = open_store(url), open_store(url)
    try:
        async with links_at_hand(folder, store_at=one) as there:
            yield there, beside(there, other)
    finally:
        one.close()
        other.close()


@pytest.mark.server
def test_two_processes_give_one_account_to_one_wallet(server_store_url, tmp_path):
    """Both members agreed at the bank, and come back to different processes at the same moment."""

    async def use():
        async with two_processes(tmp_path, server_store_url) as (here, there):
            members = [here.wallet.add_verified(), here.wallet.add_verified(NAMESAKE)]
            ways = [await here.agreed(here.enter(member)) for member in members]
            outcomes = await asyncio.gather(
                *(
                    house.returns.come_back(present, ARRIVAL, answer)
                    for house, (present, answer) in zip((here, there), ways, strict=True)
                ),
                return_exceptions=True,
            )
            states = [(await here.desk.links(member))[0].state for member in members]
            return outcomes, states

    outcomes, states = asyncio.run(use())
    assert sorted(states) == [LinkState.ACTIVE, LinkState.ENDED]
    assert sum(isinstance(outcome, AccountTaken) for outcome in outcomes) == 1


@pytest.mark.server
def test_two_processes_exchange_a_code_and_carry_an_order_out_once(server_store_url, tmp_path):
    async def use():
        async with two_processes(tmp_path, server_store_url) as (here, there):
            present, answer = await here.agreed(here.enter(here.wallet.add_verified()))
            await asyncio.gather(
                *(house.returns.come_back(present, ARRIVAL, answer) for house in (here, there)),
                return_exceptions=True,
            )
            exchanges = here.bank.calls.count("POST /token")
            link = (await here.desk.links(present.session.member_id))[0]
            here.clock.set(link.usable_from_us)
            order = here.place(link, 10_000)
            await asyncio.gather(*(house.orders.carry_out(order.id) for house in (here, there)))
            settled = len(here.settled) + len(there.settled)
            return exchanges, here.order(order.id).state, settled, here.bank.calls.count("POST /v1/debits")

    assert asyncio.run(use()) == (1, OrderState.DONE, 1, 1)


@pytest.mark.server
def test_of_two_who_decide_a_lost_movement_at_once_the_second_finds_it_decided(server_store_url, tmp_path):
    """One found out that the bank moved the money, the other that it did not: one word counts and is kept."""

    async def use():
        async with two_processes(tmp_path, server_store_url) as (here, there):
            link = await here.old_link(here.wallet.add_verified())
            here.bank.moods["/v1/debits"] = [MUTE]
            move = await moved(here, here.enter(link.member_id), link, 10_000)
            assert move.state is MoveState.ORDERED
            here.wallet.write(lambda at: change(at, move, MoveState.LOST))
            books, late = MoveBooks(here.wallet.house), MoveBooks(there.wallet.house)
            go_on = hold_up(
                here.wallet.house.store,
                before=lambda at: books.decide_lost(at, move.id, moved=True, by="aoki"),
            )
            second = there.wallet.house.store.write(
                lambda at: late.decide_lost(at, move.id, moved=False, by="ito")
            )
            with pytest.raises(NotYet):
                second.result(timeout=0.3)
            go_on.set()
            with pytest.raises(BankMoveUnknown):
                second.result()
            here.wallet.audit()
            return here.wallet.look(lambda at: find(at, move.id)).state, here.wallet.balance(link.member_id)

    assert asyncio.run(use()) == (MoveState.DONE, 10_000)
