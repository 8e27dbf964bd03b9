"""Cases of damage: who reports what, how sure we are, who takes it up until when, and what is known of it.

The victim may not be our member: who never had an account here reports as a member does. What somebody says,
and who they are, is sealed; what is counted is not.
"""

from enum import StrEnum
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, Row, insert, select, update

from sekisho.identity.institution import Parts
from sekisho.identity.reveals import Seen, seen_in_sessions
from sekisho.kernel.ids import CASE, CaseId, MemberId, SessionId
from sekisho.kernel.refusals import Refusal
from sekisho.response import audit
from sekisho.response.audit import Act
from sekisho.response.case_stages import ALLOWED, Stage
from sekisho.response.desk_hours import DeskHours, DueKind, desk_hours
from sekisho.response.staff import require_staff
from sekisho.storage import outbox
from sekisho.storage.keyring import Keyring
from sekisho.storage.sealed_columns import context_of
from sekisho.storage.tables.cases import case_entry, case_file, case_stage
from sekisho.storage.tables.sessions import session

TEXT_MAX = 4_000
SYSTEM = "system"
"""Who opens a case that a containment or a report from outside brings."""


class CaseUnknown(Refusal):
    """There is no case of this id."""

    code = "case_unknown"
    status = 404
    told = "There is no case of this id."


class CaseStepRefused(Refusal):
    """A case can't go from its stage to that one, or the step says something that cannot be."""

    code = "case_step_refused"
    status = 409
    told = "The case can't take this step."


class Reporter(StrEnum):
    """Who says that there is damage."""

    MEMBER = "member"
    NON_MEMBER = "non_member"
    """Somebody who has no account with us: a depositor whose account was linked by a stranger."""

    PARTNER = "partner"
    """A bank or a service that we work with."""

    STAFF = "staff"
    SYSTEM = "system"
    """A containment."""


class CaseKind(StrEnum):
    """What happened."""

    ACCOUNT_ENTERED = "account_entered"
    """Somebody else logged in."""

    LOAN_DRAWN = "loan_drawn"
    """Somebody else borrowed on the member's line."""

    ACCOUNT_LINKED = "account_linked"
    """Somebody else linked a bank account."""

    MONEY_TAKEN = "money_taken"
    """Money left an account that its owner did not send."""

    IMPERSONATION = "impersonation"
    """Somebody posed as us."""

    OTHER = "other"


_DUE = {
    CaseKind.ACCOUNT_ENTERED: DueKind.ACCOUNT_ENTERED,
    CaseKind.LOAN_DRAWN: DueKind.DAMAGE,
    CaseKind.ACCOUNT_LINKED: DueKind.MONEY_IS_LEAVING,
    CaseKind.MONEY_TAKEN: DueKind.DAMAGE,
}


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody says, and how they are reached. It is sealed. Empty is what is not known."""

    text: str = ""
    name: str = ""
    contact: str = ""
    account: str = ""
    address: str = ""


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """A case as it begins. `occasion` names what it is about: the same one again opens no second case.

    `as_of_us` is since when what is said holds; now if not given.
    """

    kind: CaseKind
    reporter: Reporter
    occasion: str
    report: Report = Report()
    member_id: str = ""
    campaign: str = ""
    partner: str = ""
    stage: Stage = Stage.DECLARED
    loss_yen: int = 0
    basis: str = ""
    as_of_us: int | None = None


class Case(NamedTuple):
    """A case, as queues show it. `closed_at_us` is None while somebody has to do something."""

    id: CaseId
    kind: CaseKind
    reporter: Reporter
    member_id: MemberId
    campaign: str
    partner: str
    stage: Stage
    loss_yen: int
    opened_by: str
    opened_at_us: int
    due_at_us: int
    assigned_to: str
    closed_at_us: int | None


class Step(NamedTuple):
    """What a case is from a time on: its stage, the damage in yen, on which basis, and why we think so."""

    stage: Stage
    amount_yen: int
    basis: str
    as_of_us: int
    reason: str = ""


class Entry(NamedTuple):
    """One line of a case's record: a note, a piece of evidence, a call."""

    kind: str
    at_us: int
    by: str
    text: str


