"""Recovery: a member who has lost every device gets a new one trusted, slowly and in front of everybody.

It never weakens what protects the account: it takes the password and a code, waits for three days of which
every channel is told, can be cancelled from any trusted device or with a passkey, and holds money until a
week after it is over.
"""

import asyncio

import msgspec
from sqlalchemy import Connection

from sekisho.identity import devices, members, recovery_rows, sessions
from sekisho.identity.arrivals import Arrival
from sekisho.identity.assurance import (
    LEVEL_ORDER,
    InsufficientAuthentication,
    Level,
    NotFromHere,
    Proof,
    StepUp,
    Way,
    is_fresh,
)
from sekisho.identity.browser_names import browser_in_words
from sekisho.identity.devices import Device
from sekisho.identity.freezes import open_again
from sekisho.identity.holds import HoldKind, HoldScope, holds_on, lift, place
from sekisho.identity.institution import Parts
from sekisho.identity.members import MemberState
from sekisho.identity.notifying import facts_of, is_reachable, language_of, notify, warn
from sekisho.identity.places import place_in_words
from sekisho.identity.recovery_rows import Recovery, RecoveryState
from sekisho.identity.sessions import Ended, Session
from sekisho.kernel.clock import DAY_US
from sekisho.kernel.ids import RECOVERY, DeviceId, MemberId
from sekisho.kernel.refusals import Refusal
from sekisho.messages.notices import NoticeKind
from sekisho.storage import outbox

WAIT_US = 3 * DAY_US
HELD_AFTERWARDS_US = 7 * DAY_US
COUNTED_AT_ONCE_US_MAX = DAY_US
"""How much of the wait passes between two looks at most: a clock that jumps ahead by a month skips a day at
most, and the member is told of it.
"""


class RecoveryUnderWay(Refusal):
    """Another device has asked for a recovery of this account."""

    code = "recovery_under_way"
    status = 409
    told = "A recovery is already under way on another device. If it is not yours, call us."


class NoRecovery(Refusal):
    """There is no recovery to cancel."""

    code = "no_recovery"
    status = 404
    told = "No recovery is under way."


class RecoveryDesk:
    """Takes, cancels and completes recoveries of one institution."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def ask(self, session: Session, arrival: Arrival) -> Recovery:
        """Begin a recovery for the device of a session that was just opened by password and code.

        The same device asks again in vain: its recovery goes on. Raises InsufficientAuthentication where the
        code is older than five minutes, RecoveryUnderWay, and OperationalError.
        """
        return await asyncio.wrap_future(
            self._parts.store.write(lambda at: ask(at, self._parts, session, arrival))
        )

    async def cancel(self, session: Session, arrival: Arrival) -> None:
        """Cancel the member's recovery, from a session on a trusted device or after a passkey.

        Raises NoRecovery, InsufficientAuthentication, and OperationalError.
        """
        await asyncio.wrap_future(
            self._parts.store.write(lambda at: cancel(at, self._parts, session, arrival))
        )

    async def advance(self) -> int:
        """Let time pass for everything that waits, and return how many were completed.

        To be called every few minutes. Raises OperationalError.
        """
        return await asyncio.wrap_future(self._parts.store.write(lambda at: advance(at, self._parts)))

    async def waiting(self, member_id: MemberId) -> Recovery | None:
        """Return the member's recovery that waits, or None."""

        def read() -> Recovery | None:
            with self._parts.store.read() as connection:
                return recovery_rows.waiting_of(connection, member_id)

        return await asyncio.to_thread(read)


def ask(connection: Connection, parts: Parts, session: Session, arrival: Arrival) -> Recovery:
    """Begin a recovery for a session's device within a unit of work."""
    now_us = parts.clock.now_us()
    proven = session.is_live(now_us) and LEVEL_ORDER[session.level] >= LEVEL_ORDER[Level.CODE]
    if not proven or not is_fresh(session.proven_at_us, now_us):
        raise InsufficientAuthentication(StepUp((Way.CODE,)), known="recovery asked without a fresh code")
    return begin(connection, parts, session.member_id, session.device_id, arrival)


