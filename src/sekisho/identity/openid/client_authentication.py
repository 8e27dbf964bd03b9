"""How a client proves that it is itself at the token and revocation endpoints.

It must use exactly the way for which it is registered, and only one at a time: a client that may be taken for
another by leaving its secret away would be no client with a secret.
"""

import binascii
from base64 import b64decode
from typing import NamedTuple
from urllib.parse import unquote_plus

from sqlalchemy import Connection, delete

from sekisho.identity.openid import clients
from sekisho.identity.openid.clients import Client, Proof
from sekisho.identity.openid.grants import digest_of
from sekisho.identity.openid.jose import (
    CLIENT_ALGORITHMS,
    Claims,
    Unverifiable,
    public_keys,
    unverified_claims,
    verify,
)
from sekisho.identity.openid.parameters import Parameters
from sekisho.identity.openid.refusals import InvalidClient, InvalidRequest
from sekisho.kernel.clock import SECOND_US
from sekisho.messages.queue import insert_once
from sekisho.storage.tables.openid import openid_assertion

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
# What common libraries make: an id is kept for as long as its statement could be believed.
ASSERTION_S_MAX = 3_600
SKEW_S = 60
JTI_CHARACTERS_MAX = 256
TIME_S_MAX = 1 << 40
SUBJECT_CHARACTERS_MAX = 64


class Presented(NamedTuple):
    """What a request shows of its client: how, and what."""

    proof: Proof
    client_id: str
    secret: str = ""


class Statement(NamedTuple):
    """A signed statement that was believed, to be used up: by what it is kept, and for how long."""

    client_id: str
    digest: bytes
    until_us: int


class Proven(NamedTuple):
    """A client that proved to be itself. A statement must be used up before anything is done for it."""

    client: Client
    statement: Statement | None


def read(parameters: Parameters, authorization: str) -> Presented:
    """Find out how a client identifies itself. Raises InvalidClient; InvalidRequest for two ways at once."""
    client_id = parameters.get("client_id")
    found = []
    if authorization:
        found.append(_from_header(authorization))
    if parameters.get("client_secret"):
        found.append(Presented(Proof.SECRET_POST, client_id, parameters.get("client_secret")))
    if parameters.get("client_assertion") or parameters.get("client_assertion_type"):
        found.append(_from_assertion(parameters))
    if len(found) > 1:
        raise InvalidRequest(told="The client must be authenticated in one way.")
    presented = found[0] if found else Presented(Proof.NONE, client_id)
    if client_id and client_id != presented.client_id:
        raise InvalidRequest(told="The client_id is not that of the authenticated client.")
    return presented


def authenticate(
    connection: Connection, presented: Presented, *, audiences: tuple[str, ...], now_us: int
) -> Proven:
    """Return the client that proved to be itself, without writing anything. Raises InvalidClient."""
    client = clients.find(connection, presented.client_id)
    if client is None or client.settings.proof is not presented.proof:
        raise InvalidClient(known=f"{presented.client_id[:64]!r} by {presented.proof}")
    if presented.proof in {Proof.SECRET_BASIC, Proof.SECRET_POST} and not client.knows_secret(
        presented.secret
    ):
        raise InvalidClient(known=f"{client.client_id}: wrong secret")
    if presented.proof is not Proof.PRIVATE_KEY_JWT:
        return Proven(client, None)
    return Proven(client, _checked(client, presented.secret, audiences=audiences, now_us=now_us))


def use_up(connection: Connection, statement: Statement) -> None:
    """Write down that a statement was believed. Raises InvalidClient where it was before."""
    values = {"digest": statement.digest, "expires_at_us": statement.until_us}
    if not insert_once(connection, openid_assertion, values):
        raise InvalidClient(known=f"{statement.client_id}: a statement came twice")


def forget_expired(connection: Connection, *, now_us: int) -> None:
    """Delete the ids of statements that are too old to be believed again."""
    connection.execute(delete(openid_assertion).where(openid_assertion.c.expires_at_us < now_us))


def _from_header(authorization: str) -> Presented:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        raise InvalidClient(known="another scheme than Basic")
    try:
        name, colon, secret = b64decode(encoded.strip(), validate=True).decode("ascii").partition(":")
    except (binascii.Error, ValueError) as error:
        raise InvalidClient(known="unreadable Basic") from error
    if not colon:
        raise InvalidClient(known="unreadable Basic")
    # Both halves are form-encoded before they are joined (RFC 6749 section 2.3.1).
    return Presented(Proof.SECRET_BASIC, unquote_plus(name), unquote_plus(secret))


def _from_assertion(parameters: Parameters) -> Presented:
    if parameters.get("client_assertion_type") != ASSERTION_TYPE:
        raise InvalidClient(known="another kind of assertion")
    assertion = parameters.need("client_assertion")
    try:
        subject = unverified_claims(assertion).get("sub")
    except Unverifiable as error:
        raise InvalidClient(known=f"assertion: {error}") from error
    if not isinstance(subject, str) or len(subject) > SUBJECT_CHARACTERS_MAX:
        raise InvalidClient(known="assertion without a subject")
    return Presented(Proof.PRIVATE_KEY_JWT, subject, assertion)


def _checked(client: Client, assertion: str, *, audiences: tuple[str, ...], now_us: int) -> Statement:
    """Check a statement as RFC 7523 section 3 has it."""
    try:
        keys = public_keys(client.settings.key_set, CLIENT_ALGORITHMS)
        claims = verify(assertion, keys, algorithms=CLIENT_ALGORITHMS)
    except Unverifiable as error:
        raise InvalidClient(known=f"{client.client_id}: {error}") from error
    expires_s = _whole(claims, "exp")
    now_s = now_us // SECOND_US
    if not now_s - SKEW_S < expires_s <= now_s + ASSERTION_S_MAX + SKEW_S:
        raise InvalidClient(known=f"{client.client_id}: expired, or valid for too long")
    for name in ("iat", "nbf"):
        if name in claims and _whole(claims, name) > now_s + SKEW_S:
            raise InvalidClient(known=f"{client.client_id}: {name} lies ahead")
    if claims.get("iss") != client.client_id or claims.get("sub") != client.client_id:
        raise InvalidClient(known=f"{client.client_id}: not of itself")
    audience = claims.get("aud")
    # One audience, which is us: a statement for several could be passed on by any of them.
    if isinstance(audience, list) and len(audience) == 1:
        audience = audience[0]
    if audience not in audiences:
        raise InvalidClient(known=f"{client.client_id}: for another audience")
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 0 < len(jti) <= JTI_CHARACTERS_MAX:
        raise InvalidClient(known=f"{client.client_id}: no jti")
    digest = digest_of(f"{client.client_id}\n{jti}")
    return Statement(client.client_id, digest, (expires_s + SKEW_S) * SECOND_US)


def _whole(claims: Claims, name: str) -> int:
    value = claims.get(name)
    # JSON as Python reads it has NaN, Infinity and numbers of any length: none of them is a time.
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < TIME_S_MAX:
        raise InvalidClient(known=f"{name} is no time")
    return int(value)
