"""Masks show what the owner recognises, and hide how long the rest is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.identity import masks

MASKS = [mask for name, mask in vars(masks).items() if name.startswith("masked_")]
FULL_WIDTH = {ord(digit): chr(ord(digit) + 0xFEE0) for digit in "0123456789"}


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("山田 太郎", "山●●●●"),
        ("林 一", "林●●●●"),
        ("𠮷田 花子", "𠮷●●●●"),
        ("葛\U000e0100城 優", "葛\U000e0100●●●●"),
        ("ヤマダ タロウ", "ヤ●●●●"),
        ("John Smith", "J●●●●"),
        ("", "●●●●"),
    ],
)
def test_a_name_shows_its_first_character(name, shown):
    assert masks.masked_name(name) == shown


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("株式会社あおば製作所", "あ●●●●"),
        ("(有)こだま商店", "こ●●●●"),
        ("㈱みずほの里", "み●●●●"),
        ("あおば株式会社", "あ●●●●"),
    ],
)
def test_a_company_shows_its_first_character_without_its_legal_form(name, shown):
    assert masks.masked_company(name) == shown


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("東京都千代田区丸の内1-1-1", "東京都●●区…"),
        ("〒100-0005 東京都千代田区丸の内1-1-1", "東京都●●区…"),
        ("1000005\n東京都町田市森野2-2-22", "東京都●●市…"),
        ("神奈川県横浜市西区みなとみらい2", "神奈川県●●市…"),
        ("三重県四日市市諏訪町1-5", "三重県●●市…"),
        ("奈良県大和郡山市北郡山町248-4", "奈良県●●市…"),
        ("福島県郡山市朝日1-23-7", "福島県●●市…"),
        ("群馬県佐波郡玉村町下新田201", "群馬県●●郡…"),
        ("北海道余市郡余市町朝日町26", "北海道●●郡…"),
        ("京都府京都市中京区寺町通御池上る", "京都府●●市…"),
        ("東京都三宅村阿古497", "東京都●●村…"),
        ("東京都", "東京都●●…"),
        ("1-1 Marunouchi, Chiyoda-ku, Tokyo", "●●●●"),
        ("", "●●●●"),
    ],
)
def test_an_address_shows_the_prefecture_and_what_kind_of_town_it_is(address, shown):
    assert masks.masked_address(address) == shown


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("+819012341234", "090-****-1234"),
        ("09012341234", "090-****-1234"),
        ("03-1234-5678", "03-****-5678"),
        ("0467-22-1234", "0467-****-1234"),
        ("+12025550123", "****-0123"),
        ("110", "****"),
        ("not a number", "****"),
        ("", "****"),
    ],
)
def test_a_telephone_number_shows_its_first_group_and_its_last_four_digits(number, shown):
    assert masks.masked_telephone(number) == shown


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("a@example.jp", "a****@example.jp"),
        ("akiko.yamada@example.jp", "a****@example.jp"),
        ("no address", "****"),
    ],
)
def test_an_email_address_shows_its_first_character_and_its_domain(address, shown):
    assert masks.masked_email(address) == shown


def test_a_member_number_shows_its_last_group():
    assert masks.masked_member_number("123456789012") == "****-****-9012"


@pytest.mark.parametrize(
    ("account", "shown"),
    [
        ("かもめ銀行 本店 普通 1234567 ヤマダ タロウ", "****567"),
        ("0999-001 普通 " + "1234567".translate(FULL_WIDTH), "****567"),
        ("unknown", "****"),
    ],
)
def test_an_account_shows_three_digits_of_its_number(account, shown):
    assert masks.masked_account(account) == shown


@given(st.text(st.characters(categories=["Lo"]), min_size=2, max_size=60))
def test_a_mask_is_as_long_for_a_long_name_as_for_a_short_one(name):
    assert len(masks.masked_name(name)) == 5
    assert len(masks.masked_email(f"{name}@example.jp")) == len("a****@example.jp")


@pytest.mark.parametrize("mask", [masks.hidden, *MASKS])
@given(text=st.text(max_size=200))
def test_no_text_breaks_a_mask(mask, text):
    assert isinstance(mask(text), str)
