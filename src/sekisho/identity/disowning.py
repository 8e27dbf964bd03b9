"""A login that was not the member's: end what it opened, trust its device no longer, keep the money in."""

import asyncio
from typing import NamedTuple

from sqlalchemy import Connection

from sekisho.identity import devices, holds, sessions, sign_ins
from sekisho.identity.arrivals import Arrival
from sekisho.identity.assurance import Granted, Need, Standing, demand
from sekisho.identity.devices import Device
from sekisho.identity.holds import HoldKind, HoldScope
from sekisho.identity.institution import Parts
from sekisho.identity.notifying import facts_of, language_of, warn
from sekisho.identity.recovery import may_cancel, throw_out, waits_for
from sekisho.identity.session_desk import Present
from sekisho.identity.sessions import Ended
from sekisho.identity.sign_ins import SignIn
from sekisho.kernel.ids import SessionId
from sekisho.messages.notices import NoticeKind
from sekisho.storage import outbox

REASON = "disowned sign-in"


class Disowned(NamedTuple):
    """What was done. The own session may be among what was ended.

    `device` is what has become of the login's device, None where nothing has.
    """

    session_ended: bool
    device: Standing | None
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

        It needs no fresh proof, for it must work at once. So a stolen session can say it too, of the member's
        own device. A trusted device other than the one in use is therefore thrown out after a fresh proof
        only. Without one it is trusted no longer, until a passkey, an approval or a recovery says that it is
        the member's; it keeps its say against a recovery, and whoever stole a session could do worse by
        stopping the account. Money is held in each case, and no recovery goes on, until the desk has talked
        with the member.
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
        fate = self._take_trust(connection, present, line, now_us)
        if news:
            self._follow_up(connection, line, now_us)
        return Disowned(ended, fate, line.session_id == present.session.id)

    def _take_trust(
        self, connection: Connection, present: Present, line: SignIn, now_us: int
    ) -> Standing | None:
        device = devices.find(connection, line.device_id)
        if device is None or device.member_id != line.member_id:
            return None
        if device.id != present.device.id and not self._may_throw_out(connection, present, device, now_us):
            sessions.end_on_device(connection, self._parts, device.id, Ended.DISOWNED)
            return Standing.UNCONFIRMED if devices.doubt(connection, self._parts, device.id) else None
        thrown = throw_out(connection, self._parts, device, Ended.DISOWNED, present.session)
        return Standing.REVOKED if thrown else None

    def _may_throw_out(self, connection: Connection, present: Present, device: Device, now_us: int) -> bool:
        if device.was_trusted:
            return isinstance(demand(present.session, present.device, Need.CHANGE, now_us), Granted)
        return not waits_for(connection, device) or may_cancel(*present, now_us)

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
        warn(connection, self._parts, line.member_id, kind, values, dedupe=f"{kind}:{line.id}")
