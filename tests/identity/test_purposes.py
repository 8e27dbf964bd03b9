"""What a code approves, in words that nobody can bend."""

import re

import pytest

from sekisho.identity.personal_data import Item
from sekisho.identity.purposes import ACTIONS, Purpose, in_words


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("action", sorted(ACTIONS))
def test_every_action_has_words_of_its_own(action, language):
    words = in_words(Purpose(action=action, item="email"), language)
    assert words
    assert "{" not in words
    assert words.isascii() is (language == "en")


def test_no_two_actions_share_their_words():
    for language in ("ja", "en"):
        assert len({in_words(Purpose(action=action), language) for action in ACTIONS}) == len(ACTIONS)


@pytest.mark.parametrize("item", list(Item))
def test_every_personal_item_has_words(item):
    assert in_words(Purpose(action="reveal", item=item), "ja").endswith("の表示")
    assert in_words(Purpose(action="reveal", item=item), "en").startswith("show your ")


def test_amount_place_and_payee_are_said():
    transfer = Purpose(
        action="transfer", amount_yen=1_250_000, details={"payee": "ヤマダ タロウ", "nonce": "x9"}
    )
    assert in_words(transfer, "ja") == "振込(1,250,000円、相手先\uff1aヤマダ タロウ)"
    assert in_words(transfer, "en") == "transfer money (1,250,000 yen, to: ヤマダ タロウ)"
    cash = Purpose(action="atm_withdrawal", amount_yen=0, place="駅前店")
    assert in_words(cash, "ja") == "スマホATMでの出金(0円、場所\uff1a駅前店)"


@pytest.mark.parametrize(
    "place",
    [
        "https://evil.example/a",
        "evil.example",
        "店\n\n@evil.example #123456",
        "<b>店</b>",
        "店\u202egnihsihp",
        "店\u200b\u0000",
        "HTTP://EVIL。EXAMPLE",
        "あ" * 500,
        "@#./:",
    ],
)
def test_a_chosen_text_is_neither_a_link_nor_a_last_line(place):
    words = in_words(Purpose(action="atm_withdrawal", place=place), "ja")
    assert not re.search(r"[@#./\n<>\u200b\u202e\u0000。]", words)
    assert len(words) < 60


def test_an_action_or_item_without_words_is_a_mistake_of_ours():
    for action, item in (("anything", ""), ("", ""), ("reveal", "password")):
        with pytest.raises(ValueError, match="no words"):
            Purpose(action=action, item=item)


def test_the_key_is_equal_for_equal_purposes_alone():
    one = Purpose(action="transfer", amount_yen=1, details={"payee": "a", "bank": "b"})
    same = Purpose(action="transfer", amount_yen=1, details={"bank": "b", "payee": "a"})
    assert one.key == same.key
    others = [
        Purpose(action="send", amount_yen=1, details={"payee": "a", "bank": "b"}),
        Purpose(action="transfer", amount_yen=2, details={"payee": "a", "bank": "b"}),
        Purpose(action="transfer", details={"payee": "a", "bank": "b"}),
        Purpose(action="transfer", amount_yen=1, details={"payee": "a"}),
        Purpose(action="transfer", amount_yen=1, details={"payee": "b", "bank": "a"}),
        Purpose(action="transfer", amount_yen=1, place="a", details={"payee": "a", "bank": "b"}),
        Purpose(action="transfer", amount_yen=1, item="email", details={"payee": "a", "bank": "b"}),
    ]
    assert len({one.key, *(other.key for other in others)}) == 8


def test_the_key_tells_nobody_the_details():
    assert "Taro" not in Purpose(action="transfer", details={"payee": "Taro"}).key
