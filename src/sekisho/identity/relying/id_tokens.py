"""What an ID token and a logout token must say before they are believed, check by check.

The rules are those of OpenID Connect Core 3.1.3.7 and Back-Channel Logout 2.6, with nothing optional left
out: the algorithms are ours to choose, one audience and it is us, times within a minute's skew.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from typing import NamedTuple

from sekisho.identity.assurance import LEVEL_ORDER, Level
from sekisho.identity.openid.id_tokens import LOGOUT_EVENT
from sekisho.identity.openid.jose import Claims
from sekisho.identity.relying.refusals import LogoutTokenUnfit, SignInFailed

SKEW_S = 60
AGE_S_MAX = 600
"""No ID token is taken that was issued longer ago: it comes straight from the ID."""

NAME_CHARACTERS_MAX = 255
TIME_S_MAX = 1 << 40


class Expected(NamedTuple):
    """What a token must fit: who made it for whom, our nonce, the access token that came beside it, and how
    the login had to be: not before a time (None: any), and of one of these levels (empty: any).
    """

    issuer: str
    client_id: str
    nonce: str
    access_token: str
    not_before_s: int | None
    levels: tuple[Level, ...]


class Asserted(NamedTuple):
    """What the ID says of whoever logged in: the subject and session there, how strongly, and when."""

    issuer: str
    subject: str
    sid: str
    level: Level
    proven_at_s: int


class LogoutAsked(NamedTuple):
    """Which sessions the ID says are over: those of a session there, or of a subject where `sid` is empty."""

    issuer: str
    subject: str
    sid: str
    jti: str
    expires_at_s: int


def check_id_token(claims: Claims, expected: Expected, *, now_s: int) -> Asserted:
    """Return what the verified claims of an ID token say. Raises SignInFailed."""
    fault = _fault(claims, expected, now_s)
    if fault:
        raise SignInFailed(known=f"id_token: {fault}")
    return Asserted(
        issuer=claims["iss"],
        subject=claims["sub"],
        sid=claims["sid"],
        level=Level(claims["acr"]),
        proven_at_s=claims["auth_time"],
    )


def check_logout_token(claims: Claims, *, issuer: str, client_id: str, now_s: int) -> LogoutAsked:
    """Return what the verified claims of a logout token say. Raises LogoutTokenUnfit."""
    events = claims.get("events")
    rules = (
        (claims.get("iss") == issuer, "iss"),
        (_is_for(claims, client_id), "aud"),
        (_is_current(claims, now_s), "times"),
        (isinstance(events, dict) and events.get(LOGOUT_EVENT) == {}, "events"),
        # An ID token has one, a logout token never: neither passes for the other.
        ("nonce" not in claims, "nonce"),
        (_is_name(claims.get("jti")), "jti"),
        (_is_name(claims.get("sub")) and _is_name(claims.get("sid", "-")), "whose"),
    )
    fault = next((name for holds, name in rules if not holds), "")
    if fault:
        raise LogoutTokenUnfit(known=fault)
    return LogoutAsked(issuer, claims["sub"], claims.get("sid", ""), claims["jti"], claims["exp"])


def _fault(claims: Claims, expected: Expected, now_s: int) -> str:
    at_hash = claims.get("at_hash", "")
    nonce = claims.get("nonce", "")
    rules = (
        (claims.get("iss") == expected.issuer, "iss"),
        (_is_for(claims, expected.client_id), "aud"),
        (_is_current(claims, now_s), "times"),
        (isinstance(nonce, str) and _same(nonce, expected.nonce), "nonce"),
        (isinstance(at_hash, str) and _same(at_hash, _half_hash(expected.access_token)), "at_hash"),
        ("events" not in claims, "events"),
        (_is_name(claims.get("sub")) and _is_name(claims.get("sid")), "whose"),
        (claims.get("acr") in tuple(Level), "acr"),
        (_is_time(claims.get("auth_time")) and claims["auth_time"] <= now_s + SKEW_S, "auth_time"),
    )
    fault = next((name for holds, name in rules if not holds), "")
    if fault:
        return fault
    if expected.not_before_s is not None and claims["auth_time"] < expected.not_before_s - SKEW_S:
        return "the login is older than was asked"
    weakest = min((LEVEL_ORDER[level] for level in expected.levels), default=0)
    return "" if LEVEL_ORDER[Level(claims["acr"])] >= weakest else "the login is weaker than was asked"


def _is_for(claims: Claims, client_id: str) -> bool:
    audience = claims.get("aud")
    if isinstance(audience, list) and len(audience) == 1:
        audience = audience[0]
    return audience == client_id and claims.get("azp", client_id) == client_id


def _is_current(claims: Claims, now_s: int) -> bool:
    issued, expires = claims.get("iat"), claims.get("exp")
    if not (_is_time(issued) and _is_time(expires)):
        return False
    assert isinstance(issued, int)  # noqa: S101 - it is a time
    assert isinstance(expires, int)  # noqa: S101 - it is a time
    return now_s - AGE_S_MAX <= issued <= now_s + SKEW_S and now_s - SKEW_S < expires


def _is_time(value: object) -> bool:
    return type(value) is int and 0 <= value < TIME_S_MAX


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= NAME_CHARACTERS_MAX and value.isascii()


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode("utf-8", "surrogatepass"), other.encode())


def _half_hash(value: str) -> str:
    """Hash an access token for ES256 and RS256: the left half of SHA-256 (OpenID Connect Core 3.1.3.6)."""
    return urlsafe_b64encode(hashlib.sha256(value.encode()).digest()[:16]).rstrip(b"=").decode()
