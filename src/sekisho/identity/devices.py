"""Devices of a member: browsers that somebody passed on, and what each is to us.

A browser keeps one cookie with a token for each member who uses it, the newest first; here is only each
token's digest. A token is no session: it says which browser this is.
"""

import hashlib
import re

import msgspec
from sqlalchemy import Connection, Row, insert, select, update

from sekisho.identity.arrivals import Arrival
from sekisho.identity.assurance import Standing
from sekisho.identity.institution import Parts
from sekisho.identity.tokens import digest_of, new_token
from sekisho.kernel.ids import DEVICE, DeviceId, MemberId
from sekisho.storage import outbox
from sekisho.storage.tables.sessions import device

TOKENS_PER_BROWSER_MAX = 4
WRONG_PASSWORDS_MAX = 10
"""After so many in a row, a trusted device is treated as a stranger's until its member has passed again."""

_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
_SEPARATOR = "."


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """One browser of one member. A browser that a family shares is a device of each of them."""

    id: DeviceId
    member_id: MemberId
    standing: Standing
    user_agent: str
    first_ip: str
    first_seen_us: int
    last_seen_us: int
    trusted_at_us: int | None
    revoked_at_us: int | None
    wrong_passwords: int

    @property
    def was_trusted(self) -> bool:
        """Whether it is trusted, or was until somebody doubted it."""
        return self.trusted_at_us is not None and self.standing is not Standing.REVOKED


class Enrolled(msgspec.Struct, frozen=True):
    """A device, what its browser's cookie is to hold from now on, and whether it was unknown until now."""

    device: Device
    cookie: str
    is_new: bool


def tokens_in(cookie: str) -> list[str]:
    """Return the tokens in a cookie, at most four; what is none is left out."""
    return [token for token in cookie.split(_SEPARATOR) if _TOKEN.fullmatch(token)][:TOKENS_PER_BROWSER_MAX]


def of_browser(connection: Connection, cookie: str) -> list[Device]:
    """Return the devices that a browser's cookie names, whosever they are."""
    digests = [digest_of(token) for token in tokens_in(cookie)]
    if not digests:
        return []
    return [_of(row) for row in connection.execute(select(device).where(device.c.token_digest.in_(digests)))]


def claimed_id(cookie: str) -> str:
    """Return an opaque name for a cookie that names no device of ours, empty where none was sent."""
    return hashlib.sha256(cookie.encode("utf-8", "surrogatepass")).hexdigest()[:32] if cookie else ""


def enrol(
    connection: Connection, parts: Parts, member_id: MemberId, arrival: Arrival, standing: Standing
) -> Enrolled:
    """Take up the browser as the member's device, or find it again; it never loses standing by this.

    A device that was revoked stays so: the browser becomes a new one.
    """
    now_us = parts.clock.now_us()
    here = of_browser(connection, arrival.device_token)
    for known in here:
        if known.member_id == member_id and known.standing is not Standing.REVOKED:
            _seen(connection, known.id, arrival, now_us)
            newly = standing is Standing.TRUSTED and trust(connection, parts, known.id)
            seen = _get(connection, known.id) if newly else _as_seen(known, arrival, now_us)
            return Enrolled(seen, arrival.device_token, is_new=False)
    token = new_token(parts.chance)
    made = Device(
        id=DEVICE.new(parts.clock, parts.chance),
        member_id=member_id,
        standing=standing,
        user_agent=arrival.user_agent,
        first_ip=arrival.ip,
        first_seen_us=now_us,
        last_seen_us=now_us,
        trusted_at_us=now_us if standing is Standing.TRUSTED else None,
        revoked_at_us=None,
        wrong_passwords=0,
    )
    connection.execute(insert(device), msgspec.structs.asdict(made) | {"token_digest": digest_of(token)})
    others = _tokens_of_others(connection, arrival.device_token, member_id)
    return Enrolled(made, _SEPARATOR.join([token, *others][:TOKENS_PER_BROWSER_MAX]), is_new=True)


