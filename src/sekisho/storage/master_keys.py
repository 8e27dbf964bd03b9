"""Master keys: what the keys of a keyring are wrapped under, so that their file alone opens nothing.

A master key stands in a file of its own, or comes from the environment, or never leaves a key service.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sekisho.kernel.chance import Chance
from sekisho.kernel.refusals import Refusal
from sekisho.storage.keyring import KEY_BYTES, NONCE_BYTES, Unsealable
from sekisho.storage.keys import persistent_key

KEYS_VARIABLE = "SEKISHO_KEYS"
MASTER_KEY_FILE = "master.key"


class MasterKeysUnreadable(Refusal):
    """The environment names master keys in a way that cannot be read."""

    code = "master_keys_unreadable"
    status = 503
    told = "SEKISHO_KEYS holds NAME:KEY pairs, separated by commas; each key is 32 bytes in base64url."


class Wrapped(NamedTuple):
    """A key that only its wrapper can open, and the name of the master key that it is wrapped under."""

    by: str
    octets: bytes


class KeyWrapper(Protocol):
    """Wraps and unwraps the keys of a keyring: the port behind which a key service may stand."""

    def wrap(self, key: bytes, *, context: str) -> Wrapped:
        """Wrap a key of 32 bytes under the newest master key. Raises OperationalError."""
        ...

    def unwrap(self, wrapped: Wrapped, *, context: str) -> bytes:
        """Return the key. Raises Unsealable, and OperationalError where the wrapper cannot be reached."""
        ...


class MasterKeys:
    """Master keys in memory, by name; the first one wraps, all of them unwrap."""

    def __init__(self, keys: Sequence[tuple[str, bytes]], chance: Chance) -> None:
        self._first = keys[0][0]
        self._ciphers = {name: AESGCM(octets) for name, octets in keys}
        self._chance = chance

    def wrap(self, key: bytes, *, context: str) -> Wrapped:
        """Wrap a key of 32 bytes under the first master key."""
        nonce = self._chance.octets(NONCE_BYTES)
        octets = nonce + self._ciphers[self._first].encrypt(nonce, key, context.encode())
        return Wrapped(self._first, octets)

    def unwrap(self, wrapped: Wrapped, *, context: str) -> bytes:
        """Return the key. Raises Unsealable."""
        cipher = self._ciphers.get(wrapped.by)
        if cipher is None:
            raise Unsealable(f"no master key is named {wrapped.by[:40]!r}")
        nonce, body = wrapped.octets[:NONCE_BYTES], wrapped.octets[NONCE_BYTES:]
        try:
            return cipher.decrypt(nonce, body, context.encode())
        except (InvalidTag, ValueError) as error:
            raise Unsealable(f"changed, or not wrapped as {context}") from error


def master_keys(folder: Path, environment: Mapping[str, str], chance: Chance) -> MasterKeys:
    """Return the master keys of the environment's `SEKISHO_KEYS`, or else the one in the folder's file.

    The file is made where there is none. Raises MasterKeysUnreadable, KeyUnusable and OSError.
    """
    named = environment.get(KEYS_VARIABLE, "")
    if named:
        return MasterKeys([_read(pair) for pair in named.split(",")], chance)
    return MasterKeys([("file", persistent_key(folder / MASTER_KEY_FILE, chance))], chance)


def _read(pair: str) -> tuple[str, bytes]:
    name, _, text = pair.strip().partition(":")
    try:
        octets = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        octets = b""
    if not name or len(octets) != KEY_BYTES:
        # The text may be a key that lacks a character: it does not go into any log.
        raise MasterKeysUnreadable(known=f"the pair named {name[:40]!r} holds {len(octets)} bytes")
    return name, octets
