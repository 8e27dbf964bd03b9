"""What stands on the pages of a report: values, so that a version can be kept, compared and set again."""

import msgspec

from sekisho.response.reports.figures import Figure
from sekisho.response.reports.phrases import Language, Say, without_marks


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """A heading with paragraphs, rows of a table, or both."""

    heading: str
    paragraphs: tuple[str, ...] = ()
    rows: tuple[tuple[str, str], ...] = ()


class SheetFigure(msgspec.Struct, frozen=True):
    """A figure in the appendix. A query that gives several figures stands there once."""

    number: int
    value: int
    query: str


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """A report. `mark` stands at the head of a draft.

    The `figures` are kept with every version; what leaves for the authorities shows them in an `appendix`.
    """

    title: str
    subtitle: str
    mark: str
    day: str
    to: str
    sender: tuple[str, ...]
    opening: tuple[str, ...]
    sections: tuple[Section, ...]
    closing: tuple[str, ...] = ()
    figures: tuple[SheetFigure, ...] = ()
    appendix: bool = True
    made: tuple[int, int, int, int, int, int]
    language: Language = "ja"


def kept(figures: list[Figure], say: Say) -> tuple[SheetFigure, ...]:
    """Return figures as they are kept with a sheet."""
    first: dict[str, int] = {}
    shown = []
    for figure in figures:
        number = first.setdefault(figure.query, figure.number)
        column = f" -- {figure.column}" if figure.column else ""
        query = figure.query if number == figure.number else say("appendix_same", number=str(number))
        shown.append(SheetFigure(figure.number, figure.value, query + column))
    return tuple(shown)


def without_queries(sheet: Sheet) -> Sheet:
    """Return a sheet for outsiders: its figures without their numbers, and no appendix."""
    sections = tuple(
        msgspec.structs.replace(
            section,
            paragraphs=tuple(without_marks(words) for words in section.paragraphs),
            rows=tuple((name, without_marks(value)) for name, value in section.rows),
        )
        for section in sheet.sections
    )
    opening = tuple(without_marks(words) for words in sheet.opening)
    return msgspec.structs.replace(sheet, opening=opening, sections=sections, appendix=False)


def differences(before: Sheet, after: Sheet) -> list[tuple[str, str, str]]:
    """Return what differs between two versions: where, what stood there, what stands there now."""
    old, new = _lines(before), _lines(after)
    places = [*old, *(place for place in new if place not in old)]
    return [
        (place, old.get(place, ""), new.get(place, ""))
        for place in places
        if old.get(place, "") != new.get(place, "")
    ]


def _lines(sheet: Sheet) -> dict[str, str]:
    lines = {"title": sheet.title, "subtitle": sheet.subtitle, "to": sheet.to}
    for section in sheet.sections:
        lines |= {f"{section.heading} / {name}": value for name, value in section.rows}
        lines |= {f"{section.heading} / {place}": words for place, words in enumerate(section.paragraphs, 1)}
    return lines
