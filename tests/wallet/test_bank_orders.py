"""The bank's leg of charges and payouts: whatever the bank says, late, twice or never, money moves once."""

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.linking.bank_double import BROKEN, DEAF, FAILING, LATE, MUTE, SILENT
from tests.wallet.links_at_hand import within

from sekisho.kernel.clock import DAY_US, HOUR_US, MINUTE_US
from sekisho.linking.bank_bookings import Direction
from sekisho.wallet.bank_order_rows import OrderState
from sekisho.wallet.bank_orders import MARGIN_US, NOT_AFTER_US, LinkNotUsable, OrderKeyReused
from sekisho.wallet.link_ends import Suspension, suspend_within
from sekisho.wallet.link_limits import AboveLinkCeiling, LinkCoolingOff
from sekisho.wallet.link_rows import LinkState

DEBITS = "/v1/debits"


def test_a_debit_and_a_credit_are_done_once(tmp_path):
    async def use(there):
        link = await there.old_link(there.wallet.add_verified())
        done = await there.charge(link, 10_000)
        again = await there.orders.carry_out(done.id)
        credit = await there.orders.carry_out(there.place(link, 5_000, direction=Direction.CREDIT).id)
        return done, again, credit, there.settled, there.bank

    done, again, credit, settled, bank = within(tmp_path, use)
    assert (done.state, done.result, done.bank_id) == (OrderState.DONE, "0", "dbt_0")
    assert again == done
    assert (credit.state, credit.bank_id) == (OrderState.DONE, "dbt_1")
    assert [order.id for order in settled] == [done.id, credit.id]
    assert bank.calls.count(f"POST {DEBITS}") == 1


@pytest.mark.parametrize("mood", [MUTE, BROKEN, FAILING])
def test_a_debit_that_was_done_in_silence_is_asked_for_and_not_repeated(tmp_path, mood):
    """The bank acted and its answer was lost: it is asked by the key, and says what it did."""

    async def use(there):
        link = await there.old_link(there.wallet.add_verified())
        there.bank.moods[DEBITS] = [mood]
        unknown = await there.charge(link, 10_000)
        at_once = await there.orders.carry_out_due()
        there.clock.advance(MINUTE_US)
        later = await there.orders.carry_out_due()
        return unknown, at_once, later, there.order(unknown.id), there.settled, there.bank

    unknown, at_once, later, known, settled, bank = within(tmp_path, use)
    assert (unknown.state, unknown.maybe_heard) == (OrderState.ORDERED, True)
    assert (at_once, later) == (0, 1)
    assert known.state is OrderState.DONE
    assert len(settled) == 1
    assert bank.booked_yen() == 10_000
    assert bank.calls.count(f"POST {DEBITS}") == 1


def test_a_debit_that_was_never_heard_is_over_when_it_is_too_late_for_it(tmp_path):
    """Silence about a key means never, but only after the bank may not begin it any more."""

    async def use(there):
        link = await there.old_link(there.wallet.add_verified())
        there.bank.moods[DEBITS] = [DEAF]
        order = await there.charge(link, 10_000)
        there.clock.advance(NOT_AFTER_US + MARGIN_US - 1)
        waits = await there.orders.carry_out(order.id)
        there.clock.advance(1)
        return waits, await there.orders.carry_out(order.id), there.bank

    waits, over, bank = within(tmp_path, use)
    assert waits.state is OrderState.ORDERED
    assert over.state is OrderState.NEVER
    assert bank.booked_yen() == 0
    assert bank.calls.count(f"POST {DEBITS}") == 1


def test_a_bank_that_is_down_is_tried_anew_until_it_is_too_late(tmp_path):
    """Nothing left for the bank: the same order goes out again, and not after its time."""

    async def use(there):
        link = await there.old_link(there.wallet.add_verified())
        await there.tokens.access(link)
        await (await there.banks.client(link.bank)).metadata()
        there.bank.server.close()
        await there.bank.server.wait_closed()
        order = await there.charge(link, 10_000)
        there.clock.advance(NOT_AFTER_US)
        return order, await there.orders.carry_out(order.id), there.settled

    order, over, settled = within(tmp_path, use, token_s=600)
    assert (order.state, order.maybe_heard) == (OrderState.ORDERED, False)
    assert over.state is OrderState.NEVER
    assert [one.state for one in settled] == [OrderState.NEVER]


