"""ID tokens and logout tokens: what they say, and how one that comes back as a hint is read."""

import hashlib
from base64 import urlsafe_b64encode
from typing import NamedTuple

from sekisho.identity.assurance import Level
from sekisho.identity.institution import Parts
from sekisho.identity.openid.claims import METHODS, session_name, subject
from sekisho.identity.openid.clients import Client
from sekisho.identity.openid.grants import Granted
from sekisho.identity.openid.jose import ALGORITHMS, Claims, Unverifiable, sign, verify
from sekisho.identity.openid.settings import OpenIdSettings
from sekisho.identity.openid.signing_keys import SigningKeys
from sekisho.kernel.clock import SECOND_US
from sekisho.kernel.ids import MemberId, SessionId

LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
LOGOUT_TYPE = "logout+jwt"
LOGOUT_TOKEN_S = 120
JTI_OCTETS = 16


class Hint(NamedTuple):
    """What an ID token that we once signed says about whose it was."""

    client_id: str
    sid: str


class TokenSigner:
    """Makes and reads the signed tokens of one issuer."""

    def __init__(self, parts: Parts, settings: OpenIdSettings, keys: SigningKeys) -> None:
        self._parts = parts
        self._settings = settings
        self._keys = keys

    def id_token(self, client: Client, granted: Granted, access_token: str) -> str:
        """Return the ID token for what was granted (OpenID Connect Core 2)."""
        now_s = self._parts.clock.now_us() // SECOND_US
        claims: Claims = {
            **self._of_both(client, granted.member_id, granted.session_id),
            "azp": client.client_id,
            "iat": now_s,
            "exp": now_s + self._settings.id_token_s,
            "auth_time": granted.proven_at_us // SECOND_US,
            "acr": granted.level.value,
            "amr": list(METHODS[Level(granted.level)]),
            "at_hash": _half_hash(access_token),
        }
        if granted.nonce:
            claims["nonce"] = granted.nonce
        return sign(claims, self._keys.signer(client.settings.signed_with))

    def logout_token(self, client: Client, member_id: MemberId, session_id: SessionId) -> str:
        """Return the token that tells a client of a session's end (Back-Channel Logout 1.0 section 2.4)."""
        now_s = self._parts.clock.now_us() // SECOND_US
        claims: Claims = {
            **self._of_both(client, member_id, session_id),
            "iat": now_s,
            "exp": now_s + LOGOUT_TOKEN_S,
            "jti": self._parts.chance.octets(JTI_OCTETS).hex(),
            "events": {LOGOUT_EVENT: {}},
        }
        return sign(claims, self._keys.signer(client.settings.signed_with), kind=LOGOUT_TYPE)

    def read_hint(self, token: str) -> Hint | None:
        """Read an ID token that came back as id_token_hint, None where it is not one of ours.

        An expired one is accepted, as RP-Initiated Logout 1.0 section 2 has it: it only says who asks.
        """
        try:
            claims = verify(token, self._keys.verifying(), algorithms=ALGORITHMS)
        except Unverifiable:
            return None
        issuer, audience, sid = claims.get("iss"), claims.get("aud"), claims.get("sid")
        if issuer != self._parts.institution.origin or "events" in claims:
            return None
        return Hint(audience, sid) if isinstance(audience, str) and isinstance(sid, str) else None

    def _of_both(self, client: Client, member_id: MemberId, session_id: SessionId) -> Claims:
        keyring = self._parts.keyring
        return {
            "iss": self._parts.institution.origin,
            "aud": client.client_id,
            "sub": subject(keyring, client.sector, member_id),
            "sid": session_name(keyring, client.client_id, session_id),
        }


def _half_hash(value: str) -> str:
    """Hash a token for ES256 and RS256: the left half of SHA-256 (OpenID Connect Core 3.1.3.6)."""
    return urlsafe_b64encode(hashlib.sha256(value.encode()).digest()[:16]).rstrip(b"=").decode()