def open_case(
    connection: Connection, parts: Parts, opening: Opening, *, by: str, hours: DeskHours | None = None
) -> Case:
    """Open a case, or return the one that was opened for the same occasion. Raises StaffIdUnusable."""
    require_staff(by)
    there = _by_occasion(connection, opening.occasion)
    if there is not None:
        return there
    now_us = parts.clock.now_us()
    case_id = CASE.new(parts.clock, parts.chance)
    due = _DUE.get(opening.kind, DueKind.OTHER)
    connection.execute(
        insert(case_file),
        {
            "id": case_id,
            "kind": opening.kind.value,
            "reporter": opening.reporter.value,
            "member_id": opening.member_id,
            "campaign": opening.campaign,
            "partner": opening.partner,
            "occasion": opening.occasion,
            "sealed": parts.keyring.seal(msgspec.json.encode(opening.report), context=_context(case_id)),
            "stage": opening.stage.value,
            "loss_yen": opening.loss_yen,
            "opened_by": by,
            "opened_at_us": now_us,
            "due_at_us": (hours or desk_hours()).due_us(due, now_us),
            "assigned_to": "",
            "closed_at_us": None,
        },
    )
    as_of_us = now_us if opening.as_of_us is None else min(opening.as_of_us, now_us)
    step = Step(opening.stage, opening.loss_yen, opening.basis or opening.reporter.value, as_of_us)
    _write_step(connection, case_id, step, by=by, at_us=now_us)
    body = {"kind": opening.kind, "reporter": opening.reporter, "by": by}
    event = outbox.Entry("response:case:opened", case_id, now_us, msgspec.json.encode(body))
    outbox.append(connection, [event])
    _acted(connection, by, "opened", case_id, now_us, opening.kind.value)
    return require(connection, case_id)


def take_step(connection: Connection, parts: Parts, case_id: str, step: Step, *, by: str) -> Case:
    """Bring a case to a stage. Raises CaseUnknown, CaseStepRefused and StaffIdUnusable."""
    require_staff(by)
    found, now_us = require(connection, case_id, to_change=True), parts.clock.now_us()
    if step.stage not in ALLOWED[found.stage]:
        raise CaseStepRefused(known=f"{found.stage} to {step.stage}")
    if step.amount_yen < 0 or step.as_of_us > now_us or not step.basis.strip():
        raise CaseStepRefused(known="an amount, a time or a basis that cannot be")
    _write_step(connection, found.id, step, by=by, at_us=now_us)
    ended = step.stage in {Stage.WITHDRAWN, Stage.COMPENSATED}
    values = {
        "stage": step.stage.value,
        "loss_yen": step.amount_yen,
        "closed_at_us": now_us if ended else None,
    }
    connection.execute(update(case_file).where(case_file.c.id == case_id).values(values))
    _acted(connection, by, f"{step.stage}", case_id, now_us, step.reason)
    return require(connection, case_id)


def close(connection: Connection, parts: Parts, case_id: str, *, by: str, why: str) -> Case:
    """Take a case out of the queue with which nothing is left to do, at the stage where it is.

    A step taken later brings it back. Raises CaseUnknown, CaseStepRefused without a reason, StaffIdUnusable.
    """
    require_staff(by)
    require(connection, case_id, to_change=True)
    if not why.strip():
        raise CaseStepRefused(known="nothing says why")
    now_us = parts.clock.now_us()
    closed = update(case_file).where(case_file.c.id == case_id, case_file.c.closed_at_us.is_(None))
    if connection.execute(closed.values(closed_at_us=now_us)).rowcount:
        _acted(connection, by, "closed", case_id, now_us, why)
    return require(connection, case_id)


def assign(connection: Connection, parts: Parts, case_id: str, *, to: str, by: str) -> None:
    """Give a case to somebody. Raises CaseUnknown and StaffIdUnusable."""
    require(connection, case_id, to_change=True)
    given = update(case_file).where(case_file.c.id == case_id)
    connection.execute(given.values(assigned_to=require_staff(to)))
    note(connection, parts, case_id, Entry("assigned", parts.clock.now_us(), require_staff(by), to))


def note(connection: Connection, parts: Parts, case_id: str, entry: Entry) -> None:
    """Add a line to a case's record, sealed. Raises CaseUnknown."""
    require(connection, case_id)
    sealed = parts.keyring.seal(entry.text[:TEXT_MAX].encode(), context=_context(case_id))
    values = {"case_id": case_id, "kind": entry.kind, "at_us": entry.at_us, "by": entry.by, "sealed": sealed}
    connection.execute(insert(case_entry), values)
    _acted(connection, entry.by, f"noted_{entry.kind}", case_id, parts.clock.now_us(), "")


def find(connection: Connection, case_id: str) -> Case | None:
    """Return a case by id."""
    row = connection.execute(select(case_file).where(case_file.c.id == case_id)).one_or_none()
    return None if row is None else _of(row)


