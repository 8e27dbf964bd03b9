"""Codes and access tokens: random, kept as digests, and tied to the member's session.

A code is used up by whoever presents it first, right or wrong: a code that turns up in a second pair of hands
was stolen from one of them. Used a second time, it takes back the token that it made (RFC 9700 section
2.1.1). A token is good for as long as it lives, the session lives and the member may log in.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from typing import NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Connection, delete, insert, select, update

from sekisho.identity.assurance import Level
from sekisho.identity.members import MemberState
from sekisho.identity.openid import scopes
from sekisho.identity.openid.scopes import Scope
from sekisho.identity.sessions import AGE_US_MAX
from sekisho.kernel.chance import Chance
from sekisho.kernel.clock import DAY_US, SECOND_US
from sekisho.kernel.ids import MemberId, SessionId
from sekisho.storage.tables.members import member
from sekisho.storage.tables.openid import openid_code, openid_token
from sekisho.storage.tables.sessions import session

SECRET_OCTETS = 32
KEPT_US = DAY_US


class Granted(msgspec.Struct, frozen=True, kw_only=True):
    """What a code stands for: who logged in, how and when, and what the client asked for."""

    client_id: str
    member_id: MemberId
    session_id: SessionId
    redirect_uri: str
    scopes: tuple[Scope, ...]
    code_challenge: str
    nonce: str
    level: Level
    proven_at_us: int


class Presented(NamedTuple):
    """What a client presents to exchange a code."""

    client_id: str
    code: str
    redirect_uri: str
    code_verifier: str


class Unusable(NamedTuple):
    """The code buys nothing. `why` is for the log; `reused` says that it had been used before."""

    why: str
    reused: bool = False


class AccessToken(NamedTuple):
    """An access token as it is kept."""

    client_id: str
    member_id: MemberId
    session_id: SessionId
    scopes: tuple[Scope, ...]


def new_code(connection: Connection, granted: Granted, *, now_us: int, code_s: int, chance: Chance) -> str:
    """Make a code for what was granted. What is kept is its digest."""
    code = _secret(chance)
    connection.execute(
        insert(openid_code),
        {
            "digest": digest_of(code),
            "client_id": granted.client_id,
            "member_id": granted.member_id,
            "session_id": granted.session_id,
            "request": msgspec.json.encode(granted),
            "issued_at_us": now_us,
            "expires_at_us": now_us + code_s * SECOND_US,
            "used_at_us": None,
        },
    )
    return code


def redeem(connection: Connection, presented: Presented, *, now_us: int) -> Granted | Unusable:
    """Use a code up, and return what it stands for if everything about it fits.

    The unit of work must be committed in either case: it holds that the code is used.
    """
    digest = digest_of(presented.code)
    use = (
        update(openid_code)
        .where(openid_code.c.digest == digest, openid_code.c.used_at_us.is_(None))
        .values(used_at_us=now_us)
    )
    first = connection.execute(use).rowcount == 1
    row = connection.execute(
        select(openid_code.c.request, openid_code.c.issued_at_us, openid_code.c.expires_at_us).where(
            openid_code.c.digest == digest
        )
    ).first()
    if row is None:
        return Unusable("unknown")
    if not first:
        _revoke_of_code(connection, digest, now_us=now_us)
        return Unusable("used before", reused=True)
    # A clock that was set back must not give a code a longer life.
    if not row.issued_at_us <= now_us < row.expires_at_us:
        return Unusable("expired")
    granted = msgspec.json.decode(row.request, type=Granted)
    unfit = _unfit(granted, presented)
    if unfit:
        return Unusable(unfit)
    return granted if may_go_on(connection, granted.session_id, now_us=now_us) else Unusable("session over")


def _unfit(granted: Granted, presented: Presented) -> str:
    """Say what does not fit about who presents a code; empty where everything does."""
    if granted.client_id != presented.client_id:
        return "another client's"
    if granted.redirect_uri != presented.redirect_uri:
        return "another redirect URI"
    return "" if _fits_challenge(presented.code_verifier, granted.code_challenge) else "wrong verifier"


def new_token(  # noqa: PLR0913 - a token is all of these
    connection: Connection, code: str, granted: Granted, *, now_us: int, token_s: int, chance: Chance
) -> str:
    """Make the access token that a code buys."""
    token = _secret(chance)
    connection.execute(
        insert(openid_token),
        {
            "digest": digest_of(token),
            "code_digest": digest_of(code),
            "client_id": granted.client_id,
            "member_id": granted.member_id,
            "session_id": granted.session_id,
            "scopes": scopes.write(granted.scopes),
            "issued_at_us": now_us,
            "expires_at_us": now_us + token_s * SECOND_US,
            "opened_at_us": None,
            "revoked_at_us": None,
        },
    )
    return token


def find_token(connection: Connection, token: str, *, now_us: int) -> AccessToken | None:
    """Return what a token stands for, None where it is unknown, expired or revoked."""
    found = select(openid_token).where(
        openid_token.c.digest == digest_of(token),
        openid_token.c.revoked_at_us.is_(None),
        openid_token.c.issued_at_us <= now_us,
        openid_token.c.expires_at_us > now_us,
    )
    row = connection.execute(found).first()
    if row is None or not may_go_on(connection, SessionId(row.session_id), now_us=now_us):
        return None
    asked = scopes.in_order(scopes.parse(row.scopes))
    return AccessToken(row.client_id, MemberId(row.member_id), SessionId(row.session_id), asked)


def revoke_token(connection: Connection, token: str, client_id: str, *, now_us: int) -> bool:
    """Revoke a client's own token; say whether that changed anything."""
    live = (openid_token.c.digest == digest_of(token)) & (openid_token.c.client_id == client_id)
    return _revoke(connection, live, now_us=now_us) > 0


