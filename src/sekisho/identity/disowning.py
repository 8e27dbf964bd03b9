"""A login that was not the member's: end what it opened, throw its device out, and keep the money in."""

import asyncio
from typing import NamedTuple

from sqlalchemy import Connection

from sekisho.identity import devices, holds, sessions, sign_ins
from sekisho.identity.arrivals import Arrival
from sekisho.identity.assurance import Granted, Need, Standing, demand
from sekisho.identity.holds import HoldKind, HoldScope
from sekisho.identity.institution import Parts
from sekisho.identity.notifying import facts_of, language_of, notify
from sekisho.identity.session_desk import Present
from sekisho.identity.sessions import Ended
from sekisho.identity.sign_ins import SignIn
from sekisho.kernel.ids import DeviceId, SessionId
from sekisho.messages.notices import NoticeKind
from sekisho.storage import outbox

REASON = "disowned sign-in"


class Disowned(NamedTuple):
    """What was done. The own session may be among what was ended."""

    session_ended: bool
    device_revoked: bool
    own_session: bool


class SignInDesk:
    """Shows the history of logins and takes "this wasn't me", for one institution."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def history(self, present: Present) -> list[SignIn]:
        """Return the newest logins of the member, the newest first."""

        def read() -> list[SignIn]:
            with self._parts.store.read() as connection:
                return sign_ins.of_member(connection, present.session.member_id)

        return await asyncio.to_thread(read)

    async def disown(self, present: Present, sign_in_id: str) -> Disowned | None:
        """Take "this wasn't me" for one line of the member's history; None where there is no such line.

        It needs no fresh proof, for it must work at once. A trusted device other than the one in use is
        thrown out after a fresh proof only; its session is ended and money is held all the same.
        """
        return await asyncio.wrap_future(
            self._parts.store.write(lambda connection: self._disown(connection, present, sign_in_id))
        )

    def _disown(self, connection: Connection, present: Present, sign_in_id: str) -> Disowned | None:
        line = sign_ins.find(connection, present.session.member_id, sign_in_id)
        if line is None:
            return None
        now_us = self._parts.clock.now_us()
        news = sign_ins.mark_disowned(connection, line.id, now_us)
        ended = line.session_id != "" and sessions.end(
            connection, self._parts, SessionId(line.session_id), Ended.DISOWNED
        )
        revoked = self._revoke(connection, present, line, now_us)
        if news:
            self._follow_up(connection, line, now_us)
        return Disowned(ended, revoked, line.session_id == present.session.id)

    def _revoke(self, connection: Connection, present: Present, line: SignIn, now_us: int) -> bool:
        device = devices.find(connection, line.device_id)
        if device is None or device.member_id != line.member_id:
            return False
        if device.standing is Standing.TRUSTED and device.id != present.device.id:
            answer = demand(present.session, present.device, Need.CHANGE, now_us)
            if not isinstance(answer, Granted):
                return False
        sessions.end_on_device(connection, self._parts, DeviceId(line.device_id), Ended.DISOWNED)
        return devices.revoke(connection, self._parts, device.id)

    def _follow_up(self, connection: Connection, line: SignIn, now_us: int) -> None:
        holds.place(
            connection,
            self._parts,
            line.member_id,
            HoldKind.CONTAINMENT,
            HoldScope.MONEY_OUT,
            reason=REASON,
            until_us=None,
        )
        event = outbox.Entry("member:sign_in:disowned", line.id, now_us, b"{}")
        outbox.append(connection, [event])
        there = Arrival(ip=line.ip, user_agent=line.user_agent, country=line.country)
        language = language_of(connection, line.member_id)
        kind = NoticeKind.SIGN_IN_DISOWNED
        values = facts_of(there, line.at_us, language)
        notify(connection, self._parts, line.member_id, kind, values, dedupe=f"{kind}:{line.id}")
