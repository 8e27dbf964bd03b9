"""Partners: institutions with which an operator agreed to share signals, and how they prove who they are.

A partner's programs bring a bearer token of 256 random bits, made once and kept as a digest. It opens the
stream of this partner and nothing else.
"""

import hmac
from typing import NamedTuple

from sqlalchemy import Connection, delete, insert, select, update

from sekisho.identity.http_line import require_fit
from sekisho.identity.institution import Parts
from sekisho.identity.tokens import digest_of, new_token
from sekisho.kernel.refusals import Refusal
from sekisho.storage.sealed_columns import context_of
from sekisho.storage.tables.signals import (
    agreed_subject,
    signal_feed,
    signal_partner,
    signal_stream,
    source_digest,
)

BEARER = "bearer "
KEY_OCTETS = 32


class NoSuchPartner(Refusal):
    """Nobody agreed to share signals with this institution."""

    code = "no_such_partner"
    status = 404
    told = "There is no agreement with this institution."


class Partner(NamedTuple):
    """An institution, by the issuer of its tokens. `client_id` is its name as a client of ours, if any."""

    issuer: str
    client_id: str
    agreed_at_us: int
    exchanges_sources: bool


def admit(connection: Connection, parts: Parts, issuer: str, *, client_id: str = "") -> str:
    """Agree with a partner, or anew, and return the token that it is to bring: it can be seen only now.

    Raises AddressUnfit where the issuer is no address.
    """
    require_fit(issuer)
    token = f"ssf_{new_token(parts.chance)}"
    known = find(connection, issuer)
    values = {"token_digest": digest_of(token), "client_id": client_id}
    if known is None:
        row = {**values, "issuer": issuer, "source_key": None, "agreed_at_us": parts.clock.now_us()}
        connection.execute(insert(signal_partner), row)
    else:
        connection.execute(update(signal_partner).where(signal_partner.c.issuer == issuer).values(values))
    return token


def agree_on_key(connection: Connection, parts: Parts, issuer: str, key: bytes) -> None:
    """Keep the key under which sources are exchanged with a partner. Raises NoSuchPartner."""
    if len(key) != KEY_OCTETS:
        raise ValueError(f"a source key has {KEY_OCTETS} octets")
    sealed = parts.keyring.seal(key, context=_context(issuer))
    found = update(signal_partner).where(signal_partner.c.issuer == issuer).values(source_key=sealed)
    if not connection.execute(found).rowcount:
        raise NoSuchPartner(known=issuer)


def source_keys(connection: Connection, parts: Parts) -> dict[str, bytes]:
    """Return the agreed keys by partner. Raises Unsealable."""
    agreed = select(signal_partner.c.issuer, signal_partner.c.source_key).where(
        signal_partner.c.source_key.is_not(None)
    )
    return {
        row.issuer: parts.keyring.open(row.source_key, context=_context(row.issuer))
        for row in connection.execute(agreed)
    }


def part_with(connection: Connection, issuer: str) -> bool:
    """End an agreement with all that it made, both ways, and tell whether there was one."""
    for table in (signal_stream, signal_feed, agreed_subject, source_digest):
        connection.execute(delete(table).where(table.c.issuer == issuer))
    return bool(connection.execute(delete(signal_partner).where(signal_partner.c.issuer == issuer)).rowcount)


def find(connection: Connection, issuer: str) -> Partner | None:
    """Return a partner by its issuer."""
    return next((each for each in all_partners(connection) if each.issuer == issuer), None)


def all_partners(connection: Connection) -> list[Partner]:
    """Return the partners in the order of their names. They are few."""
    rows = connection.execute(select(signal_partner).order_by(signal_partner.c.issuer))
    return [Partner(row.issuer, row.client_id, row.agreed_at_us, row.source_key is not None) for row in rows]


def of_client(connection: Connection, client_id: str) -> Partner | None:
    """Return the partner that is this client of ours."""
    known = all_partners(connection) if client_id else []
    return next((each for each in known if each.client_id == client_id), None)


def bearer(authorization: str) -> str:
    """Return the token of an Authorization header, empty where it carries none."""
    return authorization[len(BEARER) :].strip() if authorization[: len(BEARER)].lower() == BEARER else ""


def holder(connection: Connection, authorization: str) -> Partner | None:
    """Return whose token an Authorization header carries; None where it is nobody's."""
    digest = digest_of(bearer(authorization))
    found = select(signal_partner.c.issuer, signal_partner.c.token_digest).where(
        signal_partner.c.token_digest == digest
    )
    row = connection.execute(found).one_or_none()
    # Found by an index on a digest, there is nothing left to guess; compared all the same.
    if row is None or not hmac.compare_digest(row.token_digest, digest):
        return None
    return find(connection, row.issuer)


def _context(issuer: str) -> str:
    return context_of(signal_partner.c.source_key, issuer=issuer)
