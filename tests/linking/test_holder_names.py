"""Holders' names: every spelling of one name is one name, and what banks can't write is named and refused."""

import unicodedata

import jaconv
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from sekisho.cli.main import main
from sekisho.linking.holder_names import (
    OCTETS_MAX,
    HolderNameUnusable,
    read_corporate_name,
    read_holder_name,
)

TARO = "ｼﾁｼﾞﾕｳｼﾁ ﾀﾛｳ"
SYLLABLES = (
    "アイウエオカキクケコガギグゲゴサシスセソザジズゼゾタチツテトダヂヅデド"
    "ナニヌネノハヒフヘホバビブベボパピプペポマミムメモヤユヨラリルレロワンヴ"
)
SMALL = "ァィゥェォッャュョヮ"
names_in_katakana = st.text(alphabet=SYLLABLES + SMALL + "ー　", min_size=1, max_size=15).filter(str.strip)


@pytest.mark.parametrize(
    "typed",
    [
        "しちじゅうしち たろう",
        "シチジュウシチ　タロウ",
        "ｼﾁｼﾞｭｳｼﾁ ﾀﾛｳ",
        "  ｼﾁｼﾞﾕｳｼﾁ   ﾀﾛｳ ",
        "しちし\u3099ゅうしち たろう",
    ],
    ids=ascii,
)
def test_one_name_in_every_spelling(typed):
    """Hiragana, both widths of katakana, small letters, composed and apart: a bank writes them alike."""
    assert read_holder_name(typed) == TARO


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("ローソン", "ﾛ-ｿﾝ"),
        ("ロ\uff0dソン", "ﾛ-ｿﾝ"),
        ("ヲノ ヱイキチ", "ｵﾉ ｴｲｷﾁ"),
        ("ウィリアムズ・\uff2a\uff4f\uff48\uff4e", "ｳｲﾘｱﾑｽﾞ.JOHN"),
        ("ヴァン ３せい", "ｳﾞｱﾝ 3ｾｲ"),
        ("「サクラ」", "｢ｻｸﾗ｣"),
        ("A/B (C) ￥", "A/B (C) \\"),
    ],
    ids=ascii,
)
def test_marks_and_old_letters_become_what_banks_have(typed, written):
    assert read_holder_name(typed, octets_max=40) == written


@pytest.mark.parametrize(
    ("typed", "character"),
    [
        ("山田 タロウ", "山"),
        ("ヤマダ,タロウ", ","),
        ("ヤマダ、タロウ", "、"),
        ("ヤマ\u202eダ", "\u202e"),
        ("ア\u3099", "\u3099"),
        ("タロウ㍿", "㍿"),
        ("ヤマダ\x00", "\x00"),
        ("ﾞ", "ﾞ"),
    ],
    ids=ascii,
)
def test_what_banks_do_not_write_is_named_as_it_was_typed(typed, character):
    with pytest.raises(HolderNameUnusable) as refused:
        read_holder_name(typed)
    assert refused.value.character == character


def test_a_record_has_room_for_thirty_octets_and_a_voiced_mark_takes_one():
    assert read_holder_name("ガ" * 15) == "ｶﾞ" * 15
    with pytest.raises(HolderNameUnusable):
        read_holder_name("ガ" * 15 + "カ")
    assert len(read_holder_name("ガ" * 20, octets_max=40)) == 40


@pytest.mark.parametrize("typed", ["", "   ", "\u200b", "あ" * 1_000])
def test_nothing_and_far_too_much_are_no_names(typed):
    with pytest.raises(HolderNameUnusable):
        read_holder_name(typed)


@given(st.text(max_size=60))
def test_what_comes_out_is_taken_again_and_fits_into_a_bank_s_file(typed):
    """No text breaks the reader, and reading twice changes nothing."""
    try:
        name = read_holder_name(typed)
    except HolderNameUnusable:
        return
    assert read_holder_name(name) == name
    assert len(name.encode("shift_jis")) == len(name) <= OCTETS_MAX


@given(names_in_katakana)
def test_every_kana_name_can_be_written_and_read_back(typed):
    """Full width and back: only what banks lack (small letters, the long mark) is lost on the way."""
    name = read_holder_name(typed, octets_max=60)
    back = jaconv.h2z(name, kana=True, ascii=True, digit=True)
    assert read_holder_name(back, octets_max=60) == name
    assert read_holder_name(jaconv.kata2hira(typed), octets_max=60) == name
    assert read_holder_name(unicodedata.normalize("NFD", typed), octets_max=60) == name


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("株式会社サクラ", "ｶ)ｻｸﾗ"),
        ("㈱ サクラ", "ｶ)ｻｸﾗ"),
        ("サクラ株式会社", "ｻｸﾗ(ｶ"),
        ("サクラかぶしきがいしゃ", "ｻｸﾗ(ｶ"),
        ("サクラ株式会社 ミナトシテン", "ｻｸﾗ(ｶ)ﾐﾅﾄｼﾃﾝ"),
        ("公益社団法人ミサキ", "ｼﾔ)ﾐｻｷ"),
        ("ｶ)ｻｸﾗ", "ｶ)ｻｸﾗ"),
        ("サクラ", "ｻｸﾗ"),
    ],
)
def test_a_company_s_kind_is_abbreviated_by_its_place(typed, written):
    assert read_corporate_name(typed) == written


def test_a_company_s_kanji_name_is_refused_like_any_other():
    with pytest.raises(HolderNameUnusable):
        read_corporate_name("株式会社桜")
    with pytest.raises(HolderNameUnusable):
        read_corporate_name("サ" * 1_000)


def test_the_command_prints_the_name_or_names_the_character():
    run = CliRunner().invoke(main, ["holder-name", "しちじゅうしち たろう"])
    assert (run.exit_code, run.stdout) == (0, TARO + "\n")
    run = CliRunner().invoke(main, ["holder-name", "山田"])
    assert (run.exit_code, run.stdout) == (2, "")
    assert "山 (U+5C71)" in run.stderr
    run = CliRunner().invoke(main, ["holder-name", "\u202e"])
    assert run.exit_code == 2
    assert "U+202E" in run.stderr
    assert "\u202e" not in run.stderr
    run = CliRunner().invoke(main, ["holder-name", "--corporate", "--octets", "4", "株式会社サクラ"])
    assert run.exit_code == 2
    assert "4 octets" in run.stderr
