"""The attempt record as NDJSON: one JSON object a line."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa

from sekisho.campaigns.logs.blocks import Block, read_blocks
from sekisho.campaigns.logs.faults import Faults
from sekisho.campaigns.logs.objects import LogObject, objects_of, read_objects, starts_as_array
from sekisho.campaigns.logs.record import COLUMNS, DISTINCT, REPEATING, RawRecords, joined

PIECE_OCTETS = 128 * 1024

_TEXTS = ("time", *DISTINCT, *REPEATING)
_Text = str | None
_Loose = bool | int | float | str | None

# Named after the attempt record's columns; what is no text there may come as a number, a truth value or a
# text.
_Line = msgspec.defstruct(
    "_Line",
    [(name, _Text if name in _TEXTS else _Loose, None) for name in COLUMNS],
    gc=False,
    omit_defaults=True,
)
_LINES = msgspec.json.Decoder(_Line)


def read_ndjson(path: Path, faults: Faults) -> Iterator[RawRecords]:
    """Yield a file's records; a file that is one JSON array of objects is read too."""
    if starts_as_array(path):
        for objects in read_objects(path, faults):
            raw = _from_objects(objects, faults)
            if raw is not None:
                yield raw
        return
    for block in read_blocks(path, faults):
        raw = _at_once(block, faults)
        if raw is not None:
            yield raw
            continue
        tried = [_piece(piece, faults) for piece in block.pieces(PIECE_OCTETS)]
        if parts := [part for part in tried if part is not None]:
            yield joined(parts)


def _piece(block: Block, faults: Faults) -> RawRecords | None:
    raw = _at_once(block, faults)
    return _from_objects(objects_of(block, faults), faults) if raw is None else raw


def _at_once(block: Block, faults: Faults) -> RawRecords | None:
    """Return a block's records, or None where one line does not have the usual types."""
    try:
        found = _LINES.decode_lines(block.data)
        sample = msgspec.json.decode(block.data.partition(b"\n")[0])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if len(found) != block.line_count:
        return None
    _set_aside(sample, faults)
    columns = {}
    for name in COLUMNS:
        values = [getattr(line, name) for line in found]
        columns[name] = pa.array(values, pa.string()) if name in _TEXTS else _loose(values)
    first = faults.claim(len(found))
    return RawRecords(columns=columns, length=len(found), first_row=first, first_line=block.first_line)


def _loose(values: Sequence[_Loose]) -> pa.Array:
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):  # numbers and texts side by side
        return pa.array([None if value is None else str(value) for value in values], pa.string())


def _from_objects(objects: list[LogObject], faults: Faults) -> RawRecords | None:
    if not objects:
        return None
    for item in objects:
        _set_aside(item.said, faults)
    columns = {
        name: pa.array([_text(item.said.get(name)) for item in objects], pa.string()) for name in COLUMNS
    }
    return RawRecords(
        columns=columns,
        length=len(objects),
        first_row=objects[0].row,
        rows=np.array([item.row for item in objects], np.int64),
        lines=np.array([item.line for item in objects], np.int64),
    )


def _set_aside(said: dict[str, object], faults: Faults) -> None:
    faults.set_aside([name for name in said if name not in COLUMNS])


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return msgspec.json.encode(value).decode()