def begin(
    connection: Connection, parts: Parts, member_id: MemberId, device_id: DeviceId, arrival: Arrival
) -> Recovery:
    """Begin a recovery within a unit of work, for a device on which the caller has just verified password
    and code: that of a session, or of a member whose account is frozen and has none.
    """
    now_us = parts.clock.now_us()
    waiting = recovery_rows.waiting_of(connection, member_id, to_change=True)
    if waiting is not None:
        if waiting.device_id != device_id:
            raise RecoveryUnderWay(known=waiting.id)
        return waiting
    due_at_us = now_us + WAIT_US
    until_us = due_at_us + HELD_AFTERWARDS_US
    hold_id = place(
        connection, parts, member_id, HoldKind.RECOVERY, HoldScope.MONEY_OUT,
        reason="waiting", until_us=until_us,
    )  # fmt: skip
    new = Recovery(
        id=RECOVERY.new(parts.clock, parts.chance),
        member_id=member_id,
        device_id=device_id,
        country=arrival.country,
        asked_at_us=now_us,
        due_at_us=due_at_us,
        counted_us=0,
        counted_at_us=now_us,
        days_told=0,
        hold_id=hold_id,
        state=RecoveryState.WAITING,
        ended_at_us=None,
    )
    if not recovery_rows.add(connection, new):
        raise RecoveryUnderWay(known="two asked at once")
    _tell(connection, parts, new, "member:recovery:asked")
    facts = facts_of(arrival, now_us, language_of(connection, new.member_id)) | {"until": due_at_us}
    notify(connection, parts, new.member_id, NoticeKind.RECOVERY_ASKED, facts, dedupe=f"{new.id}:asked")
    return new


def cancel(connection: Connection, parts: Parts, session: Session, arrival: Arrival) -> None:
    """Cancel a recovery within a unit of work."""
    here = devices.of_browser(connection, arrival.device_token)
    device = next((each for each in here if each.id == session.device_id), None)
    if not may_cancel(session, device, parts.clock.now_us()):
        ways = (Way.PASSKEY, Way.APPROVAL)
        raise InsufficientAuthentication(NotFromHere(ways), known="recovery cancelled from an unknown device")
    cancelled = recovery_rows.cancel_waiting(connection, parts, session.member_id, by=session.id)
    if cancelled is None:
        raise NoRecovery
    _tell_cancelled(connection, parts, cancelled, arrival)


def may_cancel(session: Session, device: Device | None, now_us: int) -> bool:
    """Say whether a session may cancel a recovery: on a device that is trusted, or was until it was doubted,
    or after a passkey. `device` is the one that the browser has shown to be.
    """
    known = device is not None and device.id == session.device_id and device.was_trusted
    return session.is_live(now_us) and (known or _has_passkey(session.proofs, now_us))


def waits_for(connection: Connection, device: Device) -> bool:
    """Say whether a recovery waits to make this device trusted."""
    waiting = recovery_rows.waiting_of(connection, device.member_id)
    return waiting is not None and waiting.device_id == device.id


def throw_out(connection: Connection, parts: Parts, thrown: Device, why: Ended, session: Session) -> bool:
    """Throw a device out with its sessions, and cancel the recovery that waits for it; tell whether it was
    in. `session` is the one in which that was asked, and whether it may is for the caller to say.
    """
    sessions.end_on_device(connection, parts, thrown.id, why)
    revoked = devices.revoke(connection, parts, thrown.id)
    if waits_for(connection, thrown):
        cancelled = recovery_rows.cancel_waiting(connection, parts, thrown.member_id, by=session.id)
        if cancelled is not None:
            arrival = Arrival(ip=session.ip, user_agent=session.user_agent)
            _tell_cancelled(connection, parts, cancelled, arrival)
    return revoked


def _tell_cancelled(connection: Connection, parts: Parts, cancelled: Recovery, arrival: Arrival) -> None:
    member_id, kind = cancelled.member_id, NoticeKind.RECOVERY_CANCELLED
    facts = facts_of(arrival, parts.clock.now_us(), language_of(connection, member_id))
    warn(connection, parts, member_id, kind, facts, dedupe=f"{cancelled.id}:cancelled")


