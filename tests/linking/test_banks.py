"""The register of banks: real codes, days on which they ended, and the invented bank beside them."""

from datetime import date

import pytest
import zengin_code

from sekisho.linking.banks import (
    BankRegister,
    BankUnknown,
    _Ended,
    _History,
    bank_in_words,
    published_register,
)

TODAY = date(2026, 11, 22)


@pytest.mark.parametrize(
    ("code", "name", "kana"),
    [
        ("0125", "七十七", "ｼﾁｼﾞﾕｳｼﾁ"),
        ("0042", "ローソン", "ﾛ-ｿﾝ"),
        ("9900", "ゆうちょ", "ﾕｳﾁﾖ"),
        ("9901", "みさき", "ﾐｻｷ"),
    ],
)
def test_a_code_names_its_bank(code, name, kana):
    bank = published_register().bank(code, TODAY)
    assert (bank.name, bank.kana) == (name, kana)
    assert published_register().in_charge(code, TODAY) == bank


@pytest.mark.parametrize(
    ("code", "on", "in_charge", "name"),
    [
        ("0118", date(2024, 12, 31), "0118", "みちのく"),
        ("0118", date(2025, 1, 1), "0117", "青森みちのく"),
        ("0117", date(2024, 12, 31), "0117", "青森"),
        ("0117", date(2025, 1, 1), "0117", "青森みちのく"),
        ("0546", date(2021, 4, 30), "0546", "第三"),
        ("0546", date(2021, 5, 1), "0154", "三十三"),
        ("0154", date(2021, 4, 30), "0154", "三重"),
    ],
)
def test_a_merger_takes_effect_on_its_day(code, on, in_charge, name):
    """On the last day the old bank is in charge; on the next one its successor, under its new name."""
    bank = published_register().in_charge(code, on)
    assert (bank.code, bank.name) == (in_charge, name)


def test_a_code_that_ended_is_still_understood_and_has_no_branches():
    bank = published_register().bank("0118", TODAY)
    assert (bank.name, bank.successor, bank.is_open(TODAY)) == ("みちのく", "0117", False)
    assert published_register().branch("0118", "001") is None


def test_branches_are_those_of_the_table_and_of_the_invented_bank():
    register = published_register()
    head = register.branch("0125", "100")
    port = register.branch("9901", "002")
    assert head is not None
    assert port is not None
    assert (head.name, head.kana) == ("本店営業部", "ﾎﾝﾃﾝ")
    assert (port.name, port.kana) == ("港町", "ﾐﾅﾄﾏﾁ")
    assert register.branch("0125", "999") is None
    assert register.branch("9901", "999") is None


@pytest.mark.parametrize("code", ["", "0000", "125", "01250", "abcd"])
def test_no_bank_has_any_other_code(code):
    with pytest.raises(BankUnknown):
        published_register().bank(code, TODAY)
    with pytest.raises(BankUnknown):
        published_register().branch(code, "001")


def test_every_code_leads_to_a_bank_of_today_and_every_name_can_be_written_into_a_file():
    register = published_register()
    codes = list(register.codes())
    assert len(codes) > 1_000
    for code in codes:
        bank = register.in_charge(code, TODAY)
        assert bank.is_open(TODAY)
        assert bank.kana.encode("shift_jis")


def test_the_edition_is_that_of_the_table():
    assert published_register().edition.startswith("zengin-code 1.")


def test_successors_in_a_circle_are_no_bank():
    last = date(2020, 1, 1)
    ended = [_Ended("1111", "甲", "ｺｳ", last, "2222"), _Ended("2222", "乙", "ｵﾂ", last, "1111")]
    register = BankRegister(zengin_code.Bank.all, _History(ended, [], []), "test")
    with pytest.raises(BankUnknown):
        register.in_charge("1111", TODAY)


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("9901", "みさき銀行"),
        ("0042", "ローソン銀行"),
        ("9900", "ゆうちょ銀行"),
        ("1251", "川口信金"),
        ("9998", "9998"),
    ],
)
def test_a_bank_is_called_what_people_call_it(code, name):
    assert bank_in_words(code, TODAY) == name
