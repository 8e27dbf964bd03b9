"""Passkeys of a member: kept, named, revoked, and suspected where a counter shows that one was copied."""

import unicodedata
from typing import NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, and_, insert, select, update

from sekisho.identity.ceremonies import Ceremony
from sekisho.identity.ceremonies import use as use_ceremony
from sekisho.identity.institution import Parts
from sekisho.identity.passkey_answers import Answer, NewCredential, PasskeyNotAccepted, VerifiedAnswer
from sekisho.kernel.chain import canonical
from sekisho.kernel.ids import MemberId
from sekisho.kernel.refusals import Refusal
from sekisho.messages.queue import insert_once
from sekisho.storage import outbox
from sekisho.storage.tables.passkeys import passkey as passkey_table
from sekisho.storage.tables.passkeys import passkey_holder

PASSKEYS_MAX = 20
NAME_CHARS_MAX = 40
USER_HANDLE_OCTETS = 32

_WORKS = and_(passkey_table.c.suspected_at_us.is_(None), passkey_table.c.revoked_at_us.is_(None))


class PasskeyUnknown(Refusal):
    """The member has no such passkey."""

    code = "passkey_unknown"
    status = 404
    told = "You have no such passkey."


class PasskeyNameUnusable(Refusal):
    """The name is empty, too long, or holds what cannot be seen."""

    code = "passkey_name_unusable"
    status = 422
    told = "A passkey's name has 1 to 40 characters."


class TooManyPasskeys(Refusal):
    """The member has as many passkeys as one may have."""

    code = "too_many_passkeys"
    status = 409
    told = "You have 20 passkeys already. Remove one that you no longer use first."


class Passkey(msgspec.Struct, frozen=True, kw_only=True):
    """One passkey of a member.

    `backup_eligible` says that it may live on several devices, `backed_up` that it does. One that is
    suspected was copied or replayed; it opens nothing until it is removed and made anew.
    """

    credential_id: bytes
    member_id: MemberId
    public_key: bytes
    sign_count: int
    name: str
    aaguid: str
    transports: str
    backup_eligible: bool
    backed_up: bool
    created_at_us: int
    last_used_at_us: int | None
    suspected_at_us: int | None
    revoked_at_us: int | None

    @property
    def works(self) -> bool:
        """Whether it opens anything."""
        return self.suspected_at_us is None and self.revoked_at_us is None


class Used(NamedTuple):
    """A passkey that was just used, and well."""

    passkey: Passkey


class Suspected(NamedTuple):
    """A passkey that was just found to be copied: its counter did not move on."""

    passkey: Passkey


class NotUsable(NamedTuple):
    """A passkey that meanwhile is gone, revoked or suspected; `why` is for the log."""

    why: str


