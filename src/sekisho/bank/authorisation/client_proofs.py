"""How a partner proves that it is itself: a short statement signed with its key (RFC 7523, FAPI 2.0).

The statement is for us alone: its audience is our issuer and nothing else, so that what another bank was told
is no use here (mix-up). Each is believed once.
"""

import hashlib
from typing import NamedTuple

from sqlalchemy import Connection, delete

from sekisho.bank.authorisation import partners
from sekisho.bank.authorisation.partners import ALGORITHMS, Partner
from sekisho.identity.openid.client_authentication import (
    ASSERTION_S_MAX,
    ASSERTION_TYPE,
    JTI_CHARACTERS_MAX,
    SKEW_S,
    TIME_S_MAX,
)
from sekisho.identity.openid.jose import Claims, Unverifiable, public_keys, unverified_claims, verify
from sekisho.identity.openid.parameters import Parameters
from sekisho.identity.openid.refusals import InvalidClient, InvalidRequest
from sekisho.kernel.clock import SECOND_US
from sekisho.messages.queue import insert_once
from sekisho.storage.tables.deposits import link_proof


class Proven(NamedTuple):
    """A partner that proved to be itself. The statement is used up before anything is done for it."""

    partner: Partner
    digest: bytes
    until_us: int


def prove(connection: Connection, parameters: Parameters, *, issuer: str, now_us: int) -> Proven:
    """Return the partner that a request comes from, without writing. Raises InvalidClient, InvalidRequest."""
    if parameters.get("client_secret"):
        raise InvalidRequest(told="Partners are authenticated by private_key_jwt alone.")
    if parameters.get("client_assertion_type") != ASSERTION_TYPE:
        raise InvalidClient(known="no assertion, or another kind")
    assertion = parameters.need("client_assertion")
    try:
        subject = unverified_claims(assertion).get("sub")
    except Unverifiable as error:
        raise InvalidClient(known=f"assertion: {error}") from error
    named = parameters.get("client_id")
    if not isinstance(subject, str) or (named and named != subject):
        raise InvalidClient(known="the assertion is of no client, or of another")
    partner = partners.find(connection, subject[:JTI_CHARACTERS_MAX])
    if partner is None:
        raise InvalidClient(known=f"unknown: {subject[:64]!r}")
    try:
        keys = public_keys(partner.settings.key_set, ALGORITHMS)
        claims = verify(assertion, keys, algorithms=ALGORITHMS)
    except Unverifiable as error:
        raise InvalidClient(known=f"{partner.client_id}: {error}") from error
    return _checked(partner, claims, issuer=issuer, now_us=now_us)


def use_up(connection: Connection, digest: bytes, until_us: int) -> bool:
    """Write down that a statement or proof was believed; say whether that is the first time."""
    return insert_once(connection, link_proof, {"digest": digest, "expires_at_us": until_us})


def forget_expired(connection: Connection, *, now_us: int) -> None:
    """Delete what is too old to be believed again."""
    connection.execute(delete(link_proof).where(link_proof.c.expires_at_us < now_us))


def _checked(partner: Partner, claims: Claims, *, issuer: str, now_us: int) -> Proven:
    client_id, now_s = partner.client_id, now_us // SECOND_US
    expires_s = _whole(claims, "exp")
    if not now_s - SKEW_S < expires_s <= now_s + ASSERTION_S_MAX + SKEW_S:
        raise InvalidClient(known=f"{client_id}: expired, or valid for too long")
    for name in ("iat", "nbf"):
        if name in claims and _whole(claims, name) > now_s + SKEW_S:
            raise InvalidClient(known=f"{client_id}: {name} lies ahead")
    if claims.get("iss") != client_id or claims.get("sub") != client_id:
        raise InvalidClient(known=f"{client_id}: not of itself")
    if claims.get("aud") != issuer:
        raise InvalidClient(known=f"{client_id}: for another audience")
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 0 < len(jti) <= JTI_CHARACTERS_MAX:
        raise InvalidClient(known=f"{client_id}: no jti")
    digest = hashlib.sha256(f"assertion\n{client_id}\n{jti}".encode("utf-8", "surrogatepass")).digest()
    return Proven(partner, digest, (expires_s + SKEW_S) * SECOND_US)


def _whole(claims: Claims, name: str) -> int:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < TIME_S_MAX:
        raise InvalidClient(known=f"{name} is no time")
    return int(value)
