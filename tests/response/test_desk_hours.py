"""The desk: when it is open, and until when something has to be taken up."""

from datetime import datetime

import pytest

from sekisho.kernel.clock import HOUR_US
from sekisho.kernel.japan import in_japan, japanese_us
from sekisho.response.desk_hours import DueKind, desk_hours, is_closed_day


def at(text):
    return japanese_us(datetime.fromisoformat(text))


def shown(at_us):
    return f"{in_japan(at_us):%Y-%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("time", "is_open"),
    [
        ("2026-11-20 08:59:59", False),
        ("2026-11-20 09:00", True),
        ("2026-11-20 17:59:59", True),
        ("2026-11-20 18:00", False),
        ("2026-11-21 12:00", False),
        ("2026-11-23 12:00", False),
        ("2026-12-31 12:00", False),
        ("2026-09-22 12:00", False),
    ],
)
def test_the_desk_is_open_on_weekdays_that_are_no_holiday(time, is_open):
    """From nine to six; not on Saturdays, Labour Thanksgiving, New Year's Eve, nor between two holidays."""
    assert desk_hours().is_open(at(time)) is is_open


@pytest.mark.parametrize(
    ("kind", "came", "due"),
    [
        # A Friday evening before a long weekend.
        (DueKind.MONEY_IS_LEAVING, "2026-11-20 19:30", "2026-11-20 20:30"),
        (DueKind.DAMAGE, "2026-11-20 19:30", "2026-11-24 18:00"),
        (DueKind.DAMAGE, "2026-11-20 17:00", "2026-11-24 17:00"),
        (DueKind.OTHER, "2026-11-20 09:00", "2026-11-25 18:00"),
    ],
)
def test_what_presses_is_due_by_the_clock_and_the_rest_by_the_desk(kind, came, due):
    """Outside the desk's hours, money that is leaving does not wait for Monday."""
    assert shown(desk_hours().due_us(kind, at(came))) == due


def test_the_next_opening_is_now_while_it_is_open():
    """And the morning of the next working day when it is not."""
    now_us = at("2026-11-20 10:00")
    assert desk_hours().next_opening_us(now_us) == now_us
    assert shown(desk_hours().next_opening_us(now_us + 9 * HOUR_US)) == "2026-11-24 09:00"
    assert is_closed_day(in_japan(at("2027-01-03 10:00")).date())
