import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.kernel.chance import SeededChance, SystemChance
from sekisho.kernel.clock import SetClock
from sekisho.kernel.ids import ATTEMPT, CASE, ID_KINDS, MEMBER, RANDOM_OCTETS, made_at_us

times = st.integers(0, 2**52)


def test_an_id_says_what_it_is_and_when_it_was_made():
    clock = SetClock(1_600_000_000_000_000)
    attempt = ATTEMPT.new(clock, SeededChance(1))
    assert attempt.startswith("att_05af3107a40000")
    assert len(attempt) == len("att_") + 32
    assert made_at_us(attempt) == clock.now_us()


@given(times, times)
def test_ids_sort_in_the_order_of_their_making(earlier, later):
    chance = SystemChance()
    first, second = (CASE.new(SetClock(time_us), chance) for time_us in sorted((earlier, later)))
    assert earlier == later or first < second


def test_the_same_seed_makes_the_same_ids():
    assert MEMBER.new(SetClock(5), SeededChance(7)) == MEMBER.new(SetClock(5), SeededChance(7))
    assert MEMBER.new(SetClock(5), SeededChance(7)) != MEMBER.new(SetClock(5), SeededChance(8))


def test_each_kind_has_a_prefix_of_its_own():
    assert len({kind.prefix for kind in ID_KINDS}) == len(ID_KINDS)


@pytest.mark.parametrize("kind", ID_KINDS, ids=lambda kind: kind.prefix)
def test_a_kind_knows_its_own_ids_and_no_others(kind):
    made = kind.new(SetClock(1), SystemChance())
    assert kind.parse(made) == made
    for other in ID_KINDS:
        if other is not kind:
            with pytest.raises(ValueError, match="not an id"):
                other.parse(made)


@pytest.mark.parametrize(
    "text", ["", "att_", "att", "att_xyz", "att_" + "0" * 31, "att_" + "0" * 33, "ATT_" + "0" * 32]
)
def test_a_damaged_id_is_refused(text):
    with pytest.raises(ValueError, match="not an id"):
        ATTEMPT.parse(text)


def test_an_id_of_octets_that_were_drawn_before_is_like_any_other():
    made = ATTEMPT.of(1_780_000_000_000_000, bytes(range(RANDOM_OCTETS)))
    assert ATTEMPT.parse(made) == made
    assert made_at_us(made) == 1_780_000_000_000_000
    assert made.endswith("000102030405060708")
