"""The small world is ordinary, and the same for the same seed."""

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.kernel.chance import SeededChance
from sekisho.kernel.clock import DAY_US, HOUR_US, SECOND_US, SetClock
from sekisho.kernel.japan import AHEAD_US
from sekisho.range import names, networks
from sekisho.range.members import Member, _moment, _waking_days
from sekisho.range.world import World
from sekisho.range.world_clock import WorldClock

START_US = 1_795_000_000 * SECOND_US
WEEK_US = 7 * DAY_US
VISITS = World(seed=3, size=2_000).visits(START_US, START_US + WEEK_US)


def told(visits):
    return [(visit.at_us, visit.member.name, visit.ip, visit.typed) for visit in visits]


def test_the_same_seed_lives_the_same_week():
    """A world can be lived again; another seed is another world."""
    again = World(seed=3, size=2_000).visits(START_US, START_US + WEEK_US)
    assert told(again) == told(VISITS)
    other = World(seed=4, size=2_000).visits(START_US, START_US + WEEK_US)
    assert told(other) != told(VISITS)


def test_visits_come_in_order_and_within_their_time():
    """From the first moment on, and never after the last."""
    times = [visit.at_us for visit in VISITS]
    assert times == sorted(times)
    assert START_US <= times[0] <= times[-1] < START_US + WEEK_US


def test_the_night_is_quiet():
    """Between two and five in the morning few are awake."""
    hours = [(visit.at_us + AHEAD_US) // HOUR_US % 24 for visit in VISITS]
    night, evening = (sum(hour in span for hour in hours) for span in (range(2, 5), range(19, 22)))
    assert 0 < night < evening / 8


def test_people_make_ordinary_mistakes():
    """Most type it right at once; some slip; a few have forgotten."""
    right = sum(len(visit.typed) == 1 for visit in VISITS) / len(VISITS)
    given_up = sum(visit.typed[-1] != (visit.member.name, visit.member.password) for visit in VISITS)
    assert 0.88 < right < 0.95
    assert 0.002 < given_up / len(VISITS) < 0.03


def test_every_address_has_its_provider():
    """What the world makes up can be looked up, and lies outside the real internet."""
    for visit in VISITS:
        provider = networks.locate(visit.ip)
        assert provider.asn >= 64_512
        assert ip_address(visit.ip).is_private


def test_an_address_of_no_provider_is_said_so():
    """The plan has an end."""
    with pytest.raises(ValueError, match="no provider"):
        networks.locate("10.255.0.1")


def test_a_carrier_hides_many_phones_behind_few_addresses():
    """Counting by address would punish them all."""
    carriers = {provider.asn for provider in networks.providers(networks.Kind.CARRIER)}
    phones = [visit for visit in VISITS if networks.locate(visit.ip).asn in carriers]
    assert len({visit.member.name for visit in phones}) > 2 * len({visit.ip for visit in phones})


@given(st.integers(0, 400 * DAY_US))
def test_waking_days_and_moments_are_inverse(offset_us):
    """Activity time maps back to the moment it came from, to a second."""
    moment_us = START_US + offset_us
    assert abs(_moment(_waking_days(moment_us)) - moment_us) < SECOND_US


@given(st.text(min_size=1, max_size=20), st.integers(0, 1_000))
def test_a_slip_is_small(text, seed):
    """Two letters swapped, or one left out."""
    slipped = names.mistyped(text, SeededChance(seed))
    assert len(text) - 1 <= len(slipped) <= len(text)


def test_a_member_depends_on_seed_and_number_alone():
    """However large the world around is."""
    assert Member(5, 3).name == Member(5, 3).name
    assert list(World(seed=5, size=20).members) == list(World(seed=5, size=40).members)[:20]


def test_the_world_s_clock_runs_faster_and_never_ahead():
    """Hours pass in minutes; a record from the future would be refused."""
    ours = SetClock(10_000 * SECOND_US)
    clock = WorldClock(ours, starts_us=1_000 * SECOND_US, speed=60)
    ours.advance(10 * SECOND_US)
    clock.begin()
    ours.advance(2 * SECOND_US)
    assert clock.now_us() == 1_120 * SECOND_US
    assert clock.wait_s(1_180 * SECOND_US) == 1.0
    assert clock.wait_s(0) == 0.0
    ours.advance(500 * SECOND_US)
    assert clock.now_us() == ours.now_us()
