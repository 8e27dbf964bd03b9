"""Folders that their owner alone may look into, with all that lie above them and were not there."""

from pathlib import Path

OWNER_ALONE = 0o700


def make_private(folder: Path) -> Path:
    """Make a folder where it is missing, and what is missing above it, and return it. Raises OSError."""
    for each in reversed((folder, *folder.parents)):
        if not each.exists():
            each.mkdir(mode=OWNER_ALONE, exist_ok=True)
    return folder
