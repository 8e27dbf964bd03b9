"""The member pages say the same things in both languages, and nothing that they ask for is missing."""

import re
import string
from pathlib import Path

import pytest

import sekisho.web.members as member_pages
import sekisho.web.post as post_pages
from sekisho.identity.holds import HoldKind
from sekisho.identity.members import MemberState
from sekisho.identity.names import NameFault
from sekisho.identity.password_rules import PasswordFault
from sekisho.identity.personal_data import Item
from sekisho.identity.sign_ins import LoginResult, LoginWay
from sekisho.lender.line_checks import CLOSING, NOT_CHECKED
from sekisho.lender.screening import Finding
from sekisho.web.members.rendering import Renderer, day, member_number, moment
from sekisho.web.members.security_page import DONE
from sekisho.web.members.site import PLACES
from sekisho.web.words import read_book

MEMBERS = Path(member_pages.__file__).parent
WEB = MEMBERS.parent
BOOK = Renderer().book
POST_BOOK = read_book([Path(post_pages.__file__).with_name("words.toml")])
SAID = sorted(BOOK["say"].items()) + sorted((f"post:{key}", words) for key, words in POST_BOOK["say"].items())
KATAKANA_TO_AVOID = re.compile("チャレンジ|ブロック|アカウント|アタック|ユーザ|クリック|エラー")
HALF_WIDTH_COLON = re.compile(r"[^\x00-\x7f]:|:[^\x00-\x7f]")


STOPPED = frozenset(MemberState) - {MemberState.OPEN}


def placeholders(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize(("key", "words"), SAID, ids=[key for key, _ in SAID])
def test_both_languages_say_it_with_the_same_values(key, words):
    """A value that stands in one language stands in the other."""
    assert set(words) == {"en", "ja"}
    assert placeholders(words["en"]) == placeholders(words["ja"])
    # An example of a Japanese name is Japanese in English, too.
    assert words["en"].isascii() or key.endswith(("language", "_hint"))


@pytest.mark.parametrize(("key", "words"), SAID, ids=[key for key, _ in SAID])
def test_japanese_is_written_as_japanese_is(key, words):
    """No katakana where there is a Japanese word, and full-width colons between Japanese letters."""
    assert not KATAKANA_TO_AVOID.search(words["ja"]), key
    assert not HALF_WIDTH_COLON.search(words["ja"]), key


def test_every_key_that_is_built_has_words():
    """States, faults, items and places are named by what they are."""
    built = {
        *(f"item_{item}" for item in Item),
        *(f"name_{fault}" for fault in NameFault if fault is not NameFault.EMPTY),
        *(f"password_{fault}" for fault in PasswordFault),
        *(f"result_{result}" for result in LoginResult),
        *(f"way_{way}" for way in LoginWay),
        *(f"security_done_{done}" for done in DONE),
        *(f"hold_{kind}" for kind in HoldKind),
        *(f"application_finding_{finding}" for finding in Finding),
        *(f"loan_closed_{why}" for why in (*CLOSING, NOT_CHECKED)),
        *(f"place_{place[1:] or 'home'}" for place in PLACES),
        *(
            f"stopped_{part}_{state}"
            for part in ("title", "means", "do")
            for state in MemberState
            if state != "open"
        ),
    }
    assert built - set(BOOK["say"]) == set()


def test_every_word_is_said_somewhere():
    """Words that no page uses are gone."""
    files = [*WEB.glob("templates/**/*.html"), *WEB.glob("**/*.py")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in files)
    # A key that is put together stands in the text by its beginning: `"hold_" ~ kind`, f"prove_{level}".
    begun = set(re.findall(r"""["']([a-z][a-z_]*_)["'] ~""", text)) | set(
        re.findall(r"""f["']([a-z][a-z_]*_)\{""", text)
    )
    ended = re.compile(r"\w+_(title|means|do|hint|wrong|unusable|more|go|now)|number_not_served")
    unsaid = [
        key
        for key in BOOK["say"]
        if not re.search(rf"""['"]{key}['"]""", text)
        and not ended.fullmatch(key)
        and not any(key.startswith(beginning) for beginning in begun)
    ]
    assert unsaid == []


def test_times_and_numbers_are_written_as_people_read_them():
    """In Japan's time, with the weekday; a member number in groups of four."""
    at_us = 1_795_237_500_000_000
    assert moment(at_us, "ja") == "2026年11月21日(土)14:05"
    assert moment(at_us, "en") == "Sat 21 Nov 2026, 14:05"
    assert day(at_us, "ja") == "2026年11月21日(土)"
    assert member_number("123456789012") == "1234 5678 9012"
