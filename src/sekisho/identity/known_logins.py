"""Logins of whom something vouches for: a trusted device of the member, or a passkey."""

import asyncio
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from sqlalchemy import Connection

from sekisho.guard.answers import AsksGuard, GuardAnswer
from sekisho.guard.attempts import Attempt, ChallengeResult, Outcome
from sekisho.identity import devices, passwords, sign_ins
from sekisho.identity.arrivals import Arrival
from sekisho.identity.assurance import Level, Standing
from sekisho.identity.claims import Claim
from sekisho.identity.devices import Device
from sekisho.identity.freezes import FROZEN_FOR
from sekisho.identity.hashing import Hasher
from sekisho.identity.institution import Parts
from sekisho.identity.members import Member
from sekisho.identity.passwords import Kept
from sekisho.identity.sign_ins import Came, LoginResult, LoginWay
from sekisho.identity.welcomes import Proved, Stopped, Welcome, stopped, welcome
from sekisho.kernel.ids import MemberId

Result = TypeVar("Result")


class Again(NamedTuple):
    """Name or password are wrong. Said on a trusted device only."""


class _Outdated(Exception):  # noqa: N818 - it says what the login is
    """What the password was compared with has changed while it was hashed."""


class KnownLogins:
    """Takes the logins that need no next step, for one institution."""

    def __init__(self, parts: Parts, guard: AsksGuard, hasher: Hasher) -> None:
        self._parts = parts
        self._guard = guard
        self._hasher = hasher

    async def by_password(
        self, claim: Claim, arrival: Arrival, answer: GuardAnswer, replaces: str
    ) -> Welcome | Stopped | Again:
        """Log in with a password on a trusted device. Raises HashingBusy."""
        member, device, kept = claim.member, claim.device, claim.kept
        if member is None or device is None or kept is None:
            return Again()
        right = await self._hasher.verify(kept.hash, claim.peppered.for_kept)
        if not (right and _is_told_of(kept)):
            await self._written(lambda at: self._count_wrong(at, member, device, arrival, answer))
            await self._guard.settle(answer.attempt_id, Outcome.WRONG_SECRET)
            return Again()
        proved = Proved(
            member_id=member.id,
            level=Level.PASSWORD,
            way=LoginWay.PASSWORD,
            # A password makes no device trusted; one that is stays so.
            standing=Standing.UNCONFIRMED,
            arrival=arrival,
            attempt_id=answer.attempt_id,
            risk=answer.decision.probability,
            campaign=answer.decision.campaign,
            password_leaked=claim.leaked or claim.weak,
            replaces=replaces,
        )
        try:
            welcomed = await self._welcome(
                proved, ChallengeResult.NONE, lambda at: _recheck(at, device, kept)
            )
        except _Outdated:
            await self._guard.settle(answer.attempt_id, Outcome.REFUSED)
            return Again()
        await self._renew(member.id, kept, claim)
        return welcomed

    async def by_passkey(self, member_id: MemberId, arrival: Arrival, replaces: str) -> Welcome | Stopped:
        """Log in whom a passkey has proven; the device is trusted from now on.

        The guard hears of it, and its opinion goes with the session; it has no say against a passkey.
        """
        own = await asyncio.to_thread(self._own_device, member_id, arrival)
        answer = await self._guard.assess(self._attempt(member_id, arrival, own))
        proved = Proved(
            member_id=member_id,
            level=Level.PASSKEY,
            way=LoginWay.PASSKEY,
            standing=Standing.TRUSTED,
            arrival=arrival,
            attempt_id=answer.attempt_id,
            risk=answer.decision.probability,
            campaign=answer.decision.campaign,
            replaces=replaces,
        )
        return await self._welcome(proved, ChallengeResult.PASSED)

    async def _welcome(
        self,
        proved: Proved,
        challenge: ChallengeResult,
        recheck: Callable[[Connection], None] = lambda _: None,
    ) -> Welcome | Stopped:
        outcome, by_passkey = Outcome.SUCCESS, proved.way is LoginWay.PASSKEY

        def open_it(connection: Connection) -> Welcome | Stopped:
            recheck(connection)
            return stopped(connection, proved.member_id, by_passkey=by_passkey) or welcome(
                connection, self._parts, proved
            )

        welcomed = await self._written(open_it)
        if isinstance(welcomed, Stopped):
            outcome, challenge = Outcome.REFUSED, ChallengeResult.NONE
            came = Came(way=proved.way, result=LoginResult.STOPPED, attempt_id=proved.attempt_id)
            await self._written(
                lambda at: sign_ins.record(at, self._parts, proved.member_id, proved.arrival, came)
            )
        await self._guard.settle(proved.attempt_id, outcome, challenge)
        return welcomed

    def _attempt(self, member_id: MemberId, arrival: Arrival, own: Device | None) -> Attempt:
        trusted = own is not None and own.standing is Standing.TRUSTED
        return Attempt(
            time_us=self._parts.clock.now_us(),
            member=member_id,
            known=True,
            ip=arrival.ip,
            asn=arrival.asn,
            country=arrival.country,
            user_agent=arrival.user_agent,
            tls=arrival.tls,
            device=own.id if own is not None and trusted else "",
            device_valid=True if trusted else None,
        )

    def _own_device(self, member_id: MemberId, arrival: Arrival) -> Device | None:
        with self._parts.store.read() as connection:
            here = devices.of_browser(connection, arrival.device_token)
        return next((each for each in here if each.member_id == member_id), None)

    def _count_wrong(
        self, connection: Connection, member: Member, device: Device, arrival: Arrival, answer: GuardAnswer
    ) -> None:
        devices.count_wrong_password(connection, device.id)
        came = Came(
            way=LoginWay.PASSWORD,
            result=LoginResult.WRONG_PASSWORD,
            device_id=device.id,
            attempt_id=answer.attempt_id,
        )
        sign_ins.record(connection, self._parts, member.id, arrival, came)

    async def _renew(self, member_id: MemberId, kept: Kept, claim: Claim) -> None:
        renewed = await passwords.renewed_hash(self._hasher, kept, claim.peppered)
        if renewed is not None:
            await self._written(lambda at: passwords.renew(at, member_id, kept, renewed))

    async def _written(self, work: Callable[[Connection], Result]) -> Result:
        return await asyncio.wrap_future(self._parts.store.write(work))


def _is_told_of(kept: Kept) -> bool:
    """Say whether a right password is told apart from a wrong one: where it opens something, and where the
    member stopped the account, who must learn here that it is so.
    """
    return kept.is_valid or kept.invalidated_for == FROZEN_FOR


def _recheck(connection: Connection, device: Device, kept: Kept) -> None:
    """Look again at what was read before the hash, which takes its time: the device may have been thrown
    out meanwhile, and the password changed. Raises _Outdated.
    """
    device_now = devices.find(connection, device.id)
    kept_now = passwords.find(connection, device.member_id)
    trusted = device_now is not None and device_now.standing is Standing.TRUSTED
    same = kept_now is not None and kept_now.set_at_us == kept.set_at_us and _is_told_of(kept_now)
    if not (trusted and same):
        raise _Outdated
