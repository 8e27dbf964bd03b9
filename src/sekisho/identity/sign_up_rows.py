"""Accounts that are being opened: what was typed, sealed, until both codes came or the time is over."""

from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from sekisho.identity.institution import Parts
from sekisho.identity.tokens import digest_of
from sekisho.kernel.clock import MINUTE_US
from sekisho.storage.sealed_columns import context_of
from sekisho.storage.tables.members import sign_up

LASTS_US = 30 * MINUTE_US
SWEPT_AT_ONCE = 20


class Typed(msgspec.Struct, frozen=True):
    """What somebody wants to be reached by, and in which language."""

    email: str
    mobile: str
    language: str


class Opening(NamedTuple):
    """One account that is being opened."""

    token_digest: bytes
    typed: Typed
    email_code_id: str
    mobile_code_id: str
    email_proven: bool
    mobile_proven: bool

    @property
    def subject(self) -> str:
        """What the codes are asked for by."""
        return f"sign_up:{self.token_digest.hex()}"

    @property
    def is_proven(self) -> bool:
        """Whether both codes came."""
        return self.email_proven and self.mobile_proven


def write(connection: Connection, parts: Parts, token: str, typed: Typed, ip: str) -> None:
    """Write an opening down, its contacts sealed, and let go of those that are long over."""
    now_us = parts.clock.now_us()
    digest = digest_of(token)
    old = select(sign_up.c.token_digest).where(sign_up.c.begun_at_us <= now_us - 2 * LASTS_US)
    gone = old.limit(SWEPT_AT_ONCE)
    connection.execute(delete(sign_up).where(sign_up.c.token_digest.in_(gone)))
    connection.execute(
        insert(sign_up),
        {
            "token_digest": digest,
            "sealed": parts.keyring.seal(msgspec.json.encode(typed), context=_context(digest)),
            "email_code_id": "",
            "mobile_code_id": "",
            "email_proven_at_us": None,
            "mobile_proven_at_us": None,
            "ip": ip,
            "begun_at_us": now_us,
            "used_at_us": None,
        },
    )


def find(connection: Connection, parts: Parts, token: str, *, for_update: bool = False) -> Opening | None:
    """Return the opening of a token that is neither over nor used. Raises Unsealable."""
    now_us = parts.clock.now_us()
    digest = digest_of(token)
    live = select(sign_up).where(
        sign_up.c.token_digest == digest,
        sign_up.c.used_at_us.is_(None),
        sign_up.c.begun_at_us > now_us - LASTS_US,
        sign_up.c.begun_at_us <= now_us,
    )
    row = connection.execute(live.with_for_update() if for_update else live).one_or_none()
    if row is None:
        return None
    plain = parts.keyring.open(row.sealed, context=_context(digest))
    return Opening(
        digest,
        msgspec.json.decode(plain, type=Typed),
        row.email_code_id,
        row.mobile_code_id,
        row.email_proven_at_us is not None,
        row.mobile_proven_at_us is not None,
    )


def change(connection: Connection, token_digest: bytes, **values: str | int | bytes) -> None:
    """Write down what has become of an opening."""
    connection.execute(update(sign_up).where(sign_up.c.token_digest == token_digest).values(**values))


def _context(digest: bytes) -> str:
    return context_of(sign_up.c.sealed, token_digest=digest)
