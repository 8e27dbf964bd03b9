"""The timeline as a plain drawing, so that the first paint needs no script."""

import msgspec

from sekisho.console.live_tally import ACTIONS, Picture
from sekisho.kernel.clock import SECOND_US

WIDTH = 1_200
HEIGHT = 240
POINTS = 100
RATE_AT_LEAST = 5.0


class Drawing(msgspec.Struct, frozen=True, kw_only=True):
    """Stacked areas as SVG points, the lowest first, and the campaigns as (left, width) on the same axis."""

    width: int
    height: int
    areas: tuple[tuple[str, str], ...]
    spans: tuple[tuple[float, float], ...]
    empty: bool


def drawn(picture: Picture, length_s: int) -> Drawing:
    """Draw the last `length_s` seconds as stacked areas of attempts a second by verdict."""
    end_s = picture.now_us // SECOND_US
    start_s = end_s - length_s
    step_s = length_s / POINTS
    rates = [[0.0] * POINTS for _ in ACTIONS]
    for at_s, *counts in picture.seconds:
        point = int((at_s - start_s) / step_s)
        if 0 <= point < POINTS:
            for column, count in enumerate(counts):
                rates[column][point] += count / step_s
    highest = max(RATE_AT_LEAST, *(sum(rate) for rate in zip(*rates, strict=True)))
    areas, floor = [], [0.0] * POINTS
    for action, rate in zip(ACTIONS, rates, strict=True):
        ceiling = [low + more for low, more in zip(floor, rate, strict=True)]
        areas.append((action.value, _outline(floor, ceiling, highest)))
        floor = ceiling
    return Drawing(
        width=WIDTH,
        height=HEIGHT,
        areas=tuple(areas),
        spans=tuple(
            _span(campaign.noticed_us, campaign.last_us, start_s, length_s) for campaign in picture.campaigns
        ),
        empty=not picture.seconds,
    )


def _outline(floor: list[float], ceiling: list[float], highest: float) -> str:
    there = [_point(number, rate, highest) for number, rate in enumerate(ceiling)]
    back = [_point(number, rate, highest) for number, rate in reversed(list(enumerate(floor)))]
    return " ".join(there + back)


def _point(number: int, rate: float, highest: float) -> str:
    return f"{number * WIDTH / (POINTS - 1):.0f},{HEIGHT * (1 - 0.95 * rate / highest):.0f}"


def _span(noticed_us: int, last_us: int, start_s: int, length_s: int) -> tuple[float, float]:
    left = max(0.0, (noticed_us / SECOND_US - start_s) / length_s)
    right = max(left, (last_us / SECOND_US - start_s) / length_s)
    return round(left * WIDTH, 1), round(max(4.0, (right - left) * WIDTH), 1)
