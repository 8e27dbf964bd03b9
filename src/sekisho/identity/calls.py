"""Calls: our own are written down before they are made, so that a member can tell them from a stranger's.

Staff record whom they are about to call and why. The member opens the site as always and sees the call there
with six digits, which the caller must say. Whoever cannot say them is not us. The digits open nothing.
"""

import asyncio
import hmac
from enum import StrEnum
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, insert, select, update

from sekisho.identity import code_rows, members
from sekisho.identity.codes import DIGITS, digits_of
from sekisho.identity.holds import HoldKind, HoldScope, place
from sekisho.identity.institution import Parts
from sekisho.identity.members import MemberState
from sekisho.kernel.clock import DAY_US, MINUTE_US
from sekisho.kernel.ids import CALL, CALL_REPORT, CallId, CallReportId, MemberId
from sekisho.kernel.refusals import Refusal
from sekisho.storage import outbox
from sekisho.storage.sealed_columns import context_of
from sekisho.storage.tables.calls import call_report, outbound_call
from sekisho.storage.unit_of_work import Result, Work

LIFE_US = 30 * MINUTE_US
TRIES = 5
HELD_US = 3 * DAY_US
"""How long money stays in after a member told a caller a code: time for the desk to look."""

AROUND_US = 10 * MINUTE_US
"""How far a member's memory of when the telephone rang may be from the record."""

PURPOSE_CHARS_MAX = 100
WORDS_CHARS_MAX = 2_000
SHORT_CHARS_MAX = 200


class CallResult(StrEnum):
    """How a recorded call ended; empty while it can still be made."""

    OPEN = ""
    CONFIRMED = "confirmed"
    """The caller said the right digits, and the member compared them on the site."""

    ENDED = "ended"
    """Staff put the telephone down, or did not reach the member."""

    SPENT = "spent"
    """Wrong digits were typed too often: whoever calls is guessing."""


class CallUnrecordable(Refusal):
    """There is nobody to call, or no purpose to name."""

    code = "call_unrecordable"
    status = 422
    told = "Name a member with an account and say what the call is about."


class OutboundCall(NamedTuple):
    """A call of ours, as the member sees it and as staff read it: `code` is what the caller says."""

    id: CallId
    member_id: MemberId
    staff: str
    purpose: str
    code: str
    recorded_at_us: int
    expires_at_us: int


class Genuine(NamedTuple):
    """The digits are those of a call of ours, and are used up."""

    call: OutboundCall


class NotOurs(NamedTuple):
    """No call of ours has these digits, or not any more. The member should put the telephone down."""


class CallReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a member says of a caller: when, from which number, what was wanted, whether a code was told."""

    called_at_us: int
    number_shown: str = ""
    asked_for: str = ""
    told_code: bool = False
    words: str = ""


class Reported(NamedTuple):
    """A report as it was taken. `call_id` is a call of ours at that time, empty where there was none."""

    id: CallReportId
    call_id: str


class CallDesk:
    """Keeps the register of calls of one institution."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def shown_to(self, member_id: MemberId) -> list[OutboundCall]:
        """Return the calls that a member may be getting now."""

        def read() -> list[OutboundCall]:
            with self._parts.store.read() as connection:
                return open_calls(connection, self._parts, member_id)

        return await asyncio.to_thread(read)

    async def confirm(self, member_id: MemberId, said: str) -> Genuine | NotOurs:
        """Compare what a caller said with the calls that we make; right digits are used up."""
        return await self._write(lambda at: confirm(at, self._parts, member_id, said))

    async def finish(self, call_id: str, staff: str) -> bool:
        """End a call that staff recorded themselves, and tell whether it was open."""
        return await self._write(lambda at: finish(at, self._parts, call_id, staff))

    async def report(self, member_id: MemberId, report: CallReport) -> Reported:
        """Take a report. Where a code was told, what was sent is void and money stays in for some days."""
        return await self._write(lambda at: take_report(at, self._parts, member_id, report))

    async def _write(self, work: Work[Result]) -> Result:
        return await asyncio.wrap_future(self._parts.store.write(work))


def record(
    connection: Connection, parts: Parts, staff: str, member_id: MemberId, purpose: str
) -> OutboundCall:
    """Write a call down before it is made; an earlier one to the member that is open ends.

    Raises CallUnrecordable.
    """
    found = members.find(connection, member_id)
    purpose = " ".join(purpose.split())[:PURPOSE_CHARS_MAX]
    if not staff or not purpose or found is None or found.state is MemberState.CLOSED:
        raise CallUnrecordable
    now_us = parts.clock.now_us()
    for earlier in open_calls(connection, parts, member_id):
        _end(connection, earlier.id, CallResult.ENDED, now_us)
    new = OutboundCall(
        id=CALL.new(parts.clock, parts.chance),
        member_id=member_id,
        staff=staff,
        purpose=purpose,
        code=f"{parts.chance.below(10**DIGITS):0{DIGITS}}",
        recorded_at_us=now_us,
        expires_at_us=now_us + LIFE_US,
    )
    values = new._asdict() | {
        "sealed_code": parts.keyring.seal(new.code.encode(), context=_context(new.id)),
        "tries_left": TRIES,
        "ended_at_us": None,
        "result": CallResult.OPEN.value,
    }
    del values["code"]
    connection.execute(insert(outbound_call), values)
    _tell(connection, parts, "call:recorded", new.id, {"member_id": member_id, "staff": staff})
    return new


