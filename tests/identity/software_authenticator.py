"""An authenticator in software: makes and uses real keys, so that the real verification runs.

Each test says what its authenticator does wrong; by itself it does everything right.
"""

import base64
import hashlib
import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

ES256, EDDSA, RS256 = -7, -8, -257
NUMBERS = itertools.count(1)


def base64url(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")


def octets_of(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


PrivateKey = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass
class Credential:
    """A key pair with the account that it belongs to."""

    id: bytes
    key: PrivateKey
    user_handle: bytes
    count: int = 0

    def sign(self, data: bytes) -> bytes:
        """Sign as the key's algorithm says."""
        if isinstance(self.key, ed25519.Ed25519PrivateKey):
            return self.key.sign(data)
        if isinstance(self.key, ec.EllipticCurvePrivateKey):
            return self.key.sign(data, ec.ECDSA(hashes.SHA256()))
        return self.key.sign(data, padding.PKCS1v15(), hashes.SHA256())

    def cose_key(self) -> dict[int, Any]:
        """Return the public key as a COSE map."""
        if isinstance(self.key, ed25519.Ed25519PrivateKey):
            return {1: 1, 3: EDDSA, -1: 6, -2: self.key.public_key().public_bytes_raw()}
        if isinstance(self.key, ec.EllipticCurvePrivateKey):
            point = self.key.public_key().public_numbers()
            return {1: 2, 3: ES256, -1: 1, -2: point.x.to_bytes(32), -3: point.y.to_bytes(32)}
        numbers = self.key.public_key().public_numbers()
        n_octets = (numbers.n.bit_length() + 7) // 8
        return {1: 3, 3: RS256, -1: numbers.n.to_bytes(n_octets), -2: numbers.e.to_bytes(3)}


@dataclass
class Authenticator:
    """What it is and what it does wrong.

    `origin` and `rp_id` are those that the browser claims; `counts` is by how much the counter moves on at
    each use, 0 for one that keeps no counter. `attestation` is a format and its statement; `attest` makes
    them out of what is to be signed.
    """

    origin: str
    rp_id: str
    algorithm: int = EDDSA
    counts: int = 1
    user_present: bool = True
    user_verified: bool = True
    backup_eligible: bool = False
    backed_up: bool = False
    aaguid: bytes = bytes(16)
    rsa_bits: int = 2048
    attestation: tuple[str, dict[str, Any]] = ("none", {})
    attest: Callable[[Credential, bytes], tuple[str, dict[str, Any]]] | None = None
    client_data: dict[str, Any] = field(default_factory=dict)
    credentials: list[Credential] = field(default_factory=list)

    def make(self, options: dict[str, Any], **changed: Any) -> bytes:
        """Make a credential and answer as `PublicKeyCredential.toJSON()` does; `changed` replaces fields."""
        credential = Credential(
            id=hashlib.sha256(f"{options['user']['id']} {next(NUMBERS)}".encode()).digest(),
            key=self._new_key(),
            user_handle=octets_of(options["user"]["id"]),
        )
        self.credentials.append(credential)
        attested = (
            self.aaguid + len(credential.id).to_bytes(2) + credential.id + cbor2.dumps(credential.cose_key())
        )
        data = self._data(credential, attested)
        client_data = self._client_data("webauthn.create", options["challenge"])
        form, statement = self.attestation
        if self.attest:
            form, statement = self.attest(credential, data + hashlib.sha256(client_data).digest())
        attestation = cbor2.dumps({"fmt": form, "attStmt": statement, "authData": data})
        response = {
            "clientDataJSON": base64url(client_data),
            "attestationObject": base64url(attestation),
            "transports": ["internal", "hybrid", "carrier pigeon"],
        }
        return _body(credential.id, response, changed)

    def get(self, options: dict[str, Any], *, which: int = -1, **changed: Any) -> bytes:
        """Use a credential and answer; `changed` replaces fields of the response."""
        credential = self.credentials[which]
        credential.count += self.counts
        data = self._data(credential)
        client_data = self._client_data("webauthn.get", options["challenge"])
        signed = credential.sign(data + hashlib.sha256(client_data).digest())
        response = {
            "clientDataJSON": base64url(client_data),
            "authenticatorData": base64url(data),
            "signature": base64url(signed),
            "userHandle": base64url(credential.user_handle),
        }
        return _body(credential.id, response, changed)

    def _new_key(self) -> PrivateKey:
        if self.algorithm == EDDSA:
            return ed25519.Ed25519PrivateKey.generate()
        if self.algorithm == ES256:
            return ec.generate_private_key(ec.SECP256R1())
        return rsa.generate_private_key(65_537, self.rsa_bits)

    def _client_data(self, kind: str, challenge: str) -> bytes:
        data = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps(data | self.client_data).encode()

    def _data(self, credential: Credential, attested: bytes = b"") -> bytes:
        flags = (
            self.user_present
            | self.user_verified << 2
            | self.backup_eligible << 3
            | self.backed_up << 4
            | bool(attested) << 6
        )
        rp_id_hash = hashlib.sha256(self.rp_id.encode()).digest()
        return rp_id_hash + bytes([flags]) + credential.count.to_bytes(4) + attested


def _body(credential_id: bytes, response: dict[str, Any], changed: dict[str, Any]) -> bytes:
    name = base64url(credential_id)
    outer = {"id": name, "rawId": name, "type": "public-key", "clientExtensionResults": {}}
    inner = {key: value for key, value in (response | changed).items() if value is not None}
    return json.dumps(outer | {"response": inner, "authenticatorAttachment": "platform"}).encode()
