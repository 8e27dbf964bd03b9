"""What a request does with its session: find it, and what members do with theirs: see them and end them."""

import asyncio
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from sqlalchemy import Connection

from sekisho.identity import devices, sessions
from sekisho.identity.assurance import Granted, InsufficientAuthentication, Need, Standing, bound_to, demand
from sekisho.identity.devices import Device
from sekisho.identity.institution import Parts
from sekisho.identity.purposes import Purpose
from sekisho.identity.sessions import SEEN_EVERY_US, Ended, Session

Result = TypeVar("Result")


class Present(NamedTuple):
    """Who is there: a live session and its device."""

    session: Session
    device: Device


def require_approved(
    connection: Connection, present: Present, purpose: Purpose, now_us: int, *, known: str
) -> None:
    """Let through what a live session approved for exactly this purpose. Raises InsufficientAuthentication.

    `known` says in our log what was wanted. A session that has ended meanwhile approves nothing.
    """
    sessions.require_live(connection, present.session, now_us)
    bound = bound_to(present.session, purpose.key)
    answer = demand(bound, present.device, Need.CHANGE, now_us, purpose=purpose.key)
    if not isinstance(answer, Granted):
        raise InsufficientAuthentication(answer, known=known)


class SessionDesk:
    """Finds, lists and ends sessions, for one institution."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def present(self, token: str) -> Present | None:
        """Return who is there by the token of a session cookie; None where the token opens nothing.

        A session in use does not idle: its last sight is kept to the minute. Raises OperationalError.
        """
        found = await self.glance(token)
        now_us = self._parts.clock.now_us()
        if found is not None and now_us - found.session.last_seen_us >= SEEN_EVERY_US:
            await self._written(lambda at: sessions.seen(at, found.session.id, now_us))
        return found

    async def glance(self, token: str) -> Present | None:
        """Return who is there likewise, where a page asks by itself: the session idles on.

        Raises OperationalError.
        """
        return await asyncio.to_thread(self._find, token) if token else None

    async def log_out(self, session: Session) -> None:
        """End the session that asks for it."""
        await self._written(lambda at: sessions.end(at, self._parts, session.id, Ended.LOGOUT))

    async def all_of(self, session: Session) -> list[Present]:
        """Return the member's live sessions with their devices, the newest first."""

        def read() -> list[Present]:
            with self._parts.store.read() as connection:
                now_us = self._parts.clock.now_us()
                live = sessions.of_member(connection, session.member_id, now_us)
                own = {each.id: each for each in devices.of_member(connection, session.member_id)}
            return [Present(each, own[each.device_id]) for each in live if each.device_id in own]

        return await asyncio.to_thread(read)

    async def end_one(self, session: Session, session_id: str) -> bool:
        """End one of the member's own sessions and tell whether it was open; others' are not found."""

        def work(connection: Connection) -> bool:
            other = sessions.find(connection, session_id)
            if other is None or other.member_id != session.member_id:
                return False
            return sessions.end(connection, self._parts, other.id, Ended.BY_MEMBER)

        return await self._written(work)

    async def end_others(self, session: Session) -> int:
        """End all of the member's sessions but this one, and return how many there were."""
        member_id, own = session.member_id, session.id
        return await self._written(
            lambda at: sessions.end_all(at, self._parts, member_id, Ended.BY_MEMBER, but=own)
        )

    def _find(self, token: str) -> Present | None:
        with self._parts.store.read() as connection:
            session = sessions.current(connection, token, self._parts.clock.now_us())
            device = None if session is None else devices.find(connection, session.device_id)
        if session is None or device is None or device.standing is Standing.REVOKED:
            return None
        return Present(session, device)

    async def _written(self, work: Callable[[Connection], Result]) -> Result:
        return await asyncio.wrap_future(self._parts.store.write(work))
