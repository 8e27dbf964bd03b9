"""The guard has lived through the world's past."""

import msgspec
from tests.range.house import QUICK

from sekisho.guard.guard import Guard
from sekisho.kernel.clock import SECOND_US, SetClock
from sekisho.range.arrivals import HouseKeys
from sekisho.range.past import live_through
from sekisho.range.play import SCALES, Play
from sekisho.range.world import World

START_US = 1_795_000_000 * SECOND_US


def test_the_past_leaves_cookies_on_devices_and_knowledge_in_the_guard():
    """Whoever logged in and keeps cookies has one, valid for this member alone."""
    world, keys, guard = World(seed=3, size=300), HouseKeys(3), Guard(key=b"k" * 32)
    visits = world.visits(START_US, START_US + 10 * 86_400 * SECOND_US)
    past = live_through(visits, world, keys, guard)
    assert past.attempts == sum(len(visit.typed) for visit in visits)
    with_cookie = [m for m in world.members.values() if any(device.cookie for device in m.devices)]
    came = {visit.member.name for visit in visits}
    assert 0.85 * len(came) < len(with_cookie) <= len(came)


def test_whoever_keeps_no_cookies_has_none_afterwards():
    """Private windows stay unknown devices."""
    world, keys, guard = World(seed=3, size=50), HouseKeys(3), Guard(key=b"k" * 32)
    visits = [
        msgspec.structs.replace(visit, keeps_cookies=False)
        for visit in world.visits(START_US, START_US + 10 * 86_400 * SECOND_US)
    ]
    assert live_through(visits, world, keys, guard).attempts > 50
    assert not any(visit.device.cookie for visit in visits)


def test_a_play_begins_at_ten_in_the_morning_and_ends_before_now():
    """What is played has happened: no record lies in the future."""
    now_us = START_US
    play = Play(SCALES["small"], seed=1, clock=SetClock(now_us), hasher=QUICK)
    first = min(event.at_us for event in play.day)
    assert (first + 9 * 3_600 * SECOND_US) // (3_600 * SECOND_US) % 24 == 10
    assert max(event.at_us for event in play.day) < now_us
