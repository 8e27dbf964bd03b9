"""What is done about broken glass: it is broken by who may, looked through, and looked into by an auditor."""

from typing import NamedTuple

from sqlalchemy import Connection

from sekisho.console.member_records import require_member
from sekisho.console.staff import StaffMember
from sekisho.identity import members
from sekisho.identity.holds import holds_on
from sekisho.identity.institution import Parts
from sekisho.identity.members import MemberState
from sekisho.kernel.refusals import Refusal
from sekisho.response import audit, cases, glass
from sekisho.response.audit import Recorded
from sekisho.response.glass import Breaking, Counted, Kind, Pane

SHOWN = 200


class OwnRecord(Refusal):
    """Nobody opens their own record against their role."""

    code = "glass_own_record"
    status = 403
    told = "This is your own record. Somebody else has to look at it."


class StaffAccountStopped(Refusal):
    """The account of whoever asks was stopped, or is on hold."""

    code = "glass_account_stopped"
    status = 403
    told = "Your account at the desks is stopped, so that it can't break glass."


class LookedInto(NamedTuple):
    """Broken glass as an auditor sees it, with all that was done through it, the newest first."""

    pane: Pane
    acts: list[Recorded]


class GlassDesk:
    """Breaks glass at one institution, and shows auditors what was broken."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def break_(self, of: Breaking, staff: StaffMember) -> Pane:
        """Open a record against a role. That it may be broken at all, and was approved, is the caller's.

        Raises OwnRecord, GlassReasonShort, MemberUnknown and CaseUnknown.
        """
        own = {staff.id, *staff.own_records.get(self._parts.institution.key, ())}

        def work(connection: Connection) -> Pane:
            whose = _whose(connection, of.kind, of.subject)
            if whose in own:
                raise OwnRecord(known=f"{staff.id}: {of.subject}")
            return glass.break_glass(connection, self._parts, of)

        return await self._parts.written(work)

    async def open_to(self, session_id: str, kind: Kind, subject: str) -> Pane | None:
        """Return the glass through which a session sees a record now."""
        now_us = self._parts.clock.now_us()
        return await self._parts.read(lambda at: glass.open_to(at, session_id, kind, subject, now_us))

    async def unseen(self) -> list[Pane]:
        """Return what no auditor has looked into, the oldest first."""
        return await self._parts.read(glass.unseen)

    async def count(self) -> Counted:
        """Count what was broken, and what of it waits for an auditor. Raises OperationalError."""
        return await self._parts.read(glass.count)

    async def look_into(self, glass_id: str) -> LookedInto:
        """Return broken glass with what was done through it. Raises GlassUnknown."""

        def look(connection: Connection) -> LookedInto:
            pane = glass.find(connection, glass_id)
            its = audit.search(
                connection,
                actor=pane.staff_id,
                subject=pane.subject,
                from_us=pane.broken_at_us,
                before_us=pane.until_us + 1,
                limit=SHOWN,
            )
            return LookedInto(pane, its)

        return await self._parts.read(look)

    async def mark_seen(self, glass_id: str, *, by: str, remark: str) -> None:
        """Keep what an auditor found, who is somebody else.

        Raises RemarkMissing, GlassUnknown, GlassSeenAlready and SecondPersonNeeded.
        """
        await self._parts.written(lambda at: glass.mark_seen(at, self._parts, glass_id, by=by, remark=remark))


async def require_working(at_the_desks: Parts, staff: StaffMember) -> None:
    """Let somebody break glass whose account at the desks is open and free. Raises StaffAccountStopped."""

    def look(connection: Connection) -> bool:
        found = members.find(connection, staff.id)
        is_open = found is not None and found.state is MemberState.OPEN
        return is_open and not holds_on(connection, staff.id, at_the_desks.clock.now_us())

    if not await at_the_desks.read(look):
        raise StaffAccountStopped(known=staff.id)


def _whose(connection: Connection, kind: Kind, subject: str) -> str:
    """Return whose record it is; empty for a case of nobody. Raises MemberUnknown and CaseUnknown."""
    if kind is Kind.MEMBER:
        return require_member(connection, subject).id
    return cases.require(connection, subject).member_id