def read_name(typed: str) -> str:
    """Return the one written form of a passkey's name. Raises PasskeyNameUnusable."""
    name = " ".join(unicodedata.normalize("NFC", typed[: 4 * NAME_CHARS_MAX]).split())
    unseen = any(unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn"} for character in name)
    if not name or len(name) > NAME_CHARS_MAX or unseen:
        raise PasskeyNameUnusable
    return name


def of_member(connection: Connection, member_id: MemberId) -> list[Passkey]:
    """Return a member's passkeys that were not revoked, the oldest first."""
    own = select(passkey_table).where(
        passkey_table.c.member_id == member_id, passkey_table.c.revoked_at_us.is_(None)
    )
    order = (passkey_table.c.created_at_us, passkey_table.c.credential_id)
    return [_of(row) for row in connection.execute(own.order_by(*order))]


def find(connection: Connection, credential_id: bytes) -> Passkey | None:
    """Return a passkey, also one that was revoked."""
    found = select(passkey_table).where(passkey_table.c.credential_id == credential_id)
    row = connection.execute(found).one_or_none()
    return None if row is None else _of(row)


def user_handle(connection: Connection, member_id: MemberId) -> bytes | None:
    """Return what authenticators call the member; None where the member never made a passkey."""
    found = select(passkey_holder.c.user_handle).where(passkey_holder.c.member_id == member_id)
    return connection.execute(found).scalar_one_or_none()


def make_user_handle(connection: Connection, parts: Parts, member_id: MemberId) -> bytes:
    """Return what authenticators call the member, drawn at random where there is nothing yet."""
    drawn = parts.chance.octets(USER_HANDLE_OCTETS)
    if insert_once(connection, passkey_holder, {"member_id": member_id, "user_handle": drawn}):
        return drawn
    found = select(passkey_holder.c.user_handle).where(passkey_holder.c.member_id == member_id)
    return bytes(connection.execute(found).scalar_one())


def add(connection: Connection, parts: Parts, ceremony: Ceremony, new: NewCredential, name: str) -> Passkey:
    """Keep a new passkey for the ceremony's member, under a name that no other one of the member's has.

    Raises PasskeyNotAccepted where somebody has this credential already, TooManyPasskeys, and CeremonyOver.
    """
    use_ceremony(connection, parts, ceremony, credential_id=new.credential_id, answer=new.octets)
    if find(connection, new.credential_id) is not None:
        raise PasskeyNotAccepted(known="somebody has this credential already")
    others = of_member(connection, ceremony.member_id)
    if len(others) >= PASSKEYS_MAX:
        raise TooManyPasskeys(known=ceremony.member_id)
    now_us = parts.clock.now_us()
    made = Passkey(
        credential_id=new.credential_id,
        member_id=ceremony.member_id,
        public_key=new.public_key,
        sign_count=new.sign_count,
        name=_free_name(name, {other.name for other in others}),
        aaguid=new.aaguid,
        transports=",".join(new.transports),
        backup_eligible=new.backup_eligible,
        backed_up=new.backed_up,
        created_at_us=now_us,
        last_used_at_us=None,
        suspected_at_us=None,
        revoked_at_us=None,
    )
    connection.execute(insert(passkey_table), msgspec.structs.asdict(made))
    _happened(connection, "member:passkey:added", made, now_us)
    return made


def use(
    connection: Connection, parts: Parts, ceremony: Ceremony, answer: Answer, verified: VerifiedAnswer
) -> Used | Suspected | NotUsable:
    """Use a passkey whose answer was verified, in the unit of work of what it is used for.

    Where the counter did not move on, the passkey is suspected from now on: the unit of work must be
    committed all the same. Raises CeremonyOver where the ceremony was used before.
    """
    found = find(connection, answer.credential_id)
    if found is None or not found.works:
        return NotUsable("gone, revoked or suspected")
    if found.backup_eligible is not verified.backup_eligible:
        return NotUsable("it says that it can be backed up, or that it cannot, and said otherwise when made")
    now_us = parts.clock.now_us()
    if _was_copied(found.sign_count, verified.sign_count):
        _change(connection, found, suspected_at_us=now_us)
        suspected = msgspec.structs.replace(found, suspected_at_us=now_us)
        _happened(connection, "member:passkey:suspected", suspected, now_us)
        return Suspected(suspected)
    use_ceremony(connection, parts, ceremony, credential_id=found.credential_id, answer=answer.octets)
    changes = {
        "sign_count": verified.sign_count,
        "backed_up": verified.backed_up,
        "last_used_at_us": now_us,
    }
    as_read = passkey_table.c.sign_count == found.sign_count
    if not _change(connection, found, as_read, _WORKS, **changes):
        return NotUsable("it was used elsewhere at the same moment")
    return Used(msgspec.structs.replace(found, **changes))


def rename(
    connection: Connection, parts: Parts, member_id: MemberId, credential_id: bytes, name: str
) -> Passkey:
    """Give a passkey another name. Raises PasskeyUnknown and PasskeyNameUnusable."""
    found = _own(connection, member_id, credential_id)
    name = read_name(name)
    _change(connection, found, name=name)
    _happened(connection, "member:passkey:renamed", found, parts.clock.now_us())
    return msgspec.structs.replace(found, name=name)


def revoke(connection: Connection, parts: Parts, member_id: MemberId, credential_id: bytes) -> Passkey:
    """Throw a passkey out for good. Raises PasskeyUnknown."""
    found = _own(connection, member_id, credential_id)
    now_us = parts.clock.now_us()
    _change(connection, found, revoked_at_us=now_us)
    _happened(connection, "member:passkey:removed", found, now_us)
    return msgspec.structs.replace(found, revoked_at_us=now_us)


def _was_copied(before: int, now: int) -> bool:
    # Authenticators that keep no counter say 0 for ever; synced passkeys are such.
    # https://www.w3.org/TR/webauthn-3/#sctn-sign-counter
    return (before, now) != (0, 0) and now <= before


def _own(connection: Connection, member_id: MemberId, credential_id: bytes) -> Passkey:
    found = find(connection, credential_id)
    if found is None or found.member_id != member_id or found.revoked_at_us is not None:
        raise PasskeyUnknown(known=f"{credential_id.hex()} of {member_id}")
    return found


def _free_name(name: str, taken: set[str]) -> str:
    if name not in taken:
        return name
    numbered = (f"{name} {number}" for number in range(2, PASSKEYS_MAX + 2))
    return next(candidate for candidate in numbered if candidate not in taken)


def _change(
    connection: Connection, passkey: Passkey, *only_where: ColumnElement[bool], **values: object
) -> bool:
    place = and_(passkey_table.c.credential_id == passkey.credential_id, *only_where)
    return connection.execute(update(passkey_table).where(place).values(**values)).rowcount == 1


def _happened(connection: Connection, kind: str, passkey: Passkey, at_us: int) -> None:
    body = canonical({"member_id": passkey.member_id, "credential_id": passkey.credential_id.hex()})
    subject = f"{passkey.credential_id.hex()}:{at_us}"
    outbox.append(connection, [outbox.Entry(kind, subject, at_us, body)])


def _of(row: Row[tuple[object, ...]]) -> Passkey:
    return Passkey(**row._asdict())
