"""Address lists that an operator brings: which of them carry an attempt's address.

A list is a text file, gzipped or not, of one of three kinds, or mixed:

    192.0.2.0/24                                 a network or an address
    192.0.2.0,192.0.2.255,Owner,https://...   the first and the last address of a range
    192.0.2.7<TAB>3                              an address, and on how many lists its collector found it

Lines that begin with # are comments. All lists together become one sorted row of ranges for each IP version,
so that a look-up is one search however many lists there are. As everywhere in the guard, an IPv6 address
counts as its /64: an entry that is narrower than that speaks for all of it.
"""

import gzip
import socket
import zlib
from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sekisho.guard.networks import Source

_GZIP = b"\x1f\x8b"
_V4_BITS, _V6_BITS = 32, 128
_V4_IN_V6 = 0xFFFF << 32
_V6_HOST_BITS = 64
_MASK64 = (1 << 64) - 1
_SHOWN_MAX = 80
_BROKEN_NAMED_MAX = 20


class BadAddressList(ValueError):  # noqa: N818 - named like a refusal, for it is one to the operator
    """The file is no address list: it cannot be read, or not one line of it names an address."""


class BrokenLine(NamedTuple):
    """A line that names no address: its number from 1, and how it begins."""

    number: int
    text: str


class AddressRange(NamedTuple):
    """Addresses from `first` to `last`, both included, and on how many lists they are."""

    first: int
    last: int
    v6: bool
    weight: int


class AddressList(NamedTuple):
    """One list as it was read: entries, how many lines were broken, and the first of those."""

    name: str
    ranges: tuple[AddressRange, ...]
    broken_count: int
    broken: tuple[BrokenLine, ...]


def load_address_list(name: str, path: Path) -> AddressList:
    """Read a list from a file. Raises BadAddressList where it is none, and OSError."""
    octets = path.read_bytes()
    if octets.startswith(_GZIP):
        try:
            octets = gzip.decompress(octets)
        except (OSError, EOFError, zlib.error) as error:
            raise BadAddressList(f"{path} is damaged: {error}") from error
    found = read_address_list(name, octets.decode("utf-8", "replace").splitlines())
    if not found.ranges:
        raise BadAddressList(f"{path} names no address in any of its lines")
    return found


def read_address_list(name: str, lines: Iterable[str]) -> AddressList:
    """Read a list from its lines; what cannot be read is counted, and the first of it is named."""
    ranges: list[AddressRange] = []
    broken: list[BrokenLine] = []
    broken_count = 0
    for number, line in enumerate(lines, 1):
        text = line.strip().removeprefix("\ufeff")
        if not text or text.startswith("#"):
            continue
        try:
            ranges.append(_read_line(text))
        except (OSError, ValueError):
            broken_count += 1
            if len(broken) < _BROKEN_NAMED_MAX:
                broken.append(BrokenLine(number, text[:_SHOWN_MAX]))
    return AddressList(name, tuple(ranges), broken_count, tuple(broken))


def _read_line(text: str) -> AddressRange:
    if "," in text:
        start, end = text.split(",", 2)[:2]
        (first, v6), (last, also_v6) = _number(start.strip()), _number(end.strip())
        if v6 != also_v6 or last < first:
            raise ValueError(text)
        return AddressRange(first, last, v6, 1)
    entry, *others = text.split()
    count = int(others[0]) if others and not others[0].startswith("#") else 1
    if count < 1:
        raise ValueError(text)
    address, slash, length = entry.partition("/")
    first, v6 = _number(address)
    bits = _V6_BITS if v6 else _V4_BITS
    host_bits = bits - int(length) if slash else 0
    if not 0 <= host_bits <= bits:
        raise ValueError(text)
    first = first >> host_bits << host_bits
    return AddressRange(first, first + (1 << host_bits) - 1, v6, count)


def _number(text: str) -> tuple[int, bool]:
    """Return an address as a number, and whether it is IPv6; OSError for other text."""
    if ":" not in text:
        return int.from_bytes(socket.inet_pton(socket.AF_INET, text), "big"), False
    number = int.from_bytes(socket.inet_pton(socket.AF_INET6, text), "big")
    if number >> _V4_BITS << _V4_BITS == _V4_IN_V6:
        return number & 0xFFFF_FFFF, False
    return number, True


class AddressLists:
    """All lists of an operator, to be asked how many of them carry an address."""

    def __init__(self, lists: Iterable[AddressList]) -> None:
        v4: Counter[int] = Counter()
        v6: Counter[int] = Counter()
        for one in lists:
            _count_changes(v4, [(at.first, at.last, at.weight) for at in one.ranges if not at.v6])
            _count_changes(
                v6,
                [
                    (at.first >> _V6_HOST_BITS, at.last >> _V6_HOST_BITS, at.weight)
                    for at in one.ranges
                    if at.v6
                ],
            )
        self._v4, self._v6 = _Row("I", v4), _Row("Q", v6)

    def count(self, source: "Source") -> int:
        """Return how many lists carry an address; a list that counts itself speaks for as many as it says."""
        return self._v6.at(source.address & _MASK64) if source.v6 else self._v4.at(source.address)


class _Row:
    """Where the count changes, in order, and what it is from there on."""

    def __init__(self, kind: str, changes: Counter[int]) -> None:
        self._starts, self._counts = array(kind), array("I", [0])
        count = 0
        for start in sorted(changes):
            # A range that ends with the last address there is changes nothing that could be asked for.
            if changes[start] and start >> 8 * self._starts.itemsize == 0:
                count += changes[start]
                self._starts.append(start)
                self._counts.append(count)

    def at(self, number: int) -> int:
        return self._counts[bisect_right(self._starts, number)]


def _count_changes(changes: Counter[int], ranges: Iterable[tuple[int, int, int]]) -> None:
    """Note where one list's count rises and falls. Where its entries overlap, the largest count holds."""
    before = 0
    for at, count in _largest(ranges):
        changes[at] += count - before
        before = count


def _largest(ranges: Iterable[tuple[int, int, int]]) -> Iterator[tuple[int, int]]:
    """Yield from where on which count is the largest of those that hold."""
    edges: list[tuple[int, int, int]] = []
    for first, last, count in ranges:
        edges += ((first, count, 1), (last + 1, count, -1))
    edges.sort()
    holding: Counter[int] = Counter()
    for place, (at, count, more) in enumerate(edges):
        holding[count] += more
        if not holding[count]:
            del holding[count]
        if place + 1 == len(edges) or edges[place + 1][0] != at:
            yield at, max(holding, default=0)
