"""The passkey desk: what the pages call to make, name and remove passkeys."""

import asyncio
from typing import Any, NamedTuple

from sqlalchemy import Connection

from sekisho.identity import ceremonies, members, passkey_signals, passkeys, sessions
from sekisho.identity.arrivals import Arrival
from sekisho.identity.assurance import Granted, InsufficientAuthentication, Need, demand
from sekisho.identity.ceremonies import Binding, CeremonyKind
from sekisho.identity.devices import Device
from sekisho.identity.institution import Parts
from sekisho.identity.passkey_answers import PasskeyNotAccepted, verify_new
from sekisho.identity.passkey_notices import tell
from sekisho.identity.passkey_proofs import Begun
from sekisho.identity.passkeys import Passkey, TooManyPasskeys
from sekisho.identity.purposes import Purpose
from sekisho.identity.sessions import Session
from sekisho.kernel.ids import MemberId
from sekisho.messages.notices import NoticeKind

ADDING = Purpose(action="passkey_added")
REMOVING = Purpose(action="passkey_removed")
# Who has just opened the account by code, on the device that it was opened on, needs no second code.
SIGNING_UP = Purpose(action="sign_up")


class Signals(NamedTuple):
    """What the passkey manager is to hear: which passkeys work, and what the account is called."""

    accepted: dict[str, Any]
    details: dict[str, Any]


class PasskeyDesk:
    """Makes, names and removes passkeys."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def begin_adding(self, session: Session, device: Device | None) -> Begun:
        """Begin to make a passkey. Raises InsufficientAuthentication and TooManyPasskeys."""
        self._require(session, device, Need.CHANGE, ADDING, SIGNING_UP)
        ceremony = ceremonies.begin(self._parts, _adding(session))

        def work(connection: Connection) -> Begun:
            held = passkeys.of_member(connection, session.member_id)
            if len(held) >= passkeys.PASSKEYS_MAX:
                raise TooManyPasskeys(known=session.member_id)
            member = members.find(connection, session.member_id)
            if member is None:
                raise PasskeyNotAccepted(known=f"no member {session.member_id}")
            options = passkey_signals.creation_options(
                self._parts.institution,
                member,
                challenge=ceremony.challenge,
                user_handle=passkeys.make_user_handle(connection, self._parts, member.id),
                held=held,
            )
            return Begun(ceremonies.token_of(self._parts, ceremony), options)

        return await asyncio.wrap_future(self._parts.store.write(work))

    async def add(
        self, session: Session, token: str, body: bytes, arrival: Arrival, *, name: str = ""
    ) -> Passkey:
        """Keep the passkey that an authenticator made, and tell the member on every channel.

        Without a name it gets one that its owner may recognise. That it may be added was asked when the
        ceremony began. Raises CeremonyOver, PasskeyMalformed, PasskeyNotAccepted, PasskeyNameUnusable and
        TooManyPasskeys.
        """
        ceremony = ceremonies.read(self._parts, token, _adding(session))
        new = await asyncio.to_thread(
            verify_new, body, challenge=ceremony.challenge, institution=self._parts.institution
        )
        proposed = passkey_signals.proposed_name(new.aaguid, arrival.user_agent, arrival.language)
        named = passkeys.read_name(name) if name else proposed

        def work(connection: Connection) -> Passkey:
            current = sessions.find(connection, session.id)
            if current is None or not current.is_live(self._parts.clock.now_us()):
                raise PasskeyNotAccepted(known=f"the session {session.id} ended meanwhile")
            made = passkeys.add(connection, self._parts, ceremony, new, named)
            tell(connection, self._parts, NoticeKind.PASSKEY_ADDED, made, arrival)
            return made

        return await asyncio.wrap_future(self._parts.store.write(work))

    async def held(self, member_id: MemberId) -> list[Passkey]:
        """Return a member's passkeys that were not removed, the oldest first."""

        def read() -> list[Passkey]:
            with self._parts.store.read() as connection:
                return passkeys.of_member(connection, member_id)

        return await asyncio.to_thread(read)

    async def rename(self, session: Session, credential_id: bytes, name: str) -> Passkey:
        """Give one of the member's passkeys another name.

        Raises InsufficientAuthentication, PasskeyUnknown and PasskeyNameUnusable.
        """
        self._require(session, None, Need.SEE_MASKED)

        def work(connection: Connection) -> Passkey:
            return passkeys.rename(connection, self._parts, session.member_id, credential_id, name)

        return await asyncio.wrap_future(self._parts.store.write(work))

    async def remove(
        self, session: Session, device: Device | None, credential_id: bytes, arrival: Arrival
    ) -> Signals:
        """Remove a passkey, tell the member, and return what the passkey manager is to hear.

        Raises InsufficientAuthentication and PasskeyUnknown.
        """
        self._require(session, device, Need.CHANGE, REMOVING)

        def work(connection: Connection) -> Signals:
            sessions.require_live(connection, session, self._parts.clock.now_us())
            gone = passkeys.revoke(connection, self._parts, session.member_id, credential_id)
            tell(connection, self._parts, NoticeKind.PASSKEY_REMOVED, gone, arrival)
            return self._signals(connection, session.member_id)

        return await asyncio.wrap_future(self._parts.store.write(work))

    async def signals(self, member_id: MemberId) -> Signals:
        """Return what the passkey manager is to hear at each login."""

        def read() -> Signals:
            with self._parts.store.read() as connection:
                return self._signals(connection, member_id)

        return await asyncio.to_thread(read)

    def _signals(self, connection: Connection, member_id: MemberId) -> Signals:
        institution = self._parts.institution
        handle = passkeys.user_handle(connection, member_id) or b""
        held = passkeys.of_member(connection, member_id)
        member = members.find(connection, member_id)
        number = member.number if member else ""
        return Signals(
            accepted=passkey_signals.accepted_credentials(institution, handle, held),
            details=passkey_signals.user_details(institution, handle, number),
        )

    def _require(self, session: Session, device: Device | None, need: Need, *purposes: Purpose) -> None:
        """Let through who has proven enough for any of the purposes. Raises InsufficientAuthentication."""
        now_us = self._parts.clock.now_us()
        keys = [purpose.key for purpose in purposes] or [""]
        answers = [demand(session, device, need, now_us, purpose=key) for key in keys]
        refused = [answer for answer in answers if not isinstance(answer, Granted)]
        if len(refused) == len(answers):
            raise InsufficientAuthentication(refused[0], known=f"{need} in {session.id}")


def _adding(session: Session) -> Binding:
    return Binding(CeremonyKind.REGISTRATION, session.member_id, session.id, ADDING.key)
