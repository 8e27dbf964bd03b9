"""The guard's memory on disk: a snapshot that is whole, or is refused.

The file is a line that says what it is, the position in the record of attempts up to which the memory has
learned, the length and the SHA-256 of what follows, and then the memory itself.
"""

import hashlib
import struct
from dataclasses import dataclass
from pathlib import Path

from sekisho.kernel.posture import OperationalError
from sekisho.storage.files import replace_file

_MARK = b"sekisho memory 1\n"
_HEAD = struct.Struct(">QQ32s")


@dataclass(frozen=True, slots=True, kw_only=True)
class MemorySnapshot:
    """A guard's memory, and the position of the last event that it has surely learned from.

    Read the position (`AttemptStore.last_position`) before the memory: what happens in between is then
    relived twice after a start, and never missed.
    """

    position: int
    memory: bytes


class SnapshotDamagedError(OperationalError):
    """The file is no snapshot, is cut off, or was changed: the guard has to start without it."""

    def __init__(self, path: Path, what: str) -> None:
        super().__init__("memory snapshot", f"{path} {what}")


def save_snapshot(path: Path, snapshot: MemorySnapshot) -> None:
    """Put a snapshot in the place of the one before. Raises OSError, and leaves that one as it was."""
    digest = _digest(snapshot.position, snapshot.memory)
    head = _HEAD.pack(snapshot.position, len(snapshot.memory), digest)
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, _MARK + head + snapshot.memory)


def load_snapshot(path: Path) -> MemorySnapshot | None:
    """Return the snapshot, or None where there is no file. Raises SnapshotDamagedError, and OSError."""
    try:
        octets = path.read_bytes()
    except FileNotFoundError:
        return None
    if not octets.startswith(_MARK):
        raise SnapshotDamagedError(path, "is not a snapshot of a guard's memory")
    start = len(_MARK) + _HEAD.size
    if len(octets) < start:
        raise SnapshotDamagedError(path, "is cut off in its head")
    position, length, digest = _HEAD.unpack(octets[len(_MARK) : start])
    memory = octets[start:]
    if len(memory) != length:
        raise SnapshotDamagedError(path, f"holds {len(memory)} bytes of memory where {length} were saved")
    if _digest(position, memory) != digest:
        raise SnapshotDamagedError(path, "was changed since it was saved")
    return MemorySnapshot(position=position, memory=memory)


def _digest(position: int, memory: bytes) -> bytes:
    return hashlib.sha256(position.to_bytes(8, "big") + memory).digest()
