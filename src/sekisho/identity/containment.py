"""Shutting an account that may have been entered, and opening it again for who proves to be its member.

What the thief may have left behind goes as well: devices that came to be trusted, and passkeys that were
added, at or after the time of the entry. The member's older passkey stays, and with it the way back.
"""

from typing import NamedTuple

from sqlalchemy import Connection

from sekisho.identity import code_rows, devices, members, passkeys, passwords, recovery_rows, sessions
from sekisho.identity.assurance import Standing
from sekisho.identity.holds import Hold, HoldKind, HoldScope, holds_on, lift, place
from sekisho.identity.institution import Parts
from sekisho.identity.members import MemberState
from sekisho.identity.sessions import Ended
from sekisho.kernel.ids import HoldId, MemberId

CONTAINED_FOR = "containment"
"""Why the password opens nothing after an account was shut."""


class Shut(NamedTuple):
    """What was taken out of an account. `had_password` says whether there was one that opened something."""

    hold_id: HoldId
    sessions: int
    devices: int
    passkeys: int
    codes: int
    had_password: bool


def shut(
    connection: Connection, parts: Parts, member_id: MemberId, *, entered_at_us: int, reason: str
) -> Shut | None:
    """Shut an account within a unit of work; None where there is none that is not closed.

    No session, no code, no recovery, no password, no money out. `reason` is a word for staff. An account that
    its member stopped stays stopped, and its password stays worthless when the member opens it again.
    """
    found = members.find(connection, member_id, for_update=True)
    if found is None or found.state is MemberState.CLOSED:
        return None
    if found.state is MemberState.OPEN:
        members.set_state(connection, parts, member_id, MemberState.INVALIDATED)
    had_password = passwords.invalidate(connection, parts, member_id, CONTAINED_FOR)
    passwords.keep_invalid_for(connection, member_id, CONTAINED_FOR)
    recovery_rows.cancel_waiting(connection, parts, member_id, by=HoldKind.CONTAINMENT)
    hold_id = place(
        connection,
        parts,
        member_id,
        HoldKind.CONTAINMENT,
        HoldScope.MONEY_OUT,
        reason=f"{CONTAINED_FOR}:{reason}",
        until_us=None,
    )
    return Shut(
        hold_id=hold_id,
        sessions=sessions.end_all(connection, parts, member_id, Ended.CONTAINED),
        devices=_throw_out_devices(connection, parts, member_id, entered_at_us),
        passkeys=_throw_out_passkeys(connection, parts, member_id, entered_at_us),
        codes=code_rows.void_all(connection, member_id, parts.clock.now_us()),
        had_password=had_password,
    )


def reopen(connection: Connection, parts: Parts, member_id: MemberId, hold_id: str, *, by: str) -> bool:
    """Take back what shutting an account took from its member, and tell whether it is open now.

    Having been shut for another reason as well keeps it shut. Devices, sessions and passkeys that are gone
    stay gone; a password that was set since stays. `by` says who decided, for the record.
    """
    lift(connection, parts, hold_id, by=by)
    if shutting_holds(connection, parts, member_id):
        return False
    passwords.make_valid(connection, parts, member_id, CONTAINED_FOR)
    return _open(connection, parts, member_id)


def enrol_anew(connection: Connection, parts: Parts, member_id: MemberId, *, by: str) -> bool:
    """Open a shut account again whose member has just set a new password, and tell whether it was shut.

    It takes the passkey that the member had before, so money is free again as well.
    """
    found = members.find(connection, member_id, for_update=True)
    if found is None or found.state is not MemberState.INVALIDATED:
        return False
    for each in shutting_holds(connection, parts, member_id):
        lift(connection, parts, each.id, by=by)
    return _open(connection, parts, member_id)


def _open(connection: Connection, parts: Parts, member_id: MemberId) -> bool:
    found = members.find(connection, member_id, for_update=True)
    if found is not None and found.state is MemberState.INVALIDATED:
        members.set_state(connection, parts, member_id, MemberState.OPEN)
        return True
    return found is not None and found.state is MemberState.OPEN


def shutting_holds(connection: Connection, parts: Parts, member_id: MemberId) -> list[Hold]:
    """Return those holds that stand because the account was shut, and not for what its member told us."""
    standing = holds_on(connection, member_id, parts.clock.now_us())
    return [each for each in standing if each.reason.startswith(f"{CONTAINED_FOR}:")]


def _throw_out_devices(connection: Connection, parts: Parts, member_id: MemberId, since_us: int) -> int:
    thrown = 0
    for device in devices.of_member(connection, member_id):
        came_us = device.trusted_at_us if device.trusted_at_us is not None else device.first_seen_us
        if device.standing is not Standing.REVOKED and came_us >= since_us:
            thrown += devices.revoke(connection, parts, device.id)
    return thrown


def _throw_out_passkeys(connection: Connection, parts: Parts, member_id: MemberId, since_us: int) -> int:
    late = [
        each
        for each in passkeys.of_member(connection, member_id)
        if each.works and each.created_at_us >= since_us
    ]
    for each in late:
        passkeys.revoke(connection, parts, member_id, each.credential_id)
    return len(late)
