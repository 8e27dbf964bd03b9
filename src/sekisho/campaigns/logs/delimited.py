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
from sekisho.campaigns.logs.record import RawRecords

LINES_OF_ONE_RECORD_MAX = 20
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
    rest, first_line = b"", 1
    for block in read_blocks(path, faults):
        data, first_line = rest + block.data, block.first_line - rest.count(b"\n")
        if reader is None:
            head, _, data = data.partition(b"\n")
            names, delimiter = header_of(text_of(head, faults))
            faults.set_aside([name for name in names if name and name not in wanted])
            reader = _Reader(names, delimiter, [name for name in names if name in wanted], faults)
            first_line += 1
        raw, rest = reader.read(Block(data=data, first_line=first_line, last=block.last))
        first_line += data.count(b"\n") - rest.count(b"\n")
        if raw is not None:
            yield raw
    if reader is not None and rest:
        raw, _ = reader.read_lines(Block(data=rest, first_line=first_line, last=True))
        if raw is not None:
            yield raw


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

    def read(self, block: Block) -> tuple[RawRecords | None, bytes]:
        """Return a block's records and the bytes at its end that begin a record of the next block."""
        table = self._read_at_once(block.data)
        if table is None:
            return self.read_lines(block)
        if not len(table):
            return None, b""
        columns = dict(zip(table.schema.names, table.combine_chunks().itercolumns(), strict=True))
        columns = {name: column.combine_chunks() for name, column in columns.items()}
        first = self._faults.claim(len(table))
        return RawRecords(
            columns=columns, length=len(table), first_row=first, first_line=block.first_line
        ), b""

    def _read_at_once(self, data: bytes) -> pa.Table | None:
        """Return the block as Arrow reads it, or None where that is not one record a line."""
        if not data or not self._wanted:
            return None
        lines = data.count(b"\n") + (not data.endswith(b"\n"))
        try:
            table = arrow_csv.read_csv(
                pa.BufferReader(data),
                arrow_csv.ReadOptions(column_names=self._names, use_threads=False, block_size=len(data) + 1),
                arrow_csv.ParseOptions(delimiter=self._delimiter, newlines_in_values=True),
                arrow_csv.ConvertOptions(
                    column_types=dict.fromkeys(self._names, pa.string()),
                    include_columns=self._wanted,
                    strings_can_be_null=False,
                ),
            )
        except pa.ArrowInvalid:
            return None
        return table if len(table) == lines else None

    def read_lines(self, block: Block) -> tuple[RawRecords | None, bytes]:
        """Read a block line by line, so that one bad line spoils nothing else."""
        lines = block.data.splitlines(keepends=True) if b"\r" not in block.data else _split(block.data)
        gathered, at = _Rows(), 0
        while at < len(lines):
            used, fields, why = self._one_record(lines, at)
            if used == 0 and not block.last:
                break  # the record goes on in the next block
            if fields is not None or why:
                row = self._faults.claim(1)
                if fields is None:
                    self._faults.record(row, block.first_line + at, why)
                else:
                    gathered.fields.append(fields)
                    gathered.rows.append(row)
                    gathered.lines.append(block.first_line + at)
            at += max(used, 1)
        return self._gathered(gathered), b"".join(lines[at:])

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
        if not gathered.rows or not self._wanted:
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
