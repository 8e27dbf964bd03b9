"""Tell a code that its owner enters from one that somebody was told and passes on.

A pure comparison of where a code was asked for with where it is entered, and of both with what is known of
the member. Each finding is a named sign; what a sign is worth stands in `guard/rules/relayed_code.py`, so
that the guard and the code desk weigh alike. docs/concepts/relay-test.md has the reasons.
"""

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple
from urllib.parse import urlsplit

import msgspec

from sekisho.guard.clients import read_client
from sekisho.guard.networks import BadAddress, Source, read_source
from sekisho.guard.rules.relayed_code import POINTS
from sekisho.identity.lookalikes import Likeness, likeness
from sekisho.kernel.clock import SECOND_US

WEAK_FROM = 3
STRONG_FROM = 6

MACHINE_SPEED_US = 2 * SECOND_US
LATE_US = 10 * SECOND_US
PASTED_MS_MAX = 150
MANY_CODES = 3

_TEXT_MAX = 1_000
_JA4 = re.compile(r"[tqd][0-9a-z]{2}[di][0-9]{4}[0-9a-zA-Z]{2}_[0-9a-f]{12}_[0-9a-f]{12}")


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """The browser at one moment: when a code is asked for, and when one is entered.

    Of `referrer` (the Referer or Origin header) only the host is kept. `filled_in_ms` is how long the page's
    script saw the code being written, from the first character to the last; None where it did not tell.
    `device_id` is our id of the browser where its cookie was known.
    """

    ip: str
    user_agent: str = ""
    tls: str = ""
    device_id: str = ""
    session_id: str = ""
    referrer: str = ""
    asn: int = 0
    country: str = ""
    filled_in_ms: int | None = None

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "user_agent", self.user_agent[:_TEXT_MAX])
        msgspec.structs.force_setattr(self, "tls", self.tls[:_TEXT_MAX])
        msgspec.structs.force_setattr(self, "referrer", _host_of(self.referrer))


class KnownWays(NamedTuple):
    """What is known of a member's own devices: their ids, the regions of addresses and the countries."""

    devices: frozenset[str] = frozenset()
    regions: frozenset[int] = frozenset()
    countries: frozenset[str] = frozenset()


class Course(NamedTuple):
    """How it went: how long after the code was sent it is entered, and how many were asked for lately."""

    after_us: int
    codes_lately: int = 1


class Strength(StrEnum):
    """How much speaks for a relay."""

    NONE = "none"
    """Nothing that would not befall an honest member."""

    WEAK = "weak"
    """The code counts, but a session that it opens may do little."""

    STRONG = "strong"
    """Even the right code does not suffice."""


class Sign(NamedTuple):
    """One finding, and what it is worth."""

    name: str
    points: int