def revoke_for(connection: Connection, member_id: MemberId, client_id: str, *, now_us: int) -> int:
    """Revoke whatever a client holds of a member, codes included; return how many tokens that were."""
    connection.execute(
        update(openid_code)
        .where(
            openid_code.c.member_id == member_id,
            openid_code.c.client_id == client_id,
            openid_code.c.used_at_us.is_(None),
        )
        .values(used_at_us=now_us)
    )
    of_both = (openid_token.c.member_id == member_id) & (openid_token.c.client_id == client_id)
    return _revoke(connection, of_both, now_us=now_us)


def first_use(connection: Connection, token: str, *, now_us: int) -> bool:
    """Note that a token opened personal data; say whether that is its first time."""
    use = (
        update(openid_token)
        .where(openid_token.c.digest == digest_of(token), openid_token.c.opened_at_us.is_(None))
        .values(opened_at_us=now_us)
    )
    return connection.execute(use).rowcount == 1


def may_go_on(connection: Connection, session_id: SessionId, *, now_us: int) -> bool:
    """Say whether a session has not ended and its member may still log in: what stands on it ends with it."""
    found = (
        select(session.c.opened_at_us)
        .join(member, member.c.id == session.c.member_id)
        .where(
            session.c.id == session_id,
            session.c.ended_at_us.is_(None),
            session.c.opened_at_us > now_us - AGE_US_MAX,
            member.c.state == MemberState.OPEN.value,
        )
    )
    return connection.execute(found).first() is not None


def forget_expired(connection: Connection, *, now_us: int) -> None:
    """Delete codes and tokens a day after they expired: until then a reuse can still be told from a guess."""
    connection.execute(delete(openid_code).where(openid_code.c.expires_at_us < now_us - KEPT_US))
    connection.execute(delete(openid_token).where(openid_token.c.expires_at_us < now_us - KEPT_US))


def digest_of(secret: str) -> bytes:
    """Return by which a code or token is kept: 256 random bits need no slow hash."""
    return hashlib.sha256(secret.encode()).digest()


def _secret(chance: Chance) -> str:
    return urlsafe_b64encode(chance.octets(SECRET_OCTETS)).rstrip(b"=").decode()


def _fits_challenge(verifier: str, challenge: str) -> bool:
    hashed = urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")
    return hmac.compare_digest(hashed, challenge.encode())


def _revoke_of_code(connection: Connection, code_digest: bytes, *, now_us: int) -> None:
    _revoke(connection, openid_token.c.code_digest == code_digest, now_us=now_us)


def _revoke(connection: Connection, which: ColumnElement[bool], *, now_us: int) -> int:
    gone = update(openid_token).where(which, openid_token.c.revoked_at_us.is_(None))
    return connection.execute(gone.values(revoked_at_us=now_us)).rowcount
