"""What was done about a campaign, as one list in the order in which it happened, out of all its records."""

from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from sekisho.kernel.clock import DAY_US
from sekisho.response import audit, switch_rows
from sekisho.response.cases import SYSTEM, CaseKind
from sekisho.response.claims import ClaimState
from sekisho.response.containment import BEGUN
from sekisho.response.containment_rows import Containment, Standing
from sekisho.response.switches import Switch
from sekisho.storage.tables.audit import staff_act
from sekisho.storage.tables.cases import case_file, claim, contained_member, report_version

LATE_US = 14 * DAY_US
"""A switch that is set so long after a campaign was last seen is about something else."""

ACTS_READ = 200
SHOWN_EACH = 12
"""So many cases and versions of reports stand for themselves; the others are counted."""


class Done(NamedTuple):
    """One thing that was done, or several of a kind.

    `what` is what the words are called by, `by` a staff id (empty: nobody by hand), `of` whose page says
    more: the id of a switch or case, a standing. `kind` is what was done with a switch, or of which kind a
    case or report is. `until_us` is when the last of so `many` was done. `yen` is what was paid.
    """

    at_us: int
    what: str
    by: str = ""
    of: str = ""
    kind: str = ""
    many: int = 1
    until_us: int | None = None
    version: int = 0
    yen: int = 0


class Story(NamedTuple):
    """What was done in order, and the switches that it names, by id."""

    done: list[Done]
    switches: dict[str, Switch]


class Seen(NamedTuple):
    """When a campaign was seen first and last, as far as that is known."""

    first_us: int
    last_us: int


def story_of(connection: Connection, campaign: str, *, begun: Containment | None, seen: Seen | None) -> Story:
    """Return what was done about a campaign. Switches count that were set while it lasted, or soon after."""
    switches = [] if seen is None else _switches(connection, seen)
    done = [
        *(() if begun is None else _containment(connection, begun)),
        *_of_switches(connection, switches),
        *_cases(connection, campaign),
        *_claims(connection, campaign),
        *_reports(connection, campaign),
    ]
    return Story(sorted(done, key=lambda one: one.at_us), {one.id: one for one in switches})


def _containment(connection: Connection, begun: Containment) -> Iterator[Done]:
    acts = audit.search(connection, subject=begun.id, act="containment:", limit=ACTS_READ)
    opened = False
    for act in reversed(acts):
        what = act.act.replace(":", "_")
        if act.act == BEGUN and opened:
            what = "containment_added"
        opened = opened or act.act == BEGUN
        yield Done(act.at_us, what, act.actor)
    yield from _outcomes(connection, begun)
    yield from _decisions(connection, begun)


def _outcomes(connection: Connection, begun: Containment) -> Iterator[Done]:
    member = contained_member.c
    ended = (Standing.DONE.value, Standing.FAILED.value)
    columns = (member.standing, func.count(), func.min(member.at_us), func.max(member.at_us))
    grouped = select(*columns).where(member.containment_id == begun.id, member.standing.in_(ended))
    for standing, count, first_us, last_us in connection.execute(grouped.group_by(member.standing)):
        yield Done(first_us, f"members_{standing}", of=standing, many=count, until_us=last_us)


def _decisions(connection: Connection, begun: Containment) -> Iterator[Done]:
    """Return what was decided about single members, put together by person."""
    act, member = staff_act.c, contained_member.c
    decided = {f"containment:member_{each}": each for each in (Standing.WAITING, Standing.TURNED_DOWN)}
    of_acts = select(act.act, act.actor, func.count(), func.min(act.at_us), func.max(act.at_us)).where(
        act.act.in_(decided), act.reason == begun.id, act.at_us >= begun.begun_at_us
    )
    for what, by, count, first_us, last_us in connection.execute(of_acts.group_by(act.act, act.actor)):
        standing = decided[what].value
        yield Done(first_us, f"decided_{standing}", by, of=standing, many=count, until_us=last_us)
    undone = Standing.UNDONE.value
    of_rows = select(member.by, func.count(), func.min(member.at_us), func.max(member.at_us)).where(
        member.containment_id == begun.id, member.standing == undone
    )
    for by, count, first_us, last_us in connection.execute(of_rows.group_by(member.by)):
        yield Done(first_us, "decided_undone", by, of=undone, many=count, until_us=last_us)


def _switches(connection: Connection, seen: Seen) -> list[Switch]:
    return switch_rows.set_between(connection, seen.first_us, seen.last_us + LATE_US)


def _of_switches(connection: Connection, switches: list[Switch]) -> Iterator[Done]:
    for one in switches:
        for deed in switch_rows.deeds(connection, one.id):
            by = "" if deed.by == switch_rows.CLOCK else deed.by
            yield Done(deed.at_us, "switch", by, of=one.id, kind=deed.deed)


def _cases(connection: Connection, campaign: str) -> Iterator[Done]:
    case = case_file.c
    entered = CaseKind.ACCOUNT_ENTERED.value
    own = select(func.count(), func.min(case.opened_at_us), func.max(case.opened_at_us))
    count, first_us, last_us = connection.execute(
        own.where(case.campaign == campaign, case.kind == entered)
    ).one()
    if count:
        yield Done(first_us, "cases", kind=entered, many=count, until_us=last_us)
    # Each of the others is somebody's damage.
    kinds = [each.value for each in CaseKind if each is not CaseKind.ACCOUNT_ENTERED]
    others = select(case.id, case.kind, case.opened_by, case.opened_at_us).where(
        case.campaign == campaign, case.kind.in_(kinds)
    )
    rows = connection.execute(others.order_by(case.opened_at_us, case.id)).all()
    for row in rows[:SHOWN_EACH]:
        by = "" if row.opened_by == SYSTEM else row.opened_by
        yield Done(row.opened_at_us, "case", by, of=row.id, kind=row.kind)
    further = rows[SHOWN_EACH:]
    if further:
        last_us = further[-1].opened_at_us
        yield Done(further[0].opened_at_us, "cases", kind="more", many=len(further), until_us=last_us)


def _claims(connection: Connection, campaign: str) -> Iterator[Done]:
    of = claim.join(case_file, case_file.c.id == claim.c.case_id)
    when, yen = claim.c.posted_at_us, func.sum(claim.c.awarded_yen)
    paid = (
        select(claim.c.decided_by, func.count(), yen, func.min(when), func.max(when))
        .select_from(of)
        .where(case_file.c.campaign == campaign, claim.c.state == ClaimState.PAID.value, when.is_not(None))
    )
    for by, count, sum_yen, first_us, last_us in connection.execute(paid.group_by(claim.c.decided_by)):
        yield Done(first_us, "claims_paid", by, many=count, until_us=last_us, yen=int(sum_yen))


def _reports(connection: Connection, campaign: str) -> Iterator[Done]:
    table = report_version.c
    columns = (table.kind, table.version, table.made_by, table.made_at_us, table.sent_by, table.sent_at_us)
    about = select(*columns).where(table.about == campaign).order_by(table.made_at_us)
    rows = connection.execute(about).all()
    for row in rows:
        sent = row.sent_at_us is not None
        # A draft that another replaced is no news; what was sent is, and so is the newest.
        if sent or row is rows[-1] or len(rows) <= SHOWN_EACH:
            yield Done(row.made_at_us, "report_made", row.made_by, kind=row.kind, version=row.version)
        if sent:
            yield Done(row.sent_at_us, "report_sent", row.sent_by, kind=row.kind, version=row.version)
