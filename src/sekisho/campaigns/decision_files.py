"""Decisions of a replay as a file: NDJSON or Parquet, by the name's ending, complete or not there at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from sekisho.campaigns.replay import DECISIONS

NDJSON_ENDINGS = (".ndjson", ".jsonl", ".json")
PARQUET_ENDINGS = (".parquet", ".pq")
ENDINGS = (*NDJSON_ENDINGS, *PARQUET_ENDINGS)
ROW_GROUP_ROWS = 131_072
CLOSING_KEY = b"sekisho.replay"


class Closing(msgspec.Struct, frozen=True, kw_only=True):
    """The closing line: how many attempts were decided, how fast, and with how much memory at the peak."""

    attempts: int
    broken: int
    seconds: float
    attempts_per_second: float
    peak_memory_mib: float


class DecisionFile(Protocol):
    """Takes decisions batch by batch, then the closing line."""

    def write(self, decisions: pa.RecordBatch) -> None:
        """Append decisions."""

    def close(self, closing: Closing) -> None:
        """Append the closing line."""


@contextmanager
def decision_file(path: Path) -> Iterator[DecisionFile]:
    """Open the file to write decisions to. It takes its name only when all went well.

    The name's ending is one of `ENDINGS`.

    Raises:
        OSError: if it cannot be written.

    """
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        with unfinished.open("wb") as file:
            if path.suffix.lower() in NDJSON_ENDINGS:
                yield _Lines(file)
            else:
                with pq.ParquetWriter(file, DECISIONS, compression="zstd") as writer:
                    yield _Columns(writer)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


class _Lines:
    """One JSON object a decision; the last object has no `row` and is the closing line."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._encoder = msgspec.json.Encoder()

    def write(self, decisions: pa.RecordBatch) -> None:
        self._file.write(self._encoder.encode_lines(decisions.to_pylist()))

    def close(self, closing: Closing) -> None:
        self._file.write(self._encoder.encode(closing) + b"\n")


class _Columns:
    """Row groups of even size; the closing line stands in the file's metadata."""

    def __init__(self, writer: pq.ParquetWriter) -> None:
        self._writer = writer
        self._waiting: list[pa.RecordBatch] = []

    def write(self, decisions: pa.RecordBatch) -> None:
        self._waiting.append(decisions)
        if sum(map(len, self._waiting)) >= ROW_GROUP_ROWS:
            self._flush()

    def close(self, closing: Closing) -> None:
        self._flush()
        self._writer.add_key_value_metadata({CLOSING_KEY: msgspec.json.encode(closing)})

    def _flush(self) -> None:
        if self._waiting:
            self._writer.write_table(pa.Table.from_batches(self._waiting).unify_dictionaries())
            self._waiting.clear()
