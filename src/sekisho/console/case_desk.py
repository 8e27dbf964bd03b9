"""What a desk does with cases of damage: the queue, one case with its record, steps, notes, whose it is."""

from typing import NamedTuple

from sqlalchemy import Connection

from sekisho.console.member_search import NobodyFound, find_member
from sekisho.identity.institution import Parts
from sekisho.identity.reveals import Seen
from sekisho.kernel.clock import DAY_US
from sekisho.kernel.ids import MemberId
from sekisho.response import access, audit, cases, claims, containment_rows
from sekisho.response.audit import Act
from sekisho.response.case_stages import Basis, Damage, damage
from sekisho.response.cases import Case, Entry, Opening, Report, Step
from sekisho.response.claims import Claim, Compensated
from sekisho.response.glass import Glass

BEFORE_US = 30 * DAY_US
"""How long before a case is opened the member's sessions are looked through, where nobody knows better."""


class Looked(NamedTuple):
    """A case as its page shows it. `exposed` is what may have been seen of the member, and where."""

    case: Case
    steps: list[tuple[Step, str, int]]
    claims: list[Claim]
    exposed: list[Seen]
    exposed_from_us: int


class Counted(NamedTuple):
    """The damage of a campaign as of a time, on every basis, and what was made good."""

    as_of_us: int
    by_basis: dict[Basis, Damage]
    compensated: Compensated


class CaseDesk:
    """Works on cases, at one institution."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def queue(self, assigned_to: str | None, *, limit: int) -> list[Case]:
        """Return open cases, due first: everybody's (None), one person's, or nobody's (empty)."""
        return await self._parts.read(lambda at: cases.queue(at, assigned_to=assigned_to, limit=limit))

    async def member_of(self, typed: str) -> MemberId:
        """Return whom somebody means by a number, id, address or mobile number. Raises NobodyFound."""
        found = await self._parts.read(lambda at: find_member(at, self._parts, typed))
        if found.member_id is None:
            raise NobodyFound
        return found.member_id

    async def open(self, opening: Opening, *, by: str) -> Case:
        """Open a case, once an occasion. Raises StaffIdUnusable."""
        return await self._parts.written(lambda at: cases.open_case(at, self._parts, opening, by=by))

    async def look(self, case_id: str) -> Looked:
        """Return a case without what people said in it. Raises CaseUnknown."""

        def look(connection: Connection) -> Looked:
            case = cases.require(connection, case_id)
            since_us = _since_us(connection, case)
            until_us = self._parts.clock.now_us()
            exposed = (
                cases.exposed(connection, case.member_id, from_us=since_us, until_us=until_us)
                if case.member_id
                else []
            )
            own = claims.of_case(connection, case_id)
            return Looked(case, cases.steps(connection, case_id), own, exposed, since_us)

        return await self._parts.read(look)

    async def look_through_glass(self, case_id: str, *, by: str) -> None:
        """Write down that somebody looks at a case against their role. Raises CaseUnknown."""

        def work(connection: Connection) -> None:
            case, details = cases.require(connection, case_id), {"glass": Glass.BROKEN.value}
            act = Act(actor=by, act="case:looked_at", subject=case.id, details=details)
            audit.record(connection, act, at_us=self._parts.clock.now_us())

        await self._parts.written(work)

    async def read_record(
        self, case_id: str, *, by: str, reason: str, glass: Glass = Glass.ROLE
    ) -> tuple[Report, list[Entry]]:
        """Return what was said, after writing down who reads it. Raises CaseUnknown and ReasonMissing."""
        return await self._parts.written(
            lambda at: access.access_case(at, self._parts, case_id, by=by, reason=reason, glass=glass)
        )

    async def take_step(self, case_id: str, step: Step, *, by: str) -> Case:
        """Bring a case to a stage. Raises CaseUnknown and CaseStepRefused."""
        return await self._parts.written(lambda at: cases.take_step(at, self._parts, case_id, step, by=by))

    async def note(self, case_id: str, kind: str, text: str, *, by: str) -> None:
        """Add a line to a case's record. Raises CaseUnknown."""
        entry = Entry(kind, self._parts.clock.now_us(), by, text)
        await self._parts.written(lambda at: cases.note(at, self._parts, case_id, entry))

    async def assign(self, case_id: str, *, to: str, by: str) -> None:
        """Give a case to somebody. Raises CaseUnknown and StaffIdUnusable."""
        await self._parts.written(lambda at: cases.assign(at, self._parts, case_id, to=to, by=by))

    async def count(self, campaign: str, as_of_us: int) -> Counted:
        """Count the damage of a campaign as of a time, on every basis."""

        def look(connection: Connection) -> Counted:
            by_basis = {
                basis: damage(connection, basis, as_of_us=as_of_us, campaign=campaign) for basis in Basis
            }
            paid = claims.compensated(connection, as_of_us=as_of_us, campaign=campaign)
            return Counted(as_of_us, by_basis, paid)

        return await self._parts.read(look)


def _since_us(connection: Connection, case: Case) -> int:
    """Return since when somebody else may have been in the member's account."""
    entered = [one.entered_at_us for one in containment_rows.of_member(connection, case.member_id)]
    return min([case.opened_at_us - BEFORE_US, *entered]) if case.member_id else case.opened_at_us
