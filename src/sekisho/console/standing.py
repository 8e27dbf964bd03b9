"""How things stand at one institution: what is off, what waits for a person, what is late."""

from collections.abc import Callable
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from sekisho.response import switch_rows
from sekisho.response.containment_rows import Standing as Contained
from sekisho.response.switches import State
from sekisho.storage.tables.cases import case_file, claim, contained_member, report_version


class Standing(NamedTuple):
    """What somebody at the desks should know in ten seconds. Counts of things."""

    switches_on: int
    switches_waiting: int
    members_shut: int
    members_to_decide: int
    cases_open: int
    cases_late: int
    cases_nobodys: int
    claims_waiting: int
    reports_unsent: int


# Of each report the newest version counts: what was drawn up again before it was sent is no work left over.
_NEWEST = (
    select(report_version.c.kind, report_version.c.about, func.max(report_version.c.version).label("newest"))
    .group_by(report_version.c.kind, report_version.c.about)
    .subquery()
)
_UNSENT = (
    select(func.count())
    .select_from(
        report_version.join(
            _NEWEST,
            (_NEWEST.c.kind == report_version.c.kind)
            & (_NEWEST.c.about == report_version.c.about)
            & (_NEWEST.c.newest == report_version.c.version),
        )
    )
    .where(report_version.c.sent_at_us.is_(None))
)


def standing_at(now_us: int) -> Callable[[Connection], Standing]:
    """Return what reads how things stand at a time."""

    def reading(connection: Connection) -> Standing:
        states = [one.state(now_us) for one in switch_rows.open_ones(connection, now_us)]
        by_standing = select(contained_member.c.standing, func.count()).group_by(contained_member.c.standing)
        members = {row[0]: int(row[1]) for row in connection.execute(by_standing)}
        open_cases = select(func.count()).select_from(case_file).where(case_file.c.closed_at_us.is_(None))
        nobodys = open_cases.where(case_file.c.assigned_to == "")
        late = open_cases.where(case_file.c.due_at_us < now_us)
        waiting = select(func.count()).select_from(claim).where(claim.c.state.in_(("made", "assessed")))
        return Standing(
            switches_on=states.count(State.ON),
            switches_waiting=states.count(State.PROPOSED),
            members_shut=members.get(Contained.DONE, 0),
            members_to_decide=members.get(Contained.PROPOSED, 0) + members.get(Contained.FAILED, 0),
            cases_open=int(connection.execute(open_cases).scalar_one()),
            cases_late=int(connection.execute(late).scalar_one()),
            cases_nobodys=int(connection.execute(nobodys).scalar_one()),
            claims_waiting=int(connection.execute(waiting).scalar_one()),
            reports_unsent=int(connection.execute(_UNSENT).scalar_one()),
        )

    return reading
