"""Notices: what every one of them must say, and what none may."""

import hashlib
import re
import tomllib
from pathlib import Path

import pytest

from sekisho.messages.message import SMS_UNITS_MAX, Channel, Message, require_usable, sms_units
from sekisho.messages.notices import (
    NOTICES,
    NoticeKind,
    filled,
    harmless,
    moment,
    notice,
    notices,
)

WHEN_US = 1_795_237_500_000_000  # 14:05 in Japan
TELEPHONE = "0120-000-000"
INSTITUTIONS = {"ja": "あさぎりローン", "en": "Asagiri Loan"}
VALUES: dict[str, dict[str, str | int]] = {
    "ja": {
        "when": WHEN_US,
        "until": WHEN_US + 3 * 86_400_000_000,
        "device": "Windows の Chrome",
        "place": "東京都",
        "passkey": "仕事用の端末",
        "items": "自宅の住所、電話番号",
        "action": "登録情報の表示",
        "amount": 1_234_567,
        "partner": "かもめウォレット",
        "bank": "みさき",
        "stop_code": "BCDF-GHJK-LMNP",
        "reference": "QRST-VWXZ",
    },
    "en": {
        "when": WHEN_US,
        "until": WHEN_US + 3 * 86_400_000_000,
        "device": "Chrome on Windows",
        "place": "Tokyo",
        "passkey": "Work laptop",
        "items": "home address, telephone number",
        "action": "show personal data",
        "amount": 1_234_567,
        "partner": "Kamome Wallet",
        "bank": "みさき",
        "stop_code": "BCDF-GHJK-LMNP",
        "reference": "QRST-VWXZ",
    },
}
A_LINK = re.compile(r"https?|://|www\.|\w\.[a-z]{2,}\b(?!ress)", re.IGNORECASE)
WORDINGS = Path(__file__).with_name("notice_versions.toml")

every_notice = pytest.mark.parametrize("kind", list(NoticeKind))
every_language = pytest.mark.parametrize("language", ["ja", "en"])


def told(kind, language, **changes):
    values = {**VALUES[language], **changes}
    return notice(kind, language, INSTITUTIONS[language], TELEPHONE, values)


@every_notice
@every_language
def test_no_notice_has_a_link(kind, language):
    """Phishers copy notices, link and all: ours have none that could be taken for theirs."""
    text = told(kind, language)
    for part in (text.subject, text.text, text.sms_text):
        assert not A_LINK.search(part)


@every_notice
@every_language
def test_every_notice_says_what_when_where_and_what_to_do(kind, language):
    text = told(kind, language)
    facts = notices()[kind].facts
    assert "when" in facts
    time = moment(WHEN_US, language)
    for part in (text.text, text.sms_text):
        assert time in part
        assert TELEPHONE in part
        assert INSTITUTIONS[language] in part
        assert not re.search(r"[{}]", part)
    if "amount" in facts:
        assert {"ja": "1,234,567円", "en": "¥1,234,567"}[language] in text.text
    for fact in set(facts) - {"when", "until", "amount"}:
        assert VALUES[language][fact] in text.text
    for phrase in {"ja": ("いつもの方法で", "リンクは載せていません"), "en": ("as you always do", "no link")}[
        language
    ]:
        assert phrase in text.text


@every_notice
@every_language
def test_every_notice_is_a_message_that_can_be_sent(kind, language):
    """By text message in a few parts, and by mail."""
    text = told(kind, language)
    assert sms_units(text.sms_text) <= SMS_UNITS_MAX
    assert sms_units(text.sms_text) <= {"ja": 3 * 70, "en": 2 * 153}[language]
    plain = {"dedupe": "x", "kind": text.kind, "language": language}
    require_usable(Message(channel=Channel.SMS, to="+819012345678", text=text.sms_text, **plain))
    require_usable(
        Message(channel=Channel.EMAIL, to="a@member.example", subject=text.subject, text=text.text, **plain)
    )


