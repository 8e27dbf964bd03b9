"""Folders that change as a whole: what was there stays until what is new is complete."""

import shutil
from pathlib import Path


def put_in_place(new: Path, folder: Path) -> None:
    """Put a complete folder where another one is, or none. Raises OSError."""
    before = folder.with_name(f"{folder.name}.before")
    shutil.rmtree(before, ignore_errors=True)
    if folder.exists():
        folder.rename(before)
    new.rename(folder)
    shutil.rmtree(before, ignore_errors=True)
