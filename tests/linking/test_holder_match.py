"""Holder and member: one person, or a person looks; a likeness is never a match."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.linking.holder_match import Holder, NameMatch, Person, Verdict, match_holder, match_names
from sekisho.linking.holder_names import HolderNameUnusable, read_holder_name

TARO = Person("ｼﾁｼﾞﾕｳｼﾁ ﾀﾛｳ", date(1980, 1, 1))
BORN = "1980-01-01"
kana = st.text(alphabet="アイウエオカキクケコガギグパピャュョッー　 ", min_size=1, max_size=12).filter(
    str.strip
)
phones = st.sampled_from([True, False, None])


@pytest.mark.parametrize(
    ("name", "birth_date", "phone", "verdict"),
    [
        ("ｼﾁｼﾞﾕｳｼﾁ ﾀﾛｳ", BORN, True, Verdict.MATCHED),
        ("しちじゅうしち　たろう", BORN, None, Verdict.MATCHED),
        ("ｼﾁｼﾞﾕｳｼﾁﾀﾛｳ", BORN, True, Verdict.MATCHED),
        ("ｼﾁｼﾞﾕｳｼﾁ ﾀﾛｳ", BORN, False, Verdict.REVIEW),
        ("ﾔﾏﾀﾞ ﾀﾛｳ", BORN, True, Verdict.REVIEW),
        ("ﾔﾏﾀﾞ ﾀﾛｳ", BORN, None, Verdict.REFUSED),
        ("ﾔﾏﾀﾞ ﾀﾛｳ", BORN, False, Verdict.REFUSED),
        ("ｼﾁｼﾞﾕｳｼﾁ ﾀﾛｳ", "1980-01-02", True, Verdict.REFUSED),
        ("ｼﾁｼﾞﾕｳｼﾁ ﾀﾛｳ", "", True, Verdict.REFUSED),
        ("ﾔﾏﾀﾞ ﾀﾛｳ", "1980-01-02", True, Verdict.REFUSED),
        ("山田", BORN, True, Verdict.REVIEW),
    ],
)
def test_the_table(name, birth_date, phone, verdict):
    """Birth dates never differ for one person; of name and phone, one that differs is looked at."""
    assert match_holder(TARO, Holder(name, birth_date, phone)).verdict is verdict


def test_a_bank_that_says_nothing_of_the_phone_is_looked_at_where_the_phone_stands_in_for_strength():
    holder = Holder(TARO.name_kana, BORN, None)
    assert match_holder(TARO, holder).verdict is Verdict.MATCHED
    assert match_holder(TARO, holder, phone_must_match=True).verdict is Verdict.REVIEW


@pytest.mark.parametrize(
    ("one", "other"),
    [("ﾀﾛｳ", "ﾀﾛ"), ("ﾀﾛｳ", "ﾀﾛ-"), ("ﾀﾛｳ", "ﾀﾞﾛｳ"), ("ﾀﾛｳ ﾔﾏﾀﾞ", "ﾔﾏﾀﾞ ﾀﾛｳ"), ("ｱ", "ﾔ")],
)
def test_a_likeness_is_no_match(one, other):
    """A long vowel, a voiced mark, the order of names: whoever looks decides, not a measure."""
    assert match_names(one, other) is NameMatch.DIFFERENT


@given(kana, kana, st.text(max_size=10), phones, st.booleans())
def test_nothing_matches_but_equal_names_on_equal_birthdays(one, other, birth_date, phone, needed):
    """Whatever is put in, a match means: the same letters but for spaces, and the same day."""
    found = match_holder(
        Person(one, TARO.birth_date), Holder(other, birth_date, phone), phone_must_match=needed
    )
    if found.verdict is Verdict.MATCHED:
        ours, theirs = (read_holder_name(name, octets_max=60) for name in (one, other))
        assert ours.replace(" ", "") == theirs.replace(" ", "")
        assert birth_date == BORN
        assert phone is not False
        assert phone or not needed


@given(kana)
def test_a_name_matches_itself_in_every_spelling(name):
    written = read_holder_name(name, octets_max=60)
    assert match_names(name, written) is NameMatch.EXACT
    assert match_names(written.replace(" ", ""), name) in {NameMatch.EXACT, NameMatch.SPACES}


@given(st.text(max_size=20))
def test_a_name_that_no_bank_can_write_matches_nothing(name):
    try:
        read_holder_name(name, octets_max=60)
    except HolderNameUnusable:
        assert match_names(name, name) is NameMatch.DIFFERENT


def test_records_keep_a_comparison_in_one_word_without_the_names():
    found = match_holder(TARO, Holder("ﾔﾏﾀﾞ ﾀﾛｳ", "1980-01-02", None))
    assert found.in_one_word == "different/no-birth/unasked-phone"