@every_notice
@every_language
def test_every_placeholder_is_a_fact_that_the_notice_needs(kind, language):
    wording = notices()[kind].wording(language)
    named = set(re.findall(r"\{(\w+)\}", wording.sms))
    assert named <= {*notices()[kind].facts, "telephone"}
    assert not re.findall(r"[{}]", wording.subject + wording.what + wording.todo)


@every_notice
def test_a_fact_that_is_missing_is_noticed_at_once(kind):
    for fact in notices()[kind].facts:
        values = {name: value for name, value in VALUES["ja"].items() if name != fact}
        with pytest.raises(KeyError):
            notice(kind, "ja", "x", TELEPHONE, values)


def test_words_that_changed_have_a_new_version():
    """Whoever changes a notice raises its version and writes the new digest down here."""
    found = tomllib.loads(NOTICES.read_text(encoding="utf-8"))
    digests = {
        f"{kind}:{words['version']}": hashlib.sha256(repr(sorted(words.items())).encode()).hexdigest()[:16]
        for kind, words in found.items()
    }
    assert digests == tomllib.loads(WORDINGS.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("language", "expected"),
    [("ja", "2026年11月21日(土)14:05"), ("en", "Sat 21 November 2026, 14:05 (Japan time)")],
)
def test_times_are_those_of_japan(language, expected):
    assert moment(WHEN_US, language) == expected


def test_midnight_in_japan_is_the_next_day():
    assert moment(1_795_273_200_000_000, "ja") == "2026年11月22日(日)00:00"


@pytest.mark.parametrize(
    "named",
    [
        "http://lender-login.example/",
        "lender-login.example",
        "evil。example",
        "call 0120-999-888",
        "電話 \uff10\uff11\uff12\uff10\uff19\uff19\uff19\uff18\uff18\uff18",
        "a\u202eb\u200bc\nd",
        "{telephone}",
        "<b>x</b>",
        "x" * 5_000,
    ],
)
@every_language
def test_what_somebody_typed_becomes_no_link_and_no_number_to_call(named, language):
    """A passkey's name comes from whoever added it, which may be the thief."""
    for kind in (NoticeKind.PASSKEY_ADDED, NoticeKind.PASSKEY_REMOVED):
        text = told(kind, language, passkey=named, device=named, place=named)
        for part in (text.subject, text.text, text.sms_text):
            assert not A_LINK.search(part)
            assert "999" not in part
            assert "\uff19" * 3 not in part
            assert not re.search(r"[{}<>\u202e\u200b。]example", part)
        assert sms_units(text.sms_text) <= SMS_UNITS_MAX


def test_an_unknown_place_is_called_unknown():
    assert "場所：不明" in told(NoticeKind.LOGIN_NEW_DEVICE, "ja", place="").text  # noqa: RUF001 - Japanese
    assert "Place: unknown" in told(NoticeKind.LOGIN_NEW_DEVICE, "en", place="").text


def test_names_of_browsers_and_places_stay_as_they_are():
    assert harmless("Windows の Chrome (仕事用)、東京都") == "Windows の Chrome (仕事用)、東京都"
    assert harmless("iPhone の Safari 18") == "iPhone の Safari 18"


def test_a_values_own_braces_are_not_filled():
    assert filled("{a} {b}", {"a": "{b}", "b": "x"}) == "{b} x"


def test_a_time_is_a_number():
    with pytest.raises(TypeError, match="when"):
        told(NoticeKind.LOGIN_NEW_DEVICE, "ja", when="2026年11月21日")


def test_a_language_that_we_do_not_have_is_japanese():
    assert told(NoticeKind.PASSWORD_CHANGED, "ja") == notice(
        NoticeKind.PASSWORD_CHANGED, "fr", INSTITUTIONS["ja"], TELEPHONE, VALUES["ja"]
    )
