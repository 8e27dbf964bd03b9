"""Daily interest and the delay charge: the ledger's method."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.kernel.yen import Yen
from sekisho.lender.interest import charges, days_between, interest
from sekisho.lender.rates import Rate

DAYS = st.dates(date(2010, 6, 18), date(2060, 12, 31))
PRINCIPALS = st.integers(0, 8_000_000).map(Yen)
RATES = st.integers(0, 20_000).map(Rate)
ORDINARY, DELAY = Rate.parse("17.8"), Rate.parse("20.0")


@pytest.mark.parametrize(
    ("principal", "rate", "borrowed", "repaid", "yen"),
    [
        pytest.param(100_000, "17.8", "2025-06-01", "2025-07-01", 1_463, id="thirty days"),
        pytest.param(100_000, "18.0", "2025-06-01", "2025-06-02", 49, id="one day"),
        pytest.param(100_000, "18.0", "2025-06-01", "2025-07-01", 1_479, id="thirty days at 18"),
        pytest.param(100_000, "17.8", "2024-06-01", "2024-07-01", 1_459, id="a leap year's days are cheaper"),
        pytest.param(100_000, "17.8", "2025-06-01", "2025-06-01", 0, id="repaid on the same day"),
        pytest.param(1_000_000, "15.0", "2025-01-01", "2026-01-01", 150_000, id="a year is the year's rate"),
        pytest.param(1_000_000, "15.0", "2023-12-31", "2024-12-31", 150_000, id="a leap year, too"),
        pytest.param(366_000, "10.0", "2024-02-28", "2024-03-01", 200, id="29 February counts"),
    ],
)
def test_interest_by_the_day(principal, rate, borrowed, repaid, yen):
    """The day of borrowing does not count, the day of repayment does."""
    found = interest(
        Yen(principal), Rate.parse(rate), date.fromisoformat(borrowed), date.fromisoformat(repaid)
    )
    assert found == Yen(yen)


def test_a_period_over_new_year_counts_each_day_by_its_own_year():
    """15 days of 2023 at a 365th and 15 days of 2024 at a 366th, dropped to whole yen once."""
    exact = 1_000_000 * 0.178 * (15 / 365 + 15 / 366)
    assert interest(Yen(1_000_000), ORDINARY, date(2023, 12, 16), date(2024, 1, 15)) == Yen(int(exact))


def test_a_repayment_before_the_borrowing_is_refused():
    with pytest.raises(ValueError, match="before"):
        interest(Yen(1), ORDINARY, date(2025, 6, 2), date(2025, 6, 1))


def test_a_delay_costs_the_delay_rate_and_no_interest_beside_it():
    """Up to the due date interest, from the day after it the delay charge."""
    cost = charges(
        Yen(100_000),
        since=date(2025, 6, 1),
        until=date(2025, 7, 15),
        rate=ORDINARY,
        delay_rate=DELAY,
        due=date(2025, 7, 5),
    )
    assert (cost.interest_days, cost.delay_days, cost.free_days) == (34, 10, 0)
    assert cost.interest == Yen(1_658)
    assert cost.delay == Yen(547)


def test_thirty_free_days_then_interest():
    cost = charges(
        Yen(100_000),
        since=date(2025, 6, 1),
        until=date(2025, 7, 5),
        rate=ORDINARY,
        delay_rate=DELAY,
        due=date(2025, 7, 5),
        free_until=date(2025, 7, 1),
    )
    assert (cost.free_days, cost.interest_days, cost.delay_days) == (30, 4, 0)
    assert cost.interest == interest(Yen(100_000), ORDINARY, date(2025, 7, 1), date(2025, 7, 5))


@given(principal=PRINCIPALS, rate=RATES, start=DAYS, first=st.integers(0, 800), second=st.integers(0, 800))
def test_two_periods_never_cost_more_than_the_whole(principal, rate, start, first, second):
    """Dropping fractions at the end of a period favours the member, by less than a yen a period."""
    middle, end = start + timedelta(days=first), start + timedelta(days=first + second)
    whole = interest(principal, rate, start, end)
    parts = interest(principal, rate, start, middle) + interest(principal, rate, middle, end)
    assert whole - Yen(1) <= parts <= whole


@given(
    principal=PRINCIPALS,
    since=DAYS,
    length=st.integers(0, 400),
    due=st.none() | st.integers(-50, 400),
    free=st.none() | st.integers(-50, 400),
)
def test_each_day_costs_one_thing(principal, since, length, due, free):
    """Free days, days of interest and days of delay make up the period, and none counts twice."""
    until = since + timedelta(days=length)
    cost = charges(
        principal,
        since=since,
        until=until,
        rate=ORDINARY,
        delay_rate=DELAY,
        due=None if due is None else since + timedelta(days=due),
        free_until=None if free is None else since + timedelta(days=free),
    )
    assert cost.free_days + cost.interest_days + cost.delay_days == days_between(since, until)
    if due is None or due >= length:
        assert cost.delay == Yen(0)
    else:
        assert cost.delay_days == length - max(due, 0)
