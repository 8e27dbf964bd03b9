"""Folders in which institutions leave files for each other: put whole and once, taken once, not replaced."""

import contextlib
import os
from pathlib import Path
from typing import Protocol

from sekisho.linking.zengin import FILE_OCTETS_MAX
from sekisho.storage.private_folders import make_private

TAKEN = "taken"
REFUSED = "refused"


class OutTray(Protocol):
    """Where files go to a partner."""

    def put(self, name: str, octets: bytes) -> None:
        """Hand a file over, once by its name: again, it changes nothing. Raises OSError."""
        ...


class FolderTray:
    """A tray that is a folder, from which the partner takes files away into its folder `taken`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        _make(folder)

    def put(self, name: str, octets: bytes) -> None:
        """Put a file into the folder whole, unless it is there or was there. Raises OSError."""
        there = self._folder / name
        if there.exists() or any((self._folder / was / name).exists() for was in (TAKEN, REFUSED)):
            return
        begun = self._folder / f".{name}.part"
        with begun.open("wb") as file:
            file.write(octets)
            file.flush()
            os.fsync(file.fileno())
        # Who else puts the same file puts the same octets; a link, unlike a rename, replaces nothing.
        with contextlib.suppress(FileExistsError):
            os.link(begun, there)
        begun.unlink(missing_ok=True)
        _sync(self._folder)


class InTray:
    """A folder that a partner puts files into. What was dealt with is put away: `taken`, or `refused`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        _make(folder)

    def waiting(self) -> list[str]:
        """Return the names of files that wait, in their order. Raises OSError."""
        return sorted(
            each.name for each in self._folder.iterdir() if _is_fit(each) and not each.name.startswith(".")
        )

    def read(self, name: str) -> bytes:
        """Return what a file holds, cut where it is longer than any may be. Raises OSError."""
        with (self._folder / name).open("rb") as file:
            return file.read(FILE_OCTETS_MAX + 1)

    def put_away(self, name: str, *, taken: bool = True) -> None:
        """Put a file away that was dealt with. Raises OSError."""
        to = self._folder / (TAKEN if taken else REFUSED)
        (self._folder / name).replace(to / name)
        _sync(to)
        _sync(self._folder)


def _make(folder: Path) -> None:
    for each in (TAKEN, REFUSED):
        make_private(folder / each)


def _is_fit(path: Path) -> bool:
    # A link could lead anywhere.
    return path.is_file() and not path.is_symlink()


def _sync(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
