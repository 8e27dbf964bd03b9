"""Due dates roll over weekends, public holidays and the days on which banks are closed."""

from datetime import date
from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.lender.due_days import DueDay, due_dates, is_bank_holiday, next_business_day


@pytest.mark.parametrize(
    ("day", "closed"),
    [
        (date(2026, 11, 20), False),
        (date(2026, 11, 21), True),
        (date(2026, 9, 22), True),
        (date(2026, 5, 6), True),
        (date(2026, 12, 31), True),
        (date(2027, 1, 2), True),
        (date(2027, 1, 4), False),
    ],
)
def test_days_on_which_banks_are_closed(day, closed):
    """22 September 2026 lies between two holidays, 6 May 2026 stands in for one that fell on a Sunday."""
    assert is_bank_holiday(day) is closed


def test_the_end_of_december_is_due_in_january():
    assert next(due_dates(DueDay.LAST, date(2026, 12, 1))) == date(2027, 1, 4)


def test_the_last_day_is_the_months_own():
    found = list(islice(due_dates(DueDay.LAST, date(2028, 1, 31)), 3))
    assert found == [date(2028, 2, 29), date(2028, 3, 31), date(2028, 5, 1)]


@given(due_day=st.sampled_from(DueDay), after=st.dates(date(2015, 1, 1), date(2040, 12, 31)))
def test_a_date_comes_due_once_a_month_and_never_while_banks_are_closed(due_day, after):
    dates = list(islice(due_dates(due_day, after), 12))
    assert all(due > after for due in dates)
    assert all(next_business_day(due) == due for due in dates)
    assert all(18 <= (later - due).days <= 45 for due, later in pairwise(dates))
