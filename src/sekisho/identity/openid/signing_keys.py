"""The keys that sign: shown before they sign, and shown until nothing that they signed is alive.

A client keeps a copy of the key set for a while. A key that signed from the moment it was made would sign
tokens that such clients cannot verify; one that vanished when its successor took over would leave tokens
behind that nobody can. Private halves are sealed at rest.
"""

import threading
from typing import Any, NamedTuple

import msgspec
from joserfc.jwk import KeySet
from sqlalchemy import Connection, Row, insert, or_, select, update

from sekisho.identity.openid.jose import (
    ALGORITHMS,
    Algorithm,
    SigningKey,
    new_key_pair,
    public_keys,
    read_private,
)
from sekisho.identity.openid.settings import OpenIdSettings
from sekisho.kernel.clock import DAY_US, SECOND_US, Clock
from sekisho.storage.engine import Store
from sekisho.storage.keyring import Keyring
from sekisho.storage.sealed_columns import context_of
from sekisho.storage.tables.openid import signing_key

REREAD_US = 30 * SECOND_US
# What was signed in the last moment of a key is still verified by clocks that run behind.
MARGIN_US = 300 * SECOND_US


class StoredKey(NamedTuple):
    """A key as it is kept. `shown_until_us` is None as long as no successor is known."""

    kid: str
    algorithm: Algorithm
    sealed: bytes
    public: bytes
    signs_from_us: int
    shown_until_us: int | None


def stored_keys(connection: Connection, *, now_us: int) -> list[StoredKey]:
    """Return the keys that are shown now, in the order in which they sign."""
    shown = (
        select(signing_key)
        .where(or_(signing_key.c.shown_until_us.is_(None), signing_key.c.shown_until_us > now_us))
        .order_by(signing_key.c.signs_from_us, signing_key.c.kid)
    )
    return [_read(row) for row in connection.execute(shown)]


def keep(connection: Connection, keyring: Keyring, settings: OpenIdSettings, *, now_us: int) -> int:
    """Make the keys that are missing or due, and return how many that were.

    The first key of an algorithm signs at once; a later one when it has been shown for `key_ahead_s`.
    """
    made = 0
    for algorithm in ALGORITHMS:
        own = [key for key in stored_keys(connection, now_us=now_us) if key.algorithm == algorithm]
        if not own:
            _make(connection, keyring, algorithm, now_us=now_us, signs_from_us=now_us)
        elif now_us - own[-1].signs_from_us >= settings.key_days * DAY_US - settings.key_ahead_s * SECOND_US:
            _succeed(connection, keyring, settings, own, now_us=now_us)
        else:
            continue
        made += 1
    return made


def rotate(connection: Connection, keyring: Keyring, settings: OpenIdSettings, *, now_us: int) -> None:
    """Begin the change to new keys for every algorithm, in the order that leaves every token verifiable."""
    for algorithm in ALGORITHMS:
        own = [key for key in stored_keys(connection, now_us=now_us) if key.algorithm == algorithm]
        if own:
            _succeed(connection, keyring, settings, own, now_us=now_us)
        else:
            _make(connection, keyring, algorithm, now_us=now_us, signs_from_us=now_us)


def replace(connection: Connection, keyring: Keyring, *, now_us: int) -> None:
    """Change to new keys at once and show the old ones no more: for keys that somebody else may have.

    Tokens under the old keys are worth nothing from now on; they live for minutes anyway.
    """
    live = or_(signing_key.c.shown_until_us.is_(None), signing_key.c.shown_until_us > now_us)
    connection.execute(update(signing_key).where(live).values(shown_until_us=now_us))
    for algorithm in ALGORITHMS:
        _make(connection, keyring, algorithm, now_us=now_us, signs_from_us=now_us)


def _succeed(
    connection: Connection, keyring: Keyring, settings: OpenIdSettings, old: list[StoredKey], *, now_us: int
) -> None:
    signs_from_us = now_us + settings.key_ahead_s * SECOND_US
    until_us = signs_from_us + settings.id_token_s * SECOND_US + MARGIN_US
    for key in old:
        if key.shown_until_us is None:
            ends = update(signing_key).where(signing_key.c.kid == key.kid).values(shown_until_us=until_us)
            connection.execute(ends)
    _make(connection, keyring, old[0].algorithm, now_us=now_us, signs_from_us=signs_from_us)


def _make(
    connection: Connection, keyring: Keyring, algorithm: Algorithm, *, now_us: int, signs_from_us: int
) -> None:
    pair = new_key_pair(algorithm)
    connection.execute(
        insert(signing_key),
        {
            "kid": pair.kid,
            "algorithm": algorithm,
            "sealed": keyring.seal(pair.private, context=_context(pair.kid)),
            "public": pair.public,
            "made_at_us": now_us,
            "signs_from_us": signs_from_us,
            "shown_until_us": None,
        },
    )


def _context(kid: str) -> str:
    return context_of(signing_key.c.sealed, kid=kid)


def _read(row: Row[Any]) -> StoredKey:
    return StoredKey(row.kid, row.algorithm, row.sealed, row.public, row.signs_from_us, row.shown_until_us)


class _Held(NamedTuple):
    read_at_us: int
    stored: list[StoredKey]
    signing: dict[str, SigningKey]


class SigningKeys:
    """The keys in memory, read again every half minute: another process may have begun a change.

    `ensure` must have been called once.
    """

    def __init__(self, store: Store, keyring: Keyring, clock: Clock, settings: OpenIdSettings) -> None:
        self._store = store
        self._keyring = keyring
        self._clock = clock
        self._settings = settings
        self._reading = threading.Lock()
        self._held: _Held | None = None

    def ensure(self) -> None:
        """Make what keys are missing or due, and wait until they are kept. Raises OperationalError."""
        now_us = self._clock.now_us()
        self._store.write(
            lambda connection: keep(connection, self._keyring, self._settings, now_us=now_us)
        ).result()
        self.reread()

    def reread(self) -> None:
        """Read the keys anew at their next use."""
        self._held = None

    def signer(self, algorithm: Algorithm) -> SigningKey:
        """Return the key that signs now: the newest whose time has come."""
        held, now_us = self._now()
        own = [key for key in held.stored if key.algorithm == algorithm]
        # Were the clock set back to before all keys, the oldest is the one that clients know.
        ready = [key for key in own if key.signs_from_us <= now_us] or own[:1]
        return held.signing[ready[-1].kid]

    def shown(self) -> dict[str, list[dict[str, str]]]:
        """Return the public key set (RFC 7517)."""
        return {"keys": [msgspec.json.decode(key.public) for key in self._now()[0].stored]}

    def verifying(self) -> KeySet:
        """Return the keys that verify what was signed here."""
        return public_keys(msgspec.json.encode(self.shown()), ALGORITHMS)

    def _now(self) -> tuple[_Held, int]:
        now_us = self._clock.now_us()
        held = self._held
        if held is None or not 0 <= now_us - held.read_at_us < REREAD_US:
            with self._reading:
                held = self._held = self._read(now_us, held)
        return held, now_us

    def _read(self, now_us: int, before: _Held | None) -> _Held:
        with self._store.read() as connection:
            stored = stored_keys(connection, now_us=now_us)
        known = before.signing if before is not None else {}
        signing = {key.kid: known.get(key.kid) or self._open(key) for key in stored}
        return _Held(now_us, stored, signing)

    def _open(self, key: StoredKey) -> SigningKey:
        return read_private(self._keyring.open(key.sealed, context=_context(key.kid)), key.algorithm)
