"""Holds: what a member may not do for a while, and why. Whoever moves money asks here first."""

import asyncio
from enum import StrEnum
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, func, insert, or_, select, update

from sekisho.identity.institution import Parts
from sekisho.kernel.ids import HOLD, HoldId, MemberId
from sekisho.kernel.refusals import Refusal
from sekisho.storage import outbox
from sekisho.storage.tables.protections import hold


class HoldKind(StrEnum):
    """Why something is on hold."""

    SELF_FREEZE = "self_freeze"
    """The member stopped the account."""

    RECOVERY = "recovery"
    """Somebody is getting in anew, or just has."""

    CONTAINMENT = "containment"
    """The account may have been entered, or the member told a stranger a code."""

    NUMBER_CHANGE = "number_change"
    """The mobile number, to which codes go, was changed."""


class HoldScope(StrEnum):
    """What is on hold."""

    ALL = "all"
    """Everything that needs a session."""

    MONEY_OUT = "money_out"
    """Money that leaves the account; everything else goes on."""


class OnHold(Refusal):
    """Money is on hold for this member."""

    code = "on_hold"
    status = 409
    told = "Money can't leave your account at the moment, for your protection. Call us if you need help."


class Hold(NamedTuple):
    """One hold. `until_us` is None where somebody has to lift it."""

    id: HoldId
    kind: HoldKind
    scope: HoldScope
    reason: str
    from_us: int
    until_us: int | None


class HoldDesk:
    """Shows members their holds, for one institution."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def of_member(self, member_id: MemberId) -> list[Hold]:
        """Return what is on hold for a member now, the newest first."""

        def read() -> list[Hold]:
            with self._parts.store.read() as connection:
                return holds_on(connection, member_id, self._parts.clock.now_us())

        return await asyncio.to_thread(read)


def place(  # noqa: PLR0913 - each is a part of the hold
    connection: Connection,
    parts: Parts,
    member_id: MemberId,
    kind: HoldKind,
    scope: HoldScope,
    *,
    reason: str,
    until_us: int | None,
) -> HoldId:
    """Put a member's doings on hold from now on. `reason` is a word for staff, without personal data."""
    hold_id, now_us = HOLD.new(parts.clock, parts.chance), parts.clock.now_us()
    connection.execute(
        insert(hold),
        {
            "id": hold_id,
            "member_id": member_id,
            "kind": kind.value,
            "scope": scope.value,
            "reason": reason,
            "from_us": now_us,
            "until_us": until_us,
            "lifted_at_us": None,
            "lifted_by": "",
        },
    )
    body = {"member_id": member_id, "kind": kind, "scope": scope, "reason": reason}
    event = outbox.Entry("member:hold:placed", hold_id, now_us, msgspec.json.encode(body))
    outbox.append(connection, [event])
    return hold_id


def lift(connection: Connection, parts: Parts, hold_id: str, *, by: str) -> bool:
    """End a hold before its time and tell whether it was on. `by` says who: a way, or a staff id."""
    now_us = parts.clock.now_us()
    on = update(hold).where(hold.c.id == hold_id, hold.c.lifted_at_us.is_(None))
    lifted = connection.execute(on.values(lifted_at_us=now_us, lifted_by=by)).rowcount
    if lifted:
        event = outbox.Entry("member:hold:lifted", hold_id, now_us, msgspec.json.encode({"by": by}))
        outbox.append(connection, [event])
    return bool(lifted)


def counts_on(connection: Connection, now_us: int) -> dict[HoldKind, int]:
    """Return for how many members something is on hold now, by why."""
    members = func.count(hold.c.member_id.distinct())
    on = select(hold.c.kind, members).where(
        hold.c.lifted_at_us.is_(None), or_(hold.c.until_us.is_(None), hold.c.until_us > now_us)
    )
    return {HoldKind(row[0]): int(row[1]) for row in connection.execute(on.group_by(hold.c.kind))}


def holds_on(connection: Connection, member_id: MemberId, now_us: int) -> list[Hold]:
    """Return what is on hold for a member now, the newest first.

    A hold counts from the moment it is written, whatever the clock said then.
    """
    columns = (hold.c.id, hold.c.kind, hold.c.scope, hold.c.reason, hold.c.from_us, hold.c.until_us)
    on = (
        select(*columns)
        .where(
            hold.c.member_id == member_id,
            hold.c.lifted_at_us.is_(None),
            or_(hold.c.until_us.is_(None), hold.c.until_us > now_us),
        )
        .order_by(hold.c.from_us.desc(), hold.c.id.desc())
    )
    return [
        Hold(HoldId(row.id), HoldKind(row.kind), HoldScope(row.scope), *row[3:])
        for row in connection.execute(on)
    ]


def require_money_free(connection: Connection, member_id: MemberId, now_us: int) -> None:
    """Let money leave a member's account, or raise OnHold. Every hold, of either scope, keeps it in."""
    standing = holds_on(connection, member_id, now_us)
    if standing:
        raise OnHold(known=", ".join(sorted({each.kind for each in standing})))
