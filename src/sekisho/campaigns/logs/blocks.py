"""A text log as blocks of whole lines, unpacked on the way, a few mebibytes at a time."""

import bz2
import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import pyarrow as pa

from sekisho.campaigns.logs.faults import Faults

BLOCK_BYTES = 8 * 1024 * 1024
PIECE_BYTES = 256 * 1024
LINE_BYTES_MAX = 32 * 1024 * 1024
HEAD_BYTES = 64 * 1024
_BOM = b"\xef\xbb\xbf"
_PACKED = ((b"\x1f\x8b", "gzip"), (b"BZh", "bz2"), (b"\x28\xb5\x2f\xfd", "zstd"))
_READ_ERRORS = (OSError, EOFError, zlib.error, pa.ArrowException)


@dataclass(frozen=True, slots=True)
class Block:
    """Whole lines of a file; `first_line` is the number of the first one, from 1."""

    data: bytes
    first_line: int

    @property
    def line_count(self) -> int:
        """How many lines the block has; the last one may lack its end."""
        return self.data.count(b"\n") + (not self.data.endswith(b"\n") and self.data != b"")

    def pieces(self, octets: int) -> Iterator["Block"]:
        """Yield the block as smaller ones of whole lines, each of so many octets or one line more."""
        at, line = 0, self.first_line
        while at < len(self.data):
            end = self.data.find(b"\n", at + octets) + 1 or len(self.data)
            piece = Block(self.data[at:end], line)
            yield piece
            at, line = end, line + piece.line_count


def open_log(path: Path) -> BinaryIO:
    """Open a log for reading; gzip, bzip2 and Zstandard are known by their first bytes and unpacked.

    Raises:
        OSError: if there is no such file, or it cannot be read.

    """
    with path.open("rb") as file:
        start = file.read(4)
    packing = next((name for magic, name in _PACKED if start.startswith(magic)), None)
    if packing == "gzip":
        return cast("BinaryIO", gzip.open(path, "rb"))
    if packing == "bz2":
        return cast("BinaryIO", bz2.open(path, "rb"))
    if packing == "zstd":
        return cast("BinaryIO", pa.CompressedInputStream(pa.OSFile(str(path)), "zstd"))
    return path.open("rb")


def read_head(path: Path) -> bytes:
    """Return the first bytes of a log, unpacked as far as they can be.

    Raises:
        OSError: if there is no such file, or it cannot be read.

    """
    with open_log(path) as file:
        return next(_chunks(file, Faults(), HEAD_BYTES), b"")[:HEAD_BYTES]


def read_blocks(path: Path, faults: Faults) -> Iterator[Block]:
    """Yield a log's lines in blocks. A file that breaks off is named, and kept as far as it goes.

    A line longer than `LINE_BYTES_MAX` is passed over, counted as a broken record and named.
    """
    rest, line, over = b"", 1, False
    with open_log(path) as file:
        for chunk in _chunks(file, faults, BLOCK_BYTES):
            data = rest + chunk
            cut = data.rfind(b"\n") + 1
            if cut == 0:
                if len(data) > LINE_BYTES_MAX:
                    data, over = b"", True
                rest = data
                continue
            if over:  # the end of a line that was too long
                faults.record(faults.claim(1), line, "line_too_long")
                skip = data.index(b"\n") + 1
                data, cut, line, over = data[skip:], cut - skip, line + 1, False
            block, rest = data[:cut], data[cut:]
            if block:
                yield Block(block, line)
                line += block.count(b"\n")
    if over:
        faults.record(faults.claim(1), line, "line_too_long")
    elif rest:
        yield Block(rest, line)


def _chunks(file: BinaryIO, faults: Faults, block_bytes: int) -> Iterator[bytes]:
    """Yield the file in chunks. Small reads, so that little is lost where a packed file breaks off."""
    read = getattr(file, "read1", file.read)
    first, ended = True, False
    while not ended:
        pieces, size = [], 0
        while size < block_bytes and not ended:
            try:
                piece = read(PIECE_BYTES)
            except _READ_ERRORS as damage:
                faults.damaged(f"breaks off: {damage}")
                piece = b""
            ended = not piece
            pieces.append(piece)
            size += len(piece)
        chunk = b"".join(pieces)
        yield chunk.removeprefix(_BOM) if first else chunk
        first = False


def text_of(line: bytes, faults: Faults) -> str:
    """Decode one line: UTF-8, or else Shift JIS, or else byte by byte; what was guessed is counted.

    Never fails, and different bytes stay different texts.
    """
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        faults.note("not_utf8", 1)
    try:
        return line.decode("cp932")
    except UnicodeDecodeError:
        return line.decode("latin-1")
