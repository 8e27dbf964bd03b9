"""Security event tokens (RFC 8417) as the Shared Signals Framework 1.0 has them: made, and read.

A token carries one event about one subject. It has no `sub` and no `exp`, so that it can never pass for an
ID token or an access token, and its type is in its header. What cannot be believed is refused with a code of
RFC 8935, which the transmitter reads.
"""

import binascii
import json
from base64 import urlsafe_b64decode
from enum import StrEnum
from typing import Annotated, Any, NamedTuple

import msgspec
from joserfc.jwk import KeySet

from sekisho.identity.openid.jose import (
    ALGORITHMS,
    TOKEN_CHARACTERS_MAX,
    SigningKey,
    Unverifiable,
    sign,
    unverified_claims,
    verify,
)
from sekisho.kernel.clock import DAY_US, SECOND_US
from sekisho.sharing.events import TYPE_MAX, Event, EventUnreadable, read_event
from sekisho.sharing.settings import SignalSettings
from sekisho.sharing.subjects import AnySubject, Subject, SubjectUnreadable, read_subject

TYPE = "secevent+jwt"
JTI_MAX = 128


class Err(StrEnum):
    """Why a token is not taken (RFC 8935 section 2.4, and one of SSF 1.0)."""

    INVALID_REQUEST = "invalid_request"
    """It is no token that SSF knows, or its event is not what its definition says."""

    INVALID_KEY = "invalid_key"
    """No key of the issuer's, as it shows them now, signed it."""

    INVALID_ISSUER = "invalid_issuer"
    """It is from another issuer than the one that sends it."""

    INVALID_AUDIENCE = "invalid_audience"
    """It is for somebody else."""

    AUTHENTICATION_FAILED = "authentication_failed"
    """Who sends it has not proven to be the transmitter."""

    ACCESS_DENIED = "access_denied"
    """The transmitter may not send to us, or no longer."""

    INVALID_STATE = "invalid_state"
    """A verification that we did not ask for in these words."""


class SetRefused(Exception):  # noqa: N818 - an answer that was foreseen
    """A token is not taken. `description` is for the transmitter's staff and gives nothing away."""

    def __init__(self, err: Err, description: str) -> None:
        self.err = err
        self.description = description
        super().__init__(f"{err}: {description}")


class OutgoingClaims(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a token of ours says, as it is kept until it is signed and sent."""

    iss: str
    jti: str
    iat: int
    aud: str
    sub_id: Subject
    events: dict[str, Any]
    txn: str = ""


class SecurityEvent(NamedTuple):
    """A token that is believed. `event` is None where its type is not known here; `iat` is in seconds."""

    issuer: str
    jti: str
    iat: int
    subject: AnySubject
    event_type: str
    event: Event | None
    txn: str


class Expected(NamedTuple):
    """Whose token is expected, for whom, and when it is read."""

    issuer: str
    audience: str
    now_us: int


_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=JTI_MAX)]
_Printable = Annotated[str, msgspec.Meta(min_length=1, max_length=JTI_MAX, pattern=r"^[\x21-\x7e]+$")]


class _Claims(msgspec.Struct, frozen=True):
    iss: str
    jti: _Printable
    iat: int
    aud: str | list[str]
    sub_id: dict[str, Any]
    events: dict[str, Any]
    txn: _Text = ""


def write_set(claims: bytes, key: SigningKey) -> str:
    """Sign claims as they were kept."""
    return sign(json.loads(claims), key, kind=TYPE)


def issuer_of(token: str) -> str:
    """Return who a token says it is from, believing nothing. Raises SetRefused."""
    try:
        issuer = unverified_claims(token).get("iss")
    except Unverifiable as fault:
        raise SetRefused(Err.INVALID_REQUEST, "The body is no signed token.") from fault
    return issuer if isinstance(issuer, str) else ""


def key_id_of(token: str) -> str:
    """Return which key a token says it is signed with, having looked at its type. Raises SetRefused."""
    header = _header(token)
    kind = header.get("typ")
    # The prefix may be left out, and is left out (RFC 7515 section 4.1.9); case means nothing.
    if not isinstance(kind, str) or kind.lower().removeprefix("application/") != TYPE:
        raise SetRefused(Err.INVALID_REQUEST, f"The header's typ must be {TYPE}.")
    key_id = header.get("kid")
    if not isinstance(key_id, str) or not key_id or header.get("alg") not in ALGORITHMS:
        raise SetRefused(Err.INVALID_KEY, f"The header names its kid, and alg is {' or '.join(ALGORITHMS)}.")
    return key_id


def read_set(token: str, keys: KeySet, expected: Expected, settings: SignalSettings) -> SecurityEvent:
    """Read a token from an issuer for an audience. Raises SetRefused."""
    key_id_of(token)
    try:
        said = verify(token, keys, algorithms=ALGORITHMS)
    except Unverifiable as fault:
        raise SetRefused(Err.INVALID_KEY, "None of the issuer's keys signed this.") from fault
    claims = _checked(said)
    if claims.iss != expected.issuer:
        raise SetRefused(Err.INVALID_ISSUER, "The stream belongs to another issuer.")
    if expected.audience not in ([claims.aud] if isinstance(claims.aud, str) else claims.aud):
        raise SetRefused(Err.INVALID_AUDIENCE, "The token is for somebody else.")
    _require_timely(claims.iat, settings, expected.now_us)
    ((event_type, payload),) = claims.events.items()
    try:
        subject = read_subject(claims.sub_id)
        event = read_event(event_type, payload)
    except (SubjectUnreadable, EventUnreadable) as fault:
        raise SetRefused(Err.INVALID_REQUEST, fault.told) from fault
    return SecurityEvent(claims.iss, claims.jti, claims.iat, subject, event_type, event, claims.txn)


def _checked(said: dict[str, Any]) -> _Claims:
    forbidden = {"sub", "exp"} & said.keys()
    if forbidden:
        raise SetRefused(Err.INVALID_REQUEST, f"A token has no {' and no '.join(sorted(forbidden))}.")
    try:
        claims = msgspec.convert(said, _Claims)
    except msgspec.ValidationError as fault:
        raise SetRefused(Err.INVALID_REQUEST, "A claim is missing or of another type.") from fault
    if len(claims.events) != 1 or any(len(kind) > TYPE_MAX for kind in claims.events):
        raise SetRefused(Err.INVALID_REQUEST, "A token carries exactly one event.")
    return claims


def _require_timely(iat: int, settings: SignalSettings, now_us: int) -> None:
    now_s = now_us // SECOND_US
    if iat > now_s + settings.ahead_s:
        raise SetRefused(Err.INVALID_REQUEST, "The token is from the future.")
    if iat < now_s - settings.age_days * DAY_US // SECOND_US:
        raise SetRefused(Err.INVALID_REQUEST, "The token is too old.")


def _header(token: str) -> dict[str, Any]:
    if len(token) > TOKEN_CHARACTERS_MAX:
        raise SetRefused(Err.INVALID_REQUEST, "The token is too long.")
    first = token.partition(".")[0]
    try:
        header = json.loads(urlsafe_b64decode(first + "=" * (-len(first) % 4)))
    except (binascii.Error, ValueError, RecursionError) as fault:
        raise SetRefused(Err.INVALID_REQUEST, "The body is no signed token.") from fault
    if not isinstance(header, dict):
        raise SetRefused(Err.INVALID_REQUEST, "The body is no signed token.")
    return header
