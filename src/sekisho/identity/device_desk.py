"""What members do with their devices: see them, approve a new one from a trusted one, throw one out."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection

from sekisho.identity import devices, sessions
from sekisho.identity.arrivals import Arrival
from sekisho.identity.assurance import (
    Granted,
    InsufficientAuthentication,
    Need,
    NotFromHere,
    Standing,
    Way,
    demand,
)
from sekisho.identity.browser_names import browser_in_words
from sekisho.identity.devices import Device
from sekisho.identity.institution import Parts
from sekisho.identity.notifying import facts_of, language_of, notify
from sekisho.identity.purposes import Purpose
from sekisho.identity.recovery import may_cancel, throw_out, waits_for
from sekisho.identity.session_desk import Present
from sekisho.identity.sessions import Ended
from sekisho.messages.notices import NoticeKind

Result = TypeVar("Result")


def approval_of(device: Device) -> Purpose:
    """Return the purpose that a code must have been asked for, to approve this device and no other."""
    details = {"device": browser_in_words(device.user_agent), "device_id": device.id}
    return Purpose(action="device_trusted", details=details)


def revocation_of(device: Device) -> Purpose:
    """Return the purpose that a code must have been asked for, to throw this trusted device out."""
    details = {"device": browser_in_words(device.user_agent), "device_id": device.id}
    return Purpose(action="device_revoked", details=details)


class DeviceDesk:
    """Lists, approves and revokes devices, for one institution."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def all_of(self, present: Present) -> list[Device]:
        """Return the member's devices that were not revoked, the one seen last first."""

        def read() -> list[Device]:
            with self._parts.store.read() as connection:
                return devices.of_member(connection, present.session.member_id)

        return await asyncio.to_thread(read)

    async def approve(self, present: Present, device_id: str, arrival: Arrival) -> bool:
        """Trust another device of the member, and tell whether it was one that waited for it.

        It takes a trusted device and a fresh proof: a passkey, or a code for `approval_of` the other device.
        Raises InsufficientAuthentication.
        """
        other = await asyncio.to_thread(self._own, present, device_id)
        if other is None:
            return False
        if present.device.standing is not Standing.TRUSTED:
            raise InsufficientAuthentication(NotFromHere(ways=(Way.PASSKEY, Way.APPROVAL, Way.RECOVERY)))
        self._require(present, approval_of(other))

        def work(connection: Connection) -> bool:
            sessions.require_live(connection, present.session, self._parts.clock.now_us())
            if not devices.trust(connection, self._parts, other.id):
                return False
            now_us = self._parts.clock.now_us()
            member_id, kind = present.session.member_id, NoticeKind.DEVICE_APPROVED
            values = facts_of(arrival, now_us, language_of(connection, member_id))
            values["device"] = browser_in_words(other.user_agent)
            notify(connection, self._parts, member_id, kind, values, dedupe=f"{kind}:{other.id}:{now_us}")
            return True

        return await self._written(work)

    async def revoke(self, present: Present, device_id: str) -> bool:
        """Throw one of the member's devices out, end its sessions, and tell whether it was in.

        An unconfirmed device and the one in use can be thrown out at once; a trusted one after a fresh proof
        only, or a stolen session could throw the member out. One for which a recovery waits takes who may
        cancel that. Raises InsufficientAuthentication.
        """
        other = await asyncio.to_thread(self._own, present, device_id)
        if other is None:
            return False
        if other.was_trusted and other.id != present.device.id:
            self._require(present, revocation_of(other))

        def work(connection: Connection) -> bool:
            now_us = self._parts.clock.now_us()
            own = other.id == present.device.id
            if not own and waits_for(connection, other) and not may_cancel(*present, now_us):
                raise InsufficientAuthentication(NotFromHere(ways=(Way.PASSKEY, Way.APPROVAL)))
            return throw_out(connection, self._parts, other, Ended.DEVICE_REVOKED, present.session)

        return await self._written(work)

    def _require(self, present: Present, purpose: Purpose) -> None:
        now_us = self._parts.clock.now_us()
        answer = demand(present.session, present.device, Need.CHANGE, now_us, purpose=purpose.key)
        if not isinstance(answer, Granted):
            raise InsufficientAuthentication(answer)

    def _own(self, present: Present, device_id: str) -> Device | None:
        with self._parts.store.read() as connection:
            other = devices.find(connection, device_id)
        return other if other is not None and other.member_id == present.session.member_id else None

    async def _written(self, work: Callable[[Connection], Result]) -> Result:
        return await asyncio.wrap_future(self._parts.store.write(work))
