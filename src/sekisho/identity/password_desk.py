"""Setting a new password: after a fresh proof, told on every channel, and ending every other session."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection

from sekisho.identity import passwords, sessions
from sekisho.identity.arrivals import Arrival
from sekisho.identity.assurance import Granted, InsufficientAuthentication, Need, demand
from sekisho.identity.containment import enrol_anew
from sekisho.identity.hashing import Hasher
from sekisho.identity.institution import Parts
from sekisho.identity.leaked_lists import Leaks
from sekisho.identity.notifying import facts_of, language_of, notify
from sekisho.identity.password_rules import PasswordFault, PasswordUnfit, fault_of
from sekisho.identity.personal_data import MEMBER_ACTOR, Item, read_for_use
from sekisho.identity.purposes import Purpose
from sekisho.identity.session_desk import Present
from sekisho.identity.sessions import Ended
from sekisho.kernel.ids import MemberId
from sekisho.kernel.posture import Posture
from sekisho.messages.notices import NoticeKind

Result = TypeVar("Result")

CHANGE = Purpose(action="password_change")

_OWN = (Item.NAME, Item.NAME_KANA, Item.EMAIL, Item.MOBILE_PHONE, Item.BIRTH_DATE)


class PasswordDesk:
    """Changes passwords for one institution. `leaks_down` says what a list means that cannot be read."""

    def __init__(self, parts: Parts, hasher: Hasher, leaks: Leaks, *, leaks_down: Posture) -> None:
        self._parts = parts
        self._hasher = hasher
        self._leaks = leaks
        self._leaks_down = leaks_down

    async def change(self, present: Present, password: str, arrival: Arrival) -> int:
        """Set a new password and return how many other sessions were ended.

        Raises InsufficientAuthentication where no passkey, and no code for `CHANGE` on a trusted device, is
        fresh; PasswordUnfit, HashingBusy and OperationalError.
        """
        now_us = self._parts.clock.now_us()
        answer = demand(present.session, present.device, Need.CHANGE, now_us, purpose=CHANGE.key)
        if not isinstance(answer, Granted):
            raise InsufficientAuthentication(answer)
        await asyncio.to_thread(self.require_fit, present.session.member_id, password)
        peppered = passwords.pepper(self._parts.keyring, password, None)
        hashed = await self._hasher.hash(peppered.for_new)

        def work(connection: Connection) -> int:
            member_id = present.session.member_id
            sessions.require_live(connection, present.session, self._parts.clock.now_us())
            passwords.put(connection, self._parts, member_id, hashed, peppered.newest_pepper)
            enrol_anew(connection, self._parts, member_id, by=MEMBER_ACTOR)
            sessions.set_password_fine(connection, present.session.id)
            kind = NoticeKind.PASSWORD_CHANGED
            values = facts_of(arrival, now_us, language_of(connection, member_id))
            notify(connection, self._parts, member_id, kind, values, dedupe=f"{kind}:{member_id}:{now_us}")
            return sessions.end_all(
                connection, self._parts, member_id, Ended.PASSWORD_CHANGED, but=present.session.id
            )

        return await self._written(work)

    def require_fit(self, member_id: MemberId, password: str) -> None:
        """Refuse a password that a member may not have. Raises PasswordUnfit and OperationalError."""
        institution = self._parts.institution
        with self._parts.store.read() as connection:
            own = read_for_use(connection, self._parts.keyring, member_id, _OWN)
        email = own.get(Item.EMAIL, "")
        words = (*own.values(), email.partition("@")[0], institution.host, *institution.names.values())
        fault = fault_of(password, words)
        if fault is None and (
            self._leaks.has_pair([email], password, on_outage=self._leaks_down)
            or self._leaks.has_password(password, on_outage=self._leaks_down)
        ):
            fault = PasswordFault.LEAKED
        if fault is not None:
            raise PasswordUnfit(fault)

    async def _written(self, work: Callable[[Connection], Result]) -> Result:
        return await asyncio.wrap_future(self._parts.store.write(work))
