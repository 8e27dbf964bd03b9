"""Logs of JSON objects, one a line or as one array: what every JSON format can fall back on."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from sekisho.campaigns.logs.blocks import Block, open_log, read_blocks, text_of
from sekisho.campaigns.logs.faults import Faults

NO_RECORD = -1
ARRAY_BYTES_MAX = 512 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class LogObject:
    """One JSON object of a log: its place among the data records (or `NO_RECORD`), its line, what it says."""

    row: int
    line: int
    said: dict[str, Any]


def every_object(said: dict[str, Any]) -> bool:
    """Take every object for a data record: what the attempt record does."""
    del said
    return True


def objects_of(
    block: Block, faults: Faults, is_record: Callable[[dict[str, Any]], bool] = every_object
) -> list[LogObject]:
    """Return a block's objects; a line that is not one is a broken record, a blank line is nothing."""
    found = []
    for number, line in enumerate(block.data.split(b"\n"), block.first_line):
        if not line.strip():
            continue
        try:
            said = msgspec.json.decode(text_of(line, faults))
        except (msgspec.DecodeError, RecursionError):
            faults.record(faults.claim(1), number, "not_json")
            continue
        found += _placed(said, number, faults, is_record)
    return found


def _placed(
    said: object, line: int, faults: Faults, is_record: Callable[[dict[str, Any]], bool]
) -> list[LogObject]:
    if not isinstance(said, dict):
        faults.record(faults.claim(1), line, "not_an_object")
        return []
    return [LogObject(faults.claim(1) if is_record(said) else NO_RECORD, line, said)]


def read_objects(
    path: Path, faults: Faults, is_record: Callable[[dict[str, Any]], bool] = every_object
) -> Iterator[list[LogObject]]:
    """Yield a log's objects in groups of one block. Those that are no data record claim no row."""
    if starts_as_array(path):
        yield [placed for item in _read_array(path, faults) for placed in _placed(item, 1, faults, is_record)]
        return
    for block in read_blocks(path, faults):
        yield objects_of(block, faults, is_record)


def starts_as_array(path: Path) -> bool:
    """Say whether the file is one JSON array instead of one object a line."""
    with open_log(path) as file:
        try:
            return file.read(4_096).removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"[")
        except (OSError, EOFError):
            return False


def _read_array(path: Path, faults: Faults) -> list[object]:
    with open_log(path) as file:
        data = file.read(ARRAY_BYTES_MAX + 1)
    if len(data) > ARRAY_BYTES_MAX:
        faults.damaged("is one JSON array of more than 512 MiB: write one object a line instead")
        return []
    try:
        return msgspec.json.decode(data.removeprefix(b"\xef\xbb\xbf"), type=list[Any])
    except msgspec.DecodeError as error:
        faults.damaged(f"is not a whole JSON array: {error}")
        return []
