"""Lists of leaked passwords and of leaked pairs of id and password: files that an operator puts beside us.

A list is a sorted run of digests of 16 octets behind a header of 32, so that looking something up takes a
few reads of a file that need not fit into memory, and no question ever leaves the house. There is no key,
for a list is made from what anybody can download; 16 octets over a thousand million entries are wrong once
in 10^29 look-ups. Pairs go by SHA-256. Passwords alone go by SHA-1, in which the great lists of them are
published; it keeps no secret here.
"""

import hashlib
import mmap
import os
import struct
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path

import numpy as np
import structlog

from sekisho.identity.hashing import TYPED_MAX, octets_of
from sekisho.kernel.posture import OperationalError, Posture
from sekisho.storage.files import replace_file

log = structlog.get_logger(__name__)

DIGEST_OCTETS = 16
_HEADER = struct.Struct(">8s8sQ8x")
_MAGIC = b"SKSHLEAK"


class LeakKind(StrEnum):
    """What a list holds. The word is the end of its file's name, too: `2026-11.pairs`."""

    PAIRS = "pairs"
    """An id (mostly an e-mail address) together with its password."""

    PASSWORDS = "passwords"
    """Passwords alone, whosever they were."""


class ListUnreadable(OperationalError):  # noqa: N818 - it says what the list is
    """A list cannot be read: it is missing, cut short, not sorted, or none of ours."""

    def __init__(self, detail: str) -> None:
        super().__init__("leaked list", detail)


def pair_digest(name: str, password: str) -> bytes:
    """Return what a pair is found by. Names are compared without regard to case and to surrounding space."""
    pair = octets_of(name.strip().casefold()) + b"\x00" + octets_of(password)
    return hashlib.sha256(b"pairs\x00" + pair).digest()[:DIGEST_OCTETS]


def password_digest(password: bytes) -> bytes:
    """Return what a password alone is found by, from its octets in UTF-8."""
    return hashlib.sha1(password, usedforsecurity=False).digest()[:DIGEST_OCTETS]


def write_list(path: Path, kind: LeakKind, digests: Iterable[bytes]) -> int:
    """Write a list, whole or not at all, and return how many entries it has. Raises OSError.

    It takes 48 octets of memory an entry, for a moment.
    """
    words = np.frombuffer(b"".join(digests), dtype=">u8").astype(np.uint64).reshape(-1, 2)
    ordered = words[np.lexsort((words[:, 1], words[:, 0]))]
    is_new = np.ones(len(ordered), dtype=bool)
    is_new[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    unique = ordered[is_new]
    header = _HEADER.pack(_MAGIC, kind.encode()[:8], len(unique))
    replace_file(path, header + unique.astype(">u8").tobytes())
    return len(unique)


class LeakedList:
    """One open list. Safe to use from any thread."""

    def __init__(self, path: Path, kind: LeakKind) -> None:
        """Open a list. Raises ListUnreadable."""
        try:
            with path.open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                self._file = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size else b""
        except OSError as error:
            raise ListUnreadable(f"{path.name}: {error.strerror}") from error
        self._count = self._check(path.name, kind)

    def __len__(self) -> int:
        return self._count

    def __contains__(self, digest: object) -> bool:
        low, high = 0, self._count
        while low < high:
            middle = (low + high) // 2
            found = self._at(middle)
            if found == digest:
                return True
            if isinstance(digest, bytes) and found < digest:
                low = middle + 1
            else:
                high = middle
        return False

    def _at(self, index: int) -> bytes:
        start = _HEADER.size + index * DIGEST_OCTETS
        return self._file[start : start + DIGEST_OCTETS]

    def _check(self, name: str, kind: LeakKind) -> int:
        if len(self._file) < _HEADER.size:
            raise ListUnreadable(f"{name}: no header")
        magic, holds, count = _HEADER.unpack(self._file[: _HEADER.size])
        if magic != _MAGIC or holds.rstrip(b"\x00") != kind.encode()[:8]:
            raise ListUnreadable(f"{name}: not a list of {kind}")
        if len(self._file) != _HEADER.size + count * DIGEST_OCTETS:
            raise ListUnreadable(f"{name}: cut short, or too long")
        # A list that somebody sorted otherwise would find next to nothing, and nobody would notice.
        step = max(1, count // 64)
        sample = [self._at(index) for index in range(0, count, step)]
        if sample != sorted(set(sample)):
            raise ListUnreadable(f"{name}: not sorted")
        return int(count)


class Leaks:
    """What is known to have leaked: any number of lists. Without lists, nothing is.

    `broken` names the lists that could not be read. What they might have held is not known: each question
    says what that means.
    """

    def __init__(self, *, pairs: Iterable[Path] = (), passwords: Iterable[Path] = ()) -> None:
        self.broken: list[str] = []
        self._pairs = self._opened(pairs, LeakKind.PAIRS)
        self._passwords = self._opened(passwords, LeakKind.PASSWORDS)

    @property
    def asks_for_names(self) -> bool:
        """Whether there are lists of pairs, so that it matters by which names a member goes."""
        return bool(self._pairs)

    def has_pair(self, names: Iterable[str], password: str, *, on_outage: Posture) -> bool:
        """Say whether one of these names leaked together with this password.

        With a list that cannot be read, CLOSED takes every pair for leaked, OPEN asks the other lists only.
        """
        wanted = [pair_digest(name, password) for name in names if name]
        return self._has(self._pairs, wanted, on_outage)

    def has_password(self, password: str, *, on_outage: Posture) -> bool:
        """Say whether this password leaked, whosever it was; the posture as in `has_pair`."""
        typed = password[:TYPED_MAX].encode("utf-8", "surrogatepass")
        wanted = [password_digest(octets) for octets in {typed, octets_of(password)}]
        return self._has(self._passwords, wanted, on_outage)

    def _has(self, lists: list[LeakedList], wanted: list[bytes], on_outage: Posture) -> bool:
        if self.broken and on_outage is Posture.CLOSED:
            return True
        return any(digest in each for each in lists for digest in wanted)

    def _opened(self, paths: Iterable[Path], kind: LeakKind) -> list[LeakedList]:
        lists = []
        for path in paths:
            try:
                lists.append(LeakedList(path, kind))
            except ListUnreadable as unreadable:
                log.warning("leaks:list:unreadable", detail=unreadable.detail)
                self.broken.append(unreadable.detail)
        return lists


def leaks_in(folder: Path) -> Leaks:
    """Open the lists in a folder: what ends in `.pairs` and in `.passwords`. Without it, there are none."""
    return Leaks(
        pairs=sorted(folder.glob(f"*.{LeakKind.PAIRS}")),
        passwords=sorted(folder.glob(f"*.{LeakKind.PASSWORDS}")),
    )
