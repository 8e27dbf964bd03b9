"""Hostile sources and devices, told between two institutions without naming them.

Two institutions agree on a key. A source is told as a digest under a key of the day that is derived from it:
who has met the same source can recognise it, and nobody else learns an address, or that two days' digests
are one. What is told is bounded by partner and day, and ends by itself.
"""

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable
from ipaddress import IPv6Address, ip_address
from typing import Literal, NamedTuple

from sqlalchemy import Connection, and_, delete, func, or_, select

from sekisho.guard.attempts import Attempt
from sekisho.identity.institution import Parts
from sekisho.kernel.clock import DAY_US, HOUR_US
from sekisho.messages.queue import insert_once
from sekisho.sharing import partners, streams
from sekisho.sharing.announcements import queue_within
from sekisho.sharing.settings import SignalSettings
from sekisho.sharing.stream_events import DIGESTS_MAX, HOSTILE_SOURCES, HostileSources
from sekisho.sharing.streams import Status
from sekisho.storage.tables.signals import source_digest as table

DIGEST_OCTETS = 16
V6_HOST_BITS = 64
SIGNS = {"address": "partner_hostile_source", "device": "partner_hostile_device"}
KEYS_REREAD_US = HOUR_US // 360

Kind = Literal["address", "device"]


class Source(NamedTuple):
    """Where an attempt came from: an address (of IPv6 its /64), or a client's fingerprint and program."""

    kind: Kind
    value: str


def sources_of(attempt: Attempt) -> tuple[Source, ...]:
    """Return by what an attempt can be recognised elsewhere."""
    found = [Source("address", address)] if (address := _written(attempt.ip)) else []
    if attempt.tls:
        found.append(Source("device", f"{attempt.tls}\n{attempt.user_agent}"))
    return tuple(found)


def digest_under(key: bytes, sender: str, day: int, source: Source) -> bytes:
    """Return what a source is told as: by whom, on which day (counted from 1970-01-01, UTC)."""
    of_day = hmac.digest(key, f"{sender}\n{day}".encode(), hashlib.sha256)
    text = f"{source.kind}\n{source.value}".encode("utf-8", "surrogatepass")
    return hmac.digest(of_day, text, hashlib.sha256)[:DIGEST_OCTETS]


def tell_within(
    connection: Connection, parts: Parts, settings: SignalSettings, sources: Iterable[Source]
) -> int:
    """Tell every partner with a key of hostile sources, each once a day; return how many digests went out."""
    told, wanted = 0, list(sources)
    for issuer, key in partners.source_keys(connection, parts).items():
        stream = streams.of_partner(connection, issuer)
        if (
            stream is None
            or stream.status is Status.DISABLED
            or HOSTILE_SOURCES not in stream.events_delivered
        ):
            continue
        day = parts.clock.now_us() // DAY_US
        room = settings.sources_kept - _count(connection, issuer, day, ours=True)
        by_kind: dict[Kind, list[str]] = {"address": [], "device": []}
        for source in wanted[: max(room, 0)]:
            digest = digest_under(key, parts.institution.origin, day, source)
            if _keep(connection, parts, settings, _Digest(issuer, True, source.kind, day, digest)):
                by_kind[source.kind].append(urlsafe_b64encode(digest).rstrip(b"=").decode())
        for kind, digests in by_kind.items():
            for start in range(0, len(digests), DIGESTS_MAX):
                event = HostileSources(kind=kind, day=day, digests=digests[start : start + DIGESTS_MAX])
                queue_within(connection, parts, stream, event)
            told += len(digests)
    return told


def take_within(
    connection: Connection, parts: Parts, settings: SignalSettings, issuer: str, event: HostileSources
) -> int:
    """Keep what a partner told, as far as it is of these days and there is room; return how many are new."""
    today = parts.clock.now_us() // DAY_US
    if abs(event.day - today) > 1:
        return 0
    room = max(settings.sources_kept - _count(connection, issuer, event.day, ours=False), 0)
    kept = 0
    for text in event.digests[:room]:
        digest = urlsafe_b64decode(text + "==")
        kept += _keep(connection, parts, settings, _Digest(issuer, False, event.kind, event.day, digest))
    return kept


def forget_within(connection: Connection, now_us: int) -> int:
    """Forget what counts no more; return how many digests that were."""
    return connection.execute(delete(table).where(table.c.until_us <= now_us)).rowcount


class SourceBook:
    """Recognises sources that partners told of."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._keys: dict[str, bytes] = {}
        self._read_us: int | None = None

    async def signs_of(self, attempt: Attempt) -> frozenset[str]:
        """Return what partners say of where an attempt comes from. Raises OperationalError."""
        now_us = self._parts.clock.now_us()
        if self._read_us is None or not 0 <= now_us - self._read_us < KEYS_REREAD_US:
            self._keys = await self._parts.read(lambda at: partners.source_keys(at, self._parts))
            self._read_us = now_us
        sources = sources_of(attempt)
        if not self._keys or not sources:
            return frozenset()
        return await self._parts.read(lambda at: self._look(at, sources, now_us))

    def _look(self, connection: Connection, sources: tuple[Source, ...], now_us: int) -> frozenset[str]:
        today = now_us // DAY_US
        asked = [
            and_(
                table.c.issuer == issuer,
                table.c.ours.is_(False),
                table.c.kind == source.kind,
                table.c.day == day,
                table.c.digest == digest_under(key, issuer, day, source),
            )
            for issuer, key in self._keys.items()
            for day in (today - 1, today, today + 1)
            for source in sources
        ]
        found = select(table.c.kind).where(or_(*asked), table.c.until_us > now_us)
        return frozenset(SIGNS[kind] for kind in connection.execute(found).scalars())


class _Digest(NamedTuple):
    issuer: str
    ours: bool
    kind: Kind
    day: int
    digest: bytes


def _keep(connection: Connection, parts: Parts, settings: SignalSettings, digest: _Digest) -> bool:
    until_us = parts.clock.now_us() + settings.source_hours * HOUR_US
    return insert_once(connection, table, {**digest._asdict(), "until_us": until_us})


def _count(connection: Connection, issuer: str, day: int, *, ours: bool) -> int:
    its = and_(table.c.issuer == issuer, table.c.ours.is_(ours), table.c.day == day)
    return int(connection.execute(select(func.count()).select_from(table).where(its)).scalar_one())


def _written(ip: str) -> str:
    """Return an address in its one spelling, empty where it is none."""
    try:
        address = ip_address(ip)
    except ValueError:
        return ""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(IPv6Address(int(address) >> V6_HOST_BITS << V6_HOST_BITS))
    return str(address)
