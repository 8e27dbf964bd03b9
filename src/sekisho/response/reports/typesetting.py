"""From a sheet to a PDF. The same sheet makes the same octets; what the font lacks is an error, not a box."""

import datetime as dt
from pathlib import Path
from typing import Final, NamedTuple, cast

import msgspec
import typst

from sekisho.kernel.japan import JAPAN
from sekisho.kernel.refusals import Refusal
from sekisho.messages.fonts import FONT, has_font
from sekisho.response.reports.phrases import Say
from sekisho.response.reports.sheets import Sheet

TEMPLATE = Path(__file__).with_name("report.typ")
STANDARD: Final = "a-2u"
APPENDIX: Final = ("title", "opening", "number", "figure", "query")


class ReportNotMade(Refusal):
    """The report can't be typeset: the font is missing, or lacks a character."""

    code = "report_not_made"
    status = 503
    told = "The report can't be typeset: its font is not installed, or lacks a character of it."


class Typeset(NamedTuple):
    """A report as PDF, and how many pages it has."""

    pdf: bytes
    pages: int


def typeset(sheet: Sheet, font: str = FONT) -> Typeset:
    """Return a sheet as PDF/A. Raises ReportNotMade."""
    if not has_font(font):
        raise ReportNotMade(known=f"the font {font} is not installed (Debian: fonts-noto-cjk)")
    say = Say(sheet.language)
    appendix = {name: say(f"appendix_{name}") for name in APPENDIX}
    inputs = {
        "sheet": msgspec.json.encode(sheet).decode(),
        "appendix": msgspec.json.encode(appendix).decode(),
        "font": font,
    }
    compiler = typst.Compiler(TEMPLATE, sys_inputs=inputs)
    made = dt.datetime(*sheet.made, tzinfo=JAPAN)
    try:
        octets = compiler.compile(format="pdf", timestamp=made, pdf_standards=[STANDARD])
        pages = msgspec.json.decode(compiler.query("<pages>", field="value", one=True), type=int)
    except typst.TypstError as error:
        raise ReportNotMade(known=str(error).partition("`")[0][:120]) from None
    # Without a place to write to, one document comes back as its octets.
    return Typeset(cast("bytes", octets), pages)
