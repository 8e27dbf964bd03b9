"""A key service behind the port of master keys: the Transit engine's HTTP interface (OpenBao, Vault).

The master key never leaves the service. It is asked once for each key when a keyring is opened, and never
while a member waits. https://openbao.org/api-docs/secret/transit/
"""

import base64
import binascii
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import msgspec

from sekisho.kernel.chance import Chance
from sekisho.kernel.posture import OperationalError
from sekisho.storage.keyring import KEY_BYTES, Unsealable
from sekisho.storage.master_keys import KeyWrapper, MasterKeysUnreadable, Wrapped, master_keys

KMS_TIMEOUT_S = 5.0
KMS_VARIABLES = ("SEKISHO_KMS_URL", "SEKISHO_KMS_KEY", "SEKISHO_KMS_TOKEN")
ANSWER_OCTETS_MAX = 65_536


class TransitSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where the key service is. `url` is its address, `key` the master key's name in it, `token` our pass."""

    url: str
    key: str
    token: str

    def __repr__(self) -> str:
        return f"TransitSettings(url={self.url!r}, key={self.key!r})"


class _Data(msgspec.Struct):
    ciphertext: str = ""
    plaintext: str = ""


class _Answer(msgspec.Struct):
    data: _Data


class TransitKms:
    """Wraps keys in a key service. Whatever the service does wrong is an outage of it."""

    def __init__(self, settings: TransitSettings) -> None:
        self._settings = settings

    def wrap(self, key: bytes, *, context: str) -> Wrapped:
        """Let the service wrap a key under the newest version of its master key. Raises OperationalError."""
        data = self._ask("encrypt", {"plaintext": _text(key)}, context)
        if not data.ciphertext:
            raise OperationalError("kms", "the service wrapped nothing")
        return Wrapped(self._settings.key, data.ciphertext.encode())

    def unwrap(self, wrapped: Wrapped, *, context: str) -> bytes:
        """Let the service unwrap a key. Raises Unsealable where it will not, and OperationalError."""
        if wrapped.by != self._settings.key:
            raise Unsealable(f"the key service is asked for {self._settings.key}, not {wrapped.by[:40]!r}")
        data = self._ask("decrypt", {"ciphertext": wrapped.octets.decode(errors="replace")}, context)
        try:
            key = base64.b64decode(data.plaintext, validate=True)
        except binascii.Error as error:
            raise OperationalError("kms", "the service answered without a key") from error
        if len(key) != KEY_BYTES:
            raise OperationalError("kms", f"the service answered a key of {len(key)} bytes")
        return key

    def _ask(self, verb: str, body: dict[str, Any], context: str) -> _Data:
        url = f"{self._settings.url.rstrip('/')}/v1/transit/{verb}/{self._settings.key}"
        try:
            response = httpx.post(
                url,
                json=body | {"associated_data": _text(context.encode())},
                headers={"X-Vault-Token": self._settings.token},
                timeout=KMS_TIMEOUT_S,
                # Our pass goes to the service itself, through no proxy that the environment names.
                trust_env=False,
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise OperationalError("kms", type(error).__name__) from error
        if response.status_code == httpx.codes.BAD_REQUEST and verb == "decrypt":
            raise Unsealable(f"the key service does not open what was wrapped as {context}")
        if response.status_code != httpx.codes.OK or len(response.content) > ANSWER_OCTETS_MAX:
            raise OperationalError("kms", f"the service answered {response.status_code}")
        try:
            return msgspec.json.decode(response.content, type=_Answer).data
        except msgspec.DecodeError as error:
            raise OperationalError("kms", "the service's answer cannot be read") from error


def key_wrapper(folder: Path, environment: Mapping[str, str], chance: Chance) -> KeyWrapper:
    """Return what wraps the keys of a folder: a key service, or else master keys.

    The service is the one of `SEKISHO_KMS_URL`, with `SEKISHO_KMS_KEY` and `SEKISHO_KMS_TOKEN`. Raises
    MasterKeysUnreadable where these are incomplete, and what `master_keys` raises.
    """
    url, key, token = (environment.get(name, "") for name in KMS_VARIABLES)
    if not url:
        return master_keys(folder, environment, chance)
    if not (key and token):
        raise MasterKeysUnreadable(told="A key service needs SEKISHO_KMS_KEY and SEKISHO_KMS_TOKEN as well.")
    return TransitKms(TransitSettings(url=url, key=key, token=token))


def _text(octets: bytes) -> str:
    return base64.b64encode(octets).decode()
