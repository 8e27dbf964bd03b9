"""Finding one member: by number, id, e-mail address or mobile number, exactly; there is no list to walk."""

from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import Connection

from sekisho.identity import contacts, member_numbers, members
from sekisho.identity.contacts import READERS, ContactKind
from sekisho.identity.institution import Parts
from sekisho.kernel.ids import MEMBER, MemberId
from sekisho.kernel.refusals import Refusal
from sekisho.response import audit
from sekisho.response.audit import Act

TYPED_MAX = 300


class NobodyFound(Refusal):
    """Nobody has this number, id, address or telephone number."""

    code = "nobody_found"
    status = 404
    told = "Nobody is found by this: a whole member number, id, e-mail address or mobile number is needed."


class FoundBy(StrEnum):
    """What somebody was looked up by."""

    ID = "id"
    NUMBER = "number"
    EMAIL = "email"
    MOBILE = "mobile_phone"
    NOTHING = "nothing"
    """What was typed is none of these."""


class Found(NamedTuple):
    """Who was found, and by what; None where nobody was."""

    member_id: MemberId | None
    by: FoundBy


def find_member(connection: Connection, parts: Parts, typed: str) -> Found:
    """Return who has exactly this number, id, address or mobile number: one look-up in an index."""
    text = typed[:TYPED_MAX].strip()
    number = member_numbers.read(text)
    if number is not None:
        return Found(members.ids_by_number(connection, {number}).get(number), FoundBy.NUMBER)
    member_id = _as_id(text)
    if member_id is not None:
        known = members.find(connection, member_id)
        return Found(None if known is None else known.id, FoundBy.ID)
    for kind, by in ((ContactKind.EMAIL, FoundBy.EMAIL), (ContactKind.MOBILE, FoundBy.MOBILE)):
        try:
            contact = READERS[kind](text)
        except Refusal:
            continue
        return Found(contacts.holder(connection, parts.keyring, kind, contact), by)
    return Found(None, FoundBy.NOTHING)


def look_up(connection: Connection, parts: Parts, typed: str, *, by: str) -> MemberId:
    """Find a member, and keep who looked for whom; what was typed is not kept. Raises NobodyFound."""
    found = find_member(connection, parts, typed)
    if found.member_id is None:
        raise NobodyFound
    act = Act(actor=by, act="member:looked_up", subject=found.member_id, details={"by": found.by.value})
    audit.record(connection, act, at_us=parts.clock.now_us())
    return found.member_id


def _as_id(text: str) -> MemberId | None:
    try:
        return MemberId(MEMBER.parse(text))
    except ValueError:
        return None
