"""Staff: people at the desks, who get in by passkey alone, and may at each institution what their roles say.

Somebody new is given an enrolment code, by hand, which is good once and for a day: with it the browser gets a
session that can do one thing, which is to make a passkey. A new code takes the old passkeys away. Each of
these deeds is an act on the desks' own record.
"""

import asyncio
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, insert, select, update
from sqlalchemy.exc import IntegrityError

from sekisho.console.rights import Right, StaffRole, rights_of
from sekisho.identity import members, passkeys, sessions
from sekisho.identity.arrivals import Arrival
from sekisho.identity.assurance import Level, Standing
from sekisho.identity.institution import Parts
from sekisho.identity.passkey_desk import SIGNING_UP
from sekisho.identity.sessions import Ended
from sekisho.identity.sign_ins import LoginWay
from sekisho.identity.tokens import digest_of, new_token
from sekisho.identity.welcomes import Proved, Welcome, welcome
from sekisho.kernel.clock import DAY_US
from sekisho.kernel.ids import STAFF_ROLE, MemberId
from sekisho.kernel.refusals import Refusal
from sekisho.response import audit
from sekisho.response.staff import Deed
from sekisho.storage import outbox
from sekisho.storage.tables.staff import staff, staff_enrolment, staff_own_record, staff_role

ENROLMENT_US = DAY_US
NAME_LENGTH_MAX = 80
FIRST_START = Deed("operator", "the first people at new desks")
"""By whom the first people are let in, before anybody is there who could."""


class StaffNameUnusable(Refusal):
    """A name is empty, too long, or somebody else's."""

    code = "staff_name_unusable"
    status = 422
    told = "Choose another name: it is empty, too long, or in use."


class StaffUnknown(Refusal):
    """Nobody at the desks has this id, or no longer."""

    code = "staff_unknown"
    status = 404
    told = "There is nobody of this id at the desks."


class EnrolmentOver(Refusal):
    """The code was used, is too old, or never was one."""

    code = "enrolment_over"
    status = 401
    told = "This code does not work, or no longer. Ask for a new one."


class StaffMember(NamedTuple):
    """Somebody at the desks. `roles` are by institution (its key); the name stands beside what they did.

    `own_records` are their own accounts as members, by institution.
    """

    id: MemberId
    name: str
    roles: Mapping[str, frozenset[StaffRole]]
    own_records: Mapping[str, frozenset[str]]

    def may(self, institution: str, right: Right) -> bool:
        """Say whether a role of theirs at an institution holds a right."""
        return right in rights_of(self.roles.get(institution, frozenset()))

    def may_anywhere(self, right: Right) -> bool:
        """Say whether a role of theirs at any institution holds a right."""
        return any(self.may(institution, right) for institution in self.roles)


class Enrolment(NamedTuple):
    """A code by which somebody gets in to make a passkey. The code is a secret."""

    member_id: MemberId
    code: str
    expires_at_us: int


