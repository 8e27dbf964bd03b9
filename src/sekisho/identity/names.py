"""Names as people write them: rare kanji kept, what cannot be seen kept out, and kana as banks write them."""

import re
import unicodedata
from enum import StrEnum

import jaconv

from sekisho.kernel.refusals import Refusal

NAME_MAX = 60
KANA_BYTES_MAX = 30
"""What a bank's record has room for, in half-width characters of one byte; a voiced mark takes one more."""

# Characters that come along when a name is copied, and that nobody sees: without meaning in a name.
_UNSEEN = dict.fromkeys(map(ord, "\u00ad\u200b\u2060\ufeff"))
# Compatibility ideographs are how some names are registered; normalising would change the name.
_COMPATIBILITY = re.compile("([\uf900-\ufaff\U0002f800-\U0002fa1f])")
_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_MARKS = frozenset("'-\N{RIGHT SINGLE QUOTATION MARK}\N{HYPHEN}・･.·ー々〆")
_MARKS_ON_ONE_MAX = 2
_KANA = re.compile(r"[ｱ-ﾝﾞﾟA-Z0-9()\-./ ]+")
_SMALL = str.maketrans("ァィゥェォッャュョヮヵヶヲヰヱ", "アイウエオツヤユヨワカケオイエ")
_DASHES = str.maketrans(
    dict.fromkeys("ー\u2010\u2011\u2012\u2013\u2014\u2015\u2212\uff0d\uff70", "-")
    | {"・": ".", "･": ".", "·": "."}
)


class NameFault(StrEnum):
    """What is wrong with a name."""

    EMPTY = "empty"
    """Nothing is left when spaces are taken away."""

    TOO_LONG = "too_long"
    """More than 60 characters, or kana of more than 30 bytes."""

    UNSEEN = "unseen"
    """A character that cannot be seen, or that turns the direction of writing."""

    PRIVATE = "private"
    """A character that only one company's machines know (gaiji)."""

    NOT_IN_NAMES = "not_in_names"
    """A character that no name has: a digit, a sign, a picture."""

    NOT_KANA = "not_kana"
    """The reading has a character that is not kana."""


class NameUnusable(Refusal):
    """A name is not taken; `fault` says why, and `position` (from 0) where, -1 where it is the whole."""

    code = "name_unusable"
    status = 422
    told = "The name has a character that we can't use, or is too long."

    def __init__(self, fault: NameFault, position: int = -1) -> None:
        self.fault = fault
        self.position = position
        super().__init__(known=f"{fault} at {position}")


def read_name(typed: str) -> str:
    """Return a name in the one form in which it is kept. Raises NameUnusable.

    Composed forms are taken (NFC), but compatibility ideographs and variation selectors stay what they are:
    a registered name is written with exactly these.
    """
    if len(typed) > 4 * NAME_MAX:
        raise NameUnusable(NameFault.TOO_LONG)
    name = _composed(" ".join(typed.translate(_UNSEEN).split()))
    if not name:
        raise NameUnusable(NameFault.EMPTY)
    marks = 0
    for position, character in enumerate(name):
        marks = marks + 1 if unicodedata.category(character) == "Mn" else 0
        fault = _fault(name, position, marks)
        if fault is not None:
            raise NameUnusable(fault, position)
    if len(_SELECTORS.sub("", name)) > NAME_MAX:
        raise NameUnusable(NameFault.TOO_LONG)
    return name


def read_kana(typed: str) -> str:
    """Return the reading of a name as banks write it: half-width, capital kana, at most 30 bytes.

    Hiragana, katakana of both widths and Latin capitals are taken. Raises NameUnusable.
    """
    if len(typed) > 4 * NAME_MAX:
        raise NameUnusable(NameFault.TOO_LONG)
    kana = as_banks_write(typed)
    if not kana:
        raise NameUnusable(NameFault.EMPTY)
    if not _KANA.fullmatch(kana):
        raise NameUnusable(NameFault.NOT_KANA)
    if len(kana) > KANA_BYTES_MAX:
        raise NameUnusable(NameFault.TOO_LONG)
    return kana


def as_banks_write(typed: str) -> str:
    """Return a text in the half-width capitals that banks write, as far as its characters have such forms.

    Both kinds of kana are taken, of both widths; what has no such form stays, for the caller to refuse.
    """
    full = jaconv.hira2kata(unicodedata.normalize("NFKC", typed.translate(_UNSEEN)))
    plain = full.upper().translate(_SMALL).translate(_DASHES)
    return " ".join(jaconv.z2h(plain, kana=True, ascii=True, digit=True).split())


def _composed(name: str) -> str:
    parts = _COMPATIBILITY.split(name)
    return "".join(
        part if _COMPATIBILITY.fullmatch(part) else unicodedata.normalize("NFC", part) for part in parts
    )


def _fault(name: str, position: int, marks: int) -> NameFault | None:
    character = name[position]
    if _SELECTORS.fullmatch(character):
        # A selector chooses the shape of the ideograph before it; anywhere else it is only unseen.
        before = name[position - 1] if position else " "
        return None if unicodedata.category(before) == "Lo" else NameFault.UNSEEN
    category = unicodedata.category(character)
    if category == "Co":
        return NameFault.PRIVATE
    if category.startswith("C") or category in {"Zl", "Zp"}:
        return NameFault.UNSEEN
    if category == "Mn":
        fits = position > 0 and marks <= _MARKS_ON_ONE_MAX
        return None if fits else NameFault.NOT_IN_NAMES
    is_letter = category.startswith("L") or category == "Mc"
    return None if is_letter or character == " " or character in _MARKS else NameFault.NOT_IN_NAMES
