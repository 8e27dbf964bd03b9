"""Codes and tokens of links: random, kept as digests, and worth nothing without the partner's own keys.

A code is used up by whoever presents it first, right or wrong: one that turns up in a second pair of hands
was stolen from one of them, and takes back all that it gave. A token is bound to the DPoP key that was shown
when the code was exchanged; a refresh token does not change, and is bound to the partner and that key.
"""

import hashlib
import hmac
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, Row, delete, insert, select, update

from sekisho.bank.house import BankParts
from sekisho.identity.tokens import digest_of, new_token
from sekisho.kernel.clock import DAY_US, SECOND_US
from sekisho.kernel.ids import LinkConsentId
from sekisho.linking.dpop import encoded
from sekisho.storage.tables.deposits import link_code, link_consent, link_partner, link_token

KEPT_US = DAY_US


class TokenKind(StrEnum):
    """What a token opens."""

    ACCESS = "access"
    """The debit interface, for minutes."""

    REFRESH = "refresh"
    """New access tokens."""


class Bound(msgspec.Struct, frozen=True, kw_only=True):
    """What a code is bound to. `key_thumbprint` is empty where the request named no key."""

    client_id: str
    redirect_uri: str
    code_challenge: str
    key_thumbprint: str


class Presented(NamedTuple):
    """What a partner presents to exchange a code, and the key of its DPoP proof."""

    client_id: str
    code: str
    redirect_uri: str
    code_verifier: str
    key_thumbprint: str


class Unusable(NamedTuple):
    """The code buys nothing. `why` is for the log; `spoilt` is the consent that it takes back."""

    why: str
    spoilt: LinkConsentId | None = None


class Token(NamedTuple):
    """A token as it is kept."""

    consent_id: LinkConsentId
    client_id: str
    key_thumbprint: str


def new_code(
    connection: Connection, bank: BankParts, consent_id: LinkConsentId, bound: Bound, *, code_s: int
) -> str:
    """Make a code. What is kept is its digest."""
    code, now_us = new_token(bank.chance), bank.clock.now_us()
    connection.execute(
        insert(link_code),
        {
            "digest": digest_of(code),
            "consent_id": consent_id,
            "bound": msgspec.json.encode(bound),
            "issued_at_us": now_us,
            "expires_at_us": now_us + code_s * SECOND_US,
            "used_at_us": None,
        },
    )
    return code


def redeem(connection: Connection, presented: Presented, *, now_us: int) -> LinkConsentId | Unusable:
    """Use a code up, and return the consent that it stands for if everything about it fits.

    The unit of work must be committed in either case: it holds that the code is used.
    """
    digest = digest_of(presented.code)
    use = update(link_code).where(link_code.c.digest == digest, link_code.c.used_at_us.is_(None))
    first = connection.execute(use.values(used_at_us=now_us)).rowcount == 1
    row = connection.execute(select(link_code).where(link_code.c.digest == digest)).one_or_none()
    if row is None:
        return Unusable("unknown")
    consent_id = LinkConsentId(row.consent_id)
    if not first:
        return Unusable("used before", consent_id)
    # A clock that was set back must not give a code a longer life.
    if not row.issued_at_us <= now_us < row.expires_at_us:
        return Unusable("expired", consent_id)
    why = _unfit(msgspec.json.decode(row.bound, type=Bound), presented)
    return Unusable(why, consent_id) if why else consent_id


def new_grant(connection: Connection, bank: BankParts, token: Token, kind: TokenKind, *, lives_s: int) -> str:
    """Make a token for a consent, bound to its key. What is kept is its digest."""
    secret, now_us = new_token(bank.chance), bank.clock.now_us()
    connection.execute(
        insert(link_token),
        {
            "digest": digest_of(secret),
            "kind": kind.value,
            "issued_at_us": now_us,
            "expires_at_us": now_us + lives_s * SECOND_US,
            "revoked_at_us": None,
            **token._asdict(),
        },
    )
    return secret


def find_token(connection: Connection, secret: str, kind: TokenKind, *, now_us: int) -> Token | None:
    """Return a token that counts: not expired, not revoked, of a consent and a partner that are there."""
    live = (
        select(link_token)
        .join(link_consent, link_consent.c.id == link_token.c.consent_id)
        .join(link_partner, link_partner.c.client_id == link_token.c.client_id)
        .where(
            link_token.c.digest == digest_of(secret),
            link_token.c.kind == kind.value,
            link_token.c.revoked_at_us.is_(None),
            link_token.c.issued_at_us <= now_us,
            link_token.c.expires_at_us > now_us,
            link_consent.c.revoked_at_us.is_(None),
            link_partner.c.removed_at_us.is_(None),
        )
    )
    row = connection.execute(live).one_or_none()
    return None if row is None else _token(row)


def of_any_kind(connection: Connection, secret: str) -> tuple[Token, TokenKind] | None:
    """Return a token and its kind, whatever has become of it, to revoke it; None where there is none."""
    row = connection.execute(select(link_token).where(link_token.c.digest == digest_of(secret))).one_or_none()
    return None if row is None else (_token(row), TokenKind(row.kind))


def revoke_one(connection: Connection, secret: str, now_us: int) -> None:
    """Revoke one token alone."""
    its = update(link_token).where(
        link_token.c.digest == digest_of(secret), link_token.c.revoked_at_us.is_(None)
    )
    connection.execute(its.values(revoked_at_us=now_us))


def take_unused(connection: Connection, *, now_us: int, limit: int = 100) -> list[LinkConsentId]:
    """Use up codes that ran out before anybody came for them; return the consents that they stood for."""
    late = (
        select(link_code.c.digest, link_code.c.consent_id)
        .where(link_code.c.used_at_us.is_(None), link_code.c.expires_at_us <= now_us)
        .order_by(link_code.c.expires_at_us)
        .limit(limit)
    )
    rows = connection.execute(late).all()
    for row in rows:
        use = update(link_code).where(link_code.c.digest == row.digest)
        connection.execute(use.values(used_at_us=now_us))
    return [LinkConsentId(row.consent_id) for row in rows]


def forget_expired(connection: Connection, *, now_us: int) -> None:
    """Delete codes and tokens a day after they expired: until then a reuse can be told from a guess."""
    connection.execute(delete(link_code).where(link_code.c.expires_at_us < now_us - KEPT_US))
    connection.execute(delete(link_token).where(link_token.c.expires_at_us < now_us - KEPT_US))


def _unfit(bound: Bound, presented: Presented) -> str:
    """Say what does not fit about who presents a code; empty where everything does."""
    if bound.client_id != presented.client_id:
        return "another partner's"
    if bound.redirect_uri != presented.redirect_uri:
        return "another redirect URI"
    if bound.key_thumbprint and bound.key_thumbprint != presented.key_thumbprint:
        return "another key"
    verified = encoded(hashlib.sha256(presented.code_verifier.encode()).digest())
    return "" if hmac.compare_digest(verified, bound.code_challenge) else "wrong verifier"


def _token(row: Row[Any]) -> Token:
    return Token(LinkConsentId(row.consent_id), row.client_id, row.key_thumbprint)
