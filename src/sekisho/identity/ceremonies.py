"""Ceremonies: one question to a member's authenticator, bound to who asks, for what, and until when.

A ceremony that was only begun is kept nowhere: it lives in a token that is sealed with our keys and travels
through the browser, so that strangers who open the login page write nothing. One that ended well is written
down, and from then on its token is worth nothing.

The challenge is a digest of everything that the ceremony is bound to. What the authenticator signs therefore
says which member approved which purpose in which session, and can be recomputed later from the record.
"""

import base64
import hashlib
from enum import StrEnum
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, select

from sekisho.identity.institution import Parts
from sekisho.kernel.clock import MINUTE_US
from sekisho.kernel.ids import CEREMONY, CeremonyId, MemberId, SessionId
from sekisho.kernel.refusals import Refusal
from sekisho.messages.queue import insert_once
from sekisho.storage.keyring import Unsealable
from sekisho.storage.tables.passkeys import ceremony as ceremony_table

CEREMONY_US_MAX = 5 * MINUTE_US
NONCE_OCTETS = 32
TOKEN_CHARS_MAX = 4_096

_CONTEXT = "ceremony"


class CeremonyOver(Refusal):
    """The ceremony is too old, was used before, or was begun by somebody else or for something else."""

    code = "ceremony_over"
    status = 409
    told = "This took too long or was already used. Please begin again."


class CeremonyKind(StrEnum):
    """What the authenticator is asked to do."""

    REGISTRATION = "registration"
    """Make a passkey."""

    LOGIN = "login"
    """Say who is there, whoever that may be."""

    APPROVAL = "approval"
    """Let a member who is logged in approve something."""


class Binding(NamedTuple):
    """What a ceremony is for. `purpose` is the key of what is approved, empty to be only fresh.

    A login has neither a member nor a session yet.
    """

    kind: CeremonyKind
    member_id: MemberId = MemberId("")
    session_id: SessionId = SessionId("")
    purpose: str = ""


class Ceremony(msgspec.Struct, frozen=True, kw_only=True):
    """One question, with what it is bound to."""

    id: CeremonyId
    kind: CeremonyKind
    member_id: MemberId
    session_id: SessionId
    purpose: str
    nonce: bytes
    expires_at_us: int

    @property
    def binding(self) -> Binding:
        """What this ceremony is for."""
        return Binding(self.kind, self.member_id, self.session_id, self.purpose)

    @property
    def challenge(self) -> bytes:
        """The 32 bytes that the authenticator signs: a digest of all that this ceremony is bound to."""
        return hashlib.sha256(b"sekisho ceremony 1\n" + _ENCODER.encode(self)).digest()


_ENCODER = msgspec.msgpack.Encoder(order="deterministic")
_DECODER = msgspec.msgpack.Decoder(Ceremony)


def begin(parts: Parts, binding: Binding) -> Ceremony:
    """Begin a ceremony that ends within five minutes. Nothing is written down."""
    return Ceremony(
        id=CEREMONY.new(parts.clock, parts.chance),
        kind=binding.kind,
        member_id=binding.member_id,
        session_id=binding.session_id,
        purpose=binding.purpose,
        nonce=parts.chance.octets(NONCE_OCTETS),
        expires_at_us=parts.clock.now_us() + CEREMONY_US_MAX,
    )


def token_of(parts: Parts, ceremony: Ceremony) -> str:
    """Return what the browser keeps until the ceremony ends: sealed, for no eyes but ours."""
    sealed = parts.keyring.seal(_ENCODER.encode(ceremony), context=_CONTEXT)
    return base64.urlsafe_b64encode(sealed).decode().rstrip("=")


def read(parts: Parts, token: str, binding: Binding) -> Ceremony:
    """Return the ceremony of a token that was begun for exactly this. Raises CeremonyOver.

    Whether it was used before is for `use` to say.
    """
    ceremony = _opened(parts, token)
    if ceremony.binding != binding:
        raise CeremonyOver(known=f"{ceremony.id} was begun for {ceremony.binding}, not for {binding}")
    now_us = parts.clock.now_us()
    # After the clock was set back, a token from the future would live too long.
    if not ceremony.expires_at_us - CEREMONY_US_MAX <= now_us < ceremony.expires_at_us:
        raise CeremonyOver(known=f"{ceremony.id} expires at {ceremony.expires_at_us}, it is {now_us}")
    return ceremony


def use(
    connection: Connection, parts: Parts, ceremony: Ceremony, *, credential_id: bytes, answer: bytes
) -> None:
    """Write down that a ceremony ended well, and what was answered. Raises CeremonyOver where it had.

    Call it in the unit of work of what the ceremony is for, so that both happen or neither does.
    """
    row = msgspec.structs.asdict(ceremony) | {"kind": ceremony.kind.value}
    used = {"used_at_us": parts.clock.now_us(), "credential_id": credential_id, "answer": answer}
    # The table says whether it was there, also where another process uses it at the same moment.
    if not insert_once(connection, ceremony_table, row | used):
        raise CeremonyOver(known=f"{ceremony.id} was used before")


def recorded(connection: Connection, ceremony_id: CeremonyId) -> Ceremony | None:
    """Return a ceremony that ended well, so that its challenge can be recomputed from the record."""
    columns = [ceremony_table.c[name] for name in Ceremony.__struct_fields__]
    row = connection.execute(select(*columns).where(ceremony_table.c.id == ceremony_id)).one_or_none()
    if row is None:
        return None
    return Ceremony(**{**row._asdict(), "kind": CeremonyKind(row.kind)})


def _opened(parts: Parts, token: str) -> Ceremony:
    if len(token) > TOKEN_CHARS_MAX:
        raise CeremonyOver(known=f"a token of {len(token)} characters")
    try:
        sealed = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        return _DECODER.decode(parts.keyring.open(sealed, context=_CONTEXT))
    except (ValueError, Unsealable, msgspec.DecodeError) as error:
        raise CeremonyOver(known=f"no token of ours: {error}") from error
