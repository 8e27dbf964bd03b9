"""The hash chain: each entry is sealed together with everything before it, so that tampering shows.

A link is SHA-256 over the link before it (32 bytes) and the entry's canonical bytes. The first link stands on
GENESIS.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import msgspec

LINK_BYTES = 32
GENESIS = bytes(LINK_BYTES)

_canonical = msgspec.json.Encoder(order="deterministic", decimal_format="string")


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenLink:
    """The first place where the chain does not hold; the first entry has position 0."""

    position: int
    expected: bytes
    found: bytes


def canonical(entry: Any) -> bytes:  # noqa: ANN401 - whatever JSON can say
    """Write an entry in the one form that is sealed: JSON in UTF-8 with sorted keys and no spaces."""
    return _canonical.encode(entry)


def link(previous: bytes, entry: bytes) -> bytes:
    """Seal an entry onto a chain and return the new link. Raises ValueError where `previous` is no link."""
    if len(previous) != LINK_BYTES:
        raise ValueError(f"a link has {LINK_BYTES} bytes, not {len(previous)}")
    return hashlib.sha256(previous + entry).digest()


def verify(entries: Iterable[tuple[bytes, bytes]], *, previous: bytes = GENESIS) -> BrokenLink | None:
    """Check pairs of (entry, link) in order and return the first broken link, or None where it holds."""
    for position, (entry, found) in enumerate(entries):
        expected = link(previous, entry)
        if expected != found:
            return BrokenLink(position=position, expected=expected, found=found)
        previous = found
    return None