class RelayEvidence(msgspec.Struct, frozen=True):
    """What was found, in the order of the test."""

    signs: tuple[Sign, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Return the signs' names, as the guard takes them."""
        return tuple(sign.name for sign in self.signs)

    @property
    def points(self) -> int:
        """Return what all signs are worth together."""
        return sum(sign.points for sign in self.signs)

    @property
    def strength(self) -> Strength:
        """Return what follows."""
        if self.points >= STRONG_FROM:
            return Strength.STRONG
        return Strength.WEAK if self.points >= WEAK_FROM else Strength.NONE


class OurHost(NamedTuple):
    """Our host, and our names as people write them, without spaces."""

    host: str
    names: tuple[str, ...] = ()


def look_for_relay(
    asked: Asked, entered: Asked, known: KnownWays, course: Course, ours: OurHost
) -> RelayEvidence:
    """Compare an entry with its request and with the member; nothing is looked up and nothing remembered."""
    names = (
        *_moved(asked, entered),
        *_another_browser(asked, entered),
        *_strange(asked, entered, known),
        *_referred(asked, entered, ours),
        *_course(entered, course),
    )
    return RelayEvidence(tuple(Sign(name, POINTS[name]) for name in names))


def _moved(asked: Asked, entered: Asked) -> Iterator[str]:
    """Yield at most one sign: a change of network brings a change of address with it."""
    if asked.ip == entered.ip:
        return
    if asked.country and entered.country and asked.country != entered.country:
        yield "other_country"
    elif asked.asn and entered.asn:
        if asked.asn != entered.asn:
            yield "other_network"
        # Within one provider a line changes between IPv4 and IPv6 and between addresses all day long.
    elif not _near(asked.ip, entered.ip):
        yield "other_address"


def _near(one: str, other: str) -> bool:
    first, second = source_of(one), source_of(other)
    return first is not None and second is not None and first.prefix == second.prefix


def _another_browser(asked: Asked, entered: Asked) -> Iterator[str]:
    if asked.session_id and entered.session_id != asked.session_id:
        yield "other_session"
    if asked.device_id and entered.device_id != asked.device_id:
        yield "other_device"
    if read_client(asked.user_agent).family != read_client(entered.user_agent).family:
        yield "other_browser"
    elif _greets_otherwise(asked.tls, entered.tls):
        yield "other_fingerprint"


def _greets_otherwise(one: str, other: str) -> bool:
    """Compare two TLS fingerprints by what one browser does not change from one connection to the next.

    A JA4 names protocol and counts, the ciphers, and the extensions, with `_` between them. The extensions
    change when a browser takes a session up again, and QUIC (`q`) is another handshake than TCP (`t`).
    """
    if not one or not other:
        return False
    if not _JA4.fullmatch(one) or not _JA4.fullmatch(other):
        return one != other
    (first, ciphers, _), (second, others, _) = one.split("_"), other.split("_")
    return first[0] == second[0] and (first[1:3], ciphers) != (second[1:3], others)


def _strange(asked: Asked, entered: Asked, known: KnownWays) -> Iterator[str]:
    """Compare with the member's own devices. Who has none is new to us, and nothing can be strange."""
    if not known.devices or {asked.device_id, entered.device_id} <= known.devices:
        return
    yield "strange_device"
    sources = [source for source in (source_of(asked.ip), source_of(entered.ip)) if source is not None]
    if known.regions and any(source.region not in known.regions for source in sources):
        yield "strange_network"
    if known.countries and any(
        each.country and each.country not in known.countries for each in (asked, entered)
    ):
        yield "strange_country"


def _referred(asked: Asked, entered: Asked, ours: OurHost) -> Iterator[str]:
    found = [likeness(each.referrer, *ours) for each in (asked, entered) if each.referrer]
    if Likeness.LOOKALIKE in found:
        yield "lookalike_referrer"
    elif entered.referrer and found[-1] is Likeness.OTHER:
        # People come to the login from anywhere; a code is typed on the page that asks for it.
        yield "foreign_referrer"


def _course(entered: Asked, course: Course) -> Iterator[str]:
    if course.codes_lately >= MANY_CODES:
        yield "many_codes"
    if 0 <= course.after_us < MACHINE_SPEED_US:
        yield "machine_speed"
    elif (
        entered.filled_in_ms is not None
        and entered.filled_in_ms <= PASTED_MS_MAX
        and course.after_us >= LATE_US
    ):
        yield "pasted_late"


def source_of(ip: str) -> Source | None:
    """Read an address, or return None where it is none."""
    try:
        return read_source(ip, 0)
    except BadAddress:
        return None


def _host_of(referrer: str) -> str:
    """Return the host of a web address, of an origin, or a bare host; never a path or a query.

    Empty where there is none: an origin that the browser hides, or an address of an app.
    """
    text = referrer.strip()[:_TEXT_MAX].replace("\\", "/")  # as browsers read it
    scheme, found, rest = text.partition("://")
    if text == "null" or (found and scheme.lower() not in {"http", "https"}):
        return ""
    try:
        parts = urlsplit(f"//{rest if found else text}")
        _ = parts.port  # raises where what follows a colon is none
    except ValueError:
        return ""
    return parts.hostname or ""
