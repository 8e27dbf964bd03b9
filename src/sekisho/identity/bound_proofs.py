"""Proofs that a browser still has its session's key: signed tokens of the type `dbsc+jwt`.

The draft has the key in the header of the first proof; browsers that follow an earlier one put it beside the
claims, and name whom the proof is for.
"""

from typing import Any, NamedTuple

import msgspec
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

PROOF_CHARS_MAX = 8_192
RSA_BITS_MIN = 2_048
RSA_BITS_MAX = 4_096
PROOF_TYPE = "dbsc+jwt"

# Which members of a public key are kept, by its type, and how it signs.
_MEMBERS = {"EC": ("kty", "crv", "x", "y"), "RSA": ("kty", "n", "e")}
_ALGORITHMS = {"EC": "ES256", "RSA": "RS256"}


class _Registry(jws.JWSRegistry):
    # An RSA key fills more than the half kilobyte that the library allows a header.
    max_header_length = PROOF_CHARS_MAX


_REGISTRY = _Registry(algorithms=list(_ALGORITHMS.values()))


class ProofError(ValueError):
    """What was sent is no proof, or its signature does not hold."""


class BoundProof(NamedTuple):
    """A proof whose signature holds: the challenge that it answers, whom it is for, and the public key."""

    challenge: str
    audience: str
    subject: str
    key: dict[str, str]


class _Claims(msgspec.Struct):
    jti: str
    aud: str = ""
    sub: str = ""
    key: dict[str, Any] = {}


def read_proof(header: str) -> BoundProof:
    """Read the first proof of a browser, signed by the key that it brings along. Raises ProofError."""
    token = _token(header)
    protected, claims = _parsed(token)
    brought = protected.get("jwk") or claims.key
    if not isinstance(brought, dict):
        raise ProofError("no key")
    return signed_by(header, brought)


def signed_by(header: str, key: dict[str, Any]) -> BoundProof:
    """Read a proof that this key has to have signed. Raises ProofError."""
    public, algorithm = _public(key)
    token = _token(header)
    protected, claims = _parsed(token)
    if protected.get("typ") != PROOF_TYPE or protected.get("alg") != algorithm:
        raise ProofError(f"type {protected.get('typ')!r}, signed by {protected.get('alg')!r}")
    try:
        jws.deserialize_compact(token, _imported(public), registry=_REGISTRY)
    except (JoseError, ValueError) as error:
        raise ProofError(type(error).__name__) from error
    return BoundProof(claims.jti, claims.aud, claims.sub, public)


def quoted(text: str) -> str:
    """Write a string as a structured header does. Ours hold neither quotes nor backslashes."""
    return f'"{text}"'


def unquoted(header: str) -> str:
    """Read the string of a structured header, without its parameters; a bare one too."""
    text = header.strip()
    return text[1:].partition('"')[0] if text.startswith('"') else text.partition(";")[0].strip()


def _token(header: str) -> str:
    if len(header) > PROOF_CHARS_MAX or not header.isascii():
        raise ProofError(f"{len(header)} characters")
    return unquoted(header)


def _parsed(token: str) -> tuple[dict[str, Any], _Claims]:
    try:
        read = jws.extract_compact(token.encode(), registry=_REGISTRY)
        return dict(read.protected), msgspec.json.decode(read.payload, type=_Claims)
    except (JoseError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise ProofError(f"no signed token: {type(error).__name__}") from error


def _public(key: dict[str, Any]) -> tuple[dict[str, str], str]:
    kind = key.get("kty")
    if not isinstance(kind, str) or kind not in _MEMBERS or "d" in key:
        raise ProofError("a key of another type, or a private one")
    public = {name: key.get(name) for name in _MEMBERS[kind]}
    if not all(isinstance(value, str) for value in public.values()):
        raise ProofError("a key with members left out")
    return {name: str(value) for name, value in public.items()}, _ALGORITHMS[kind]


def _imported(public: dict[str, str]) -> ECKey | RSAKey:
    if public["kty"] == "EC":
        if public["crv"] != "P-256":
            raise ProofError("a key on another curve")
        return ECKey.import_key(dict(public))
    key = RSAKey.import_key(dict(public))
    if not RSA_BITS_MIN <= key.raw_value.key_size <= RSA_BITS_MAX:
        raise ProofError(f"an RSA key of {key.raw_value.key_size} bits")
    return key
