"""How amounts, days and months are written on pages about money, and those pages with them."""

from collections.abc import Callable
from datetime import date
from typing import Any

from litestar import Response
from markupsafe import Markup

from sekisho.kernel.yen import Yen
from sekisho.web.members.rendering import WEEKDAYS
from sekisho.web.members.visits import Visit
from sekisho.web.words import Language

MINUS = "\N{MINUS SIGN}"


def in_yen(amount: Yen | int, language: Language) -> str:
    """Write an amount: `50,000円`, or `¥50,000`; a minus is one, and no hyphen."""
    yen = amount if isinstance(amount, Yen) else Yen(amount)
    written = yen.in_japanese() if language == "ja" else yen.in_english()
    return written.replace("-", MINUS)


def on_day(day: date | str, language: Language) -> str:
    """Write a day: `2026年11月21日(土)`, or `Sat 21 Nov 2026`."""
    day = date.fromisoformat(day) if isinstance(day, str) else day
    if language == "ja":
        return f"{day.year}年{day.month}月{day.day}日({WEEKDAYS[day.weekday()]})"
    return f"{day:%a} {day.day} {day:%b} {day.year}"


def in_month(month: date, language: Language) -> str:
    """Write a month: `2026年11月`, or `November 2026`."""
    return f"{month.year}年{month.month}月" if language == "ja" else f"{month:%B %Y}"


def show(visit: Visit, template: str, *, status: int = 200, **context: object) -> Response[Any]:
    """Answer with a page that can write amounts, days and months."""
    language = visit.language
    return visit.page(
        template,
        status=status,
        yen=_whole(in_yen, language),
        on=_whole(on_day, language),
        month_in_words=_whole(in_month, language),
        **context,
    )


def _whole(write: Callable[[Any, Language], str], language: Language) -> Callable[[Any], Markup]:
    """Return a writer for a language; what it writes stays on one line."""
    return lambda value: Markup('<span class="whole">{}</span>').format(write(value, language))
