"""What kind of client an attempt comes from, read off its user agent: the program and the system it runs
on.
"""

from typing import NamedTuple

import xxhash

# The first that stands in the text names the program: apps and in-app browsers carry the names of the
# browsers that they are built on, so the particular ones come first.
_PROGRAMS = (
    *("Line/", "YJApp", "FBAN", "FBAV", "Instagram", "GSA/"),
    *("SamsungBrowser", "Edg", "OPR/", "Vivaldi", "DuckDuckGo", "CriOS", "FxiOS"),
    *("Firefox/", "; wv", "Chrome/", "Safari/"),
)
_SYSTEMS = (
    *(("iPhone", 1), ("iPad", 2), ("iOS", 1), ("Android", 3), ("Windows", 4)),
    *(("Macintosh", 5), ("CrOS", 6), ("X11", 7), ("Linux", 7)),
)
_CACHE_MAX = 16_384
_LONGEST = 512


class Client(NamedTuple):
    """16-bit codes that are equal for equal clients: the exact text, the program on its system, the
    system (0 to 7).
    """

    exact: int
    family: int
    system: int


_cache: dict[str, Client] = {}
_codes: dict[str, int] = {}


def read_client(user_agent: str) -> Client:
    """Sort a user agent; a text that names none of the usual programs counts as a program of its first
    word.
    """
    client = _cache.get(user_agent)
    if client is None:
        if len(_cache) >= _CACHE_MAX:  # an attacker may send a new text with every attempt
            _cache.clear()
        client = _sort(user_agent[:_LONGEST])
        if len(user_agent) <= _LONGEST:
            _cache[user_agent] = client
    return client


def _sort(user_agent: str) -> Client:
    system = next((number for name, number in _SYSTEMS if name in user_agent), 0)
    is_browser = user_agent.startswith("Mozilla/")
    program = (
        next((name for name in _PROGRAMS if name in user_agent), "")
        if is_browser
        else user_agent.split("/", 1)[0]
    )
    return Client(code16(user_agent), code16(f"{program}|{system}"), system)


def code16(text: str) -> int:
    """Return a number of 16 bits that is equal for equal texts, 0 for the empty one."""
    code = _codes.get(text)
    if code is None:
        code = xxhash.xxh3_64_intdigest(text.encode("utf-8", "surrogatepass")) & 0xFFFF if text else 0
        if len(_codes) >= _CACHE_MAX:
            _codes.clear()
        if len(text) <= _LONGEST:
            _codes[text] = code
    return code
