"""JSON Object Signing behind an interface of ours: joserfc does the cryptography, and is named here alone.

Which algorithm is acceptable is said by the caller at each verification and never read from the token, so
that neither `none` nor a public key used as an HMAC secret can pass.
"""

import json
from typing import Any, Literal, NamedTuple, get_args

import msgspec
from joserfc import jwk, jws, jwt
from joserfc.errors import JoseError

Algorithm = Literal["ES256", "RS256"]
ALGORITHMS: tuple[Algorithm, ...] = get_args(Algorithm)
CLIENT_ALGORITHMS: tuple[str, ...] = ("ES256", "PS256", "RS256")
RSA_BITS = 2_048
TOKEN_CHARACTERS_MAX = 8_192
Claims = dict[str, Any]


class Unverifiable(ValueError):  # noqa: N818 - says why the token is not believed
    """A token whose signature, form or algorithm is not what it must be."""


class UnusableKey(ValueError):  # noqa: N818 - says what is wrong with the key
    """A key of a kind that cannot verify with the algorithms that are allowed, or a private one."""


class KeyPair(NamedTuple):
    """A new key: its id (the thumbprint of RFC 7638), and both halves as JWK in JSON."""

    kid: str
    private: bytes
    public: bytes


class SigningKey(NamedTuple):
    """A private key, ready to sign."""

    kid: str
    algorithm: Algorithm
    key: jwk.Key


def new_key_pair(algorithm: Algorithm) -> KeyPair:
    """Make a key pair. The library draws from the machine's own source, as no seed should ever make a key."""
    key: jwk.Key = (
        jwk.ECKey.generate_key("P-256", private=True)
        if algorithm == "ES256"
        else jwk.RSAKey.generate_key(RSA_BITS, private=True)
    )
    kid = key.thumbprint()
    return KeyPair(
        kid=kid,
        private=msgspec.json.encode(key.as_dict(private=True, kid=kid, alg=algorithm)),
        public=msgspec.json.encode(key.as_dict(private=False, kid=kid, alg=algorithm, use="sig")),
    )


def read_private(private: bytes, algorithm: Algorithm) -> SigningKey:
    """Make a stored private key ready to sign."""
    key = jwk.import_key(msgspec.json.decode(private))
    return SigningKey(str(key.kid), algorithm, key)


def sign(claims: Claims, key: SigningKey, *, kind: str = "JWT") -> str:
    """Return claims as a signed token in compact form; `kind` is its typ."""
    header = {"typ": kind, "alg": key.algorithm, "kid": key.kid}
    return jwt.encode(header, claims, key.key, algorithms=[key.algorithm])


def verify(token: str, keys: jwk.KeySet, *, algorithms: tuple[str, ...]) -> Claims:
    """Return the claims of a token that one of the keys signed. Times and names are the caller's to check.

    Raises Unverifiable.
    """
    if len(token) > TOKEN_CHARACTERS_MAX:
        raise Unverifiable("too long")
    try:
        decoded = jwt.decode(token, keys, algorithms=list(algorithms))
    except (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        # joserfc lets Python's own complaints through where a header is not of the type that it should be.
        raise Unverifiable(type(error).__name__) from error
    return decoded.claims


def unverified_claims(token: str) -> Claims:
    """Return what a token says, believing nothing: to find out whose key may verify it.

    Raises Unverifiable.
    """
    if len(token) > TOKEN_CHARACTERS_MAX:
        raise Unverifiable("too long")
    try:
        claims = json.loads(jws.extract_compact(token.encode()).payload)
    except (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise Unverifiable(type(error).__name__) from error
    if not isinstance(claims, dict):
        raise Unverifiable("the payload is no object")
    return claims


def public_keys(key_set: str | bytes, algorithms: tuple[str, ...]) -> jwk.KeySet:
    """Read a JWK set in JSON with public keys for these algorithms, at least one. Raises UnusableKey."""
    try:
        keys = jwk.KeySet.import_key_set(json.loads(key_set))
    except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise UnusableKey(f"not a JWK set: {type(error).__name__}") from error
    kinds = {_KEY_TYPES[algorithm] for algorithm in algorithms}
    for key in keys:
        if key.key_type not in kinds:
            raise UnusableKey(f"a {key.key_type} key cannot verify {', '.join(algorithms)}")
        if key.is_private:
            raise UnusableKey("a private key: only its owner may have it")
    if not keys:
        raise UnusableKey("there is no key")
    return keys


_KEY_TYPES = {"ES256": "EC", "PS256": "RSA", "RS256": "RSA"}
