"""API keys: made once, shown once, kept as a hash. A key says who calls and what they may do.

A key is `sk_<id>_<secret>`. The id finds the record; the secret carries 256 random bits, so that one round
of SHA-256 is enough to keep it, and is compared in constant time.
"""

import hashlib
import hmac
import os
import re
from base64 import urlsafe_b64encode
from enum import StrEnum
from pathlib import Path

import msgspec
import structlog

from sekisho.kernel.chance import Chance
from sekisho.kernel.clock import SECOND_US, Clock, rfc3339

log = structlog.get_logger(__name__)

KEY_ID_OCTETS = 6
SECRET_OCTETS = 32
RELOAD_EVERY_US = SECOND_US
KEY = re.compile(rb"sk_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")


class Scope(StrEnum):
    """What a key allows."""

    ASSESS = "assess"
    """Ask for decisions and tell outcomes."""

    METRICS = "metrics"
    """Read the metrics."""

    CALLS = "calls"
    """Write down calls to members before they are made."""

    TILL = "till"
    """Take payments for the merchant whose id is the key's name."""


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key as it is kept: who holds it, what it allows, and the hash of its secret."""

    id: str
    name: str
    scopes: tuple[Scope, ...]
    secret_sha256: str
    made_at: str


class ApiKeyName(ValueError):  # noqa: N818 - says which value is wrong
    """The name is not usable, or is taken by a key that is still valid."""


class ApiKeys:
    """The keys of one service, in memory or in a file that a command may change while the service runs."""

    def __init__(self, *, clock: Clock, path: Path | None = None) -> None:
        self._clock = clock
        self._path = path
        self._by_id: dict[bytes, ApiKey] = {}
        self._read_us = clock.now_us()
        self._file_state: tuple[int, int] | None = None
        self._read_file()

    def add(self, name: str, scopes: tuple[Scope, ...], chance: Chance) -> str:
        """Make a key and return it: the only time that it can be seen. Raises ApiKeyName."""
        self._read_file()
        if not NAME.fullmatch(name):
            raise ApiKeyName(f"a key's name matches {NAME.pattern}: {name!r}")
        if any(key.name == name for key in self._by_id.values()):
            raise ApiKeyName(f"there is a key of this name: {name!r}")
        key_id = chance.octets(KEY_ID_OCTETS).hex()
        secret = urlsafe_b64encode(chance.octets(SECRET_OCTETS)).rstrip(b"=")
        self._by_id[key_id.encode()] = ApiKey(
            id=key_id,
            name=name,
            scopes=scopes,
            secret_sha256=hashlib.sha256(secret).hexdigest(),
            made_at=rfc3339(self._clock.now_us()),
        )
        self._write_file()
        return f"sk_{key_id}_{secret.decode()}"

    def remove(self, name: str) -> bool:
        """Take a key away; say whether there was one of this name."""
        self._read_file()
        kept = {key_id: key for key_id, key in self._by_id.items() if key.name != name}
        found = len(kept) < len(self._by_id)
        self._by_id = kept
        if found:
            self._write_file()
        return found

    def all(self) -> tuple[ApiKey, ...]:
        """Return the keys as they are kept, by name."""
        return tuple(sorted(self._by_id.values(), key=lambda key: key.name))

    def holder(self, authorization: bytes) -> ApiKey | None:
        """Return the key that an Authorization header carries, or None where it carries no valid one.

        A key that was added or removed by another process counts a second later at the latest.
        """
        if self._path is not None and self._clock.now_us() - self._read_us >= RELOAD_EVERY_US:
            self._reread_file()
        scheme, _, token = authorization.partition(b" ")
        match = KEY.fullmatch(token)
        if match is None or scheme.lower() != b"bearer":
            return None
        key = self._by_id.get(match[1])
        if key is None:
            return None
        presented = hashlib.sha256(match[2]).hexdigest()
        return key if hmac.compare_digest(presented, key.secret_sha256) else None

    def _reread_file(self) -> None:
        try:
            self._read_file()
        except (OSError, msgspec.MsgspecError) as failure:
            # Whoever edits the file by hand must not lock out every caller; the keys read last stay valid.
            log.warning("api_keys:file:unreadable", path=str(self._path), failure=str(failure))

    def _read_file(self) -> None:
        self._read_us = self._clock.now_us()
        if self._path is None:
            return
        try:
            stat = self._path.stat()
        except FileNotFoundError:
            self._by_id, self._file_state = {}, None
            return
        if (stat.st_mtime_ns, stat.st_ino) != self._file_state:
            keys = msgspec.json.decode(self._path.read_bytes(), type=list[ApiKey])
            self._by_id = {key.id.encode(): key for key in keys}
            self._file_state = (stat.st_mtime_ns, stat.st_ino)

    def _write_file(self) -> None:
        if self._path is None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        beside = self._path.with_name(self._path.name + ".new")
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(self.all()), indent=2))
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._path)
