"""A guard that has seen nothing yet: the rules and the alarm must carry it until there is a past."""

from typing import Any

import pytest
from tests.guard.small_world import START_S, honest_traffic, list_attack, new_guard, play, share, together

from sekisho.guard.attempts import Outcome

HOURS = 4.8
VISITS = 800  # honest ones in that time


def _flooded(*, addresses, attempts=2_000, honest=True):
    """Return the guard and what it decided, from the first attempt of its life on."""
    guard = new_guard()
    told: dict[str, Any] = {"start_s": START_S, "lasts_s": HOURS * 3_600, "known": 0.5, "hit": 0.02}
    attack = list_attack(attempts=attempts, addresses=addresses, **told)
    crowd = honest_traffic(days=HOURS / 24, visits_a_day=VISITS * 5) if honest else ()
    return guard, play(guard, together(crowd, attack))


def _hostile(judged, outcome=None):
    return [one for one in judged if one.event.hostile and outcome in (None, one.event.outcome)]


@pytest.mark.parametrize("honest", [True, False], ids=["among members", "alone"])
def test_a_flood_from_one_address_is_met_after_twenty_members(honest):
    _, judged = _flooded(addresses=1, honest=honest)
    stopped = [one.stopped for one in _hostile(judged)]
    assert stopped.index(True) <= 22
    assert all(stopped[22:])
    assert all(one.decision.before_hash for one in _hostile(judged)[22:])


def test_honest_members_do_not_pay_for_one_address():
    _, judged = _flooded(addresses=1)
    honest = [one for one in judged if not one.event.hostile and one.event.outcome is Outcome.SUCCESS]
    assert share(one.stopped for one in honest) < 0.02


def test_a_flood_from_everywhere_is_named_though_no_peace_was_ever_seen():
    """Two and a half hostile attempts for each member's: more than honest crowds fail."""
    guard, judged = _flooded(addresses=1 << 20)
    assert guard.lane("login").alarm.number == 1
    assert guard.lane("login").alarm.raised_s - START_S < 1_800
    assert share(one.stopped for one in _hostile(judged)) > 0.75
    assert share(one.stopped for one in _hostile(judged, Outcome.SUCCESS)) > 0.75


def test_a_flood_before_the_first_member_came_is_named_after_nine():
    guard, _ = _flooded(addresses=1 << 20, honest=False)
    assert guard.lane("login").alarm.raised_s - START_S < 10 * HOURS * 3_600 / 2_000


@pytest.mark.parametrize("honest", [True, False], ids=["among members", "alone"])
def test_a_great_flood_from_everywhere_is_stopped_though_nobody_is_known(honest):
    """Ten hostile attempts for each member's: there is no threshold yet, so the even odds are one."""
    _, judged = _flooded(addresses=1 << 20, attempts=8_000, honest=honest)
    assert share(one.stopped for one in _hostile(judged)) > 0.95
    assert all(one.stopped for one in _hostile(judged, Outcome.SUCCESS)[5:])
    members = [one for one in judged if not one.event.hostile and one.event.outcome is Outcome.SUCCESS]
    assert share(one.stopped for one in members) < 0.08


def test_a_quiet_first_day_raises_nothing():
    """Every address is new: every slip of the first hours comes from one that never had a success."""
    guard = new_guard()
    judged = play(guard, honest_traffic(days=1, visits_a_day=4_000))
    assert guard.lane("login").alarm.number == 0
    assert share(one.stopped for one in judged) < 0.01
