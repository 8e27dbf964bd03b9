"""Where an attempt comes from, as numbers: the address itself, its neighbourhood and its region.

An IPv4 address counts as itself, its /24 and its /16; an IPv6 address as its /64 (one line or one phone),
its /48 and its /32. An IPv4 address written inside IPv6 (::ffff:a.b.c.d) is the IPv4 address.
"""

import socket

import msgspec

_V4_IN_V6 = b"\x00" * 10 + b"\xff\xff"
_V6 = 1 << 64  # keeps an IPv6 /64 apart from an IPv4 address of the same number


class BadAddress(ValueError):  # noqa: N818 - named like a refusal, for it is one to the caller
    """The text is neither an IPv4 nor an IPv6 address."""


class Source(msgspec.Struct, frozen=True, gc=False):
    """The network side of an attempt.

    `address`, `prefix` and `region` are integers that are equal for equal networks. `place` packs 16 bits
    each of provider, region, prefix and address, most significant first, so that one XOR tells how near two
    places are.
    """

    address: int
    prefix: int
    region: int
    place: int
    v6: bool


def read_source(ip: str, asn: int) -> Source:
    """Turn an address and its provider's number (0: not known) into a `Source`; raise `BadAddress` for
    other text.
    """
    try:
        packed = socket.inet_pton(socket.AF_INET6 if ":" in ip else socket.AF_INET, ip)
    except (OSError, ValueError) as error:
        raise BadAddress(ip[:64]) from error
    provider = (asn ^ asn >> 16) & 0xFFFF
    if len(packed) == 16 and packed[:12] == _V4_IN_V6:  # noqa: PLR2004 - bytes of an IPv6 address
        packed = packed[12:]
    if len(packed) == 4:  # noqa: PLR2004 - bytes of an IPv4 address
        number = int.from_bytes(packed, "big")
        return Source(
            number,
            number >> 8,
            number >> 16,
            provider << 48 | (number >> 16) << 32 | (number >> 8 & 0xFFFF) << 16 | number & 0xFFFF,
            False,
        )
    number = int.from_bytes(packed[:8], "big")
    region = number >> 32
    folded = (region ^ region >> 16) & 0xFFFF
    return Source(
        _V6 | number,
        _V6 | number >> 16,
        _V6 | region,
        provider << 48 | folded << 32 | number & 0xFFFFFFFF,
        True,
    )