def _tokens_of_others(connection: Connection, cookie: str, member_id: MemberId) -> list[str]:
    """Return the tokens in a cookie that are of other members: what is nobody's or revoked gives way."""
    digests = {digest_of(token): token for token in tokens_in(cookie)}
    others = select(device.c.token_digest).where(
        device.c.token_digest.in_(digests),
        device.c.member_id != member_id,
        device.c.standing != Standing.REVOKED,
    )
    kept = {bytes(digest) for digest in connection.execute(others).scalars()}
    return [token for digest, token in digests.items() if digest in kept]


def find(connection: Connection, device_id: str) -> Device | None:
    """Return a device by id."""
    row = connection.execute(select(device).where(device.c.id == device_id)).one_or_none()
    return None if row is None else _of(row)


def of_member(connection: Connection, member_id: MemberId) -> list[Device]:
    """Return a member's devices that were not revoked, the one seen last first."""
    own = select(device).where(device.c.member_id == member_id, device.c.revoked_at_us.is_(None))
    return [_of(row) for row in connection.execute(own.order_by(device.c.last_seen_us.desc()))]


def trust(connection: Connection, parts: Parts, device_id: DeviceId) -> bool:
    """Make an unconfirmed device a trusted one and tell whether it was; a revoked one stays revoked."""
    now_us = parts.clock.now_us()
    changed = connection.execute(
        update(device)
        .where(device.c.id == device_id, device.c.standing == Standing.UNCONFIRMED)
        .values(standing=Standing.TRUSTED, trusted_at_us=now_us)
    ).rowcount
    if changed:
        event = outbox.Entry("member:device:trusted", f"{device_id}:{now_us}", now_us, b"{}")
        outbox.append(connection, [event])
    return bool(changed)


def doubt(connection: Connection, parts: Parts, device_id: DeviceId) -> bool:
    """Make a trusted device an unconfirmed one and tell whether it was. That it was trusted stays known."""
    now_us = parts.clock.now_us()
    changed = connection.execute(
        update(device)
        .where(device.c.id == device_id, device.c.standing == Standing.TRUSTED)
        .values(standing=Standing.UNCONFIRMED)
    ).rowcount
    if changed:
        event = outbox.Entry("member:device:doubted", f"{device_id}:{now_us}", now_us, b"{}")
        outbox.append(connection, [event])
    return bool(changed)


def revoke(connection: Connection, parts: Parts, device_id: DeviceId) -> bool:
    """Throw a device out for good and tell whether it was in. Its sessions are ended by `sessions`."""
    now_us = parts.clock.now_us()
    changed = connection.execute(
        update(device)
        .where(device.c.id == device_id, device.c.standing != Standing.REVOKED)
        .values(standing=Standing.REVOKED, revoked_at_us=now_us)
    ).rowcount
    if changed:
        outbox.append(connection, [outbox.Entry("member:device:revoked", device_id, now_us, b"{}")])
    return bool(changed)


def count_wrong_password(connection: Connection, device_id: DeviceId) -> None:
    """Count a wrong password that was typed on a trusted device."""
    counted = update(device).where(device.c.id == device_id)
    connection.execute(counted.values(wrong_passwords=device.c.wrong_passwords + 1))


def _seen(connection: Connection, device_id: DeviceId, arrival: Arrival, now_us: int) -> None:
    connection.execute(
        update(device)
        .where(device.c.id == device_id)
        .values(last_seen_us=now_us, user_agent=arrival.user_agent, wrong_passwords=0)
    )


def _as_seen(known: Device, arrival: Arrival, now_us: int) -> Device:
    return msgspec.structs.replace(
        known, last_seen_us=now_us, user_agent=arrival.user_agent, wrong_passwords=0
    )


def _get(connection: Connection, device_id: DeviceId) -> Device:
    return _of(connection.execute(select(device).where(device.c.id == device_id)).one())


def _of(row: Row[tuple[object, ...]]) -> Device:
    return msgspec.convert(row, Device, from_attributes=True)
