"""A key service behind the port of master keys: the Transit engine's HTTP interface (OpenBao, Vault).

The master key never leaves the service. It is asked once for each key when a keyring is opened, and never
while a member waits. https://openbao.org/api-docs/secret/transit/
"""

import base64
import binascii
from typing import Any

import httpx
import msgspec

from sekisho.kernel.posture import OperationalError
from sekisho.storage.keyring import KEY_BYTES, Unsealable
from sekisho.storage.master_keys import Wrapped

KMS_TIMEOUT_S = 5.0
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

    def __init__(self, settings: TransitSettings, client: httpx.Client) -> None:
        self._settings = settings
        self._client = client

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
            response = self._client.post(
                url,
                json=body | {"associated_data": _text(context.encode())},
                headers={"X-Vault-Token": self._settings.token},
                timeout=KMS_TIMEOUT_S,
            )
        except httpx.HTTPError as error:
            raise OperationalError("kms", type(error).__name__) from error
        if response.status_code == httpx.codes.BAD_REQUEST and verb == "decrypt":
            raise Unsealable(f"the key service does not open what was wrapped as {context}")
        if response.status_code != httpx.codes.OK or len(response.content) > ANSWER_OCTETS_MAX:
            raise OperationalError("kms", f"the service answered {response.status_code}")
        try:
            return msgspec.json.decode(response.content, type=_Answer).data
        except msgspec.DecodeError as error:
            raise OperationalError("kms", "the service's answer cannot be read") from error


def _text(octets: bytes) -> str:
    return base64.b64encode(octets).decode()
