"""A file to which whole lines are added, each on the disk before anything goes on."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from sekisho.storage.private_folders import make_private

Line = TypeVar("Line", bound=msgspec.Struct)


class Lines(Generic[Line]):
    """Lines of one kind in one file. What a power cut left half written at its end is dropped."""

    def __init__(self, file: Path, kind: type[Line]) -> None:
        self._kind = kind
        make_private(file.parent)
        self._to = os.open(file, os.O_CREAT | os.O_RDWR | os.O_APPEND | os.O_CLOEXEC, 0o600)
        octets = file.read_bytes()
        whole = octets.rfind(b"\n") + 1
        os.ftruncate(self._to, whole)
        self._read = [msgspec.json.decode(line, type=kind) for line in octets[:whole].splitlines()]

    def __iter__(self) -> Iterator[Line]:
        """Go through all lines, the oldest first."""
        return iter(self._read)

    def add(self, line: Line) -> None:
        """Add a line and wait until it is on the disk."""
        os.write(self._to, msgspec.json.encode(line) + b"\n")
        os.fsync(self._to)
        self._read.append(line)

    def close(self) -> None:
        """Let the file go."""
        os.close(self._to)
