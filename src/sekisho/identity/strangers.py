"""Behind a stranger's login: verify the password, and send a code or nothing, while nobody can see which.

All of this happens after the answer was decided and mostly before it is given; the answer waits for none of
it. A stranger's page is the same whoever it is.
"""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection

from sekisho.guard.answers import AsksGuard
from sekisho.guard.attempts import ChallengeResult, Outcome
from sekisho.identity import members, passwords, sign_ins, waiting_logins
from sekisho.identity.arrivals import Arrival
from sekisho.identity.claims import Claim, asked_of
from sekisho.identity.code_limits import TooMany
from sekisho.identity.codes import CodeAsked, CodeDesk, Contact, Order
from sekisho.identity.hashing import Hasher, HashingBusy
from sekisho.identity.institution import Parts
from sekisho.identity.members import Member
from sekisho.identity.notifying import facts_of, warn
from sekisho.identity.personal_data import Item, read_for_use
from sekisho.identity.purposes import Purpose
from sekisho.identity.sign_ins import Came, LoginResult, LoginWay
from sekisho.identity.waiting_logins import HeldClaims, State, Waiting
from sekisho.kernel.clock import HOUR_US
from sekisho.kernel.ids import MemberId
from sekisho.messages.message import Channel
from sekisho.messages.notices import NoticeKind

Result = TypeVar("Result")

LOGIN = Purpose(action="login")
SWEPT_AT_ONCE = 100


