"""One spelling for each IP address: IPv4 dotted, IPv4-mapped IPv6 as IPv4, IPv6 as RFC 5952 writes it."""

import socket

import pyarrow as pa
import pyarrow.compute as pc

_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_IPV4 = rf"^(?:{_OCTET}\.){{3}}{_OCTET}$"
_MAPPED = b"\0" * 10 + b"\xff\xff"


def normal_address(text: str) -> str | None:
    """Return the one spelling of an address, or None where the text is not one.

    Brackets around IPv6 and an interface suffix (`%eth0`) are dropped: both occur in logs and neither is part
    of the address. A port is not: cut it where the log's format is known.
    """
    bare = text.strip().removeprefix("[").removesuffix("]").partition("%")[0]
    try:
        if ":" not in bare:
            return socket.inet_ntop(socket.AF_INET, socket.inet_pton(socket.AF_INET, bare))
        packed = socket.inet_pton(socket.AF_INET6, bare)
    except (OSError, ValueError):  # ValueError: a NUL or a surrogate inside the text
        return None
    if packed.startswith(_MAPPED):
        return socket.inet_ntop(socket.AF_INET, packed[12:])
    return socket.inet_ntop(socket.AF_INET6, packed)


def normal_addresses(texts: pa.StringArray) -> pa.StringArray:
    """Normalise a column without nulls; null marks what is not an address.

    Plain IPv4 is recognised by a pattern over the whole column. What is left is parsed one distinct text at a
    time.
    """
    plain = pc.match_substring_regex(texts, _IPV4)
    if pc.all(plain).as_py():
        return texts
    others = pc.dictionary_encode(pc.filter(texts, pc.invert(plain)))
    spelled = pa.array([normal_address(text) for text in others.dictionary.to_pylist()], pa.string())
    return pc.replace_with_mask(texts, pc.invert(plain), pc.take(spelled, others.indices))
