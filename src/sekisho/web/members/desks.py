"""Whom the pages ask: the desks of one institution, one a noun."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import NamedTuple

import structlog

from sekisho.guard.answers import AsksGuard
from sekisho.identity.bound_sessions import BoundSessions
from sekisho.identity.calls import CallDesk
from sekisho.identity.codes import CodeDesk
from sekisho.identity.contact_desk import ContactDesk
from sekisho.identity.details import DetailDesk
from sekisho.identity.device_desk import DeviceDesk
from sekisho.identity.disowning import SignInDesk
from sekisho.identity.freezes import FreezeDesk
from sekisho.identity.hashing import Hasher
from sekisho.identity.holds import HoldDesk
from sekisho.identity.institution import Parts
from sekisho.identity.leaked_lists import Leaks
from sekisho.identity.logins import LoginDesk
from sekisho.identity.passkey_desk import PasskeyDesk
from sekisho.identity.passkey_proofs import PasskeyProofs
from sekisho.identity.password_desk import PasswordDesk
from sekisho.identity.recovery import RecoveryDesk
from sekisho.identity.reenrolment import ReenrolmentDesk
from sekisho.identity.reveals import NoSources, PersonalDataDesk, Sources
from sekisho.identity.session_desk import SessionDesk
from sekisho.identity.sign_up import SignUpDesk
from sekisho.identity.step_ups import StepUpDesk
from sekisho.kernel.posture import OperationalError, Posture

log = structlog.get_logger(__name__)

SWEEP_EVERY_S = 60.0


class Desks(NamedTuple):
    """The desks of one institution. Serve its pages within `living`."""

    codes: CodeDesk
    logins: LoginDesk
    sign_up: SignUpDesk
    sessions: SessionDesk
    bindings: BoundSessions
    devices: DeviceDesk
    sign_ins: SignInDesk
    passwords: PasswordDesk
    freezes: FreezeDesk
    holds: HoldDesk
    recoveries: RecoveryDesk
    enrolments: ReenrolmentDesk
    calls: CallDesk
    passkeys: PasskeyDesk
    passkey_proofs: PasskeyProofs
    step_ups: StepUpDesk
    contacts: ContactDesk
    details: DetailDesk
    personal_data: PersonalDataDesk
    hasher: Hasher
    guard: AsksGuard

    @asynccontextmanager
    async def living(self) -> AsyncIterator[None]:
        """Let time pass for what waits, and finish at the end what is done behind answers."""
        sweeping = asyncio.create_task(self._sweep())
        try:
            yield
        finally:
            sweeping.cancel()
            with suppress(asyncio.CancelledError):
                await sweeping
            await self.logins.close()
            self.hasher.close()

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_EVERY_S)
            try:
                while await self.logins.sweep():
                    pass
                await self.recoveries.advance()
                await self.codes.sweep()
            except OperationalError as outage:
                log.warning("members:sweep:unreachable", failure=str(outage))


def open_desks(
    parts: Parts, guard: AsksGuard, *, leaks: Leaks | None = None, sources: Sources | None = None
) -> Desks:
    """Open the desks of an institution.

    `leaks` are lists of leaked passwords; that one cannot be read keeps nobody from logging in. `sources`
    hold the personal items that are no fixed data.
    """
    codes, hasher, lists = CodeDesk(parts), Hasher(parts.chance), leaks or Leaks()
    passwords = PasswordDesk(parts, hasher, lists, leaks_down=Posture.OPEN)
    return Desks(
        codes=codes,
        logins=LoginDesk(parts, guard, hasher, codes, lists, leaks_down=Posture.OPEN),
        sign_up=SignUpDesk(parts, hasher, codes, lists, leaks_down=Posture.OPEN),
        sessions=SessionDesk(parts),
        bindings=BoundSessions(parts),
        devices=DeviceDesk(parts),
        sign_ins=SignInDesk(parts),
        passwords=passwords,
        freezes=FreezeDesk(parts),
        holds=HoldDesk(parts),
        recoveries=RecoveryDesk(parts),
        enrolments=ReenrolmentDesk(parts, hasher, passwords.require_fit),
        calls=CallDesk(parts),
        passkeys=PasskeyDesk(parts),
        passkey_proofs=PasskeyProofs(parts),
        step_ups=StepUpDesk(parts, guard, codes),
        contacts=ContactDesk(parts, guard, codes),
        details=DetailDesk(parts),
        personal_data=PersonalDataDesk(parts, sources or NoSources()),
        hasher=hasher,
        guard=guard,
    )
