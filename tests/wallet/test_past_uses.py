"""What was moved in the last days, as a preview of a switch at the wallet counts it: by function, once."""

import asyncio

import msgspec
import pytest
from tests.wallet.links_at_hand import within
from tests.wallet.money_at_hand import open_money
from tests.wallet.test_bank_moves import Move
from tests.wallet.test_payments import order, pay
from tests.wallet.test_sends import send

from sekisho.guard.attempts import Attempt
from sekisho.guard.decisions import Action, Decision
from sekisho.kernel.clock import DAY_US
from sekisho.kernel.yen import Yen
from sekisho.response.past_uses import AttemptHistory, PastUses
from sekisho.response.switch_preview import preview
from sekisho.response.switches import AppliesTo, Scope
from sekisho.storage.attempts import DECIDED
from sekisho.storage.outbox import Entry, append
from sekisho.wallet.past_uses import WalletUses

DECISION = Decision(
    action=Action.ALLOW, probability=0, before_hash=False, reasons=(), policy="test", policy_revision=1
)


def met(wallet, scope):
    """Return how many uses of how many yen a switch would have met, of how many at all."""
    now_us = wallet.clock.now_us() + 1
    sources: list[PastUses] = [AttemptHistory(wallet.parts, None), WalletUses()]
    spans = {"from_us": now_us - 7 * DAY_US, "until_us": now_us}
    seen = wallet.look(lambda at: preview(at, sources, scope, members=(), cohort=(), **spans))
    return seen.uses_met, seen.yen_met, seen.uses


@pytest.fixture
def money(tmp_path):
    at_hand = open_money(tmp_path)
    yield at_hand
    at_hand.wallet.house.store.close()


def test_payments_and_sends_are_counted_each_for_itself(money):
    """The second payment at a shop is nothing new, and a wish to send that nobody approved is no use."""
    member_id = money.rich(50_000)
    for number, yen in enumerate((650, 350)):
        pay(money, member_id, order(money, yen, key=f"k{number}"))
        money.wallet.clock.advance(1)
    send(money, member_id, 5_000)
    asyncio.run(money.sends.request(money.enter(member_id), "090-1234-9998", Yen(7_000), "k9"))
    assert met(money.wallet, Scope(function="payment")) == (2, 1_000, 2)
    assert met(money.wallet, Scope(function="payment", applies_to=AppliesTo.NEW)) == (1, 650, 2)
    assert met(money.wallet, Scope(function="send")) == (1, 5_000, 1)
    assert met(money.wallet, Scope(function="*", direction="out")) == (3, 6_000, 3)
    money.wallet.clock.advance(8 * DAY_US)
    assert met(money.wallet, Scope(function="*")) == (0, 0, 0)


def test_what_passed_the_gate_is_counted_once(money):
    """The gate knows of an attempt to transfer; the wallet knows that it was a payment."""
    member_id = money.rich(50_000)
    paid = pay(money, member_id, order(money, 650))
    made = Attempt(time_us=paid.paid_at_us, member=member_id, ip="192.0.2.1", gate="transfer", amount_yen=650)
    body = msgspec.json.encode({"attempt": made, "decision": DECISION})
    entry = Entry(DECIDED, paid.attempt_id, made.time_us, body)
    money.wallet.write(lambda at: append(at, [entry]))
    assert met(money.wallet, Scope(function="*")) == (1, 650, 1)
    assert met(money.wallet, Scope(function="transfer_loan")) == (0, 0, 0)


def test_charges_and_payouts_are_counted_by_bank(tmp_path):
    """A switch over one bank meets what went over it; the first of each way over a link is new."""

    async def use(there):
        one = await Move.of(there)
        for yen in (10_000, 2_000):
            await one.go(yen)
            there.wallet.clock.advance(1)
        await one.go(4_000, out=True)
        asked = (
            Scope(function="charge", partner=one.link.bank),
            Scope(function="charge", partner="other"),
            Scope(function="charge", applies_to=AppliesTo.NEW),
            Scope(function="payout", applies_to=AppliesTo.NEW),
        )
        return [met(there.wallet, scope) for scope in asked]

    assert within(tmp_path, use) == [(2, 12_000, 2), (0, 0, 2), (1, 10_000, 2), (1, 4_000, 1)]
