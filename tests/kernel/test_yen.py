import operator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.kernel.yen import Yen, total

amounts = st.builds(Yen, st.integers(-(10**15), 10**15))


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1234", 1_234),
        ("1,234", 1_234),
        ("¥1,234", 1_234),
        ("1,234円", 1_234),
        ("-1,234円", -1_234),
        ("-¥5", -5),
        ("\N{MINUS SIGN}5円", -5),
        ("１，２３４円", 1_234),  # noqa: RUF001 - full-width, as a Japanese keyboard types it
        (" ￥500 ", 500),
        ("0", 0),
    ],
)
def test_amounts_are_read_as_people_type_them(text, amount):
    assert Yen.parse(text) == Yen(amount)


@pytest.mark.parametrize(
    "text", ["", "1.5", "1,23", ",123", "12,345,6", "¥1円", "$5", "1e3", "--5", "¥-5", "5 円 x", "٣"]
)
def test_anything_else_is_refused(text):
    with pytest.raises(ValueError, match="not an amount"):
        Yen.parse(text)


@pytest.mark.parametrize("amount", [1.0, True, "1", None])
def test_only_whole_numbers_are_money(amount):
    with pytest.raises(TypeError):
        Yen(amount)


def test_a_bare_number_does_not_mix_with_money():
    for mix in (operator.add, operator.sub, operator.lt):
        with pytest.raises(TypeError):
            mix(Yen(1), 1)
    assert not operator.eq(Yen(1), 1)


def test_amounts_are_written_for_both_kinds_of_reader():
    assert Yen(-1_234_567).in_japanese() == "-1,234,567円"
    assert Yen(-1_234_567).in_english() == "-¥1,234,567"
    assert str(Yen(0)) == "¥0"


@given(amounts)
def test_what_is_written_can_be_read_back(yen):
    assert Yen.parse(yen.in_japanese()) == Yen.parse(yen.in_english()) == yen


@given(amounts, amounts)
def test_adding_and_taking_away_undo_each_other(one, other):
    assert one + other - other == one
    assert one - other == -(other - one)
    assert (one < other) == (one.amount < other.amount)


@given(st.lists(amounts))
def test_a_total_does_not_depend_on_the_order(many):
    assert total(many) == total(reversed(many)) == Yen(sum(yen.amount for yen in many))


def test_only_zero_is_nothing():
    assert not Yen(0)
    assert Yen(-1)
