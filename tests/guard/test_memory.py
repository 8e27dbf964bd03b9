import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.guard.memory import CountTable, Decay, Odds

HOUR_S = 3_600
NOW_S = 1_780_000_000


def _table(slots=1 << 10, half_life_s=HOUR_S, key=5):
    return CountTable(slots=slots, half_life_s=half_life_s, key=key)


def test_counts_are_halved_every_half_life():
    table = _table()
    slot = table.take(17, NOW_S)
    table.failures[slot], table.successes[slot], table.ever[slot] = 8.0, 4.0, 4
    assert table.kept(slot, NOW_S + HOUR_S) == 0.5
    again = table.take(17, NOW_S + 2 * HOUR_S)
    assert again == slot
    assert (table.failures[slot], table.successes[slot]) == (2.0, 1.0)
    assert table.ever[slot] == 4, "what was ever is not halved"
    assert table.kept(slot, NOW_S + 2 * HOUR_S) == 1.0


def test_a_key_that_was_never_taken_is_not_found():
    table = _table()
    table.take(17, NOW_S)
    assert table.find(18) == -1
    assert table.find(17) >= 0


def _rivals(table, count):
    """Return keys that share one set of four slots."""
    groups: dict[int, list[int]] = {}
    for key in range(1, 100_000):
        probe = CountTable(slots=len(table.last_s), half_life_s=1.0, key=5)
        group = groups.setdefault(probe.take(key, NOW_S) & ~3, [])
        group.append(key)
        if len(group) == count:
            return group
    raise AssertionError("no set is shared")


def test_the_most_silent_of_four_gives_way():
    table = _table(slots=8)
    keys = _rivals(table, 6)
    for second, key in enumerate(keys[:4]):
        slot = table.take(key, NOW_S + second)
        table.failures[slot] = table.successes[slot] = table.ever[slot] = table.tag[slot] = 7
    table.take(keys[0], NOW_S + 10)  # heard again: now the second is the most silent
    fresh = table.take(keys[4], NOW_S + 11)
    assert table.find(keys[1]) == -1
    assert all(table.find(key) >= 0 for key in (keys[0], *keys[2:5]))
    assert (table.failures[fresh], table.successes[fresh], table.ever[fresh], table.tag[fresh]) == (
        0,
        0,
        0,
        0,
    )
    table.take(keys[5], NOW_S + 12)
    assert table.find(keys[2]) == -1


def test_a_table_never_grows():
    table = _table(slots=64)
    for key in range(1, 5_000):
        table.failures[table.take(key, NOW_S + key)] += 1.0
    assert {len(values) for values in table.arrays.values()} == {64}
    assert sum(table.find(key) >= 0 for key in range(1, 5_000)) <= 64


def test_another_key_lays_the_table_out_in_another_way():
    """Nobody outside can aim at another's set."""
    one, other = _table(key=5), _table(key=50)
    assert [one.take(key, NOW_S) for key in range(50)] != [other.take(key, NOW_S) for key in range(50)]


@given(
    st.lists(st.tuples(st.integers(0, 2**64 - 1), st.integers(0, 5 * HOUR_S), st.booleans()), max_size=60),
)
def test_a_roomy_table_counts_like_a_list_of_events(events):
    """The model: every event, weighed by how long ago it was."""
    table, happened, now_s = _table(slots=1 << 14), [], NOW_S
    for key, pause_s, failed in events:
        now_s += pause_s
        slot = table.take(key, now_s)
        (table.failures if failed else table.successes)[slot] += 1.0
        happened.append((key, now_s, failed))
    for key in {key for key, _, _ in happened}:
        slot = table.find(key)
        counts = [
            sum(
                2.0 ** ((at - now_s) / HOUR_S)
                for other, at, what in happened
                if (other, what) == (key, failed)
            )
            for failed in (True, False)
        ]
        kept = table.kept(slot, now_s)
        assert table.failures[slot] * kept == pytest.approx(counts[0], rel=1e-4)
        assert table.successes[slot] * kept == pytest.approx(counts[1], rel=1e-4)


def test_forward_decay_keeps_every_ratio():
    decay = Decay(HOUR_S)
    odds = Odds(decay, 4)
    decay.advance(NOW_S)
    odds.failures[1] += decay.weight
    decay.advance(NOW_S + HOUR_S)
    odds.successes[1] += decay.weight
    assert odds.failures[1] / odds.successes[1] == 0.5
    assert odds.failures[1] / decay.weight == 0.5
    decay.advance(NOW_S + 3 * HOUR_S)
    assert odds.successes[1] / decay.weight == 0.25


@given(st.lists(st.floats(0.0, 90.0 * HOUR_S), min_size=1, max_size=30))
def test_moving_the_landmark_changes_no_count(pauses):
    """Counts of a far past grow out of a float's range without it."""
    decay, now_s = Decay(HOUR_S), float(NOW_S)
    counts, model = decay.follow([0.0, 0.0]), [0.0, 0.0]
    for number, pause_s in enumerate(pauses):
        now_s += pause_s
        decay.advance(now_s)
        model = [count * 2.0 ** (-pause_s / HOUR_S) for count in model]
        counts[number % 2] += decay.weight
        model[number % 2] += 1.0
    assert math.isfinite(counts[0])
    assert math.isfinite(counts[1])
    assert [count / decay.weight for count in counts] == pytest.approx(model, rel=1e-6, abs=1e-100)


def test_the_landmark_moves_before_a_float_runs_over():
    decay = Decay(1.0)
    counts = decay.follow([1.0])
    decay.advance(NOW_S)
    decay.advance(NOW_S + 400)
    assert decay.landmark_s == NOW_S
    decay.advance(NOW_S + 401)
    assert decay.landmark_s == NOW_S + 401
    assert decay.weight == 1.0
    assert counts[0] == pytest.approx(2.0**-401)
    decay.advance(NOW_S + 10**8)
    assert counts[0] < 1e-300
    assert decay.weight == 1.0
