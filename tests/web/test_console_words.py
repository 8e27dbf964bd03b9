"""Words: both languages say the same things, and nothing that the templates ask for is missing."""

import re
import string
import tomllib
from pathlib import Path

import pytest

import sekisho.guard.rules as guard_rules
import sekisho.web.console.words as spoken
from sekisho.guard.decisions import Action
from sekisho.guard.reasons import REASONS
from sekisho.web.console.words import Words, preferred

BOOK = tomllib.loads(Path(spoken.__file__).with_name("words.toml").read_text(encoding="utf-8"))
SAID = sorted(BOOK["say"].items())
KATAKANA_TO_AVOID = re.compile("チャレンジ|キャンペーン|ブロック|アカウント|アタック|ユーザ")


def placeholders(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize(("key", "words"), SAID, ids=[key for key, _ in SAID])
def test_both_languages_say_it_with_the_same_values(key, words):
    """A figure that stands in one language stands in the other."""
    assert set(words) == {"en", "ja"}, key
    assert placeholders(words["en"]) >= placeholders(words["ja"])
    assert words["en"].isascii() or key == "language"


@pytest.mark.parametrize(("key", "words"), SAID, ids=[key for key, _ in SAID])
def test_japanese_uses_a_japanese_word_where_there_is_one(key, words):
    """Katakana only where people say it."""
    assert not KATAKANA_TO_AVOID.search(words["ja"]), key


def test_every_word_is_said_somewhere():
    """Words that no page uses are gone."""
    web = Path(spoken.__file__).parents[1]
    files = [*(web / "templates" / "console").glob("*.html"), *(web / "console").glob("*.py")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in files)
    built = (
        "state_",
        "story_",
        "kind_",
        "next_",
        "networks",
        "reasons",
        *("now", "today", "meanwhile"),
        *Action,
    )
    unsaid = [
        key
        for key, _ in SAID
        if not re.search(rf"""['"]{key}['"]""", text) and not key.startswith(tuple(built))
    ]
    assert unsaid == []


def test_values_that_are_set_in_cannot_become_markup():
    """The words may hold markup, what is set into them never does."""
    said = Words("en")("story_stopped", stopped="<b>", failed=1)
    assert "&lt;b&gt;" in said


def test_every_reason_of_the_guard_has_words_in_both_languages():
    """What the guard gives as its reason, people can read; words for reasons that are gone are gone."""
    rules = {path.stem for path in Path(guard_rules.__file__).parent.glob("*.py")} - {"__init__"}
    assert set(BOOK["reason"]) == rules | set(REASONS)
    assert all(set(words) == {"en", "ja"} for words in BOOK["reason"].values())


def test_a_reason_without_words_is_shown_by_its_name():
    """A new rule shows up at once, in plain letters."""
    assert Words("ja").reason("brand_new_rule") == "brand new rule"


@pytest.mark.parametrize(
    ("asked", "language"),
    [("ja", "ja"), ("ja-JP,ja;q=0.9,en;q=0.8", "ja"), ("en-US,ja;q=0.5", "en"), ("fr,ja", "ja"), ("", "en")],
)
def test_the_browser_s_first_language_among_ours_is_taken(asked, language):
    """As browsers send it."""
    assert preferred(asked) == language
