"""Encryption at rest and keyed digests: what a stolen database file does not give away.

A sealed datum is AES-256-GCM: one octet of version, the key's name with its length in front, a nonce of 96
random bits, then the ciphertext with its tag. The key's name and the context (whose datum it is, and which)
are authenticated with it, so that a row that was changed, cut short or moved to another member does not open.
"""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sekisho.kernel.chance import Chance
from sekisho.kernel.clock import Clock
from sekisho.kernel.posture import OperationalError

KEY_BYTES = 32
NONCE_BYTES = 12
TAG_BYTES = 16
VERSION = b"\x01"


class Unsealable(OperationalError):  # noqa: N818 - it says what the datum is
    """A sealed datum does not open: tampered with, moved, or sealed under a key that is not here."""

    def __init__(self, detail: str) -> None:
        super().__init__("keyring", detail)


class KeyUse(StrEnum):
    """What a key is for. No key has two uses."""

    SEAL = "seal"
    """Seals data; rotates."""

    DIGEST = "digest"
    """Finds a contact again; never rotates, because what it made could no longer be found."""

    PEPPER = "pepper"
    """Goes into each password's hash; an older one stays until the last password under it was changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key of 32 bytes, its name (unique in its keyring) and when it was made."""

    name: str
    use: KeyUse
    made_at_us: int
    octets: bytes = field(repr=False)


def new_key(use: KeyUse, clock: Clock, chance: Chance) -> Key:
    """Make a key with a name that says its use."""
    name = f"{use}-{chance.octets(6).hex()}"
    return Key(name=name, use=use, made_at_us=clock.now_us(), octets=chance.octets(KEY_BYTES))


def new_keys(clock: Clock, chance: Chance) -> tuple[Key, ...]:
    """Make the keys that a new keyring starts with: one for each use."""
    return tuple(new_key(use, clock, chance) for use in KeyUse)


class Keyring(Protocol):
    """Seals, opens and digests. `context` says what the datum is: `personal:mem_...:email`."""

    def seal(self, plain: bytes, *, context: str) -> bytes:
        """Encrypt under the newest key. The same plain bytes come out different each time."""
        ...

    def open(self, sealed: bytes, *, context: str) -> bytes:
        """Decrypt what was sealed under any key of the ring. Raises Unsealable."""
        ...

    def is_current(self, sealed: bytes) -> bool:
        """Tell whether the datum is sealed under the newest key, without opening it."""
        ...

    def digest(self, value: str, *, context: str) -> bytes:
        """Return 32 bytes by which an equal value is found again in this context, and in no other."""
        ...

    def pepper(self, value: bytes, *, pepper: str = "") -> tuple[bytes, str]:
        """Key 32 bytes out of a password under the newest pepper, or the named one; return its name too.

        Raises Unsealable where no pepper has this name.
        """
        ...


class HeldKeyring:
    """A keyring whose keys are in memory. Safe to use from any thread.

    `read` returns all keys. It is called once now, and again when a datum names a key that is not held yet:
    another process may have made a new one meanwhile.
    """

    def __init__(self, read: Callable[[], tuple[Key, ...]], chance: Chance) -> None:
        self._read = read
        self._chance = chance
        self._take(read())

    @classmethod
    def of(cls, keys: tuple[Key, ...], chance: Chance) -> "HeldKeyring":
        """Hold exactly these keys."""
        return cls(lambda: keys, chance)

    def seal(self, plain: bytes, *, context: str) -> bytes:
        """Encrypt under the newest key. The same plain bytes come out different each time."""
        key = self._newest[KeyUse.SEAL]
        header = header_of(key.name)
        nonce = self._chance.octets(NONCE_BYTES)
        return header + nonce + _cipher(key, context).encrypt(nonce, plain, header + context.encode())

    def open(self, sealed: bytes, *, context: str) -> bytes:
        """Decrypt what was sealed under any key of the ring. Raises Unsealable."""
        name = _key_name(sealed)
        key = self._named(name, KeyUse.SEAL)
        header = header_of(key.name)
        nonce = sealed[len(header) : len(header) + NONCE_BYTES]
        body = sealed[len(header) + NONCE_BYTES :]
        if len(nonce) < NONCE_BYTES or len(body) < TAG_BYTES:
            raise Unsealable(f"cut short, under the key {name}")
        try:
            return _cipher(key, context).decrypt(nonce, body, header + context.encode())
        except InvalidTag as error:
            raise Unsealable(f"changed, or not sealed as {context}, under the key {name}") from error

    def is_current(self, sealed: bytes) -> bool:
        """Tell whether the datum is sealed under the newest key, without opening it."""
        return sealed.startswith(header_of(self._newest[KeyUse.SEAL].name))

    def digest(self, value: str, *, context: str) -> bytes:
        """Return 32 bytes by which an equal value is found again in this context, and in no other."""
        return _keyed(self._newest[KeyUse.DIGEST].octets, context, value.encode())

    def pepper(self, value: bytes, *, pepper: str = "") -> tuple[bytes, str]:
        """Key 32 bytes out of a password under the newest pepper, or the named one; return its name too.

        Raises Unsealable where no pepper has this name.
        """
        key = self._named(pepper, KeyUse.PEPPER) if pepper else self._newest[KeyUse.PEPPER]
        return _keyed(key.octets, "pepper", value), key.name

    def _take(self, keys: tuple[Key, ...]) -> None:
        newest = {key.use: key for key in sorted(keys, key=lambda key: key.made_at_us)}
        missing = [use.value for use in KeyUse if use not in newest]
        if missing:
            raise Unsealable(f"no key for the use {', '.join(missing)}")
        self._by_name = {key.name: key for key in keys}
        self._newest = newest

    def _named(self, name: str, use: KeyUse) -> Key:
        key = self._by_name.get(name)
        if key is None:
            self._take(self._read())
            key = self._by_name.get(name)
        if key is None or key.use is not use:
            raise Unsealable(f"no key for the use {use} is named {name[:40]!r}")
        return key


def header_of(name: str) -> bytes:
    """Return what every datum begins with that is sealed under the key of this name."""
    octets = name.encode("ascii")
    return VERSION + bytes([len(octets)]) + octets


def _key_name(sealed: bytes) -> str:
    if len(sealed) < len(VERSION) + 1 or not sealed.startswith(VERSION):
        raise Unsealable("not a sealed datum")
    return sealed[2 : 2 + sealed[1]].decode("ascii", errors="replace")


def _cipher(key: Key, context: str) -> AESGCM:
    # A key of its own for each context keeps random nonces far from the 2^32 messages after which NIST
    # SP 800-38D wants a new key: https://doi.org/10.6028/NIST.SP.800-38D (8.3)
    return AESGCM(_keyed(key.octets, "seal", context.encode()))


def _keyed(key: bytes, context: str, value: bytes) -> bytes:
    label = context.encode()
    # With the label's length in front, no other label and value run together to the same octets.
    return hmac.digest(key, len(label).to_bytes(4, "big") + label + value, hashlib.sha256)
