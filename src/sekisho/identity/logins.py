"""Logging in: one answer for all strangers, and a welcome for who is known.

The guard is asked before the password is hashed. On a trusted device of the claimed member a password alone
opens a session in which everything is masked. Everybody else sees the same next step at the same time:
nobody's name, a wrong password, a right one, challenged or denied.
"""

import asyncio
from collections.abc import Coroutine
from traceback import format_exception
from typing import Any, NamedTuple

import structlog

from sekisho.guard.answers import AsksGuard, GuardAnswer
from sekisho.guard.decisions import Action
from sekisho.identity import waiting_logins
from sekisho.identity.answer_floors import moment_in, until
from sekisho.identity.arrivals import Arrival
from sekisho.identity.claims import Claim, LoginForm, attempt_of, look_up
from sekisho.identity.codes import CodeDesk
from sekisho.identity.hashing import Hasher
from sekisho.identity.institution import Parts
from sekisho.identity.known_logins import Again, KnownLogins
from sekisho.identity.leaked_lists import Leaks
from sekisho.identity.login_codes import CodeForm, LoginCodes, LoginOver, NotRight
from sekisho.identity.puzzles import Puzzle, is_solved, puzzle_for
from sekisho.identity.strangers import Strangers
from sekisho.identity.tokens import digest_of, new_token
from sekisho.identity.waiting_logins import TRIES, WAITS_US, State, Waiting
from sekisho.identity.welcomes import Stopped, Welcome
from sekisho.kernel.clock import SECOND_US
from sekisho.kernel.ids import MemberId
from sekisho.kernel.posture import Posture

log = structlog.get_logger(__name__)

ANSWER_FLOOR_S = 0.15
"""No stranger is answered earlier after the request: it is longer than a hash and a few writes take."""

SEND_AGAIN_AFTER_US = 30 * SECOND_US
"""How long somebody without a script waits until what the guard holds back is looked at."""


class NextStep(NamedTuple):
    """Enter the code that was sent. So is everybody answered whom the browser does not vouch for."""

    step_token: str
    puzzle: Puzzle
    expires_at_us: int