def require(connection: Connection, case_id: str, *, to_change: bool = False) -> Case:
    """Return a case by id. Raises CaseUnknown."""
    found = select(case_file).where(case_file.c.id == case_id)
    row = connection.execute(found.with_for_update() if to_change else found).one_or_none()
    if row is None:
        raise CaseUnknown(known=case_id[:60])
    return _of(row)


def queue(connection: Connection, *, assigned_to: str | None = None, limit: int = 100) -> list[Case]:
    """Return the open cases, those that are due first; of one person, or (empty) those of nobody."""
    found = select(case_file).where(case_file.c.closed_at_us.is_(None))
    if assigned_to is not None:
        found = found.where(case_file.c.assigned_to == assigned_to)
    rows = connection.execute(found.order_by(case_file.c.due_at_us, case_file.c.id).limit(limit))
    return [_of(row) for row in rows]


def of_member(connection: Connection, member_id: str) -> list[Case]:
    """Return the cases about a member, also one whose account is gone, the newest first."""
    own = select(case_file).where(case_file.c.member_id == member_id).order_by(case_file.c.id.desc())
    return [_of(row) for row in connection.execute(own)]


def report_of(connection: Connection, keyring: Keyring, case_id: str) -> Report:
    """Return what was reported. Whoever shows it to a person records that first. Raises CaseUnknown."""
    require(connection, case_id)
    sealed = connection.execute(select(case_file.c.sealed).where(case_file.c.id == case_id)).scalar_one()
    return msgspec.json.decode(keyring.open(sealed, context=_context(case_id)), type=Report)


def steps(connection: Connection, case_id: str) -> list[tuple[Step, str, int]]:
    """Return the stages of a case in order, each with who wrote it down and when."""
    rows = select(case_stage).where(case_stage.c.case_id == case_id).order_by(case_stage.c.position)
    return [
        (Step(Stage(row.stage), row.amount_yen, row.basis, row.as_of_us, row.reason), row.by, row.at_us)
        for row in connection.execute(rows)
    ]


def entries(connection: Connection, keyring: Keyring, case_id: str) -> list[Entry]:
    """Return the record of a case in order. Whoever shows it to a person records that first."""
    rows = select(case_entry).where(case_entry.c.case_id == case_id).order_by(case_entry.c.position)
    return [
        Entry(row.kind, row.at_us, row.by, keyring.open(row.sealed, context=_context(case_id)).decode())
        for row in connection.execute(rows)
    ]


def exposed(connection: Connection, member_id: str, *, from_us: int, until_us: int) -> list[Seen]:
    """Return what may have been seen of a member in the sessions that were opened between two times."""
    opened = select(session.c.id).where(
        session.c.member_id == member_id,
        session.c.opened_at_us >= from_us,
        session.c.opened_at_us <= until_us,
    )
    ids = [SessionId(each) for each in connection.execute(opened).scalars()]
    return seen_in_sessions(connection, ids)


def _acted(connection: Connection, by: str, what: str, case_id: str, at_us: int, reason: str) -> None:  # noqa: PLR0913, PLR0917 - an act, part by part
    if by != SYSTEM:
        act = Act(actor=by, act=f"case:{what}", subject=case_id, reason=reason)
        audit.record(connection, act, at_us=at_us)


def _write_step(connection: Connection, case_id: CaseId, step: Step, *, by: str, at_us: int) -> None:
    values = step._asdict() | {"case_id": case_id, "stage": step.stage.value, "by": by, "at_us": at_us}
    connection.execute(insert(case_stage), values)
    body = msgspec.json.encode({"stage": step.stage, "amount_yen": step.amount_yen, "by": by})
    subject = f"{case_id}:{at_us}:{step.stage}:{step.amount_yen}"
    outbox.append(connection, [outbox.Entry("response:case:step", subject, at_us, body)])


def _by_occasion(connection: Connection, occasion: str) -> Case | None:
    row = connection.execute(select(case_file).where(case_file.c.occasion == occasion)).one_or_none()
    return None if row is None else _of(row)


def _context(case_id: str) -> str:
    return context_of(case_file.c.sealed, id=case_id)


def _of(row: Row[tuple[object, ...]]) -> Case:
    return Case(
        CaseId(row.id),
        CaseKind(row.kind),
        Reporter(row.reporter),
        MemberId(row.member_id),
        row.campaign,
        row.partner,
        Stage(row.stage),
        row.loss_yen,
        row.opened_by,
        row.opened_at_us,
        row.due_at_us,
        row.assigned_to,
        row.closed_at_us,
    )