def test_a_program_that_dies_while_it_asks_leaves_an_order_that_is_asked_about(tmp_path):
    """Before the first byte leaves it is written down that the bank may hear of it."""

    async def use(there):
        link = await there.old_link(there.wallet.add_verified())
        there.bank.moods[DEBITS] = [SILENT]
        order = there.place(link, 10_000)
        dying = asyncio.create_task(there.orders.carry_out(order.id))
        await there.bank.fell_silent.wait()
        dying.cancel()
        left = there.order(order.id)
        there.clock.advance(MINUTE_US)
        return left, await there.orders.carry_out(order.id), there.bank

    left, known, bank = within(tmp_path, use)
    assert (left.state, left.maybe_heard) == (OrderState.ORDERED, True)
    assert known.state is OrderState.DONE
    assert bank.calls.count(f"POST {DEBITS}") == 1


def test_two_workers_carry_an_order_out_once(tmp_path):
    async def use(there):
        link = await there.old_link(there.wallet.add_verified())
        order = there.place(link, 10_000)
        await asyncio.gather(*(there.orders.carry_out(order.id) for _ in range(5)))
        return there.order(order.id), there.settled, there.bank

    order, settled, bank = within(tmp_path, use)
    assert order.state is OrderState.DONE
    assert len(settled) == 1
    assert bank.calls.count(f"POST {DEBITS}") == 1


def test_what_the_bank_refuses_is_refused_with_its_word(tmp_path):
    async def use(there):
        link = await there.old_link(there.wallet.add_verified())
        there.bank.answer_changes = {"state": "refused", "result": "no_funds"}
        return await there.charge(link, 10_000), there.settled

    order, settled = within(tmp_path, use)
    assert (order.state, order.result) == (OrderState.REFUSED, "no_funds")
    assert [one.state for one in settled] == [OrderState.REFUSED]


def test_too_late_for_the_bank_is_never(tmp_path):
    async def use(there):
        link = await there.old_link(there.wallet.add_verified())
        there.bank.moods["refusing"] = [LATE]
        return await there.charge(link, 10_000)

    assert within(tmp_path, use).state is OrderState.NEVER


def test_a_key_orders_once_and_for_one_thing(tmp_path):
    async def use(there):
        link = await there.old_link(there.wallet.add_verified())
        first, second = there.place(link, 10_000, "same"), there.place(link, 10_000, "same")
        with pytest.raises(OrderKeyReused):
            there.place(link, 10_001, "same")
        return first, second

    first, second = within(tmp_path, use)
    assert first == second


@pytest.mark.parametrize("yen", [0, -1])
def test_an_order_moves_something(tmp_path, yen):
    async def use(there):
        link = await there.old_link(there.wallet.add_verified())
        for direction in Direction:
            with pytest.raises((LinkNotUsable, AboveLinkCeiling)):
                there.place(link, yen, direction=direction)

    within(tmp_path, use)


def test_a_young_link_cools_off_and_gives_little_and_what_is_not_known_yet_counts(tmp_path):
    """An hour of waiting, 30,000 yen in the first week; an order that may have moved is as one that did."""

    async def use(there):
        link = await there.link(there.wallet.add_verified())
        with pytest.raises(LinkCoolingOff):
            there.place(link, 1)
        there.clock.advance(HOUR_US)
        there.bank.moods[DEBITS] = [MUTE]
        await there.charge(link, 20_000)
        with pytest.raises(AboveLinkCeiling):
            there.place(link, 10_001)
        there.place(link, 10_000)
        with pytest.raises(AboveLinkCeiling):
            there.place(link, 1)
        there.clock.advance(7 * DAY_US)
        return there.place(link, 100_000)

    assert within(tmp_path, use).state is OrderState.ORDERED


