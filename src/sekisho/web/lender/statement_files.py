"""A month's statement as files: a table for spreadsheet programs, and a page to keep or to print."""

import asyncio
import csv
import io
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, cast

import msgspec
import typst
from litestar import Response

from sekisho.kernel.clock import SECOND_US
from sekisho.kernel.japan import JAPAN
from sekisho.lender.loan_events import LoanEvent
from sekisho.messages.fonts import FONT, has_font
from sekisho.messages.letters import LetterFontMissing
from sekisho.web.members.visits import NO_STORE
from sekisho.web.members.writing import in_yen, on_day
from sekisho.web.words import Words

CSV = "text/csv; charset=utf-8"
PDF = "application/pdf"
TEMPLATE = Path(__file__).with_name("statement.typ")
BYTE_ORDER_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"
FORMULA_BEGINS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""With these a cell is a formula to spreadsheet programs, the full-width ones included."""

COLUMNS = ("day", "kind", "way", "amount", "principal", "interest", "delay", "balance")


class Statement(NamedTuple):
    """What happened in a month under a contract, and who says so."""

    institution: str
    telephone: str
    contract_number: str
    month: str
    made_at_us: int
    events: tuple[LoanEvent, ...]


class StatementPress:
    """Typesets statements, one at a time: each takes a third of a second of a core that logins need."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()

    async def typeset(self, statement: Statement, words: Words) -> bytes:
        """Return a statement as PDF. Raises LetterFontMissing where no Japanese can be set."""
        async with self._turn:
            return await asyncio.to_thread(pdf_file, statement, words)


def csv_file(statement: Statement, words: Words) -> bytes:
    """Return a statement as CSV (RFC 4180): amounts are plain numbers, days are ISO dates.

    It begins with a byte order mark, without which spreadsheet programs do not read Japanese.
    """
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\r\n")
    table.writerow([guarded(str(words(f"statement_{column}"))) for column in COLUMNS])
    for event in statement.events:
        table.writerow([guarded(cell) if isinstance(cell, str) else cell for cell in _cells(event, words)])
    return (BYTE_ORDER_MARK + text.getvalue()).encode()


def as_file(octets: bytes, media_type: str, name: str) -> Response[bytes]:
    """Answer with a file to keep, which no cache keeps."""
    headers = {**NO_STORE, "Content-Disposition": f'attachment; filename="{name}"'}
    return Response(octets, media_type=media_type, headers=headers)


def guarded(cell: str) -> str:
    """Return a text that no spreadsheet program takes for a formula."""
    return f"'{cell}" if cell.lstrip(" ").startswith(FORMULA_BEGINS) else cell


def pdf_file(statement: Statement, words: Words) -> bytes:
    """Return a statement as PDF; the same statement gives the same octets. Raises LetterFontMissing."""
    if not has_font(FONT):
        raise LetterFontMissing(known=FONT)
    made = datetime.fromtimestamp(statement.made_at_us // SECOND_US, UTC).astimezone(JAPAN)
    language = words.language
    rows = [
        [
            on_day(event.effective_on, language),
            f"{words(f'loan_kind_{event.kind}')} / {words(f'loan_way_{event.way}')}",
            *(in_yen(amount, language) for amount in _amounts(event)),
        ]
        for event in statement.events
    ]
    texts = {
        "title": str(words("statement_title", month=statement.month)),
        "sender": f"{statement.institution}  {statement.telephone}",
        "contract": str(words("statement_contract", number=statement.contract_number)),
        "made": str(words("statement_made", day=on_day(made.date(), language))),
        "note": str(words("statement_note")),
        "empty": str(words("statement_empty")),
        "heads": _json([str(words(f"statement_{column}")) for column in COLUMNS if column != "way"]),
        "rows": _json(rows),
        "language": language,
        "font": FONT,
    }
    compiler = typst.Compiler(TEMPLATE, sys_inputs=texts)
    # Without a place to write to, one document comes back as its octets.
    return cast("bytes", compiler.compile(format="pdf", timestamp=made))


def _amounts(event: LoanEvent) -> tuple[int, int, int, int, int]:
    return (
        event.amount_yen,
        event.principal_yen,
        event.interest_yen,
        event.delay_yen,
        event.balance_yen,
    )


def _cells(event: LoanEvent, words: Words) -> tuple[str | int, ...]:
    kind, way = str(words(f"loan_kind_{event.kind}")), str(words(f"loan_way_{event.way}"))
    return (event.effective_on, kind, way, *_amounts(event))


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
