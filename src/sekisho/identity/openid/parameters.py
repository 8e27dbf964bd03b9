"""Parameters of a request, each at most once and within its length.

A parameter that is sent twice is read one way by us and another way by whoever filtered before us, so a
repetition is refused and never resolved (RFC 6749 section 3.1). Empty values count as absent, as it demands.
"""

import re
from collections.abc import Iterable
from urllib.parse import parse_qsl

import msgspec

from sekisho.identity.openid.refusals import InvalidRequest, RequestUnreadable

OCTETS_MAX = 8_192
FIELDS_MAX = 40
VALUE_CHARACTERS_MAX = 2_048
LONG_VALUE_CHARACTERS_MAX = 6_144
LONG = frozenset({"client_assertion", "id_token_hint", "ticket"})
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


class Parameters(msgspec.Struct, frozen=True):
    """What a query or a form holds. `repeated` and `unusable` name what must not be read."""

    values: dict[str, str]
    repeated: frozenset[str] = frozenset()
    unusable: frozenset[str] = frozenset()

    def get(self, name: str) -> str:
        """Return a value, empty where it is absent. Raises InvalidRequest where it cannot be told."""
        if name in self.repeated:
            raise InvalidRequest(told=f"The parameter {name} is repeated.")
        if name in self.unusable:
            raise InvalidRequest(told=f"The parameter {name} is too long or holds characters that it cannot.")
        return self.values.get(name, "")

    def need(self, name: str) -> str:
        """Return a value that must be there. Raises InvalidRequest."""
        value = self.get(name)
        if not value:
            raise InvalidRequest(told=f"The parameter {name} is missing.")
        return value


def read_form(octets: bytes) -> Parameters:
    """Read application/x-www-form-urlencoded in UTF-8. Raises RequestUnreadable."""
    if len(octets) > OCTETS_MAX:
        raise RequestUnreadable(known=f"{len(octets)} octets")
    try:
        pairs = parse_qsl(
            octets.decode("ascii"),
            keep_blank_values=True,
            encoding="utf-8",
            errors="strict",
            max_num_fields=FIELDS_MAX,
        )
    except ValueError as error:
        raise RequestUnreadable(known=type(error).__name__) from error
    return _gathered(pairs)


def _gathered(pairs: Iterable[tuple[str, str]]) -> Parameters:
    values: dict[str, str] = {}
    repeated: set[str] = set()
    unusable: set[str] = set()
    for name, value in pairs:
        if name in values:
            repeated.add(name)
        longest = LONG_VALUE_CHARACTERS_MAX if name in LONG else VALUE_CHARACTERS_MAX
        if len(value) > longest or _CONTROL.search(value):
            unusable.add(name)
        values[name] = value
    return Parameters(values, frozenset(repeated), frozenset(unusable))