class Strangers:
    """Does the work behind strangers' logins, for one institution."""

    def __init__(self, parts: Parts, guard: AsksGuard, hasher: Hasher, codes: CodeDesk) -> None:
        self.held = HeldClaims()
        self._parts = parts
        self._guard = guard
        self._hasher = hasher
        self._codes = codes

    def hold(self, waiting: Waiting, claim: Claim) -> None:
        """Keep a claim until its next step comes."""
        self.held.put(waiting.token_digest, claim, self._parts.clock.now_us())

    async def check(self, waiting: Waiting, claim: Claim, arrival: Arrival) -> None:
        """Verify the password and send a code where it was right; where all are busy, hold it instead."""
        right = await self._is_right(claim)
        if right is None:
            self.hold(waiting, claim)
            await self._written(lambda at: _become(at, waiting, State.HELD))
        elif right and claim.member is not None:
            member_id = claim.member.id
            await self._written(lambda at: self._send(at, waiting, member_id, claim, arrival))
            await self._renew(member_id, claim)
        else:
            await self._written(lambda at: self._stand_in(at, waiting, claim, arrival, guessed=True))
            await self._guard.settle(waiting.attempt_id, _failure(claim))

    async def refuse(self, waiting: Waiting, claim: Claim, arrival: Arrival, *, label: bool) -> None:
        """Let a decoy stand where a code would be, whatever the password is.

        With `label` it is verified all the same, and the guard is told.
        """
        right = await self._is_right(claim) if label else None
        await self._written(lambda at: self._stand_in(at, waiting, claim, arrival, guessed=right is False))
        await self._guard.settle(waiting.attempt_id, _failure(claim) if right is False else Outcome.REFUSED)

    async def label(self, waiting: Waiting, claim: Claim, arrival: Arrival) -> None:
        """Verify a held password for the guard to learn from. A right one goes on being held."""
        if await self._is_right(claim) is False:
            self.held.take(waiting.token_digest, self._parts.clock.now_us())
            await self._written(lambda at: self._stand_in(at, waiting, claim, arrival, guessed=True))
            await self._guard.settle(waiting.attempt_id, _failure(claim))

    async def release(self, waiting: Waiting, arrival: Arrival) -> None:
        """Verify what was held, because its next step has come."""
        claim = self.held.take(waiting.token_digest, self._parts.clock.now_us())
        if claim is not None:
            await self.check(waiting, claim, arrival)

    async def send_again(self, waiting: Waiting, arrival: Arrival) -> None:
        """Send another code where one was sent, and do as much where none was."""
        if waiting.state is not State.CHECKING:
            await self._written(lambda at: self._send_again(at, waiting, arrival))

    async def sweep(self) -> int:
        """Put away what waited too long, and tell members whose password was right that nobody went on.

        Returns how many there were, at most a hundred; call it again until it returns none.
        """
        old = await self._written(self._sweep)
        for waiting in old:
            if waiting.state in {State.SENT, State.HELD}:
                await self._guard.settle(waiting.attempt_id, Outcome.CHALLENGED, ChallengeResult.ABANDONED)
        return len(old)

    async def _is_right(self, claim: Claim) -> bool | None:
        try:
            return await self._hasher.verify(_usable(claim), claim.peppered.for_kept, of_stranger=True)
        except HashingBusy:
            return None

    def _send(
        self, connection: Connection, waiting: Waiting, member_id: MemberId, claim: Claim, arrival: Arrival
    ) -> None:
        came = Came(
            way=LoginWay.CODE,
            result=LoginResult.CODE_ASKED,
            device_id="" if claim.device is None else claim.device.id,
            attempt_id=waiting.attempt_id,
        )
        sign_in_id = sign_ins.record(connection, self._parts, member_id, arrival, came)
        asked = self._ask(connection, member_id, arrival, claim.device_id)
        if asked is None:
            self._stand_in(connection, waiting, claim, arrival, guessed=False)
            return
        _become(
            connection,
            waiting,
            State.SENT,
            member_id=member_id,
            code_subject=member_id,
            sign_in_id=sign_in_id,
            code_id=_code_id(asked, waiting),
        )

    def _stand_in(
        self, connection: Connection, waiting: Waiting, claim: Claim, arrival: Arrival, *, guessed: bool
    ) -> None:
        nobody = f"nobody:{waiting.token_digest.hex()}"
        decoy = self._codes.decoy_within(connection, nobody, LOGIN, asked_of(arrival, claim.device_id))
        if guessed and claim.member is not None and _usable(claim) is not None:
            self._count_failure(connection, claim.member)
            came = Came(way=LoginWay.CODE, result=LoginResult.WRONG_PASSWORD, attempt_id=waiting.attempt_id)
            sign_ins.record(connection, self._parts, claim.member.id, arrival, came)
        _become(connection, waiting, State.DECOY, code_subject=nobody, code_id=_code_id(decoy, waiting))

    def _count_failure(self, connection: Connection, member: Member) -> None:
        """Count a wrong password, and tell the member when there were so many that it stops working here."""
        failures = passwords.count_strange_failure(connection, member.id)
        if failures == passwords.STRANGE_FAILURES_MAX:
            now_us, kind = self._parts.clock.now_us(), NoticeKind.PASSWORD_GUESSED
            dedupe = f"{kind}:{member.id}:{now_us}"
            warn(connection, self._parts, member.id, kind, {"when": now_us}, dedupe=dedupe)

    def _send_again(self, connection: Connection, waiting: Waiting, arrival: Arrival) -> None:
        asked: CodeAsked | TooMany | None
        if waiting.state is State.SENT:
            asked = self._ask(connection, MemberId(waiting.member_id), arrival, "")
        else:
            asked = self._codes.decoy_within(connection, waiting.code_subject, LOGIN, asked_of(arrival))
        waiting_logins.change(connection, waiting.token_digest, code_id=_code_id(asked, waiting))

    def _ask(
        self, connection: Connection, member_id: MemberId, arrival: Arrival, device_id: str
    ) -> CodeAsked | TooMany | None:
        """Ask for a code to the member's number; None for who has no number, and logs in by passkey alone."""
        numbers = read_for_use(connection, self._parts.keyring, member_id, (Item.MOBILE_PHONE,))
        if Item.MOBILE_PHONE not in numbers:
            return None
        to = Contact(Channel.SMS, numbers[Item.MOBILE_PHONE])
        member = members.find(connection, member_id)
        language = "ja" if member is None else member.language
        order = Order(member_id, to, LOGIN, asked_of(arrival, device_id), language)
        return self._codes.ask_within(connection, order)

    def _sweep(self, connection: Connection) -> list[Waiting]:
        now_us = self._parts.clock.now_us()
        old = waiting_logins.expired(connection, now_us, limit=SWEPT_AT_ONCE)
        for waiting in old:
            waiting_logins.remove(connection, waiting.token_digest)
            if waiting.state is State.SENT:
                self._tell(connection, waiting)
        return old

    def _tell(self, connection: Connection, waiting: Waiting) -> None:
        member_id = MemberId(waiting.member_id)
        line = sign_ins.find(connection, member_id, waiting.sign_in_id)
        member = members.find(connection, member_id)
        if line is None or member is None:
            return
        arrival = Arrival(ip=line.ip, user_agent=line.user_agent, country=line.country)
        values = facts_of(arrival, line.at_us, member.language)
        kind = NoticeKind.LOGIN_UNFINISHED
        # Once an hour: whoever has the password must not flood its member with messages.
        dedupe = f"{kind}:{member_id}:{line.at_us // HOUR_US}"
        warn(connection, self._parts, member_id, kind, values, dedupe=dedupe)

    async def _renew(self, member_id: MemberId, claim: Claim) -> None:
        if claim.kept is None:
            return
        kept = claim.kept
        renewed = await passwords.renewed_hash(self._hasher, kept, claim.peppered)
        if renewed is not None:
            await self._written(lambda at: passwords.renew(at, member_id, kept, renewed))

    async def _written(self, work: Callable[[Connection], Result]) -> Result:
        return await asyncio.wrap_future(self._parts.store.write(work))


def _become(connection: Connection, waiting: Waiting, state: State, **values: str) -> None:
    waiting_logins.change(connection, waiting.token_digest, state=state, **values)


def _code_id(asked: CodeAsked | TooMany | None, waiting: Waiting) -> str:
    return asked.code_id if isinstance(asked, CodeAsked) else waiting.code_id


def _usable(claim: Claim) -> str | None:
    """Return the hash that a stranger's password may be compared with, None where there is none."""
    if claim.member is None or claim.kept is None:
        return None
    usable = claim.member.may_log_in and claim.kept.works_for_strangers
    return claim.kept.hash if usable else None


def _failure(claim: Claim) -> Outcome:
    return Outcome.NO_SUCH_MEMBER if claim.member is None else Outcome.WRONG_SECRET
