"""CSV logs of any kind: a header row, then texts.

Arrow reads whole blocks; a block that it refuses is read line by line.
"""

import csv
import io
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv

from sekisho.campaigns.logs.blocks import LINE_BYTES_MAX, Block, read_blocks, text_of
from sekisho.campaigns.logs.faults import Faults
from sekisho.campaigns.logs.record import RawRecords, joined

LINES_OF_ONE_RECORD_MAX = 20
PIECE_OCTETS = 128 * 1024
_DELIMITERS = (",", ";", "\t")

csv.field_size_limit(LINE_BYTES_MAX)


def header_of(line: str) -> tuple[list[str], str]:
    """Return a header row's column names, each made unique, and the delimiter that separates them."""
    delimiter = max(_DELIMITERS, key=line.count)
    bare_line = line.strip("\r\n")
    try:
        found = next(csv.reader([bare_line], delimiter=delimiter), [])
    except csv.Error:
        found = bare_line.split(delimiter)
    names: list[str] = []
    for name in found:
        bare = name.strip()
        names.append(bare if bare not in names else f"{bare} ({len(names)})")
    return names, delimiter


def read_delimited(path: Path, faults: Faults, wanted: Collection[str]) -> Iterator[RawRecords]:
    """Yield the wanted columns of a CSV file as texts, under the names that its header gives them."""
    reader: _Reader | None = None
    for block in read_blocks(path, faults):
        if reader is None:
            head, _, data = block.data.partition(b"\n")
            names, delimiter = header_of(text_of(head, faults))
            faults.set_aside([name for name in names if name and name not in wanted])
            found = [name for name in names if name in wanted]
            if not found:
                faults.damaged(f"has none of the columns {', '.join(sorted(wanted))}")
                return
            reader = _Reader(names, delimiter, found, faults)
            yield from reader.read(Block(data, block.first_line + 1))
        else:
            yield from reader.read(block)
    if reader is not None:
        yield from reader.finish()


@dataclass(slots=True)
class _Rows:
    """Records gathered one by one."""

    fields: list[list[str]] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)


class _Reader:
    """Reads blocks of one file whose header is known."""

    def __init__(self, names: list[str], delimiter: str, wanted: list[str], faults: Faults) -> None:
        self._names = names
        self._delimiter = delimiter
        self._wanted = wanted
        self._faults = faults
        self._rest = b""
        self._next_line = 1

    def read(self, block: Block) -> Iterator[RawRecords]:
        """Yield a block's records; a record that goes on in the next block waits for it."""
        whole = self._with_rest(block)
        raw = self._at_once(whole)
        if raw is not None:
            yield raw
            return
        tried = [self._piece(self._with_rest(piece)) for piece in whole.pieces(PIECE_OCTETS)]
        if parts := [part for part in tried if part is not None]:
            yield joined(parts)

    def finish(self) -> Iterator[RawRecords]:
        """Yield what waited for a next block that did not come."""
        raw = self._line_by_line(self._with_rest(Block(b"", self._next_line)), last=True)
        if raw is not None:
            yield raw

    def _piece(self, block: Block) -> RawRecords | None:
        raw = self._at_once(block)
        return self._line_by_line(block, last=False) if raw is None else raw

    def _with_rest(self, block: Block) -> Block:
        """Put what waits before a block."""
        rest, self._rest = self._rest, b""
        self._next_line = block.first_line + block.line_count
        return Block(rest + block.data, block.first_line - Block(rest, 1).line_count)

    def _at_once(self, block: Block) -> RawRecords | None:
        """Return the block as Arrow reads it, or None where that is not one whole record a line."""
        if not block.data or block.data.count(b'"') % 2:
            return None
        try:
            table = arrow_csv.read_csv(
                pa.BufferReader(block.data),
                arrow_csv.ReadOptions(
                    column_names=self._names, use_threads=False, block_size=len(block.data) + 1
                ),
                arrow_csv.ParseOptions(delimiter=self._delimiter, newlines_in_values=True),
                arrow_csv.ConvertOptions(
                    column_types=dict.fromkeys(self._names, pa.string()),
                    include_columns=self._wanted,
                    strings_can_be_null=False,
                ),
            )
        except pa.ArrowInvalid:
            return None
        if len(table) != block.line_count:
            return None
        columns = {name: table[name].combine_chunks() for name in table.schema.names}
        first = self._faults.claim(len(table))
        return RawRecords(columns=columns, length=len(table), first_row=first, first_line=block.first_line)

    def _line_by_line(self, block: Block, *, last: bool) -> RawRecords | None:
        """Read a block so that one bad line spoils nothing else."""
        lines = _split(block.data)
        gathered, at = _Rows(), 0
        while at < len(lines):
            used, fields, why = self._one_record(lines, at)
            if used == 0 and not last:
                self._rest = b"".join(lines[at:])
                break
            if fields is not None or why:
                row = self._faults.claim(1)
                if fields is None:
                    self._faults.record(row, block.first_line + at, why)
                else:
                    gathered.fields.append(fields)
                    gathered.rows.append(row)
                    gathered.lines.append(block.first_line + at)
            at += max(used, 1)
        return self._gathered(gathered)

    def _one_record(self, lines: list[bytes], at: int) -> tuple[int, list[str] | None, str]:
        """Return how many lines a record takes (0: it may go on), its fields, or why it is broken."""
        text = text_of(lines[at], self._faults)
        if not text.strip():
            return 1, None, ""
        if text.count('"') % 2 == 0:
            fields, why = self._fields(text)
            return 1, fields, why
        for end in range(at + 1, min(at + LINES_OF_ONE_RECORD_MAX, len(lines))):
            text += text_of(lines[end], self._faults)
            if text.count('"') % 2 == 0:
                fields, _ = self._fields(text)
                return (1, None, "quotes_unbalanced") if fields is None else (end + 1 - at, fields, "")
        goes_on = at + LINES_OF_ONE_RECORD_MAX > len(lines)
        return (0 if goes_on else 1), None, "quotes_unbalanced"

    def _fields(self, text: str) -> tuple[list[str] | None, str]:
        try:
            found = list(csv.reader(io.StringIO(text, newline=""), delimiter=self._delimiter, strict=True))
        except csv.Error:
            return None, "not_csv"
        if len(found) != 1:
            return None, "not_csv"
        if len(found[0]) != len(self._names):
            return None, "fields_missing" if len(found[0]) < len(self._names) else "fields_too_many"
        return found[0], ""

    def _gathered(self, gathered: _Rows) -> RawRecords | None:
        if not gathered.rows:
            return None
        places = {name: self._names.index(name) for name in self._wanted}
        return RawRecords(
            columns={
                name: pa.array([f[at] for f in gathered.fields], pa.string()) for name, at in places.items()
            },
            length=len(gathered.rows),
            first_row=gathered.rows[0],
            rows=np.array(gathered.rows, np.int64),
            lines=np.array(gathered.lines, np.int64),
        )


def _split(data: bytes) -> list[bytes]:
    """Split at line feeds alone: a lone carriage return may stand inside a field."""
    lines = data.split(b"\n")
    kept = [line + b"\n" for line in lines[:-1]]
    return [*kept, lines[-1]] if lines[-1] else kept
