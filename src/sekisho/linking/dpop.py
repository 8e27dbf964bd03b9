"""DPoP (RFC 9449): who uses a token proves with each request that it has the key that the token is bound to.

The proof is a short statement signed with ES256: which method, which address, when, under which name, and for
which token. `ProofKey` makes proofs (the wallet's side), `check` believes them or not (the bank's side).
Whether a proof came before is for whoever keeps its digest to say.
"""

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec
from joserfc import jwk, jws, jwt
from joserfc.errors import JoseError

from sekisho.kernel.chance import Chance
from sekisho.kernel.clock import SECOND_US, Clock
from sekisho.storage.keyring import Keyring

ALGORITHM = "ES256"
KIND = "dpop+jwt"
CURVE = "P-256"
PROOF_CHARACTERS_MAX = 4_096
JTI_CHARACTERS_MAX = 128
JTI_OCTETS = 16
AGE_S_MAX = 60
"""How old a proof may be, and how far its clock may run ahead."""

NONCE_S = 300
_NONCE_OCTETS = 18
_DEFAULT_PORTS = {"http": 80, "https": 443}
_NOT_OURS = (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError)


class ProofUnusable(ValueError):  # noqa: N818 - says why the proof is not believed
    """A proof that shows nothing. The text is for the log."""


class NonceWanted(ProofUnusable):
    """The proof lacks our nonce, or has an old one; with a fresh one it may be made anew."""


class Proof(NamedTuple):
    """A proof that was believed: by whose key (RFC 7638), by what it is kept, and for how long."""

    thumbprint: str
    digest: bytes
    until_us: int


class Demand(NamedTuple):
    """What a proof must be about: the method, our address as clients know it, and the token if one came."""

    method: str
    url: str
    access_token: str = ""


class ProofKey:
    """A key pair on P-256 that makes proofs. Who uses it keeps its private half, sealed, as JWK in JSON."""

    def __init__(self, private: bytes) -> None:
        """Take a private JWK in JSON, as `new_key` makes it."""
        self._key = jwk.ECKey.import_key(msgspec.json.decode(private))
        self.public: dict[str, Any] = dict(self._key.as_dict(private=False))
        self.thumbprint = self._key.thumbprint()

    def prove(self, demand: Demand, *, clock: Clock, chance: Chance, nonce: str = "") -> str:
        """Return a proof for one request, with the nonce that the other side gave last."""
        claims: dict[str, Any] = {
            "jti": encoded(chance.octets(JTI_OCTETS)),
            "htm": demand.method,
            "htu": without_query(demand.url),
            "iat": clock.now_us() // SECOND_US,
        }
        if nonce:
            claims["nonce"] = nonce
        if demand.access_token:
            claims["ath"] = token_hash(demand.access_token)
        public = {name: self.public[name] for name in ("kty", "crv", "x", "y")}
        header = {"typ": KIND, "alg": ALGORITHM, "jwk": public}
        return jwt.encode(header, claims, self._key, algorithms=[ALGORITHM])


def new_key() -> bytes:
    """Make a private key as JWK in JSON. The library draws from the machine's own source."""
    key = jwk.ECKey.generate_key(CURVE, private=True)
    return msgspec.json.encode(key.as_dict(private=True))