def test_what_was_refused_does_not_count(tmp_path):
    async def use(there):
        link = await there.link(there.wallet.add_verified())
        there.clock.advance(HOUR_US)
        there.bank.answer_changes = {"state": "refused", "result": "1"}
        await there.charge(link, 30_000)
        return there.place(link, 30_000)

    assert within(tmp_path, use).state is OrderState.ORDERED


def test_a_month_begins_in_japan(tmp_path):
    """300,000 yen a month; the next one begins at midnight in Japan, not in Greenwich."""

    async def use(there):
        link = await there.old_link(there.wallet.add_verified())
        last_second_us = 1_796_050_799_000_000
        there.clock.set(last_second_us)
        for _ in range(3):
            there.place(link, 100_000)
        with pytest.raises(AboveLinkCeiling):
            there.place(link, 1)
        there.clock.advance(1_000_000)
        return there.place(link, 100_000)

    assert within(tmp_path, use).state is OrderState.ORDERED


@pytest.mark.parametrize("state", ["suspended", "ended"])
def test_a_link_that_stands_still_moves_nothing(tmp_path, state):
    async def use(there):
        member = there.wallet.add_verified()
        link = await there.old_link(member)
        if state == "ended":
            await there.desk.end(there.enter(member), link.id)
        else:
            assert there.wallet.write(lambda at: suspend_within(at, there.parts, link, Suspension.STAFF))
        for direction in Direction:
            with pytest.raises(LinkNotUsable):
                there.place(link, 1_000, direction=direction)

    within(tmp_path, use)


def test_a_token_that_is_over_is_renewed_once_for_all_who_need_it(tmp_path):
    async def use(there):
        link = await there.old_link(there.wallet.add_verified())
        before = there.bank.calls.count("POST /token")
        await asyncio.gather(*(there.tokens.access(link) for _ in range(5)))
        return there.bank.calls.count("POST /token") - before

    assert within(tmp_path, use) == 1


def test_a_token_that_the_bank_has_forgotten_is_renewed_and_the_order_goes_on(tmp_path):
    async def use(there):
        link = await there.old_link(there.wallet.add_verified())
        access = await there.tokens.access(link)
        del there.bank.tokens[access.token]
        return await there.charge(link, 10_000), there.bank.booked_yen()

    order, booked = within(tmp_path, use)
    assert order.state is OrderState.DONE
    assert booked == 10_000


def test_a_bank_that_takes_our_token_no_more_stops_the_link(tmp_path):
    """Nothing was sent, so the order is refused; the link stands still until it is made anew."""

    async def use(there):
        link = await there.old_link(there.wallet.add_verified())
        there.bank.is_revoked = True
        return await there.charge(link, 10_000), there.find(link.id)

    order, link = within(tmp_path, use)
    assert (order.state, order.result) == (OrderState.REFUSED, "link_refused_by_bank")
    assert (link.state, link.suspended_for) == (LinkState.SUSPENDED, "bank_refuses")


def test_what_the_bank_may_have_heard_is_lost_where_it_speaks_with_us_no_more(tmp_path):
    """Nobody guesses: a person asks the bank, and the sum stays counted."""

    async def use(there):
        link = await there.old_link(there.wallet.add_verified())
        there.bank.moods[DEBITS] = [MUTE]
        order = await there.charge(link, 10_000)
        there.bank.is_revoked = True
        there.clock.advance(HOUR_US)
        return await there.orders.carry_out(order.id), there.settled, there.events("wallet:bank_order:lost")

    order, settled, events = within(tmp_path, use)
    assert order.state is OrderState.LOST
    assert [one.state for one in settled] == [OrderState.LOST]
    assert [event["amount_yen"] for event in events] == [10_000]


