"""Names: rare characters kept, unseen ones kept out, readings as banks write them."""

import jaconv
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.identity.names import KANA_BYTES_MAX, NAME_MAX, NameFault, NameUnusable, read_kana, read_name


@pytest.mark.parametrize(
    "name",
    [
        "髙橋 一郎",
        "\U00020bb7野家 太郎",
        "葛\U000e0101城 花子",
        "渡邉\ufe00 一",
        "神\ufa19谷 進",
        "佐々木 ヶ",
        "マーク・トウェイン",
        "Müller Jürgen",
        "O'Brien-Smith",
        "Nguyễn Văn An",
        "Анна Иванова",
        "김 민수",
    ],
    ids=ascii,
)
def test_names_that_people_have_are_kept_as_they_are(name):
    assert read_name(name) == name


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (" 山田\u3000 太郎 ", "山田 太郎"),
        ("山\u200b田\ufeff", "山田"),
        ("か\u3099く", "がく"),
        ("Jose\u0301", "José"),
    ],
    ids=ascii,
)
def test_what_comes_along_when_a_name_is_copied_goes(typed, kept):
    assert read_name(typed) == kept


@pytest.mark.parametrize(
    ("typed", "fault", "position"),
    [
        ("", NameFault.EMPTY, -1),
        ("\u3000\u200b", NameFault.EMPTY, -1),
        ("山\u202e田", NameFault.UNSEEN, 1),
        ("山\u2066田", NameFault.UNSEEN, 1),
        ("a\u200fb", NameFault.UNSEEN, 1),
        ("a\u200db", NameFault.UNSEEN, 1),
        ("山\x00田", NameFault.UNSEEN, 1),
        ("a\ufe00", NameFault.UNSEEN, 1),
        ("\ufe00山", NameFault.UNSEEN, 0),
        ("\ud800", NameFault.UNSEEN, 0),
        ("\U000e0041山", NameFault.UNSEEN, 0),
        ("\ue000田", NameFault.PRIVATE, 0),
        ("田中1", NameFault.NOT_IN_NAMES, 2),
        ("<b>", NameFault.NOT_IN_NAMES, 0),
        ("😀", NameFault.NOT_IN_NAMES, 0),
        ("\u0301a", NameFault.NOT_IN_NAMES, 0),
        ("q\u0321\u0322\u0323", NameFault.NOT_IN_NAMES, 3),
        ("あ" * (NAME_MAX + 1), NameFault.TOO_LONG, -1),
        ("あ" * 100_000, NameFault.TOO_LONG, -1),
    ],
    ids=ascii,
)
def test_what_no_name_has_is_refused_and_its_place_named(typed, fault, position):
    with pytest.raises(NameUnusable) as refused:
        read_name(typed)
    assert (refused.value.fault, refused.value.position) == (fault, position)


@pytest.mark.parametrize(
    "typed",
    [
        jaconv.h2z("シチジユウシチ タロウ", ascii=True),
        "しちじゅうしち たろう",
        "ｼﾁｼﾞﾕｳｼﾁ ﾀﾛｳ",
        "シチジュウシチ\u3000タロウ ",
    ],
)
def test_a_reading_is_the_same_however_it_is_typed(typed):
    assert read_kana(typed) == "ｼﾁｼﾞﾕｳｼﾁ ﾀﾛｳ"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("ジョー", "ｼﾞﾖ-"),
        ("ヲノ ヱミ", "ｵﾉ ｴﾐ"),
        ("ヴァン", "ｳﾞｱﾝ"),
        ("Smith John", "SMITH JOHN"),
        ("マーク・T", "ﾏ-ｸ.T"),
    ],
)
def test_what_banks_do_not_write_is_written_as_they_do(typed, kept):
    assert read_kana(typed) == kept


def test_thirty_bytes_fit_and_a_voiced_mark_takes_one():
    assert read_kana("ガ" * 15) == "ｶﾞ" * 15
    with pytest.raises(NameUnusable) as refused:
        read_kana("ガ" * 15 + "カ")
    assert refused.value.fault is NameFault.TOO_LONG


@pytest.mark.parametrize("typed", ["山田", "ヤマダ!", "ヤマ\u202eダ", "ヤ、マ", "\u3042\u3099"], ids=ascii)
def test_a_reading_with_anything_else_is_refused(typed):
    with pytest.raises(NameUnusable) as refused:
        read_kana(typed)
    assert refused.value.fault is NameFault.NOT_KANA


@given(st.text(max_size=80))
def test_a_name_that_is_kept_is_read_as_itself_and_holds_nothing_unseen(typed):
    try:
        name = read_name(typed)
    except NameUnusable:
        return
    assert read_name(name) == name
    assert name.strip() == name
    assert not set(name) & set(
        map(chr, [*range(0x20), *range(0x202A, 0x202F), *range(0x2060, 0x206A), 0x200B])
    )


@given(st.text(max_size=60))
def test_a_reading_that_is_kept_fits_into_a_bank_s_record(typed):
    try:
        kana = read_kana(typed)
    except NameUnusable:
        return
    assert len(kana.encode("shift_jis")) <= KANA_BYTES_MAX
    assert read_kana(kana) == kana
