"""The words of the console, in English and Japanese, as `words.toml` holds them."""

import tomllib
from pathlib import Path
from typing import Literal

from markupsafe import Markup, escape

Language = Literal["en", "ja"]
LANGUAGES: tuple[Language, ...] = ("en", "ja")
REST = "…"

_BOOK = tomllib.loads(Path(__file__).with_name("words.toml").read_text(encoding="utf-8"))


class Words:
    """Speaks one language: `words("key", name=value)` is the sentence with its values set in."""

    def __init__(self, language: Language) -> None:
        self.language: Language = language

    def __call__(self, key: str, **values: object) -> Markup:
        """Return the words of a key; what is set in is escaped, the words themselves may hold markup."""
        text = Markup(_BOOK["say"][key][self.language])  # noqa: S704 - our own words, from our own file
        return text.format(**{name: escape(value) for name, value in values.items()}) if values else text

    def reason(self, name: str) -> str:
        """Return a reason as people say it; one that has no words yet is shown by its name."""
        if name == REST:
            return str(self("rest"))
        said: str = _BOOK["reason"].get(name, {}).get(self.language, name.replace("_", " "))
        return said


def preferred(accept_language: str) -> Language:
    """Return the language that a browser asks for first among ours; English where it asks for neither."""
    for part in accept_language.split(","):
        tag = part.partition(";")[0].strip().lower()[:2]
        for language in LANGUAGES:
            if tag == language:
                return language
    return "en"
