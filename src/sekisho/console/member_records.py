"""A member's record as a desk sees it: behind masks, with what protects the account, and what was done."""

from typing import NamedTuple

from sqlalchemy import Connection

from sekisho.identity import devices, members, passkeys, sessions
from sekisho.identity.devices import Device
from sekisho.identity.holds import Hold, holds_on
from sekisho.identity.institution import Parts
from sekisho.identity.members import Member
from sekisho.identity.personal_data import KEPT, Item, read_for_use
from sekisho.identity.reveals import MASKS
from sekisho.identity.sessions import Session
from sekisho.kernel.ids import MemberId
from sekisho.kernel.refusals import Refusal
from sekisho.response import audit, cases, containment_rows
from sekisho.response.audit import Act
from sekisho.response.cases import Case
from sekisho.response.containment_rows import Contained, Containment
from sekisho.response.glass import Glass

OPENED = tuple(item for item in Item if item in KEPT)
"""What can be opened in full, with a reason."""


class MemberUnknown(Refusal):
    """There is no member of this id."""

    code = "member_unknown"
    status = 404
    told = "There is no member of this id."


class InContainment(NamedTuple):
    """That a member is in a containment, and of which campaign it is."""

    campaign: str
    one: Contained


class Record(NamedTuple):
    """What stands on the page of a member. `masked` are the items that there are, behind their masks."""

    member: Member
    masked: dict[Item, str]
    sessions: list[Session]
    devices: list[Device]
    passkeys: int
    holds: list[Hold]
    contained: list[InContainment]
    cases: list[Case]


def require_member(connection: Connection, member_id: str) -> Member:
    """Return a member by id. Raises MemberUnknown."""
    found = members.find(connection, MemberId(member_id))
    if found is None:
        raise MemberUnknown(known=member_id[:60])
    return found


def look_at(
    connection: Connection, parts: Parts, member_id: str, *, by: str, glass: Glass = Glass.ROLE
) -> Record:
    """Return a member's record behind masks, after writing down who looks. Raises MemberUnknown."""
    member, now_us = require_member(connection, member_id), parts.clock.now_us()
    details = {"glass": glass.value}
    act = Act(actor=by, act="member:looked_at", subject=member.id, details=details)
    audit.record(connection, act, at_us=now_us)
    items = read_for_use(connection, parts.keyring, member.id, KEPT)
    masked = {item: MASKS[item](items[item]) for item in OPENED if item in items}
    return Record(
        member=member,
        masked={Item.MEMBER_NUMBER: MASKS[Item.MEMBER_NUMBER](member.number), **masked},
        sessions=sessions.of_member(connection, member.id, now_us),
        devices=devices.of_member(connection, member.id),
        passkeys=sum(each.works for each in passkeys.of_member(connection, member.id)),
        holds=holds_on(connection, member.id, now_us),
        contained=_contained(connection, member.id),
        cases=cases.of_member(connection, member.id),
    )


def _contained(connection: Connection, member_id: MemberId) -> list[InContainment]:
    ones = containment_rows.of_member(connection, member_id)
    begun: dict[str, Containment | None] = {
        each.containment_id: containment_rows.find(connection, each.containment_id) for each in ones
    }
    return [
        InContainment(of.campaign, each) for each in ones if (of := begun[each.containment_id]) is not None
    ]
