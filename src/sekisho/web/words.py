"""Words in two languages, side by side in TOML files, and the language that a browser asks for."""

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

from markupsafe import Markup, escape

Language = Literal["en", "ja"]
LANGUAGES: tuple[Language, ...] = ("en", "ja")
Book = dict[str, dict[str, dict[str, str]]]


def read_book(paths: Iterable[Path]) -> Book:
    """Read word files into one book, section by section. Raises ValueError where two files hold one key."""
    book: dict[str, dict[str, Any]] = {}
    for path in paths:
        for section, entries in tomllib.loads(path.read_text(encoding="utf-8")).items():
            kept = book.setdefault(section, {})
            twice = kept.keys() & entries.keys()
            if twice:
                raise ValueError(f"{path.name}: {sorted(twice)} stand in another file as well")
            kept.update(entries)
    return book


class Words:
    """Speaks one language: `words("key", name=value)` is the sentence with its values set in."""

    def __init__(self, book: Book, language: Language) -> None:
        self.language: Language = language
        self._book = book

    def __call__(self, key: str, **values: object) -> Markup:
        """Return the words of a key; what is set in is escaped, the words themselves may hold markup."""
        text = Markup(self._book["say"][key][self.language])  # noqa: S704 - our own words, from our own files
        return text.format(**{name: escape(value) for name, value in values.items()}) if values else text

    def has(self, key: str) -> bool:
        """Say whether there are words for a key."""
        return key in self._book["say"]

    def section(self, section: str, key: str) -> str | None:
        """Return the plain words of a key in another section, None where it has none."""
        return self._book.get(section, {}).get(key, {}).get(self.language)


def chosen(name: str) -> Language | None:
    """Return the language of that name, None where we do not speak it."""
    return next((language for language in LANGUAGES if language == name), None)


def preferred(accept_language: str, otherwise: Language = "en") -> Language:
    """Return the language that a browser asks for first among ours, or `otherwise` where it asks for none."""
    for part in accept_language.split(","):
        tag = part.partition(";")[0].strip().lower()[:2]
        for language in LANGUAGES:
            if tag == language:
                return language
    return otherwise
