"""The code of a stranger's login: the same answer for one that was sent and one that never was."""

import asyncio
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from sqlalchemy import Connection

from sekisho.guard.answers import AsksGuard, GuardAnswer
from sekisho.guard.attempts import Attempt, ChallengeResult, Gate, Outcome
from sekisho.guard.decisions import Action
from sekisho.identity import devices, passwords, sign_ins, waiting_logins
from sekisho.identity.arrivals import Arrival
from sekisho.identity.assurance import Level, Standing
from sekisho.identity.claims import asked_of
from sekisho.identity.codes import CodeDesk, Entry, Right
from sekisho.identity.institution import Parts
from sekisho.identity.relay import Asked
from sekisho.identity.sign_ins import LoginWay
from sekisho.identity.strangers import LOGIN
from sekisho.identity.waiting_logins import State, Waiting
from sekisho.identity.welcomes import Proved, Welcome, stopped, welcome
from sekisho.kernel.ids import MemberId, SignInId

Result = TypeVar("Result")


class NotRight(NamedTuple):
    """The code does not open this; so many tries are left."""

    tries_left: int


class LoginOver(NamedTuple):
    """Nothing can be entered here any more: begin again."""


class CodeForm(NamedTuple):
    """What somebody typed at the next step, and how.

    `filled_in_ms` is how long the page saw the code being typed, None where it did not tell; `replaces` is
    the session token that the browser sent, if it sent one.
    """

    step_token: str
    typed: str
    filled_in_ms: int | None = None
    replaces: str = ""


class LoginCodes:
    """Takes the codes of strangers' logins, for one institution."""

    def __init__(self, parts: Parts, guard: AsksGuard, codes: CodeDesk) -> None:
        self._parts = parts
        self._guard = guard
        self._codes = codes

    async def enter(self, form: CodeForm, arrival: Arrival) -> Welcome | NotRight | LoginOver:
        """Take a code. The guard is asked first, with what speaks for a relay."""
        waiting, device_id = await asyncio.to_thread(self._find, form, arrival)
        if waiting is None or waiting.is_over(self._parts.clock.now_us()):
            return LoginOver()
        entered = asked_of(arrival, device_id, filled_in_ms=form.filled_in_ms)
        evidence = await self._codes.relay_evidence(waiting.code_id, waiting.code_subject, entered)
        answer = await self._guard.assess(
            Attempt(
                time_us=self._parts.clock.now_us(),
                gate=Gate.CODE_ENTRY,
                member=waiting.member_id or waiting.code_subject,
                ip=arrival.ip,
                asn=arrival.asn,
                country=arrival.country,
                user_agent=arrival.user_agent,
                tls=arrival.tls,
                signs=evidence.names,
            )
        )
        taken = await self._written(lambda at: self._take(at, form, arrival, entered, answer))
        passed = isinstance(taken, Welcome)
        await self._guard.settle(answer.attempt_id, Outcome.SUCCESS if passed else Outcome.WRONG_SECRET)
        if passed:
            await self._guard.settle(waiting.attempt_id, Outcome.SUCCESS, ChallengeResult.PASSED)
        return taken

    def _take(
        self, connection: Connection, form: CodeForm, arrival: Arrival, entered: Asked, answer: GuardAnswer
    ) -> Welcome | NotRight | LoginOver:
        waiting = waiting_logins.find(connection, form.step_token, for_update=True)
        if waiting is None or waiting.is_over(self._parts.clock.now_us()):
            return LoginOver()
        denied = answer.decision.action is Action.DENY
        entry = Entry(waiting.code_id, waiting.code_subject, LOGIN, form.typed, entered, denied)
        right = self._codes.enter_within(connection, entry)
        if isinstance(right, Right) and waiting.state is State.SENT and self._may_enter(connection, waiting):
            waiting_logins.remove(connection, waiting.token_digest)
            return welcome(connection, self._parts, _proved(waiting, arrival, form.replaces))
        if waiting.state is State.SENT:
            sign_ins.mark_code_wrong(connection, SignInId(waiting.sign_in_id))
        left = waiting.tries_left - 1
        waiting_logins.change(connection, waiting.token_digest, tries_left=left)
        return NotRight(left) if left > 0 else LoginOver()

    def _may_enter(self, connection: Connection, waiting: Waiting) -> bool:
        """Look again: the account may have been stopped, or its password changed, while the code was on its
        way.
        """
        kept = passwords.find(connection, waiting.member_id)
        return (
            kept is not None
            and kept.works_for_strangers
            and kept.set_at_us <= waiting.begun_at_us
            and stopped(connection, MemberId(waiting.member_id), by_passkey=False) is None
        )

    def _find(self, form: CodeForm, arrival: Arrival) -> tuple[Waiting | None, str]:
        with self._parts.store.read() as connection:
            here = devices.of_browser(connection, arrival.device_token)
            waiting = waiting_logins.find(connection, form.step_token)
        own = [each.id for each in here if waiting is not None and each.member_id == waiting.member_id]
        return waiting, next(iter(own or [each.id for each in here]), "")

    async def _written(self, work: Callable[[Connection], Result]) -> Result:
        return await asyncio.wrap_future(self._parts.store.write(work))


def _proved(waiting: Waiting, arrival: Arrival, replaces: str) -> Proved:
    return Proved(
        member_id=MemberId(waiting.member_id),
        level=Level.CODE,
        way=LoginWay.CODE,
        standing=Standing.UNCONFIRMED,
        arrival=arrival,
        attempt_id=waiting.attempt_id,
        risk=waiting.risk,
        campaign=waiting.campaign,
        password_leaked=waiting.password_leaked,
        sign_in_id=waiting.sign_in_id,
        purpose=LOGIN.key,
        replaces=replaces,
    )
