"""From what a page is about to HTML: one set of templates for every institution with members."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from sekisho.identity.browser_names import browser_in_words
from sekisho.kernel.japan import in_japan
from sekisho.web.words import LANGUAGES, Language, Words, read_book

WEEKDAYS = "月火水木金土日"
NUMBER_GROUP = 4
TO = "\N{EN DASH}"

_WORDS = Path(__file__).with_name("words")


def member_number(number: str) -> str:
    """Write a member number in groups of four, as it is printed on the card."""
    return " ".join(number[start : start + NUMBER_GROUP] for start in range(0, len(number), NUMBER_GROUP))


def day(at_us: int, language: Language) -> str:
    """Write a moment's day in Japan: `2026年11月21日(土)`, or `Sat 21 Nov 2026`."""
    moment = in_japan(at_us)
    if language == "ja":
        return f"{moment.year}年{moment.month}月{moment.day}日({WEEKDAYS[moment.weekday()]})"
    return f"{moment:%a} {moment.day} {moment:%b} {moment.year}"


def moment(at_us: int, language: Language) -> str:
    """Write a moment in Japan to the minute: `2026年11月21日(土)14:05`, or `Sat 21 Nov 2026, 14:05`."""
    between = "" if language == "ja" else ", "
    return f"{day(at_us, language)}{between}{in_japan(at_us):%H:%M}"


def span(from_us: int, until_us: int, language: Language) -> Markup:
    """Write from when until when in Japan, and nothing twice: `Sat 21 Nov 2026, 14:05-15:30`."""
    begins, ends = moment(from_us, language), moment(until_us, language)
    one = Markup('<time class="moment">{}</time>')
    if begins == ends:
        return one.format(begins)
    if day(from_us, language) == day(until_us, language):
        return one.format(f"{begins}{TO}{in_japan(until_us):%H:%M}")
    return one.format(begins) + f" {TO} " + one.format(ends)


def short_moment(at_us: int) -> str:
    """Write a moment in Japan where there is little room: `11/21 14:05`."""
    return f"{in_japan(at_us):%m/%d %H:%M}"


class Renderer:
    """Renders pages in a language. It is made once for an application."""

    def __init__(self) -> None:
        self.book = read_book(sorted(_WORDS.glob("*.toml")))
        self._environment = Environment(
            loader=PackageLoader("sekisho.web"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters.update(member_number=member_number, browser_in_words=browser_in_words)
        self._words = {language: Words(self.book, language) for language in LANGUAGES}

    def words(self, language: Language) -> Words:
        """Return the words of a language."""
        return self._words[language]

    def page(self, template: str, language: Language, context: dict[str, object]) -> str:
        """Return a page. Raises a TemplateError where the context lacks what the template asks for."""
        return self._environment.get_template(template).render(
            **context,
            w=self._words[language],
            moment=_spoken(moment, language),
            day=_spoken(day, language),
            short=short_moment,
            span=partial(span, language=language),
        )


def _spoken(write: Callable[[int, Language], str], language: Language) -> Callable[[int], Markup]:
    """Return the writer of moments for a language; what it writes stays on one line where it can."""
    return lambda at_us: Markup('<time class="moment">{}</time>').format(write(at_us, language))