def open_calls(
    connection: Connection, parts: Parts, member_id: MemberId, *, to_change: bool = False
) -> list[OutboundCall]:
    """Return the calls of ours that can be made to a member now, the newest first."""
    table, now_us = outbound_call, parts.clock.now_us()
    live = (
        select(table)
        .where(
            table.c.member_id == member_id,
            table.c.ended_at_us.is_(None),
            table.c.recorded_at_us <= now_us,
            table.c.expires_at_us > now_us,
        )
        .order_by(table.c.recorded_at_us.desc(), table.c.id.desc())
    )
    return [
        OutboundCall(
            id=CallId(row.id),
            member_id=MemberId(row.member_id),
            staff=row.staff,
            purpose=row.purpose,
            code=parts.keyring.open(row.sealed_code, context=_context(row.id)).decode(),
            recorded_at_us=row.recorded_at_us,
            expires_at_us=row.expires_at_us,
        )
        for row in connection.execute(live.with_for_update() if to_change else live)
    ]


def confirm(connection: Connection, parts: Parts, member_id: MemberId, said: str) -> Genuine | NotOurs:
    """Compare what a caller said within a unit of work. A wrong guess costs one of five tries."""
    digits, now_us = digits_of(said), parts.clock.now_us()
    right = None
    for call in open_calls(connection, parts, member_id, to_change=True):
        if hmac.compare_digest(call.code, digits):
            right = call
    if right is not None:
        _end(connection, right.id, CallResult.CONFIRMED, now_us)
        _tell(connection, parts, "call:confirmed", right.id, {"member_id": member_id})
        return Genuine(right)
    if digits:
        _count_wrong(connection, parts, member_id, now_us)
    return NotOurs()


def finish(connection: Connection, parts: Parts, call_id: str, staff: str) -> bool:
    """End a call within a unit of work."""
    own = (outbound_call.c.id == call_id) & (outbound_call.c.staff == staff)
    if connection.execute(select(outbound_call.c.id).where(own)).first() is None:
        return False
    return _end(connection, call_id, CallResult.ENDED, parts.clock.now_us())


def take_report(connection: Connection, parts: Parts, member_id: MemberId, report: CallReport) -> Reported:
    """Take a report within a unit of work."""
    now_us = parts.clock.now_us()
    report_id = CALL_REPORT.new(parts.clock, parts.chance)
    call_id = _call_around(connection, member_id, report.called_at_us)
    contents = msgspec.json.encode(
        {
            "number_shown": report.number_shown[:SHORT_CHARS_MAX],
            "asked_for": report.asked_for[:SHORT_CHARS_MAX],
            "words": report.words[:WORDS_CHARS_MAX],
        }
    )
    connection.execute(
        insert(call_report),
        {
            "id": report_id,
            "member_id": member_id,
            "called_at_us": report.called_at_us,
            "reported_at_us": now_us,
            "told_code": report.told_code,
            "call_id": call_id,
            "sealed": parts.keyring.seal(contents, context=context_of(call_report.c.sealed, id=report_id)),
        },
    )
    if report.told_code:
        code_rows.void_all(connection, member_id, now_us)
        place(
            connection, parts, member_id, HoldKind.CONTAINMENT, HoldScope.MONEY_OUT,
            reason="told_code_to_caller", until_us=now_us + HELD_US,
        )  # fmt: skip
    body = {"member_id": member_id, "told_code": report.told_code, "ours": bool(call_id)}
    _tell(connection, parts, "call:reported", report_id, body)
    return Reported(report_id, call_id)


def _call_around(connection: Connection, member_id: MemberId, at_us: int) -> str:
    """Return the id of a call of ours to a member about that time, empty where there was none."""
    table = outbound_call
    around = (
        select(table.c.id)
        .where(
            table.c.member_id == member_id,
            table.c.recorded_at_us <= at_us + AROUND_US,
            table.c.expires_at_us > at_us - AROUND_US,
        )
        .order_by(table.c.recorded_at_us.desc())
    )
    return str(connection.execute(around.limit(1)).scalar_one_or_none() or "")


def _count_wrong(connection: Connection, parts: Parts, member_id: MemberId, now_us: int) -> None:
    for call in open_calls(connection, parts, member_id):
        own = update(outbound_call).where(outbound_call.c.id == call.id)
        connection.execute(own.values(tries_left=outbound_call.c.tries_left - 1))
        left = select(outbound_call.c.tries_left).where(outbound_call.c.id == call.id)
        if connection.execute(left).scalar_one() <= 0:
            _end(connection, call.id, CallResult.SPENT, now_us)


def _end(connection: Connection, call_id: str, result: CallResult, now_us: int) -> bool:
    open_one = (outbound_call.c.id == call_id) & outbound_call.c.ended_at_us.is_(None)
    ended = update(outbound_call).where(open_one).values(ended_at_us=now_us, result=result.value)
    return bool(connection.execute(ended).rowcount)


def _tell(connection: Connection, parts: Parts, kind: str, subject: str, body: dict[str, object]) -> None:
    entry = outbox.Entry(kind, subject, parts.clock.now_us(), msgspec.json.encode(body))
    outbox.append(connection, [entry])


def _context(call_id: str) -> str:
    return context_of(outbound_call.c.sealed_code, id=call_id)
