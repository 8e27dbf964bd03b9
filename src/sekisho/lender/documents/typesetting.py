"""Typesetting: from a sheet to a PDF that can be kept for ten years, and says each name as it is written.

The standard is PDF/A-2u: what can't be shown by the font inside is an error, so no document leaves with an
empty box where somebody's name should be. The same sheet makes the same octets.
"""

import asyncio
import datetime as dt
import hashlib
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, NamedTuple, cast

import msgspec
import typst

from sekisho.kernel.japan import JAPAN
from sekisho.kernel.refusals import Refusal
from sekisho.lender.documents.sheets import Sheet
from sekisho.messages.fonts import FONT, has_font

TEMPLATE = Path(__file__).with_name("sheet.typ")
STANDARD: Final = "a-2u"
_NOT_SHOWN = re.compile(r'the text `"(?P<text>.*)"` could not be displayed')


class GlyphMissing(Refusal):
    """The font has no shape for a character, in a name or an address as a rule; nothing was issued."""

    code = "document_glyph_missing"
    status = 422
    told = (
        "Our documents can't show a character in your details as you write it, and we do not replace it. "
        "Nothing was issued or signed. Please call us."
    )


class DocumentNotMade(Refusal):
    """The document can't be typeset, for a reason that is ours; nothing was issued."""

    code = "document_not_made"
    status = 503
    told = "We can't make the document at the moment. Nothing was signed. Please try again later."


class Typeset(NamedTuple):
    """A document as it is kept: its octets, how many pages, and the digest that names it."""

    pdf: bytes
    pages: int
    sha256: str


class Typesetter:
    """Typesets one document at a time, beside the event loop: it takes half a second of a core."""

    def __init__(self, font: str = FONT) -> None:
        self._font = font
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="documents")

    async def make(self, sheet: Sheet) -> Typeset:
        """Typeset a sheet. Raises GlyphMissing and DocumentNotMade."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, typeset, sheet, self._font)

    def close(self) -> None:
        """Take nothing more, and finish what is in hand."""
        self._thread.shutdown(wait=True, cancel_futures=True)


def typeset(sheet: Sheet, font: str = FONT) -> Typeset:
    """Return a sheet as PDF. Raises GlyphMissing and DocumentNotMade."""
    if not has_font(font):
        raise DocumentNotMade(known=f"the font {font} is not installed (Debian: fonts-noto-cjk)")
    compiler = typst.Compiler(
        TEMPLATE, sys_inputs={"sheet": msgspec.json.encode(sheet).decode(), "font": font}
    )
    made = dt.datetime(*sheet.made, tzinfo=JAPAN)
    try:
        octets = compiler.compile(format="pdf", timestamp=made, pdf_standards=[STANDARD])
        pages = msgspec.json.decode(compiler.query("<pages>", field="value", one=True), type=int)
    except typst.TypstError as error:
        raise _refusal(str(error)) from None  # its text may hold a name
    # Without a place to write to, one document comes back as its octets.
    pdf = cast("bytes", octets)
    return Typeset(pdf, pages, hashlib.sha256(pdf).hexdigest())


def _refusal(error: str) -> Refusal:
    """Say what is wrong without the datum that it was wrong with: of a name, the code points and no more."""
    found = _NOT_SHOWN.search(error)
    if found is None:
        return DocumentNotMade(known=error.partition("`")[0][:80])
    points = " ".join(f"U+{ord(character):04X}" for character in _unescaped(found["text"]))
    return GlyphMissing(known=points)


def _unescaped(text: str) -> str:
    return re.sub(r"\\u\{([0-9a-f]+)\}", lambda match: chr(int(match[1], 16)), text)
