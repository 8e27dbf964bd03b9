"""Figures as they are written, the state in a word, and what to do next."""

import msgspec
import pytest
from tests.web.console_page import NOW_US, filled_tally

from sekisho.console.live_tally import LiveTally
from sekisho.kernel.clock import SECOND_US
from sekisho.web.console.drawing import drawn
from sekisho.web.console.next_steps import next_steps
from sekisho.web.console.rendering import change, clock_time, percent, state_of


@pytest.mark.parametrize(
    ("part", "whole", "written"),
    [(0, 0, "0%"), (0, 9, "0%"), (9, 9, "100%"), (1, 10_000, "0.1%"), (9_999, 10_000, "99.9%"),
     (12, 980, "1.2%"), (64, 100, "64%")],
)  # fmt: skip
def test_only_nothing_is_nought_and_only_everything_is_a_hundred(part, whole, written):
    """A share never rounds a member away."""
    assert percent(part, whole) == written


def test_changes_carry_their_sign():
    """A nought has none."""
    assert [change(1_204), change(-3), change(0), change(-0.04, 1)] == [
        "+1,204",
        "\N{MINUS SIGN}3",
        "0",
        "0.0",
    ]


def test_times_are_japan_s():
    """2026-11-18T11:06:40Z is evening in Japan."""
    assert clock_time(NOW_US) == "20:06:40"


def test_the_state_in_a_word():
    """Empty, under attack and holding, after: the page turns with the tally."""
    assert state_of(LiveTally().picture(NOW_US)) == "empty"
    assert state_of(filled_tally().picture(NOW_US)) == "attack_holding"
    assert state_of(filled_tally(live=False).picture(NOW_US)) == "after"


def test_an_attack_that_mostly_comes_past_is_not_held():
    """The page does not praise the guard for what it did not stop."""
    picture = filled_tally().picture(NOW_US)
    past = msgspec.structs.replace(picture, failed_last_minute=picture.stopped_last_minute)
    assert state_of(past) == "attack"


def test_harm_comes_first():
    """Members who were entered, then what may have been missed, then to let the guard work."""
    steps = next_steps(filled_tally().picture(NOW_US))
    assert [(step.key, step.when, step.count) for step in steps] == [
        ("next_entered", "now", 2),
        ("next_unproven", "today", 240),
        ("next_hold", "meanwhile", 0),
    ]


def test_after_an_attack_the_log_is_to_be_searched():
    """The live page saw what the guard saw; the hunt sees more."""
    steps = next_steps(filled_tally(live=False).picture(NOW_US))
    assert steps[-1].key == "next_hunt"


def test_nothing_is_to_be_done_where_nothing_is_wrong():
    """No attack, no list."""
    assert next_steps(LiveTally().picture(NOW_US)) == ()


def test_the_drawing_stacks_the_verdicts_within_its_frame():
    """Each area begins where the one below it ends, and none leaves the picture."""
    drawing = drawn(filled_tally().picture(NOW_US), 300)
    points = [tuple(map(int, pair.split(","))) for _, area in drawing.areas for pair in area.split()]
    assert [name for name, _ in drawing.areas] == ["allow", "puzzle", "challenge", "deny"]
    assert all(0 <= x <= drawing.width and 0 <= y <= drawing.height for x, y in points)
    allow, puzzle = (area.split() for _, area in drawing.areas[:2])
    assert allow[:100] == puzzle[:99:-1]


def test_a_campaign_that_began_before_the_picture_is_cut_at_its_edge():
    """A span starts at the left edge at the earliest."""
    picture = filled_tally().picture(NOW_US + 200 * SECOND_US)
    assert drawn(picture, 300).spans[0][0] == 0.0
