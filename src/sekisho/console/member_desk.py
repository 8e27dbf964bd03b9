"""What a desk does for one member: look, open what is sealed, end sessions, lift a hold; all on record."""

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection

from sekisho.console.member_records import Record, look_at, require_member
from sekisho.console.member_search import look_up
from sekisho.identity import freezes, sessions
from sekisho.identity.containment import CONTAINED_FOR
from sekisho.identity.holds import Hold, HoldKind, holds_on, lift
from sekisho.identity.institution import Parts
from sekisho.identity.notifying import notify
from sekisho.identity.personal_data import Item
from sekisho.identity.sessions import Ended
from sekisho.kernel.ids import MemberId
from sekisho.kernel.refusals import Refusal
from sekisho.messages.notices import NoticeKind
from sekisho.response import audit
from sekisho.response.access import REASON_MIN, ReasonMissing, access_member
from sekisho.response.audit import Act
from sekisho.response.glass import Glass

_AT_THE_DESK = {"ja": "当社の窓口", "en": "our contact desk"}


class HoldNotLifted(Refusal):
    """The hold is off, not this member's, or stands because of a containment, which is taken back there."""

    code = "hold_not_lifted"
    status = 409
    told = "This hold can't be lifted here: it is off already, or belongs to a containment."


def of_containment(hold: Hold) -> bool:
    """Say whether a hold stands because an account was shut: that is taken back with all the rest of it."""
    return hold.reason.startswith(f"{CONTAINED_FOR}:")


class MemberDesk:
    """Looks at members' records, and changes what a desk may change, at one institution."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def find(self, typed: str, *, by: str) -> MemberId:
        """Find somebody by number, id, address or mobile number. Raises NobodyFound."""
        return await self._parts.written(lambda at: look_up(at, self._parts, typed, by=by))

    async def look(self, member_id: str, *, by: str, glass: Glass = Glass.ROLE) -> Record:
        """Return a record behind masks; the look is on record. Raises MemberUnknown and Unsealable."""
        return await self._parts.written(lambda at: look_at(at, self._parts, member_id, by=by, glass=glass))

    async def open(
        self,
        member_id: str,
        items: Iterable[Item],
        *,
        by: str,
        reason: str,
        glass: Glass = Glass.ROLE,
    ) -> dict[Item, str]:
        """Return items in full; who saw which and why is on record. Raises MemberUnknown, ReasonMissing."""
        wanted = tuple(items)

        def work(connection: Connection) -> dict[Item, str]:
            member = require_member(connection, member_id)
            return access_member(
                connection, self._parts, member.id, wanted, by=by, reason=reason, glass=glass
            )

        return await self._parts.written(work)

    async def end_sessions(self, member_id: str, *, by: str, reason: str) -> int:
        """End a member's sessions and return how many there were. Raises MemberUnknown, ReasonMissing."""

        def work(connection: Connection) -> int:
            member = require_member(connection, member_id)
            ended = sessions.end_all(connection, self._parts, member.id, Ended.BY_STAFF)
            self._acted(connection, by, "member:sessions_ended", member.id, reason, {"sessions": ended})
            return ended

        return await self._parts.written(work)

    async def lift_hold(self, member_id: str, hold_id: str, *, by: str, reason: str) -> None:
        """Lift a hold of a member, who is told; where the member stopped the account, it is open again.

        Raises MemberUnknown, HoldNotLifted and ReasonMissing.
        """

        def work(connection: Connection) -> None:
            member, now_us = require_member(connection, member_id), self._parts.clock.now_us()
            on = {each.id: each for each in holds_on(connection, member.id, now_us)}
            hold = next((each for each in on.values() if each.id == hold_id), None)
            if hold is None or of_containment(hold):
                raise HoldNotLifted(known=f"{hold_id[:60]} of {member.id}")
            details = {"hold": hold.id, "kind": hold.kind.value}
            self._acted(connection, by, "member:hold_lifted", member.id, reason, details)
            if hold.kind is not HoldKind.SELF_FREEZE:
                lift(connection, self._parts, hold.id, by=f"staff:{by}")
                told, occasion = {"when": now_us}, f"hold_lifted:{hold.id}"
                notify(connection, self._parts, member.id, NoticeKind.HOLD_LIFTED, told, dedupe=occasion)
                return
            occasion = freezes.open_again(connection, self._parts, member.id, by=f"staff:{by}")
            desk = _AT_THE_DESK.get(member.language, _AT_THE_DESK["ja"])
            facts: dict[str, str | int] = {"when": now_us, "device": desk, "place": desk}
            kind = NoticeKind.ACCOUNT_UNFROZEN
            notify(connection, self._parts, member.id, kind, facts, dedupe=f"unfrozen:{occasion}")

        await self._parts.written(work)

    def _acted(  # noqa: PLR0913, PLR0917 - an act, part by part
        self,
        connection: Connection,
        by: str,
        act: str,
        member_id: MemberId,
        reason: str,
        details: Mapping[str, object],
    ) -> None:
        if len(reason.strip()) < REASON_MIN:
            raise ReasonMissing(known=act)
        written = Act(actor=by, act=act, subject=member_id, reason=reason.strip(), details=details)
        audit.record(connection, written, at_us=self._parts.clock.now_us())