def check(proof: str, demand: Demand, *, now_us: int, nonces: "Nonces | None" = None) -> Proof:
    """Believe a proof, as RFC 9449 section 4.3 has it. Raises ProofUnusable, and NonceWanted among those."""
    key, claims = _verified(proof)
    if claims.get("htm") != demand.method:
        raise ProofUnusable("for another method")
    said = claims.get("htu")
    if not isinstance(said, str) or without_query(said) != without_query(demand.url):
        raise ProofUnusable("for another address")
    if demand.access_token:
        _require_token(claims, demand.access_token)
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 0 < len(jti) <= JTI_CHARACTERS_MAX:
        raise ProofUnusable("no jti")
    # The nonce comes first: whose clock is wrong learns a fresh one, and that alone would not help.
    if nonces is not None and not nonces.is_fresh(claims.get("nonce"), now_us):
        raise NonceWanted("no fresh nonce")
    made_s = _whole(claims.get("iat"))
    if abs(now_us // SECOND_US - made_s) > AGE_S_MAX:
        raise ProofUnusable("stale, or made ahead of time")
    thumbprint = key.thumbprint()
    digest = hashlib.sha256(f"dpop\n{thumbprint}\n{jti}".encode("utf-8", "surrogatepass")).digest()
    return Proof(thumbprint, digest, (made_s + AGE_S_MAX + 1) * SECOND_US)


def token_hash(access_token: str) -> str:
    """Return what a proof says of the token that it goes with (`ath`)."""
    return encoded(hashlib.sha256(access_token.encode("utf-8", "surrogatepass")).digest())


def without_query(url: str) -> str:
    """Return an address as proofs name it: no query, no fragment, the host in small letters, no usual port.

    Raises ProofUnusable where it is none.
    """
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname
    except ValueError as error:
        raise ProofUnusable("not an address") from error
    scheme = parts.scheme.lower()
    if scheme not in _DEFAULT_PORTS or not host or "@" in parts.netloc:
        raise ProofUnusable("not an address")
    host = f"[{host}]" if ":" in host else host
    at = "" if port is None or port == _DEFAULT_PORTS[scheme] else f":{port}"
    return f"{scheme}://{host}{at}{parts.path or '/'}"


def encoded(octets: bytes) -> str:
    """Return octets in base64url without padding."""
    return urlsafe_b64encode(octets).rstrip(b"=").decode()


class Nonces:
    """Nonces of a server that keeps none: each is a keyed digest of its five minutes, good for one span more.

    With one, a proof cannot have been made long ahead by somebody who had the key for a moment.
    """

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def at(self, now_us: int) -> str:
        """Return the nonce of the moment."""
        return self._of(now_us // (NONCE_S * SECOND_US))

    def is_fresh(self, nonce: object, now_us: int) -> bool:
        """Say whether a nonce is of this span or the one before."""
        if not isinstance(nonce, str) or not nonce.isascii():
            return False
        span = now_us // (NONCE_S * SECOND_US)
        fresh = [hmac.compare_digest(nonce, self._of(each)) for each in (span, span - 1)]
        return any(fresh)

    def _of(self, span: int) -> str:
        return encoded(self._keyring.digest(str(span), context="dpop:nonce")[:_NONCE_OCTETS])


def _verified(proof: str) -> tuple[jwk.ECKey, dict[str, Any]]:
    if not 0 < len(proof) <= PROOF_CHARACTERS_MAX:
        raise ProofUnusable("none, or too long")
    try:
        header = jws.extract_compact(proof.encode()).headers()
    except _NOT_OURS as error:
        raise ProofUnusable(f"unreadable: {type(error).__name__}") from error
    if header.get("typ") != KIND or header.get("alg") != ALGORITHM or "crit" in header:
        raise ProofUnusable("of another kind or algorithm")
    public = header.get("jwk")
    if not isinstance(public, dict) or "d" in public or public.get("crv") != CURVE:
        raise ProofUnusable("no public key on P-256")
    try:
        key = jwk.ECKey.import_key({name: public[name] for name in ("kty", "crv", "x", "y")})
        claims = jwt.decode(proof, key, algorithms=[ALGORITHM]).claims
    except (*_NOT_OURS, json.JSONDecodeError) as error:
        raise ProofUnusable(f"not signed by its key: {type(error).__name__}") from error
    if not isinstance(claims, dict):
        raise ProofUnusable("no claims")
    return key, claims


def _require_token(claims: dict[str, Any], access_token: str) -> None:
    said = claims.get("ath")
    if not isinstance(said, str) or not said.isascii():
        raise ProofUnusable("for no token")
    if not hmac.compare_digest(said, token_hash(access_token)):
        raise ProofUnusable("for another token")


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1 << 40:
        raise ProofUnusable("no time")
    return int(value)