class StaffDesk:
    """Keeps who is at the desks of the institutions that one console serves."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def find(self, member_id: MemberId) -> StaffMember | None:
        """Return somebody who is at the desks now."""

        def read() -> StaffMember | None:
            with self._parts.store.read() as connection:
                return find_staff(connection, member_id)

        return await asyncio.to_thread(read)

    async def at(self, institution: str, right: Right) -> list[StaffMember]:
        """Return who holds a right at an institution now, by name."""
        everybody = await self._parts.read(all_staff)
        return [one for one in everybody if one.may(institution, right)]

    async def everybody(self) -> list[StaffMember]:
        """Return who is at the desks now, by name."""
        return await self._parts.read(all_staff)

    async def names(self) -> dict[str, str]:
        """Return the names of everybody who is or was at the desks, by id."""
        return await self._parts.read(names_of)

    async def enter(self, code: str, arrival: Arrival) -> Welcome:
        """Use an enrolment code: open a session that can make a passkey. Raises EnrolmentOver."""
        found = self._parts.store.write(lambda at: use_enrolment(at, self._parts, code, arrival))
        return await asyncio.wrap_future(found)


def add_staff(
    connection: Connection,
    parts: Parts,
    name: str,
    roles: Mapping[str, Iterable[StaffRole]],
    deed: Deed,
) -> Enrolment:
    """Let somebody in, with roles by institution, and return their enrolment.

    Raises StaffNameUnusable and StaffIdUnusable.
    """
    named = " ".join(name.split())
    if not named or len(named) > NAME_LENGTH_MAX or not named.isprintable():
        raise StaffNameUnusable(known="empty, too long, or not printable")
    member = members.open_account(connection, parts, language="ja")
    now_us = parts.clock.now_us()
    values = {"member_id": member.id, "name": named, "added_at_us": now_us, "added_by": deed.by}
    try:
        connection.execute(insert(staff), {**values, "removed_at_us": None, "removed_by": ""})
    except IntegrityError as error:
        raise StaffNameUnusable(known="in use") from error
    outbox.append(connection, [outbox.Entry("staff:added", member.id, now_us, b"{}")])
    audit.record_deed(connection, deed, "staff:added", member.id, at_us=now_us)
    for institution, given in roles.items():
        for role in given:
            give_role(connection, parts, member.id, institution, role, deed)
    return new_enrolment(connection, parts, member.id, deed)


def new_enrolment(connection: Connection, parts: Parts, member_id: MemberId, deed: Deed) -> Enrolment:
    """Return a new enrolment; codes given out before are over. Raises StaffUnknown and StaffIdUnusable."""
    _require(connection, member_id)
    now_us = parts.clock.now_us()
    audit.record_deed(connection, deed, "staff:enrolment_given", member_id, at_us=now_us)
    _end_enrolments(connection, member_id, now_us)
    code = new_token(parts.chance)
    connection.execute(
        insert(staff_enrolment),
        {
            "digest": digest_of(code),
            "member_id": member_id,
            "made_at_us": now_us,
            "expires_at_us": now_us + ENROLMENT_US,
            "ended_at_us": None,
        },
    )
    return Enrolment(member_id, code, now_us + ENROLMENT_US)


def use_enrolment(connection: Connection, parts: Parts, code: str, arrival: Arrival) -> Welcome:
    """Open a session for who has a code; their old passkeys and sessions end. Raises EnrolmentOver."""
    now_us = parts.clock.now_us()
    live = (
        staff_enrolment.c.digest == digest_of(code.strip()),
        staff_enrolment.c.ended_at_us.is_(None),
        staff_enrolment.c.expires_at_us > now_us,
    )
    used = (
        update(staff_enrolment).where(*live).values(ended_at_us=now_us).returning(staff_enrolment.c.member_id)
    )
    member_id = connection.execute(used).scalar_one_or_none()
    if member_id is None or find_staff(connection, member_id) is None:
        raise EnrolmentOver
    for held in passkeys.of_member(connection, member_id):
        passkeys.revoke(connection, parts, member_id, held.credential_id)
    sessions.end_all(connection, parts, member_id, Ended.REPLACED)
    outbox.append(connection, [outbox.Entry("staff:enrolled", f"{member_id}:{now_us}", now_us, b"{}")])
    audit.record_deed(connection, Deed(member_id, "by a code"), "staff:enrolled", member_id, at_us=now_us)
    proved = Proved(
        member_id=member_id,
        level=Level.CODE,
        way=LoginWay.SIGN_UP,
        standing=Standing.TRUSTED,
        arrival=arrival,
        purpose=SIGNING_UP.key,
    )
    return welcome(connection, parts, proved)


def give_role(  # noqa: PLR0913, PLR0917 - who gets what where, from whom
    connection: Connection,
    parts: Parts,
    member_id: MemberId,
    institution: str,
    role: StaffRole,
    deed: Deed,
) -> bool:
    """Give somebody a role and tell whether it is new to them. Raises StaffUnknown and StaffIdUnusable."""
    found = _require(connection, member_id)
    if role in found.roles.get(institution, frozenset()):
        return False
    now_us = parts.clock.now_us()
    role_id = STAFF_ROLE.new(parts.clock, parts.chance)
    connection.execute(
        insert(staff_role),
        {
            "id": role_id,
            "member_id": member_id,
            "institution": institution,
            "role": role,
            "given_at_us": now_us,
            "given_by": deed.by,
            "taken_at_us": None,
            "taken_by": "",
        },
    )
    outbox.append(connection, [outbox.Entry("staff:role:given", role_id, now_us, b"{}")])
    which = {"institution": institution, "role": role.value}
    audit.record_deed(connection, deed, "staff:role_given", member_id, at_us=now_us, **which)
    return True


def take_role(  # noqa: PLR0913, PLR0917 - as above
    connection: Connection,
    parts: Parts,
    member_id: MemberId,
    institution: str,
    role: StaffRole,
    deed: Deed,
) -> bool:
    """Take a role away, with effect from the next request on, and tell whether they had it.

    Raises StaffIdUnusable.
    """
    now_us = parts.clock.now_us()
    had = (
        staff_role.c.member_id == member_id,
        staff_role.c.institution == institution,
        staff_role.c.role == role,
        staff_role.c.taken_at_us.is_(None),
    )
    taken = (
        update(staff_role).where(*had).values(taken_at_us=now_us, taken_by=deed.by).returning(staff_role.c.id)
    )
    ids = connection.execute(taken).scalars().all()
    if not ids:
        return False
    outbox.append(connection, [outbox.Entry("staff:role:taken", role_id, now_us, b"{}") for role_id in ids])
    which = {"institution": institution, "role": role.value}
    audit.record_deed(connection, deed, "staff:role_taken", member_id, at_us=now_us, **which)
    return True


def name_own_record(  # noqa: PLR0913, PLR0917 - whose record is where, and who says so
    connection: Connection,
    parts: Parts,
    staff_id: MemberId,
    institution: str,
    record: MemberId,
    deed: Deed,
) -> bool:
    """Keep that a member's record at an institution is somebody's own; tell whether it is new.

    Raises StaffUnknown and StaffIdUnusable.
    """
    found = _require(connection, staff_id)
    if record in found.own_records.get(institution, frozenset()):
        return False
    now_us, whose = parts.clock.now_us(), {"staff_id": staff_id, "institution": institution}
    row = {**whose, "member_id": record, "named_at_us": now_us, "named_by": deed.by}
    connection.execute(insert(staff_own_record).values(row))
    event = outbox.Entry("staff:own_record:named", f"{staff_id}:{record}", now_us, b"{}")
    outbox.append(connection, [event])
    which = {"institution": institution, "record": record}
    audit.record_deed(connection, deed, "staff:own_record_named", staff_id, at_us=now_us, **which)
    return True


def remove_staff(connection: Connection, parts: Parts, member_id: MemberId, deed: Deed) -> None:
    """Let somebody in no more: their sessions end, and no code of theirs works.

    Raises StaffUnknown and StaffIdUnusable.
    """
    _require(connection, member_id)
    now_us = parts.clock.now_us()
    gone = update(staff).where(staff.c.member_id == member_id)
    connection.execute(gone.values(removed_at_us=now_us, removed_by=deed.by))
    _end_enrolments(connection, member_id, now_us)
    sessions.end_all(connection, parts, member_id, Ended.CONTAINED)
    outbox.append(connection, [outbox.Entry("staff:removed", member_id, now_us, b"{}")])
    audit.record_deed(connection, deed, "staff:removed", member_id, at_us=now_us)


def find_staff(connection: Connection, member_id: MemberId) -> StaffMember | None:
    """Return somebody who is at the desks now."""
    return next(iter(_those(connection, staff.c.member_id == member_id)), None)


def all_staff(connection: Connection) -> list[StaffMember]:
    """Return everybody who is at the desks now, by name."""
    return _those(connection)


def names_of(connection: Connection) -> dict[str, str]:
    """Return the names of everybody who is or was at the desks, by id."""
    return {row.member_id: row.name for row in connection.execute(select(staff.c.member_id, staff.c.name))}


def _those(connection: Connection, *which: ColumnElement[bool]) -> list[StaffMember]:
    now = select(staff.c.member_id, staff.c.name).where(staff.c.removed_at_us.is_(None), *which)
    found = connection.execute(now.order_by(staff.c.name)).all()
    ids = [row.member_id for row in found]
    given = select(staff_role.c.member_id, staff_role.c.institution, staff_role.c.role)
    held = _by_institution(
        connection, given.where(staff_role.c.member_id.in_(ids), staff_role.c.taken_at_us.is_(None))
    )
    named = select(staff_own_record.c.staff_id, staff_own_record.c.institution, staff_own_record.c.member_id)
    own = _by_institution(connection, named.where(staff_own_record.c.staff_id.in_(ids)))
    return [
        StaffMember(
            MemberId(row.member_id),
            row.name,
            {where: frozenset(map(StaffRole, roles)) for where, roles in held.get(row.member_id, {}).items()},
            {where: frozenset(records) for where, records in own.get(row.member_id, {}).items()},
        )
        for row in found
    ]


def _by_institution(connection: Connection, query: Select[str, str, str]) -> dict[str, dict[str, set[str]]]:
    """Return what a query finds, by member of staff and institution."""
    kept: dict[str, dict[str, set[str]]] = {}
    for staff_id, institution, found in connection.execute(query):
        kept.setdefault(staff_id, {}).setdefault(institution, set()).add(found)
    return kept


def _require(connection: Connection, member_id: MemberId) -> StaffMember:
    found = find_staff(connection, member_id)
    if found is None:
        raise StaffUnknown(known=member_id)
    return found


def _end_enrolments(connection: Connection, member_id: MemberId, now_us: int) -> None:
    open_ = update(staff_enrolment).where(
        staff_enrolment.c.member_id == member_id, staff_enrolment.c.ended_at_us.is_(None)
    )
    connection.execute(open_.values(ended_at_us=now_us))
