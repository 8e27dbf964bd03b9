"""Self-freeze: the member stops the account, at any hour and from any session, and opens it again."""

import asyncio

from sqlalchemy import Connection

from sekisho.identity import code_rows, members, passwords, recovery_rows, sessions
from sekisho.identity.arrivals import Arrival
from sekisho.identity.holds import HoldKind, HoldScope, holds_on, lift, place
from sekisho.identity.institution import Parts
from sekisho.identity.members import MemberState
from sekisho.identity.notifying import facts_of, notify, warn
from sekisho.identity.sessions import Ended
from sekisho.kernel.ids import MemberId
from sekisho.kernel.refusals import Refusal
from sekisho.messages.notices import NoticeKind

FROZEN_FOR = "self_freeze"
"""Why the password opens nothing while the account is frozen."""


class NotFrozen(Refusal):
    """The account is not frozen by its member, so that the member cannot open it."""

    code = "not_frozen"
    status = 409
    told = "Your account is not stopped by you."


class FreezeDesk:
    """Freezes and unfreezes accounts of one institution."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def freeze(self, member_id: MemberId, arrival: Arrival) -> bool:
        """Stop an account and tell whether it was open. Raises OperationalError."""
        return await asyncio.wrap_future(
            self._parts.store.write(lambda at: freeze(at, self._parts, member_id, arrival))
        )

    async def unfreeze(self, member_id: MemberId, arrival: Arrival) -> None:
        """Open an account again for a member who has just used a passkey, which the caller has verified.

        Raises NotFrozen, and OperationalError.
        """
        await asyncio.wrap_future(
            self._parts.store.write(lambda at: unfreeze(at, self._parts, member_id, arrival, by="passkey"))
        )


def freeze(connection: Connection, parts: Parts, member_id: MemberId, arrival: Arrival) -> bool:
    """Stop an account within a unit of work: no session, no password, no code, no recovery, no money out."""
    found = members.find(connection, member_id)
    if found is None or found.state is not MemberState.OPEN:
        return False
    now_us = parts.clock.now_us()
    members.set_state(connection, parts, member_id, MemberState.FROZEN)
    hold_id = place(
        connection, parts, member_id, HoldKind.SELF_FREEZE, HoldScope.ALL, reason="by_member", until_us=None
    )
    sessions.end_all(connection, parts, member_id, Ended.FROZEN)
    passwords.invalidate(connection, parts, member_id, FROZEN_FOR)
    code_rows.void_all(connection, member_id, now_us)
    recovery_rows.cancel_waiting(connection, parts, member_id, by=HoldKind.SELF_FREEZE)
    facts = facts_of(arrival, now_us, found.language)
    # Whatever is broken: a member can always stop the account.
    warn(connection, parts, member_id, NoticeKind.ACCOUNT_FROZEN, facts, dedupe=f"frozen:{hold_id}")
    return True


def unfreeze(connection: Connection, parts: Parts, member_id: MemberId, arrival: Arrival, *, by: str) -> None:
    """Open a frozen account again within a unit of work and tell the member; `by` says what proved them."""
    found = members.find(connection, member_id)
    if found is None or found.state is not MemberState.FROZEN:
        raise NotFrozen
    occasion = open_again(connection, parts, member_id, by=by)
    facts = facts_of(arrival, parts.clock.now_us(), found.language)
    notify(connection, parts, member_id, NoticeKind.ACCOUNT_UNFROZEN, facts, dedupe=f"unfrozen:{occasion}")


def open_again(connection: Connection, parts: Parts, member_id: MemberId, *, by: str) -> str:
    """Take back what a freeze did to an account, and return the id of the hold that it was."""
    frozen = [
        each
        for each in holds_on(connection, member_id, parts.clock.now_us())
        if each.kind is HoldKind.SELF_FREEZE
    ]
    for each in frozen:
        lift(connection, parts, each.id, by=by)
    members.set_state(connection, parts, member_id, MemberState.OPEN)
    passwords.make_valid(connection, parts, member_id, FROZEN_FOR)
    return frozen[0].id if frozen else member_id
