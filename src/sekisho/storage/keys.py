"""Secret keys that outlive the process: each in a file of its own, for its owner's eyes only."""

import os
from contextlib import suppress
from pathlib import Path

from sekisho.kernel.chance import Chance
from sekisho.kernel.refusals import Refusal
from sekisho.storage.files import OWNER_ONLY, sync_folder

KEY_BYTES = 32


class KeyUnusable(Refusal):
    """A key file that others can read, or that does not hold a key, is not used and not replaced."""

    code = "key_unusable"
    status = 503
    told = "A key file is damaged or can be read by others."


def persistent_key(path: Path, chance: Chance) -> bytes:
    """Return the key in a file, 32 bytes, and make one where there is none yet.

    Of several processes that start at once, all get the same key. Raises KeyUnusable where the file is open
    to anybody but its owner or has another length, and OSError.
    """
    if not path.exists():
        _make(path, chance.octets(KEY_BYTES))
    with path.open("rb") as file:
        mode = os.fstat(file.fileno()).st_mode & 0o777
        key = file.read()
    if mode & ~OWNER_ONLY:
        raise KeyUnusable(known=f"{path} has mode {mode:o}, not {OWNER_ONLY:o}")
    if len(key) != KEY_BYTES:
        raise KeyUnusable(known=f"{path} holds {len(key)} bytes, not {KEY_BYTES}")
    return key


def _make(path: Path, key: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    passing = path.with_name(f".{path.name}.{os.getpid()}.part")
    descriptor = os.open(passing, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, OWNER_ONLY)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    # A link is made or it is not: the first process wins, and everybody reads what it wrote.
    with suppress(FileExistsError):
        os.link(passing, path)
    passing.unlink()
    sync_folder(path.parent)
