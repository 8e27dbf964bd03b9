"""The functions that can be switched off, and the ways that may be named as open: their words for members."""

import tomllib
from enum import StrEnum
from functools import cache
from pathlib import Path

import msgspec

CATALOGUE = Path(__file__).with_name("functions.toml")

EVERY = "*"
"""Stands for every function."""


class Direction(StrEnum):
    """Where money goes, seen from the member's account with us."""

    OUT = "out"
    """It leaves."""

    IN = "in"
    """It comes."""

    NONE = "none"
    """It stays; what changes is where money or codes will go."""


class Function(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One function, or a way that can only be named. Its words continue a sentence.

    `gates` are those of the attempt record through which it is used; none where no gate sees it.
    """

    ja: str
    en: str
    direction: Direction | None = None
    gates: tuple[str, ...] = ()

    def words(self, language: str) -> str:
        """Return what it is called in `ja` or `en`."""
        return self.ja if language == "ja" else self.en


@cache
def functions() -> dict[str, Function]:
    """Return everything that may be named, by name."""
    return msgspec.convert(tomllib.loads(CATALOGUE.read_text(encoding="utf-8")), dict[str, Function])


def is_switchable(name: str) -> bool:
    """Say whether a name is a function that a switch can stop."""
    found = functions().get(name)
    return name == EVERY or (found is not None and found.direction is not None)


def direction_of(name: str) -> Direction | None:
    """Return where a function moves money; None where we do not know the function."""
    found = functions().get(name)
    return None if found is None else found.direction


def in_words(names: tuple[str, ...], language: str) -> str:
    """Write names one after the other, as members read them."""
    words = [functions()[name].words(language) for name in names]
    if language == "ja":
        return "、".join(words)
    return " and ".join(part for part in (", ".join(words[:-1]), words[-1]) if part) if words else ""
