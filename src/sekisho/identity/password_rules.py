"""What a new password may be: long enough, not a common one, none of the member's own words, not leaked.

There are no rules of composition and no expiry: they make passwords worse (NIST SP 800-63B-4, 3.1.1.2). Eight
characters are the least that is allowed beside a second factor, which everybody has here.
"""

import re
import unicodedata
from collections.abc import Iterable
from enum import StrEnum
from functools import cache
from importlib import resources

from sekisho.kernel.refusals import Refusal

LENGTH_MIN = 8
LENGTH_MAX = 256
"""Far beyond what anybody types, and short enough to be handled at no cost."""

OWN_WORD_MIN = 4
"""Shorter words of the member's own are not looked for, but for kanji and kana: two of these are a name."""

_OWN_NAME_MIN = 2
REST_MIN = 6
"""So many characters must be left when what is common or the member's own has been taken away."""

_WORD_MIN = 4
_RUN_MIN = 4
_ROWS = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "azertyuiop",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "qazwsxedcrfvtgbyhnujmikolp",
    "!@#$%^&*()",
)
_LINES = tuple(line for row in _ROWS for line in (row, row[::-1]))
_RUN_STARTS = frozenset(
    line[start : start + _RUN_MIN] for line in _LINES for start in range(len(line) - _RUN_MIN + 1)
)
_DATES = re.compile(r"(?:19|20)[0-9]{2}(?:[-/.]?[01][0-9][-/.]?[0-3][0-9])?")
_REPEATED = re.compile(r"(.)\1{2,}|(.{2,8}?)\2+")
# Letters that people write as digits and signs.
_DISGUISES = str.maketrans("@4831!|05$7", "aabeiiiosst")


class PasswordFault(StrEnum):
    """What is wrong with a new password."""

    TOO_SHORT = "too_short"
    """Fewer than eight characters."""

    TOO_LONG = "too_long"
    """More than 256 characters."""

    COMMON = "common"
    """One that many people take, or little more than that."""

    OWN_WORDS = "own_words"
    """Little more than the member's own name, address, number, birth date, or the name of the institution."""

    LEAKED = "leaked"
    """It stands on a list of leaked passwords."""


class PasswordUnfit(Refusal):
    """The new password is not taken; `fault` says why."""

    code = "password_unfit"
    status = 422
    told = "Please choose another password."

    def __init__(self, fault: PasswordFault) -> None:
        self.fault = fault
        super().__init__(known=fault.value)


def fault_of(password: str, own_words: Iterable[str] = ()) -> PasswordFault | None:
    """Say what is wrong with a new password, None where nothing is; whether it leaked is asked elsewhere.

    Each code point counts as one character. `own_words` are what is known of the member.
    """
    if len(password) < LENGTH_MIN:
        return PasswordFault.TOO_SHORT
    if len(password) > LENGTH_MAX:
        return PasswordFault.TOO_LONG
    if is_common(password):
        return PasswordFault.COMMON
    own = sorted({part for word in own_words for part in _parts(word)}, key=lambda part: (-len(part), part))
    if own and _left(plain(password), own) < REST_MIN:
        return PasswordFault.OWN_WORDS
    return None


def is_common(password: str) -> bool:
    """Say whether a password is one that many people take, in any of its usual disguises.

    What is longer than a password may be is nobody's, and is not looked through.
    """
    if len(password) > LENGTH_MAX:
        return False
    typed = plain(password)
    return any(_left(each, _common_in(each)) < REST_MIN for each in {typed, typed.translate(_DISGUISES)})


def plain(text: str) -> str:
    """Return a text as it is compared: compatible characters made one, and no difference of case."""
    return unicodedata.normalize("NFKC", text).casefold()


def _left(text: str, taken: list[str]) -> int:
    """Count what is left of a text without these words, and without dates, runs and repetitions."""
    for word in taken:
        text = text.replace(word, "\0")
    once = _REPEATED.sub(lambda match: match[1] or match[2], _DATES.sub("\0", text))
    return len(_without_runs(once).replace("\0", ""))


def _without_runs(text: str) -> str:
    kept = []
    start = 0
    while start < len(text):
        if text[start : start + _RUN_MIN] not in _RUN_STARTS:
            kept.append(text[start])
            start += 1
            continue
        end = start + _RUN_MIN
        while end < len(text) and any(text[start : end + 1] in line for line in _LINES):
            end += 1
        start = end
    return "".join(kept)


def _common_in(text: str) -> list[str]:
    common, longest = _common(), _longest()
    found = {
        text[start:end]
        for start in range(len(text))
        for end in range(start + _WORD_MIN, min(start + longest, len(text)) + 1)
        if text[start:end] in common
    }
    return sorted(found, key=lambda word: (-len(word), word))


@cache
def _common() -> frozenset[str]:
    text = resources.files("sekisho.identity").joinpath("common_passwords.txt").read_text(encoding="utf-8")
    return frozenset(line for line in text.splitlines() if line and not line.startswith("#"))


@cache
def _longest() -> int:
    return max(map(len, _common()))


def _parts(word: str) -> list[str]:
    whole = plain(word)
    digits = "".join(character for character in whole if character.isdecimal())
    pieces = {whole, digits, digits[-OWN_WORD_MIN:], *re.split(r"[\W_]+", whole)}
    return [piece for piece in pieces if len(piece) >= (OWN_WORD_MIN if piece.isascii() else _OWN_NAME_MIN)]
