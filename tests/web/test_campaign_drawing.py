"""A campaign as drawings: each on its own measure, on one time, with marks where something was done."""

import re

from msgspec.structs import replace

from sekisho.campaigns.traces import Source, Sources, Trace
from sekisho.kernel.clock import DAY_US, HOUR_US, MINUTE_US
from sekisho.web.console.campaign_drawing import WIDTH, draw, source_tables

SOURCE = Source(label="AS64500", attempts=80, entered=2, honest=7)
SMALLER = Source(label="", attempts=20, entered=0, honest=0)


TRACE = Trace(
    first_us=10 * HOUR_US,
    step_us=HOUR_US,
    stopped=(0, 300, 100, 0),
    reached=(0, 50, 100, 0),
    failed=(0, 48, 99, 0),
    entered=(0, 2, 1, 0),
    honest=(3, 5, 4, 3),
    sources={},
)
"""Four hours; in the second and the third of them there was an attack."""


def trace(**changed: object) -> Trace:
    return replace(TRACE, **changed)


def panels(drawn):
    return {panel.name: panel for panel in drawn.panels}


def heights(path):
    """Return how high an area's upper edge is in each part, in percent."""
    return [round(100 - float(y)) for y in re.findall(r"V([\d.]+)H", path)[: len(path.split("H")) // 2]]


def test_each_drawing_has_a_measure_of_its_own():
    """A handful of honest members is as well seen as an attack that is a hundred times as large."""
    found = panels(draw(trace(), ()))
    assert {name: (panel.highest, panel.total) for name, panel in found.items()} == {
        "tried": (350, 550),
        "entered": (2, 3),
        "honest": (5, 15),
    }
    assert heights(found["honest"].areas[0].path) == [60, 100, 80, 60]


def test_what_was_stopped_stands_on_what_was_not():
    reached, stopped = panels(draw(trace(), ()))["tried"].areas
    assert (reached.name, reached.total) == ("reached", 150)
    assert (stopped.name, stopped.total) == ("stopped", 400)
    assert heights(reached.path) == [0, round(100 * 50 / 350), round(100 * 100 / 350), 0]
    assert heights(stopped.path) == [0, 100, round(100 * 200 / 350), 0]


def test_without_a_guard_nothing_is_said_of_what_was_stopped():
    (reached,) = panels(draw(trace(stopped=(0, 0, 0, 0)), ()))["tried"].areas
    assert reached.name == "reached"


def test_nothing_at_all_is_a_flat_line():
    found = panels(draw(trace(entered=(0, 0, 0, 0)), ()))["entered"]
    assert (found.highest, found.total) == (0, 0)
    assert heights(found.areas[0].path) == [0, 0, 0, 0]


def test_what_was_done_while_it_lasted_is_marked_where_it_was_done():
    done = [("a", 10 * HOUR_US - 1), ("b", 11 * HOUR_US), ("c", 14 * HOUR_US - 1), ("d", 14 * HOUR_US)]
    marks = draw(trace(), done).marks
    assert [mark.what for mark in marks] == ["b", "c"]
    assert marks[0].across == WIDTH / 4


def test_every_count_stands_in_the_table_as_well():
    parts = draw(trace(), ()).parts
    assert [part.at_us for part in parts] == [hour * HOUR_US for hour in (10, 11, 12, 13)]
    assert parts[1][1:] == (300, 50, 48, 2, 5)


def test_a_step_is_told_in_the_largest_unit_that_fits():
    steps = {
        5 * MINUTE_US: (5, "minute"),
        HOUR_US: (1, "hour"),
        36 * HOUR_US: (36, "hour"),
        DAY_US: (1, "day"),
    }
    for step_us, told in steps.items():
        drawn = draw(trace(step_us=step_us), ())
        assert (drawn.step, drawn.unit) == told


def test_sources_have_bars_as_long_as_their_share_of_the_largest():
    network = Sources(largest=(SOURCE, SMALLER), others=3, others_attempts=9, others_entered=1)
    device = Sources(largest=(SMALLER,), others=0, others_attempts=0, others_entered=0)
    kinds = source_tables(trace(sources={"device": device, "network": network}))
    assert [kind.name for kind in kinds] == ["network", "device"]
    assert [bar.width for bar in kinds[0].bars] == [100, 25]
    assert kinds[0].rest.others == 3
