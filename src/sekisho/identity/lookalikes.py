"""Hosts that want to be taken for ours: by letters that look alike, by a slip of the finger, by our name
inside another domain.

Only hosts of ASCII letters are protected, which ours are, so that everything that looks like such a letter
is read as it. The table holds the letters of Cyrillic, Greek, Armenian and Latin extensions that fonts draw
like ASCII ones; accents fall away by decomposition (https://unicode.org/reports/tr39/ has the idea).
"""

import re
import tomllib
import unicodedata
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

_TABLES = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
_SKELETON = str.maketrans(
    {other: letter for letter, others in _TABLES["letters"].items() for other in others}
)
_TWO_AS_ONE = (("rn", "m"), ("vv", "w"), ("cl", "d"))

_ANYBODY_S = frozenset(_TABLES["anybody_s"])
_NAME_CHARS_MIN = 4
_ONE_SLIP_CHARS_MIN = 4
_TWO_SLIPS_CHARS_MIN = 8
_HOST_CHARS_MAX = 253


class Likeness(StrEnum):
    """What another host is to ours."""

    OURS = "ours"
    """It is our host, or lies below it."""

    LOOKALIKE = "lookalike"
    """A person may take it for ours."""

    OTHER = "other"
    """It has nothing to do with ours."""


def likeness(host: str, ours: str, names: Sequence[str] = ()) -> Likeness:
    """Compare a host, as a browser names it, with ours; `names` are our names as people write them."""
    host, ours = _host(host), _host(ours)
    if host == ours or host.endswith("." + ours):
        return Likeness.OURS
    told = [*(label for label in ours.split(".") if _tells(label)), *names]
    mine = {name for name in map(_skeleton, told) if len(name) >= _NAME_CHARS_MIN}
    theirs = _skeleton(host)
    same_letters = theirs == _skeleton(ours) or _squeezed(ours) in _squeezed(host)
    inside = any(name in theirs for name in mine)
    slipped = any(_slipped(label, name) for label in _labels(host) for name in mine)
    if same_letters or inside or slipped or _slipped(theirs, _skeleton(ours)):
        return Likeness.LOOKALIKE
    return Likeness.OTHER


def _host(text: str) -> str:
    host = text.strip().lower().rstrip(".")[:_HOST_CHARS_MAX]
    return ".".join(_decoded(label) for label in host.split("."))


def _decoded(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    try:
        return label[4:].encode("ascii").decode("punycode").lower()
    except (UnicodeError, ValueError):
        return label


def _tells(label: str) -> bool:
    return len(label) >= _NAME_CHARS_MIN and label not in _ANYBODY_S


def _labels(host: str) -> list[str]:
    """Return the parts between dots and between hyphens, as they look."""
    parts = [label for label in host.split(".") if label not in _ANYBODY_S]
    pieces = [piece for label in parts for piece in label.split("-")]
    return [_skeleton(part) for part in {*parts, *pieces} if part]


def _skeleton(text: str) -> str:
    """Return a text as the eye sees it: without accents, dots and hyphens, look-alike letters as one."""
    plain = unicodedata.normalize("NFKD", text.lower())
    plain = "".join(char for char in plain if not unicodedata.combining(char)).translate(_SKELETON)
    for two, one in _TWO_AS_ONE:
        plain = plain.replace(two, one)
    return re.sub(r"[\W_]+", "", plain)


def _squeezed(host: str) -> str:
    return re.sub(r"[^a-z0-9]+", "", host)


def _slipped(text: str, name: str) -> bool:
    if len(name) < _ONE_SLIP_CHARS_MIN:
        return False
    slips = 2 if len(name) >= _TWO_SLIPS_CHARS_MIN else 1
    return abs(len(text) - len(name)) <= slips and _distance(text, name) <= slips


def _distance(one: str, other: str) -> int:
    """Return how many letters must be changed, added, left out or swapped with their neighbour."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for at, letter in enumerate(one, 1):
        before, last, row = row, before, [at]
        for to, wanted in enumerate(other, 1):
            cost = min(before[to] + 1, row[to - 1] + 1, before[to - 1] + (letter != wanted))
            if at > 1 and to > 1 and (letter, one[at - 2]) == (other[to - 2], wanted):
                cost = min(cost, last[to - 2] + 1)
            row.append(cost)
    return row[-1]
