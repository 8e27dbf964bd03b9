"""What the papers say, in Japanese or English: the phrases of phrases.toml, times, sums and numbers."""

import re
import tomllib
from datetime import date
from functools import cache
from pathlib import Path
from typing import Final, Literal, NamedTuple

import msgspec

from sekisho.kernel.yen import Yen
from sekisho.messages.notices import moment
from sekisho.response.reports.figures import Figure

PHRASES = Path(__file__).with_name("phrases.toml")
Language = Literal["ja", "en"]
LANGUAGES: Final[tuple[Language, ...]] = ("ja", "en")
APPENDIX_MARK = re.compile(r"〔\d+〕| \[\d+\]")  # noqa: RUF001 - brackets of Japanese text


class Phrase(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A phrase in both languages; `en_one` where English says it otherwise of one thing."""

    ja: str
    en: str
    en_one: str = ""


@cache
def phrases() -> dict[str, Phrase]:
    """Return the phrases by name."""
    return msgspec.convert(tomllib.loads(PHRASES.read_text(encoding="utf-8")), dict[str, Phrase])


def language_of(preferred: str) -> Language:
    """Return the language of a paper to somebody who prefers one: Japanese where we do not write theirs."""
    return "en" if preferred == "en" else "ja"


class Say(NamedTuple):
    """Says things in one language."""

    language: Language

    def __call__(self, name: str, /, **values: str) -> str:
        """Return a phrase with values in the place of their names."""
        phrase = phrases()[name]
        return (phrase.en if self.language == "en" else phrase.ja).format(**values)

    def when(self, at_us: int | None) -> str:
        """Write a time, or say that it is being looked into."""
        return self("unknown") if at_us is None else moment(at_us, self.language)

    def day(self, day: date) -> str:
        """Write a day: `2026年11月16日`, `16 November 2026`."""
        if self.language == "en":
            return f"{day.day} {day:%B} {day.year}"
        return f"{day.year}年{day.month}月{day.day}日"

    def counted(self, figure: Figure, what: str) -> str:
        """Write how many of a thing there are, with the figure's place in the appendix."""
        phrase = phrases()[what]
        is_one = self.language == "en" and figure.value == 1 and phrase.en_one
        shape = phrase.en_one if is_one else phrase.en if self.language == "en" else phrase.ja
        return shape.format(count=f"{figure.value:,}") + self._mark(figure)

    def yen(self, figure: Figure) -> str:
        """Write a sum with its place in the appendix."""
        yen = Yen(figure.value)
        return (yen.in_english() if self.language == "en" else yen.in_japanese()) + self._mark(figure)

    def cases_and_yen(self, found: tuple[Figure, Figure]) -> str:
        """Write how many cases of how much."""
        return self("cases_and_yen", cases=self.counted(found[0], "cases"), yen=self.yen(found[1]))

    def _mark(self, figure: Figure) -> str:
        return self("mark", number=str(figure.number))


def without_marks(words: str) -> str:
    """Take from a text the numbers that lead to the appendix."""
    return APPENDIX_MARK.sub("", words)