class LoginDesk:
    """Takes logins for one institution. `close` it at the end: work is done behind the answers.

    `leaks_down` says what it means at a login that a list of leaks cannot be read.
    """

    def __init__(  # noqa: PLR0913 - what a login stands on, each named at the call
        self,
        parts: Parts,
        guard: AsksGuard,
        hasher: Hasher,
        codes: CodeDesk,
        leaks: Leaks,
        *,
        leaks_down: Posture,
        answer_floor_s: float = ANSWER_FLOOR_S,
    ) -> None:
        self._parts = parts
        self._guard = guard
        self._leaks = leaks
        self._leaks_down = leaks_down
        self._floor_s = answer_floor_s
        self._known = KnownLogins(parts, guard, hasher)
        self._strangers = Strangers(parts, guard, hasher, codes)
        self._codes = LoginCodes(parts, guard, codes)
        self._behind: set[asyncio.Task[None]] = set()

    async def begin(
        self, form: LoginForm, arrival: Arrival, *, replaces: str = ""
    ) -> Welcome | Stopped | Again | NextStep:
        """Take a login form. `replaces` is the session token that the browser sent, if it sent one.

        Raises OperationalError where the store or the keyring is out, and HashingBusy on a trusted device.
        """
        due_s = moment_in(self._floor_s)
        claim = await asyncio.to_thread(
            look_up, self._parts, form, arrival, self._leaks, on_outage=self._leaks_down
        )
        answer = await self._guard.assess(attempt_of(self._parts, form, arrival, claim))
        if claim.is_on_trusted_device and answer.decision.action is not Action.DENY:
            return await self._known.by_password(claim, arrival, answer, replaces)
        token = new_token(self._parts.chance)
        waiting = self._waiting(token, claim, arrival, answer)
        if waiting.state is State.HELD:
            self._strangers.hold(waiting, claim)
        await asyncio.wrap_future(
            self._parts.store.write(lambda connection: waiting_logins.write(connection, waiting))
        )
        self._meet(waiting, claim, arrival, answer)
        await until(due_s)
        return _next(token, waiting)

    async def take_puzzle(self, step_token: str, solution: str, arrival: Arrival) -> NextStep | LoginOver:
        """Take a solved puzzle, as every stranger's page posts it. The answer tells only that time passes."""
        solved = is_solved(puzzle_for(step_token), solution)
        return await self._go_on(step_token, arrival, solved=solved, again=False)

    async def send_again(self, step_token: str, arrival: Arrival) -> NextStep | LoginOver:
        """Take the wish for another code. The answer is the same whether one is sent or none ever was.

        What the guard holds back is looked at half a minute after it began, puzzle or not.
        """
        return await self._go_on(step_token, arrival, solved=False, again=True)

    async def take_code(self, form: CodeForm, arrival: Arrival) -> Welcome | NotRight | LoginOver:
        """Take the code of a next step. Whether there is one that fits shows in nothing but the welcome."""
        due_s = moment_in(self._floor_s)
        taken = await self._codes.enter(form, arrival)
        if not isinstance(taken, Welcome):
            await until(due_s)
        return taken

    async def welcome_by_passkey(
        self, member_id: MemberId, arrival: Arrival, *, replaces: str = ""
    ) -> Welcome | Stopped:
        """Open a session for whom a passkey has just proven; see `KnownLogins.by_passkey`."""
        return await self._known.by_passkey(member_id, arrival, replaces)

    async def sweep(self) -> int:
        """Put away strangers' logins that waited too long; call it every minute or so."""
        return await self._strangers.sweep()

    async def quiet(self) -> None:
        """Return when nothing is done behind the answers any more."""
        while self._behind:
            await asyncio.gather(*self._behind, return_exceptions=True)

    async def close(self) -> None:
        """Finish what is done behind the answers. The hasher is the caller's to close."""
        await self.quiet()

    def _waiting(self, token: str, claim: Claim, arrival: Arrival, answer: GuardAnswer) -> Waiting:
        decision = answer.decision
        held = decision.before_hash and decision.action in {Action.PUZZLE, Action.CHALLENGE}
        return Waiting(
            token_digest=digest_of(token),
            member_id="" if claim.member is None else claim.member.id,
            state=State.HELD if held else State.CHECKING,
            code_id="",
            code_subject="",
            tries_left=TRIES,
            sign_in_id="",
            attempt_id=answer.attempt_id,
            risk=decision.probability,
            campaign=decision.campaign,
            password_leaked=claim.leaked or claim.weak,
            ip=arrival.ip,
            begun_at_us=self._parts.clock.now_us(),
        )

    def _meet(self, waiting: Waiting, claim: Claim, arrival: Arrival, answer: GuardAnswer) -> None:
        decision = answer.decision
        if decision.action is Action.DENY:
            self._do_behind(self._strangers.refuse(waiting, claim, arrival, label=decision.label_wanted))
        elif waiting.state is State.CHECKING:
            self._do_behind(self._strangers.check(waiting, claim, arrival))
        elif decision.label_wanted:
            self._do_behind(self._strangers.label(waiting, claim, arrival))

    async def _go_on(
        self, step_token: str, arrival: Arrival, *, solved: bool, again: bool
    ) -> NextStep | LoginOver:
        due_s = moment_in(self._floor_s)
        waiting = await asyncio.to_thread(self._find, step_token)
        now_us = self._parts.clock.now_us()
        over = waiting is None or waiting.is_over(now_us)
        if waiting is not None and not over:
            patient = again and now_us - waiting.begun_at_us >= SEND_AGAIN_AFTER_US
            if waiting.state is State.HELD and (solved or patient):
                self._do_behind(self._strangers.release(waiting, arrival))
            elif patient:
                self._do_behind(self._strangers.send_again(waiting, arrival))
        await until(due_s)
        return LoginOver() if waiting is None or over else _next(step_token, waiting)

    def _find(self, step_token: str) -> Waiting | None:
        with self._parts.store.read() as connection:
            return waiting_logins.find(connection, step_token)

    def _do_behind(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(_logged(work))
        self._behind.add(task)
        task.add_done_callback(self._behind.discard)


def _next(token: str, waiting: Waiting) -> NextStep:
    return NextStep(token, puzzle_for(token), waiting.begun_at_us + WAITS_US)


async def _logged(work: Coroutine[Any, Any, None]) -> None:
    """Run what nobody waits for; what fails must be heard of, and the stranger may ask for another code."""
    try:
        await work
    except Exception as failure:  # noqa: BLE001 - whatever it is, nobody else would hear of it
        # Rendered by the logger, an exception may show local variables, and with them numbers and codes.
        log.error("login:behind:failed", trace="".join(format_exception(failure)))  # noqa: TRY400 - see above
