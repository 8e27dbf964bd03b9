"""Debits and credits of the last days, as a preview of a switch at the bank counts them."""

import pytest
from tests.bank.mandate_at_hand import START, WALLET, open_bank

from sekisho.bank.past_uses import BankUses
from sekisho.kernel.clock import DAY_US
from sekisho.response.switch_preview import preview
from sekisho.response.switches import AppliesTo, Scope


@pytest.fixture
def hand(tmp_path):
    opened = open_bank(tmp_path)
    yield opened
    opened.bank.store.close()


def met(hand, scope, *, members=()):
    """Return how many uses of how many yen a switch would have met, of how many at all."""
    now_us = hand.clock.now_us() + 1
    seen = hand.look(
        lambda at: preview(
            at,
            [BankUses()],
            scope,
            members=members,
            cohort=(),
            from_us=now_us - 7 * DAY_US,
            until_us=now_us,
        )
    )
    return seen.uses_met, seen.yen_met, seen.uses


def test_debits_and_credits_that_were_booked_are_counted(hand):
    """Each way for itself, by partner, new and existing; what was refused moved nothing."""
    mandate = hand.mandate()
    hand.credit(mandate, 100, "k0")
    hand.clock.advance(1)
    hand.debit(mandate, 1_000, "k1")
    hand.clock.advance(1)
    hand.debit(mandate, 2_000, "k2")
    hand.credit(mandate, 500, "k3")
    hand.debit(mandate, START.amount, "k4")
    assert met(hand, Scope(function="debit")) == (2, 3_000, 2)
    assert met(hand, Scope(function="debit", applies_to=AppliesTo.NEW)) == (1, 1_000, 2)
    assert met(hand, Scope(function="credit", applies_to=AppliesTo.NEW)) == (1, 100, 2)
    assert met(hand, Scope(function="credit", applies_to=AppliesTo.EXISTING)) == (1, 500, 2)
    assert met(hand, Scope(function="debit", partner=WALLET)) == (2, 3_000, 2)
    assert met(hand, Scope(function="debit", partner="other")) == (0, 0, 2)
    assert met(hand, Scope(function="debit"), members=["mem_other"]) == (0, 0, 2)
    assert met(hand, Scope(function="debit"), members=[hand.deposit.depositor_id]) == (2, 3_000, 2)
    hand.clock.advance(8 * DAY_US)
    assert met(hand, Scope(function="*")) == (0, 0, 0)
