"""Member numbers: found to be mistyped, read as people type them, not to be foreseen."""

import itertools

import jaconv
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.identity.member_numbers import DIGITS, check_digit, draw, grouped, read
from sekisho.kernel.chance import SeededChance


def test_the_check_digit_is_that_of_the_standard():
    """The example of ISO/IEC 7064 for MOD 11,10: 0794 has the check digit 5."""
    assert check_digit("0794") == "5"


@given(st.integers(0, 10_000), st.integers(0, DIGITS - 1), st.integers(1, 9))
def test_one_mistyped_digit_is_always_found(seed, place, shift):
    number = draw(SeededChance(seed))
    digit = str((int(number[place]) + shift) % 10)
    assert read(number) == number
    assert read(number[:place] + digit + number[place + 1 :]) is None


def test_nearly_every_swapped_pair_is_found():
    numbers = [draw(SeededChance(seed)) for seed in range(2_000)]
    swapped = [
        number[:place] + number[place + 1] + number[place] + number[place + 2 :]
        for number in numbers
        for place in range(DIGITS - 1)
        if number[place] != number[place + 1]
    ]
    assert sum(read(number) is not None for number in swapped) / len(swapped) < 0.03


def test_a_number_is_read_as_people_type_it():
    number = draw(SeededChance(1))
    for typed in (grouped(number), f" {grouped(number).replace(' ', '-')} ", jaconv.h2z(number, digit=True)):
        assert read(typed) == number
    assert len(grouped(number)) == DIGITS + 2


@pytest.mark.parametrize("typed", ["", "1", "x" * 12, "1" * 13, "٣" * 12, "taro@example.jp", "0" * 1_000_000])
def test_anything_else_is_no_number(typed):
    assert read(typed) is None


def test_numbers_do_not_follow_one_another():
    chance = SeededChance(1)
    drawn = [int(draw(chance)) for _ in range(100)]
    assert len(set(drawn)) == 100
    assert min(abs(one - other) for one, other in itertools.pairwise(drawn)) > 10_000
    assert all(number >= 10**11 for number in drawn)
