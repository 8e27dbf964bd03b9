"""Proving with a passkey who is there: to log in, to be fresh, or to approve one action.

Signatures are verified outside the unit of work, because all writes share one thread; what they are worth
is decided within it.
"""

import asyncio
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Connection

from sekisho.identity import ceremonies, devices, passkey_signals, passkeys, sessions
from sekisho.identity.arrivals import Arrival
from sekisho.identity.assurance import Way
from sekisho.identity.ceremonies import Binding, Ceremony, CeremonyKind
from sekisho.identity.institution import Parts
from sekisho.identity.passkey_answers import (
    Answer,
    PasskeyRefused,
    VerifiedAnswer,
    read_answer,
    verify_answer,
)
from sekisho.identity.passkey_notices import tell
from sekisho.identity.passkeys import NotUsable, Passkey, PasskeyUnknown, Suspected, Used
from sekisho.identity.purposes import Purpose
from sekisho.identity.sessions import Opened, Session
from sekisho.messages.notices import NoticeKind


class Begun(NamedTuple):
    """A ceremony that was begun: what the page hands to the browser, and what it sends back at the end."""

    token: str
    options: dict[str, Any]


class Proven(NamedTuple):
    """An answer that was verified, and is to be used within a unit of work."""

    ceremony: Ceremony
    answer: Answer
    verified: VerifiedAnswer


class PasskeyProofs:
    """Asks for a passkey and takes its answer."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def begin_login(self) -> Begun:
        """Begin a login with whichever passkey the browser has for us. Nothing is written or told."""
        return self._begin(Binding(CeremonyKind.LOGIN))

    async def login(self, token: str, body: bytes, arrival: Arrival) -> Used:
        """Return whose passkey answered. Whether that member may enter is for the login to say.

        Raises CeremonyOver, PasskeyMalformed, and PasskeyRefused, which carries the credential's id where we
        do not have it, so that the page can tell the passkey manager.
        """
        proven = await self._prove(Binding(CeremonyKind.LOGIN), token, body)

        def work(connection: Connection) -> Used | Suspected | NotUsable:
            return self.use_within(connection, proven, arrival)

        return used_or_refused(await asyncio.wrap_future(self._parts.store.write(work)))

    async def begin_approval(self, session: Session, purpose: Purpose | None = None) -> Begun:
        """Begin to let a session's member approve a purpose, or only be fresh. Raises PasskeyUnknown."""

        def read() -> list[Passkey]:
            with self._parts.store.read() as connection:
                return passkeys.of_member(connection, session.member_id)

        working = [passkey for passkey in await asyncio.to_thread(read) if passkey.works]
        if not working:
            raise PasskeyUnknown(known=f"{session.member_id} has none that works")
        return self._begin(_approving(session, purpose), *working)

    async def approve(
        self, session: Session, token: str, body: bytes, arrival: Arrival, *, purpose: Purpose | None = None
    ) -> Opened:
        """Take an approval: the session is fresh under a new token, and its device is trusted from now on.

        Raises CeremonyOver where it was begun for another session or purpose, PasskeyMalformed and
        PasskeyRefused.
        """
        proven = await self.prove_approval(session, token, body, purpose)

        def work(connection: Connection) -> Opened | Suspected | NotUsable:
            used = self.use_within(connection, proven, arrival)
            if not isinstance(used, Used):
                return used
            now_us = self._parts.clock.now_us()
            current = sessions.find(connection, session.id)
            if current is None or not current.is_live(now_us):
                return NotUsable(f"the session {session.id} ended meanwhile")
            devices.trust(connection, self._parts, session.device_id)
            key = purpose.key if purpose else ""
            return sessions.prove(connection, self._parts, session, Way.PASSKEY, purpose=key)

        return used_or_refused(await asyncio.wrap_future(self._parts.store.write(work)))

    async def prove_approval(
        self, session: Session, token: str, body: bytes, purpose: Purpose | None = None
    ) -> Proven:
        """Verify an approval without using it: `use_within` does, in the unit of work of what is approved.

        Raises CeremonyOver, PasskeyMalformed and PasskeyRefused.
        """
        return await self._prove(_approving(session, purpose), token, body)

    def use_within(
        self, connection: Connection, proven: Proven, arrival: Arrival
    ) -> Used | Suspected | NotUsable:
        """Use what was proven. Commit whatever comes back; only Used means yes. Raises CeremonyOver."""
        used = passkeys.use(connection, self._parts, proven.ceremony, proven.answer, proven.verified)
        if isinstance(used, Suspected):
            tell(connection, self._parts, NoticeKind.PASSKEY_SUSPECTED, used.passkey, arrival)
        return used

    def _begin(self, binding: Binding, *allowed: Passkey) -> Begun:
        ceremony = ceremonies.begin(self._parts, binding)
        options = passkey_signals.request_options(
            self._parts.institution, challenge=ceremony.challenge, allowed=allowed
        )
        return Begun(ceremonies.token_of(self._parts, ceremony), options)

    async def _prove(self, binding: Binding, token: str, body: bytes) -> Proven:
        ceremony = ceremonies.read(self._parts, token, binding)
        answer = read_answer(body)
        passkey, user_handle = await asyncio.to_thread(self._holder, answer.credential_id)
        if passkey is None or passkey.revoked_at_us is not None:
            raise PasskeyRefused(known="no such passkey", unknown_credential_id=answer.credential_id)
        if not passkey.works:
            raise PasskeyRefused(known="suspected")
        if binding.member_id and passkey.member_id != binding.member_id:
            raise PasskeyRefused(known=f"another member's, not {binding.member_id}'s")
        # Without a list of who may answer, the authenticator has to say whose passkey it used.
        said = answer.user_handle
        if said != user_handle and (said is not None or not binding.member_id):
            raise PasskeyRefused(known="the user handle is not that of the passkey's member")
        verified = await asyncio.to_thread(
            verify_answer,
            answer,
            challenge=ceremony.challenge,
            institution=self._parts.institution,
            public_key=passkey.public_key,
        )
        return Proven(ceremony, answer, verified)

    def _holder(self, credential_id: bytes) -> tuple[Passkey | None, bytes | None]:
        with self._parts.store.read() as connection:
            found = passkeys.find(connection, credential_id)
            if found is None:
                return None, None
            return found, passkeys.user_handle(connection, found.member_id)


_Granted = TypeVar("_Granted")


def used_or_refused(outcome: _Granted | Suspected | NotUsable) -> _Granted:
    """Return what a committed unit of work granted. Raises PasskeyRefused where it granted nothing."""
    if isinstance(outcome, Suspected):
        raise PasskeyRefused(known=f"the counter of {outcome.passkey.credential_id.hex()} did not move on")
    if isinstance(outcome, NotUsable):
        raise PasskeyRefused(known=outcome.why)
    return outcome


def _approving(session: Session, purpose: Purpose | None) -> Binding:
    key = purpose.key if purpose else ""
    return Binding(CeremonyKind.APPROVAL, session.member_id, session.id, key)
