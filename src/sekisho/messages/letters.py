"""Letters as PDF: typeset by Typst, put into a folder from which a printing house takes them.

A day has a folder of its own with one PDF a letter and `manifest.ndjson`, a line of JSON for each. A letter
that comes again replaces its PDF with the same octets and adds no line.
"""

import asyncio
import fcntl
import hashlib
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import msgspec
import typst

from sekisho.kernel.clock import SECOND_US, rfc3339
from sekisho.kernel.japan import JAPAN
from sekisho.kernel.refusals import Refusal
from sekisho.messages.carriers import Declined, Handover, Later, Parcel, Taken
from sekisho.messages.fonts import FONT, has_font
from sekisho.storage.files import OWNER_ONLY, replace_file, sync_folder

TEMPLATE = Path(__file__).with_name("letter.typ")
MANIFEST = "manifest.ndjson"
ADDRESS_TOO_LONG = "the address does not fit the window"


class LetterFontMissing(Refusal):
    """The font is not installed: pages would be empty, so none is made."""

    code = "letter_font_missing"
    status = 503
    told = f"The font {FONT} is not installed on this server, and no PDF is made without it."


class Posted(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the manifest: which file, how many pages, and what its octets hash to."""

    file: str
    letter: str
    kind: str
    made_at: str
    pages: int
    sha256: str


class LetterFolder:
    """Typesets letters and puts them into a folder. `sender` is printed at the head, by language.

    Raises LetterFontMissing, and OSError where the folder can't be made.
    """

    def __init__(self, folder: Path, sender: Mapping[str, str]) -> None:
        if not has_font(FONT):
            raise LetterFontMissing(known=f"{FONT}: a system font, in Debian's package fonts-noto-cjk")
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder
        self._sender = sender
        # One at a time: typesetting takes a third of a second of a core that logins need.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="letters")

    async def carry(self, parcel: Parcel) -> Handover:
        """Typeset one letter and put it into the folder of its day."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._post, parcel)

    def close(self) -> None:
        """Take no more letters, and finish the one in hand."""
        self._thread.shutdown(wait=True, cancel_futures=True)

    def _post(self, parcel: Parcel) -> Handover:
        try:
            pdf, pages = typeset(parcel, self._sender.get(parcel.language) or self._sender["ja"])
        except typst.TypstError as error:
            fits = ADDRESS_TOO_LONG not in str(error)
            return Later("the letter can't be typeset") if fits else Declined(ADDRESS_TOO_LONG)
        try:
            return Taken(self._put(parcel, pdf, pages))
        except OSError as error:
            return Later(f"the folder: {type(error).__name__}")

    def _put(self, parcel: Parcel, pdf: bytes, pages: int) -> str:
        day = self._folder / f"{_made_at(parcel):%Y-%m-%d}"
        day.mkdir(exist_ok=True, mode=0o700)
        sync_folder(self._folder)
        name = f"{parcel.message_id}.pdf"
        posted = Posted(
            file=name,
            letter=parcel.message_id,
            kind=parcel.kind,
            made_at=rfc3339(parcel.made_at_us),
            pages=pages,
            sha256=hashlib.sha256(pdf).hexdigest(),
        )
        before = (day / name).exists()
        replace_file(day / name, pdf)
        _enter(day / MANIFEST, posted, perhaps_there=before)
        return f"{day.name}/{name}"


def typeset(parcel: Parcel, sender: str) -> tuple[bytes, int]:
    """Return a letter as PDF and its number of pages. The same parcel gives the same octets.

    Raises typst.TypstError where the address does not fit the window.
    """
    texts = {
        "sender": sender,
        "to": parcel.to,
        "subject": parcel.subject,
        "text": parcel.text,
        "language": parcel.language,
        "date": _date(parcel),
        "font": FONT,
        "too_long": ADDRESS_TOO_LONG,
    }
    compiler = typst.Compiler(TEMPLATE, sys_inputs=texts)
    # Without a place to write to, one document comes back as its octets.
    pdf = cast("bytes", compiler.compile(format="pdf", timestamp=_made_at(parcel)))
    return pdf, msgspec.json.decode(compiler.query("<pages>", field="value", one=True), type=int)


def _made_at(parcel: Parcel) -> datetime:
    return datetime.fromtimestamp(parcel.made_at_us // SECOND_US, UTC).astimezone(JAPAN)


def _date(parcel: Parcel) -> str:
    made = _made_at(parcel)
    return f"{made:%-d %B %Y}" if parcel.language == "en" else f"{made.year}年{made.month}月{made.day}日"


def _enter(manifest: Path, posted: Posted, *, perhaps_there: bool) -> None:
    """Add a line, once. Another process may do the same at the same time."""
    descriptor = os.open(manifest, os.O_CREAT | os.O_RDWR | os.O_APPEND, OWNER_ONLY)
    with os.fdopen(descriptor, "r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        lines = file.readlines() if perhaps_there else []
        if any(posted.letter.encode() in line and line.endswith(b"\n") for line in lines):
            return
        # A line that a dying process left half written stays alone on its line.
        torn = lines and not lines[-1].endswith(b"\n")
        file.write((b"\n" if torn else b"") + msgspec.json.encode(posted) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    sync_folder(manifest.parent)
