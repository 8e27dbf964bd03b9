"""The fixed payment and the simulator's plan: every published figure."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.kernel.yen import Yen
from sekisho.lender.rates import Rate
from sekisho.lender.repayment import PlanNeverEnds, allocate, fixed_payment, monthly_plan
from sekisho.lender.terms import published_terms

BOOK = published_terms()
AMOUNTS = st.integers(0, 9_000_000).map(Yen)


@pytest.mark.parametrize(
    ("balance", "payment"),
    [
        (0, 0),
        (1, 1_000),
        (27_700, 1_000),
        (27_701, 2_000),
        (83_102, 3_000),
        (83_103, 4_000),
        (90_000, 4_000),
        (100_000, 4_000),
        (110_803, 4_000),
        (110_804, 5_000),
        (150_000, 6_000),
        (200_000, 8_000),
        (300_000, 11_000),
        (300_001, 8_000),
        (310_000, 8_000),
        (500_000, 13_000),
        (1_000_000, 26_000),
        (1_000_001, 20_000),
        (5_000_000, 100_000),
    ],
)
def test_payment_after_the_last_borrowing(balance, payment):
    """It drops at the edges of the bands: intended, and published."""
    assert fixed_payment(Yen(balance), BOOK) == Yen(payment)


@pytest.mark.parametrize(
    ("balance", "rate", "payments", "total"),
    [
        (100_000, "18.0", 32, 126_260),
        (150_000, "18.0", 32, 189_401),
        (200_000, "18.0", 32, 252_540),
        (300_000, "18.0", 36, 388_683),
        (500_000, "18.0", 58, 751_057),
        (1_000_000, "15.0", 53, 1_371_743),
        (5_000_000, "15.0", 79, 7_895_537),
    ],
)
def test_plans_as_the_simulator_publishes_them(balance, rate, payments, total):
    plan = monthly_plan(Yen(balance), Rate.parse(rate), fixed_payment(Yen(balance), BOOK))
    assert (len(plan.payments), plan.total) == (payments, Yen(total))


def test_a_yen_above_a_million_takes_79_payments():
    plan = monthly_plan(Yen(1_000_001), Rate.parse("15.0"), fixed_payment(Yen(1_000_001), BOOK))
    assert len(plan.payments) == 79


@pytest.mark.parametrize(
    "balance", [*range(1_000, 5_000_001, 37_000), 300_000, 300_001, 1_000_000, 1_000_001]
)
def test_every_plan_ends_within_its_band_at_the_highest_lawful_rate(balance):
    """36, 60 and 80 payments at most, as the terms promise."""
    rate = min(Rate.parse("17.8"), BOOK.legal_cap(Yen(balance)))
    plan = monthly_plan(Yen(balance), rate, fixed_payment(Yen(balance), BOOK))
    assert len(plan.payments) <= BOOK.band(Yen(balance)).payments_max


@given(balance=st.integers(1, 9_000_000).map(Yen), rate=st.integers(0, 20_000).map(Rate))
def test_a_plan_pays_back_exactly_what_was_owed(balance, rate):
    """Principal adds up to the balance; each payment but the last is the fixed one."""
    plan = monthly_plan(balance, rate, fixed_payment(balance, BOOK))
    assert sum(payment.principal.amount for payment in plan.payments) == balance.amount
    assert plan.total == balance + plan.interest
    assert {payment.paid for payment in plan.payments[:-1]} <= {plan.payment}
    assert plan.payments[-1].paid <= plan.payment
    assert plan.payments[-1].balance == Yen(0)


def test_a_payment_that_only_covers_the_interest_never_ends():
    with pytest.raises(PlanNeverEnds):
        monthly_plan(Yen(100_000), Rate.parse("18.0"), Yen(1_500))


@given(paid=AMOUNTS, delay=AMOUNTS, interest=AMOUNTS, principal=AMOUNTS)
def test_a_payment_goes_to_the_delay_then_interest_then_principal(paid, delay, interest, principal):
    """Nothing is lost, nothing is overpaid, and nothing later is served before the earlier."""
    made = allocate(paid, delay=delay, interest=interest, principal=principal)
    assert made.delay + made.interest + made.principal + made.left_over == paid
    assert (made.delay <= delay, made.interest <= interest, made.principal <= principal) == (True,) * 3
    if made.interest:
        assert made.delay == delay
    if made.principal:
        assert made.interest == interest
    if made.left_over:
        assert made.principal == principal
