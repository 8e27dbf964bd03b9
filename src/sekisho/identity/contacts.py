"""How members are reached: e-mail addresses and mobile numbers, one member each.

The value itself is a personal item and sealed; what finds it again is a keyed digest of its one written form.
"""

import re
import unicodedata
from collections.abc import Callable
from enum import StrEnum

from sqlalchemy import Connection, delete, insert, select

from sekisho.identity.institution import Parts
from sekisho.identity.recipients import mobile_number
from sekisho.kernel.ids import MemberId
from sekisho.kernel.refusals import Refusal
from sekisho.storage.keyring import Keyring
from sekisho.storage.tables.members import contact

EMAIL_MAX = 254
_EMAIL = re.compile(
    r"(?=.{1,64}@)[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])"
)


class ContactKind(StrEnum):
    """What a member is reached by. The names are those of the personal items."""

    EMAIL = "email"
    """An e-mail address. Nothing that is sent there is ever a factor of a login."""

    MOBILE = "mobile_phone"
    """A Japanese mobile number, which takes text messages."""


class EmailUnusable(Refusal):
    """What was typed is no e-mail address that mail goes to."""

    code = "email_unusable"
    status = 422
    told = "This is not an e-mail address that we can write to."


def read_email(typed: str) -> str:
    """Return the one written form of an address. Raises EmailUnusable.

    Two spellings of one mailbox are one address: upper and lower case, and full-width letters.
    """
    plain = unicodedata.normalize("NFKC", typed[: 2 * EMAIL_MAX]).strip().lower()
    if len(plain) > EMAIL_MAX or not _EMAIL.fullmatch(plain):
        raise EmailUnusable
    return plain


READERS: dict[ContactKind, Callable[[str], str]] = {
    ContactKind.EMAIL: read_email,
    ContactKind.MOBILE: mobile_number,
}
"""What turns a typed contact into its one written form, or refuses it."""


def digest_of(keyring: Keyring, kind: ContactKind, value: str) -> bytes:
    """Return what finds a contact (in its one written form) again."""
    return keyring.digest(value, context=f"contact:{kind}")


def holder(connection: Connection, keyring: Keyring, kind: ContactKind, value: str) -> MemberId | None:
    """Return whose contact this is, None where it is nobody's."""
    found = select(contact.c.member_id).where(
        contact.c.kind == kind, contact.c.digest == digest_of(keyring, kind, value)
    )
    member_id = connection.execute(found).scalar_one_or_none()
    return None if member_id is None else MemberId(member_id)


def put(connection: Connection, parts: Parts, member_id: MemberId, kind: ContactKind, value: str) -> bool:
    """Make a verified contact the member's only one of its kind. False where it is another member's."""
    owner = holder(connection, parts.keyring, kind, value)
    if owner not in {None, member_id}:
        return False
    connection.execute(delete(contact).where(contact.c.member_id == member_id, contact.c.kind == kind))
    connection.execute(
        insert(contact),
        {
            "member_id": member_id,
            "kind": kind,
            "digest": digest_of(parts.keyring, kind, value),
            "verified_at_us": parts.clock.now_us(),
        },
    )
    return True
