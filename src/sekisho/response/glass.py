"""Broken glass: one record, opened to one session against the role, for a quarter of an hour; never quietly.

Whoever breaks it says why. The act is first in the auditors' list until somebody else has looked into it
and written down what came of that.
"""

from enum import StrEnum
from typing import NamedTuple

import msgspec
import structlog
from sqlalchemy import Connection, Row, func, insert, select, update

from sekisho.identity.institution import Parts
from sekisho.kernel.clock import MINUTE_US
from sekisho.kernel.ids import GLASS, GlassId
from sekisho.kernel.refusals import Refusal
from sekisho.response import audit
from sekisho.response.audit import Act
from sekisho.response.staff import require_second, require_staff
from sekisho.storage import outbox
from sekisho.storage.tables.audit import broken_glass as table

log = structlog.get_logger(__name__)

OPEN_US = 15 * MINUTE_US
"""How long a record stays open."""

REASON_MIN = 20
"""More than a look within the role asks for: whoever reads it was not there."""

REMARK_MIN = 8


class GlassReasonShort(Refusal):
    """What opens a record against the role needs a reason that somebody else understands later."""

    code = "glass_reason_short"
    status = 422
    told = "Say in a sentence why it can't wait for somebody whose role includes it."


class GlassUnknown(Refusal):
    """There is no broken glass of this id."""

    code = "glass_unknown"
    status = 404
    told = "There is no broken glass of this id."


class GlassSeenAlready(Refusal):
    """Another auditor has looked into it."""

    code = "glass_seen_already"
    status = 409
    told = "Somebody has marked this as seen already."


class RemarkMissing(Refusal):
    """Broken glass is not swept away without a word."""

    code = "glass_remark_missing"
    status = 422
    told = "Say what you found, in a few words."


class Glass(StrEnum):
    """How somebody came to look."""

    ROLE = "role"
    """Their role lets them."""

    BROKEN = "broken"
    """It does not, and they looked all the same."""


class Kind(StrEnum):
    """What stands behind glass; its word is that of its pages."""

    MEMBER = "members"
    """A member's record."""

    CASE = "cases"
    """A case, with what was said in it."""


class Breaking(NamedTuple):
    """Who breaks the glass of which record, in which session, and why."""

    staff_id: str
    session_id: str
    kind: Kind
    subject: str
    reason: str


class Pane(msgspec.Struct, frozen=True, kw_only=True):
    """Glass that was broken. `seen_at_us` is None until an auditor has looked into it."""

    id: GlassId
    staff_id: str
    session_id: str
    kind: Kind
    subject: str
    reason: str
    broken_at_us: int
    until_us: int
    seen_by: str
    seen_at_us: int | None
    remark: str


class Counted(NamedTuple):
    """How often glass was broken, and how much of that nobody has looked into."""

    broken: int
    unseen: int


def break_glass(connection: Connection, parts: Parts, of: Breaking) -> Pane:
    """Open a record to a session; where it is open to it already, that stays as it is.

    Whether somebody may at all, and whether there is such a record, is the caller's to know. Raises
    GlassReasonShort and StaffIdUnusable.
    """
    require_staff(of.staff_id)
    reason, now_us = of.reason.strip(), parts.clock.now_us()
    if len(reason) < REASON_MIN:
        raise GlassReasonShort(known=of.staff_id)
    open_already = open_to(connection, of.session_id, of.kind, of.subject, now_us)
    if open_already is not None:
        return open_already
    details = {"glass": Glass.BROKEN.value, "kind": of.kind.value}
    act = Act(actor=of.staff_id, act="glass:broken", subject=of.subject, reason=reason, details=details)
    record_loudly(connection, act, at_us=now_us)
    pane = Pane(
        id=GLASS.new(parts.clock, parts.chance),
        staff_id=of.staff_id,
        session_id=of.session_id,
        kind=of.kind,
        subject=of.subject,
        reason=reason,
        broken_at_us=now_us,
        until_us=now_us + OPEN_US,
        seen_by="",
        seen_at_us=None,
        remark="",
    )
    connection.execute(insert(table).values(msgspec.structs.asdict(pane)))
    return pane


def record_loudly(connection: Connection, act: Act, *, at_us: int) -> None:
    """Write down what was seen or opened against a role: as an act, as an event, and as a warning."""
    position = audit.record(connection, act, at_us=at_us)
    log.warning("staff:glass:broken", actor=act.actor, act=act.act, subject=act.subject)
    body = msgspec.json.encode({"actor": act.actor, "act": act.act, "subject": act.subject})
    outbox.append(connection, [outbox.Entry("staff:glass:broken", f"staff_act:{position}", at_us, body)])


def open_to(connection: Connection, session_id: str, kind: Kind, subject: str, now_us: int) -> Pane | None:
    """Return the glass through which a session sees a record now."""
    its = (table.c.session_id == session_id, table.c.kind == kind.value, table.c.subject == subject)
    row = connection.execute(select(table).where(*its, table.c.until_us > now_us)).first()
    return None if row is None else _of(row)


def find(connection: Connection, glass_id: str) -> Pane:
    """Return glass that was broken, by id. Raises GlassUnknown."""
    row = connection.execute(select(table).where(table.c.id == glass_id)).one_or_none()
    if row is None:
        raise GlassUnknown(known=glass_id[:60])
    return _of(row)


def unseen(connection: Connection) -> list[Pane]:
    """Return what no auditor has looked into, the oldest first."""
    waiting = select(table).where(table.c.seen_at_us.is_(None)).order_by(table.c.id)
    return [_of(row) for row in connection.execute(waiting)]


def mark_seen(connection: Connection, parts: Parts, glass_id: str, *, by: str, remark: str) -> None:
    """Keep what an auditor found; it is never whoever broke the glass.

    Raises RemarkMissing, GlassUnknown, GlassSeenAlready, SecondPersonNeeded and StaffIdUnusable.
    """
    said, now_us = remark.strip(), parts.clock.now_us()
    if len(said) < REMARK_MIN:
        raise RemarkMissing(known=glass_id[:60])
    pane = find(connection, glass_id)
    require_second(by, pane.staff_id)
    waiting = update(table).where(table.c.id == glass_id, table.c.seen_at_us.is_(None))
    if not connection.execute(waiting.values(seen_by=by, seen_at_us=now_us, remark=said)).rowcount:
        raise GlassSeenAlready(known=glass_id)
    details = {"broken_by": pane.staff_id, "subject": pane.subject}
    act = Act(actor=by, act="glass:seen", subject=glass_id, reason=said, details=details)
    audit.record(connection, act, at_us=now_us)
    body = msgspec.json.encode({"by": by, "broken_by": pane.staff_id})
    outbox.append(connection, [outbox.Entry("staff:glass:seen", glass_id, now_us, body)])


def count(connection: Connection) -> Counted:
    """Count what was broken since the beginning, and what of it waits for an auditor."""
    waiting = func.count().filter(table.c.seen_at_us.is_(None))
    row = connection.execute(select(func.count(), waiting).select_from(table)).one()
    return Counted(int(row[0]), int(row[1]))


def _of(row: Row[tuple[object, ...]]) -> Pane:
    return msgspec.convert(row, Pane, from_attributes=True)