def test_a_link_that_ends_while_an_order_is_not_known_is_told_to_the_bank_afterwards(tmp_path):
    """The token is needed to ask; when it is known, the bank hears of the end."""

    async def use(there):
        member = there.wallet.add_verified()
        link = await there.old_link(member)
        there.bank.moods[DEBITS] = [MUTE]
        order = await there.charge(link, 10_000)
        await there.desk.end(there.enter(member), link.id)
        early = await there.rounds.tell_banks()
        there.clock.advance(MINUTE_US)
        known = await there.orders.carry_out(order.id)
        return early, known.state, await there.rounds.tell_banks()

    assert within(tmp_path, use) == (0, OrderState.DONE, 1)


def test_a_hook_that_fails_leaves_the_order_to_be_settled_again(tmp_path):
    """The books and the order are one unit of work: neither is settled without the other."""

    async def use(there):
        link = await there.old_link(there.wallet.add_verified())
        there.failing.append(ArithmeticError("the books are shut"))
        order = there.place(link, 10_000)
        with pytest.raises(ArithmeticError):
            await there.orders.carry_out(order.id)
        there.clock.advance(MINUTE_US)
        await there.orders.carry_out_due()
        return there.order(order.id), len(there.settled), there.bank.booked_yen()

    order, settled, booked = within(tmp_path, use)
    assert (order.state, settled, booked) == (OrderState.DONE, 1, 10_000)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    moods=st.lists(st.sampled_from(["", MUTE, DEAF, BROKEN, FAILING]), max_size=6),
    steps=st.lists(st.integers(0, 3 * MINUTE_US), min_size=1, max_size=8),
)
def test_in_every_order_of_moods_and_times_the_bank_s_books_and_ours_agree(tmp_path_factory, moods, steps):
    """At the end each order is settled once, and done here exactly where it is booked there."""

    async def use(there):
        link = await there.old_link(there.wallet.add_verified())
        there.bank.moods[DEBITS] = list(moods)
        order = await there.charge(link, 10_000)
        for step in steps:
            there.clock.advance(step)
            await there.orders.carry_out(order.id)
        there.bank.moods.clear()
        there.clock.advance(HOUR_US)
        return await there.orders.carry_out(order.id), there.settled, there.bank.booked_yen()

    order, settled, booked = within(tmp_path_factory.mktemp("bank"), use)
    assert len(settled) == 1
    assert order.state in {OrderState.DONE, OrderState.NEVER}
    assert booked == (10_000 if order.state is OrderState.DONE else 0)


def test_what_a_bank_that_is_down_never_heard_is_never_although_no_token_can_be_had(tmp_path):
    """What was surely not heard needs no answer of the bank's: a payout is back in minutes, and not lost."""

    async def use(there):
        link = await there.old_link(there.wallet.add_verified())
        there.bank.server.close()
        await there.bank.server.wait_closed()
        first = await there.charge(link, 10_000)
        there.clock.advance(NOT_AFTER_US)
        return first.state, (await there.orders.carry_out(first.id)).state

    assert within(tmp_path, use) == (OrderState.ORDERED, OrderState.NEVER)


@pytest.mark.parametrize("said", [{"code": "not_found"}, {}])
def test_a_page_that_is_not_there_says_nothing_of_an_order(tmp_path, said):
    """What stands in front of a bank answers 404 as well while it is renewed: the money may have moved."""

    async def use(there):
        link = await there.old_link(there.wallet.add_verified())
        there.bank.moods[DEBITS] = [MUTE]
        order, answers = await there.charge(link, 10_000), there.bank.answer

        def renewed(call):
            return (404, said) if call.path == DEBITS else answers(call)

        there.bank.answer = renewed
        there.clock.advance(NOT_AFTER_US + MARGIN_US)
        between = await there.orders.carry_out(order.id)
        there.bank.answer = answers
        there.clock.advance(HOUR_US)
        return between.state, (await there.orders.carry_out(order.id)).state

    assert within(tmp_path, use) == (OrderState.ORDERED, OrderState.DONE)
