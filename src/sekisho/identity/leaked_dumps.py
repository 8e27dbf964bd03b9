"""Leaked pairs and passwords as they are found: text, one a line, made into the digests of a list."""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from sekisho.identity.hashing import octets_of
from sekisho.identity.leaked_lists import DIGEST_OCTETS, LeakKind, pair_digest, password_digest

# The published lists of hashes: SHA-1 in hexadecimal, and how often it was seen.
_SHA1 = re.compile(r"([0-9A-Fa-f]{40})(?::[0-9]+)?")
_PAIR = re.compile(r"([^:;\t]+)[:;\t](.+)")


class DumpLine(NamedTuple):
    """One line: the digests that it stands for, none where it cannot be read."""

    number: int
    digests: tuple[bytes, ...]


def read_dump(lines: Iterable[str], kind: LeakKind) -> Iterator[DumpLine]:
    """Read lines of `id:password` (or `;`, or a tabulator), or of passwords or their SHA-1, numbered from 1.

    Empty lines are passed over.
    """
    read = _pair if kind is LeakKind.PAIRS else _password
    for number, line in enumerate(lines, start=1):
        text = line.rstrip("\r\n")
        if text:
            yield DumpLine(number, read(text))


def _pair(text: str) -> tuple[bytes, ...]:
    found = _PAIR.fullmatch(text)
    return () if found is None else (pair_digest(found[1], found[2]),)


def _password(text: str) -> tuple[bytes, ...]:
    found = _SHA1.fullmatch(text)
    if found is not None:
        return (bytes.fromhex(found[1])[:DIGEST_OCTETS],)
    return (password_digest(octets_of(text)),)
