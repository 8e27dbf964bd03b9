"""Files that are there whole or not at all, however the process ends."""

import os
from pathlib import Path

OWNER_ONLY = 0o600


def replace_file(path: Path, octets: bytes, *, mode: int = OWNER_ONLY) -> None:
    """Put a file in the place of another, or where none was, and return when it is on the disk.

    Raises OSError, and leaves what was there before, where the disk is full or the folder is not writable.
    """
    passing = path.with_name(f".{path.name}.part")
    descriptor = os.open(passing, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(octets)
        file.flush()
        os.fsync(file.fileno())
    passing.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Return when the folder's list of files is on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
