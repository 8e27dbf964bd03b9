"""Which format a log has: told by its first bytes, or by the person who calls."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sekisho.campaigns.logs.delimited import header_of, read_delimited
from sekisho.campaigns.logs.faults import Faults
from sekisho.campaigns.logs.ndjson import read_ndjson
from sekisho.campaigns.logs.parquet import read_parquet
from sekisho.campaigns.logs.record import COLUMNS, RawRecords


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingOptions:
    """What a reader may need beside the file: the run's key for secrets that stand in a log."""

    key: bytes


Reader = Callable[[Path, Faults, ReadingOptions], Iterator[RawRecords]]

READERS: dict[str, Reader] = {
    "parquet": lambda path, faults, _: read_parquet(path, faults),
    "csv": lambda path, faults, _: read_delimited(path, faults, COLUMNS),
    "ndjson": lambda path, faults, _: read_ndjson(path, faults),
}


def detect(head: bytes) -> str | None:
    """Name the format of a log from its first bytes (unpacked), or None where no reader knows it."""
    if head.startswith(b"PAR1"):
        return "parquet"
    if b"\0" in head:
        return None
    text = head.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace").lstrip()
    if text.startswith(("{", "[")):
        return _detect_json(text.removeprefix("[").lstrip())
    names, _ = header_of(text.partition("\n")[0])
    if {"member", "ip"} <= set(names):
        return "csv"
    return None


def _detect_json(text: str) -> str | None:
    return "ndjson" if text.startswith("{") else None