def advance(connection: Connection, parts: Parts) -> int:
    """Let time pass within a unit of work: tell of each day, complete what has waited long enough."""
    completed = 0
    for waiting in recovery_rows.all_waiting(connection):
        if _is_barred(connection, parts, waiting):
            recovery_rows.count(connection, waiting._replace(counted_at_us=parts.clock.now_us()))
            continue
        counted = _counted(waiting, parts.clock.now_us())
        if counted.counted_us >= WAIT_US:
            recovery_rows.count(connection, counted)
            _complete(connection, parts, counted)
            completed += 1
            continue
        days = counted.counted_us // DAY_US
        if days > counted.days_told:
            counted = counted._replace(days_told=days)
            _remind(connection, parts, counted)
        recovery_rows.count(connection, counted)
    return completed


def _has_passkey(proofs: tuple[Proof, ...], now_us: int) -> bool:
    return any(proof.way is Way.PASSKEY and is_fresh(proof.at_us, now_us) for proof in proofs)


def _is_barred(connection: Connection, parts: Parts, waiting: Recovery) -> bool:
    """Say whether a recovery stands still: we contained the account, it is no longer anybody's to open, or
    its member cannot be told.
    """
    found = members.find(connection, waiting.member_id)
    if found is None or found.state in {MemberState.INVALIDATED, MemberState.CLOSED}:
        return True
    if not is_reachable(connection, parts, waiting.member_id):
        return True
    standing = holds_on(connection, waiting.member_id, parts.clock.now_us())
    return any(each.kind is HoldKind.CONTAINMENT for each in standing)


def _counted(waiting: Recovery, now_us: int) -> Recovery:
    passed_us = min(max(now_us - waiting.counted_at_us, 0), COUNTED_AT_ONCE_US_MAX)
    counted_us = waiting.counted_us + passed_us
    due_at_us = now_us + max(WAIT_US - counted_us, 0)
    return waiting._replace(counted_us=counted_us, counted_at_us=now_us, due_at_us=due_at_us)


def _remind(connection: Connection, parts: Parts, waiting: Recovery) -> None:
    facts = _facts(connection, waiting) | {"when": waiting.asked_at_us, "until": waiting.due_at_us}
    dedupe = f"{waiting.id}:day:{waiting.days_told}"
    notify(connection, parts, waiting.member_id, NoticeKind.RECOVERY_WAITING, facts, dedupe=dedupe)


def _complete(connection: Connection, parts: Parts, over: Recovery) -> None:
    now_us = parts.clock.now_us()
    until_us = now_us + HELD_AFTERWARDS_US
    recovery_rows.complete(connection, over, now_us)
    lift(connection, parts, over.hold_id, by=over.id)
    place(
        connection, parts, over.member_id, HoldKind.RECOVERY, HoldScope.MONEY_OUT,
        reason="completed", until_us=until_us,
    )  # fmt: skip
    devices.trust(connection, parts, over.device_id)
    found = members.find(connection, over.member_id)
    if found is not None and found.state is MemberState.FROZEN:
        open_again(connection, parts, found.id, by=over.id)
    _tell(connection, parts, over, "member:recovery:completed")
    facts = _facts(connection, over) | {"when": now_us, "until": until_us}
    dedupe = f"{over.id}:completed"
    notify(connection, parts, over.member_id, NoticeKind.RECOVERY_COMPLETED, facts, dedupe=dedupe)


def _facts(connection: Connection, of: Recovery) -> dict[str, str | int]:
    device = devices.find(connection, of.device_id)
    return {
        "device": browser_in_words(device.user_agent if device else ""),
        "place": place_in_words(of.country, language_of(connection, of.member_id)),
    }


def _tell(connection: Connection, parts: Parts, of: Recovery, kind: str) -> None:
    body = msgspec.json.encode({"member_id": of.member_id, "device_id": of.device_id})
    outbox.append(connection, [outbox.Entry(kind, of.id, parts.clock.now_us(), body)])
