"""The attacker has the shape that reports describe."""

from collections import Counter

from sekisho.kernel.chance import SeededChance
from sekisho.kernel.clock import HOUR_US, SECOND_US
from sekisho.range import networks
from sekisho.range.attackers.list_attack import ListAttack
from sekisho.range.world import World

START_US = 1_795_000_000 * SECOND_US
WORLD = World(seed=3, size=8_000)
ATTACK = ListAttack(tries=20_000, start_us=START_US, end_us=START_US + 10 * HOUR_US)
TRIES = ATTACK.plan(WORLD, SeededChance(1))


def test_the_plan_is_repeated_for_the_same_seed():
    """One seed, one attack."""
    assert ATTACK.plan(WORLD, SeededChance(1)) == TRIES
    assert ATTACK.plan(WORLD, SeededChance(2)) != TRIES


def test_every_pair_is_tried_in_its_time_and_order():
    """No try before the first moment or after the last."""
    times = [one.at_us for one in TRIES]
    assert len(times) == 20_000
    assert times == sorted(times)
    assert times[0] >= START_US
    assert times[-1] < ATTACK.end_us


def test_it_begins_slowly():
    """The first tenth of the time carries about a twentieth of the tries."""
    early = sum(one.at_us < START_US + HOUR_US for one in TRIES)
    assert 0.03 < early / len(TRIES) < 0.08


def test_most_names_are_nobody_s_and_few_pairs_open():
    """About 2 % of the names are members', and 7 % of those still open."""
    existing = sum(one.name in WORLD.members for one in TRIES)
    opening = sum(one.opens for one in TRIES)
    assert 0.015 < existing / len(TRIES) < 0.04
    assert 8 <= opening <= 50
    for one in TRIES:
        assert one.opens == (one.name in WORLD.members and WORLD.members[one.name].password == one.password)


def test_hardly_anybody_is_tried_twice():
    """One try an account: nothing to lock out."""
    per_member = Counter(one.name for one in TRIES if one.name in WORLD.members)
    assert sum(count for count in per_member.values()) < 1.2 * len(per_member)


def test_a_line_carries_a_handful_of_tries():
    """A few tries an address, unevenly, mostly in the victim's own country."""
    per_line = Counter(one.ip for one in TRIES)
    assert 2 < len(TRIES) / len(per_line) < 6
    at_home = sum(networks.locate(one.ip).country == networks.JAPAN for one in TRIES)
    assert 0.6 < at_home / len(TRIES) < 0.85
