"""The words of the console, in English and Japanese, as `words.toml` holds them."""

from pathlib import Path

from sekisho.web import words
from sekisho.web.words import LANGUAGES, Language, chosen, preferred

__all__ = ["LANGUAGES", "Language", "Words", "chosen", "preferred"]

REST = "…"

_BOOK = words.read_book([Path(__file__).with_name("words.toml")])


class Words(words.Words):
    """Speaks one language, and knows the guard's reasons in it."""

    def __init__(self, language: Language) -> None:
        super().__init__(_BOOK, language)

    def reason(self, name: str) -> str:
        """Return a reason as people say it; one that has no words yet is shown by its name."""
        if name == REST:
            return str(self("rest"))
        return self.section("reason", name) or name.replace("_", " ")
