"""Logs of JSON objects, one a line or as one array: what every JSON format can fall back on."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from sekisho.campaigns.logs.blocks import Block, open_log, read_blocks, text_of
from sekisho.campaigns.logs.faults import Faults

ARRAY_BYTES_MAX = 512 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class LogObject:
    """One JSON object of a log: its place among the data records, its line, and what it says."""

    row: int
    line: int
    said: dict[str, Any]


def objects_of(block: Block, faults: Faults) -> list[LogObject]:
    """Return a block's objects; a line that is not one is a broken record, a blank line is nothing."""
    found = []
    for number, line in enumerate(block.data.split(b"\n"), block.first_line):
        if not line.strip():
            continue
        row = faults.claim(1)
        try:
            said = msgspec.json.decode(text_of(line, faults))
        except (msgspec.DecodeError, RecursionError):
            faults.record(row, number, "not_json")
            continue
        if isinstance(said, dict):
            found.append(LogObject(row, number, said))
        else:
            faults.record(row, number, "not_an_object")
    return found


def read_objects(path: Path, faults: Faults) -> Iterator[list[LogObject]]:
    """Yield a log's objects in groups of one block."""
    if starts_as_array(path):
        yield _read_array(path, faults)
        return
    for block in read_blocks(path, faults):
        yield objects_of(block, faults)


def starts_as_array(path: Path) -> bool:
    """Say whether the file is one JSON array instead of one object a line."""
    with open_log(path) as file:
        try:
            return file.read(4_096).removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"[")
        except (OSError, EOFError):
            return False


def _read_array(path: Path, faults: Faults) -> list[LogObject]:
    with open_log(path) as file:
        data = file.read(ARRAY_BYTES_MAX + 1)
    if len(data) > ARRAY_BYTES_MAX:
        faults.damaged("is one JSON array of more than 512 MiB: write one object a line instead")
        return []
    try:
        items = msgspec.json.decode(data.removeprefix(b"\xef\xbb\xbf"))
    except msgspec.DecodeError as error:
        faults.damaged(f"is not a whole JSON array: {error}")
        return []
    found = []
    for item in items:
        row = faults.claim(1)
        if isinstance(item, dict):
            found.append(LogObject(row, 1, item))
        else:
            faults.record(row, 1, "not_an_object")
    return found
