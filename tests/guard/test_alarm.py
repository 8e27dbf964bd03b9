"""The alarm from counts alone. Peace here: failures from new addresses at a given rate for each success."""

import math

import pytest
from tests.guard.small_world import DAY_S, START_S

from sekisho.guard.alarm import Alarm
from sekisho.kernel.chance import SeededChance

DAY_VISITS = 3_000
PEACE_RATE = 0.03  # suspicious failures for each success: four of ten slips come from a new address


class Day:
    """Lets successes and suspicious failures of a rate pass by, in the order of chance."""

    def __init__(self, *, seed=4, hold_s=6 * 3_600):
        self.alarm = Alarm(hold_s=hold_s)
        self.chance = SeededChance(seed)
        self.now_s = START_S
        self.raised_at: list[int] = []

    def pass_by(self, days, rate, *, visits=DAY_VISITS):
        """Let days pass; return after how many suspicious failures the alarm rose, or None."""
        failures, first = 0, None
        for number in range(int(days * visits)):
            self.now_s += DAY_S // visits
            self.alarm.success(self.now_s)
            for _ in range(math.floor(rate + self.chance.fraction())):
                failures += 1
                if self.alarm.suspicious(self.now_s):
                    self.raised_at.append(number)
                    first = first or failures
        return first


def _after_peace(usual=PEACE_RATE, **settings):
    day = Day(**settings)
    for _ in range(21):
        day.pass_by(0.9, usual)
        day.pass_by(0.1, 2 * usual)  # a broken page, an office with a changed keyboard
    return day


@pytest.mark.parametrize("seed", [4, 5, 6])
def test_it_is_silent_in_a_noisy_peace(seed):
    """Three weeks with clumps, then a day with twice the failures, as after a mass mail."""
    day = _after_peace(seed=seed)
    day.pass_by(1.0, 2 * PEACE_RATE)
    day.pass_by(3.0, PEACE_RATE)
    assert day.raised_at == []
    assert day.alarm.usual() == pytest.approx(PEACE_RATE, rel=0.35)


@pytest.mark.parametrize("seed", [4, 5, 6])
@pytest.mark.parametrize(
    ("usual", "volume", "events_max"),
    [
        pytest.param(0.03, 1.0, 20, id="as many as members, where 3 % is usual"),
        pytest.param(0.03, 0.1, 120, id="10 % where 3 % is usual"),
        pytest.param(0.003, 1.0, 12, id="as many as members"),
        pytest.param(0.003, 0.1, 20, id="10 %"),
        pytest.param(0.003, 0.03, 50, id="3 %"),
        pytest.param(0.001, 0.01, 60, id="1 % where 0.1 % is usual"),
    ],
)
def test_an_attack_is_named_after_so_many_events(usual, volume, events_max, seed):
    """A flood after a dozen events; the nearer to the usual it is, the more it takes.

    `usual` and `volume` are suspicious failures for each success, in peace and of the attacker.
    """
    day = _after_peace(usual, seed=seed)
    assert day.raised_at == []
    events = day.pass_by(3.0, usual + volume)
    assert events is not None
    assert events <= events_max


def test_what_does_not_stand_out_is_not_named():
    """The limit of this alarm: half as much again is not told from a bad week."""
    day = _after_peace()
    assert day.pass_by(3.0, 1.4 * PEACE_RATE) is None


def test_it_ends_when_the_attack_has_been_over_for_the_hold():
    day = _after_peace(hold_s=3_600)
    day.pass_by(0.2, 1.0)
    assert day.alarm.is_on(day.now_s)
    over_s = day.now_s
    while day.alarm.is_on(day.now_s):
        day.pass_by(0.01, PEACE_RATE)
    # The sums go on a little after the last hostile event, until the usual is given back.
    assert 3_000 <= day.now_s - over_s <= 3 * 3_600
    assert day.alarm.number == 1


def test_the_hold_bridges_the_attacker_s_pauses():
    day = _after_peace(hold_s=6 * 3_600)
    for _ in range(4):
        day.pass_by(0.05, 1.0)
        day.pass_by(0.2, PEACE_RATE)  # nearly five hours
    assert day.alarm.number == 1


def test_the_next_campaign_has_the_next_number():
    day = _after_peace(hold_s=3_600)
    for number in (1, 2):
        day.pass_by(0.1, 1.0)
        raised_s = day.alarm.raised_s
        day.pass_by(1.5, PEACE_RATE)
        assert not day.alarm.is_on(day.now_s)
        assert day.alarm.number == number
    assert raised_s > START_S + 21 * DAY_S


def test_an_excursion_of_peace_raises_the_limit():
    """What ended by itself once is part of the usual: the same again must not raise the alarm."""
    calm, used_to = Day(), Day()
    for day in (calm, used_to):
        day.pass_by(4, 0.02)
    for _ in range(20):  # one suspicious failure after the other, then none for a long time
        used_to.alarm.suspicious(used_to.now_s)
        used_to.pass_by(0.004, 0.0)
    for _ in range(3):
        for _ in range(7):
            used_to.alarm.suspicious(used_to.now_s)
        used_to.pass_by(2, 0.0)
    assert used_to.raised_at == []
    assert used_to.alarm.number == 0

    def burst(day):
        return next(count for count in range(1, 1_000) if day.alarm.suspicious(day.now_s))

    assert burst(used_to) > burst(calm)


def test_an_attack_does_not_become_the_usual():
    day = _after_peace()
    before = day.alarm.usual()
    day.pass_by(5, 1.0)
    assert day.alarm.usual() < 1.2 * before


@pytest.mark.parametrize("volume", [3.0, 10.0])
def test_an_attack_that_was_there_first_is_not_taken_for_peace(volume):
    """Installed in the middle of an attack: no peace was ever seen."""
    day = Day()
    events = day.pass_by(0.1, volume)
    assert events is not None
    assert events <= 150


def test_without_a_single_success_nine_events_are_enough():
    alarm = Alarm()
    assert [alarm.suspicious(START_S + second) for second in range(9)] == [False] * 8 + [True]


def test_half_of_what_a_new_log_fails_is_no_attack():
    """In a new log every address is one that never had a success: its slips are all suspicious."""
    day = Day()
    for rate in (0.15, 0.1, 0.07, 0.05, 0.04, 0.03):
        day.pass_by(0.5, rate)
    assert day.raised_at == []
