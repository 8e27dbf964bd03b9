"""A member's login as it should be: the guard is asked before the password is hashed, and told the outcome.

Whoever is not let in hears one of two things: "again", or "one more step". Which of them depends on the
guard's answer alone, so that neither a name that does not exist nor a right password can be told from a
wrong one.
"""

import asyncio
import hmac
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

import msgspec
from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from sekisho.guard.attempts import ChallengeResult, Outcome
from sekisho.guard.decisions import Action
from sekisho.kernel.chance import Chance
from sekisho.kernel.clock import MINUTE_US, Clock
from sekisho.range.arrivals import Arrival, HouseKeys
from sekisho.range.checkpoint import Answer, Checkpoint
from sekisho.range.members import Member, proof

PUZZLE_BITS = 12
WAITS_US = 10 * MINUTE_US
HASHING_THREADS = 2
STAND_IN = "hashed where nobody has the name"

Witness = Callable[[str, Answer], None]


class Reply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the browser hears. `next` is welcome, again, confirm or puzzle; `token` names that step."""

    next: str
    token: str = ""
    bits: int = 0
    cookie: str = ""


AGAIN = Reply(next="again")


class _Waiting(msgspec.Struct, kw_only=True):
    """Somebody was asked for one more step. `right` is None while the password was not verified."""

    arrival: Arrival
    answer: Answer
    since_us: int
    right: bool | None
    settled: bool


class LoginHouse:
    """The members' login of an invented lender. `witness` sees the guard's answers, by the visit's mark."""

    def __init__(  # noqa: PLR0913 - what a login stands on, each named at the call
        self,
        members: Mapping[str, Member],
        checkpoint: Checkpoint,
        *,
        keys: HouseKeys,
        clock: Clock,
        chance: Chance,
        hasher: PasswordHasher,
        witness: Witness,
    ) -> None:
        self._members = members
        self._checkpoint = checkpoint
        self._keys = keys
        self._clock = clock
        self._chance = chance
        self._hasher = hasher
        self._witness = witness
        self._hashes: dict[str, str] = {}
        self._threads = ThreadPoolExecutor(HASHING_THREADS, thread_name_prefix="argon2")
        self._waiting: OrderedDict[str, _Waiting] = OrderedDict()

    @property
    def clock(self) -> Clock:
        """The clock by which the house tells the time of an arrival."""
        return self._clock

    async def log_in(self, arrival: Arrival, mark: str) -> Reply:
        """Take a login form. Raises OperationalError where the guard is down and the posture is CLOSED."""
        known = arrival.name in self._members
        answer = await self._checkpoint.assess(self._keys.attempt(arrival, known=known))
        self._witness(mark, answer)
        if answer.action is Action.DENY:
            await self._checkpoint.settle(answer.id, Outcome.REFUSED, ChallengeResult.NONE)
            return AGAIN
        right = None if answer.before_hash and not answer.label_wanted else await self._is_right(arrival)
        if answer.action is Action.ALLOW:
            return await self._finish(arrival, answer, right=right is True)
        if right is False:
            await self._checkpoint.settle(answer.id, self._failure(arrival), ChallengeResult.NONE)
        return self._ask(arrival, answer, right)

    async def take_step(self, token: str, given: str) -> Reply:
        """Take the additional proof or the solved puzzle that a token asked for."""
        waiting = self._waiting.pop(token, None)
        if waiting is None:
            return AGAIN
        challenged = waiting.answer.action is Action.CHALLENGE
        good = self._proves(waiting.arrival.name, token, given) if challenged else solves(token, given)
        if waiting.settled:
            return AGAIN
        if not good:
            await self._checkpoint.settle(waiting.answer.id, Outcome.CHALLENGED, ChallengeResult.FAILED)
            return AGAIN
        right = await self._is_right(waiting.arrival) if waiting.right is None else waiting.right
        passed = ChallengeResult.PASSED if challenged else ChallengeResult.NONE
        return await self._finish(waiting.arrival, waiting.answer, right=right, challenge=passed)

    async def let_go(self) -> None:
        """Settle as abandoned what was asked for ten minutes ago and never came."""
        while self._waiting:
            token, waiting = next(iter(self._waiting.items()))
            if waiting.since_us > self._clock.now_us() - WAITS_US:
                return
            del self._waiting[token]
            if not waiting.settled:
                await self._checkpoint.settle(
                    waiting.answer.id, Outcome.CHALLENGED, ChallengeResult.ABANDONED
                )

    def close(self) -> None:
        """End the hashing threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _ask(self, arrival: Arrival, answer: Answer, right: bool | None) -> Reply:  # noqa: FBT001 - a fact, not a switch
        token = self._chance.octets(12).hex()
        self._waiting[token] = _Waiting(
            arrival=arrival,
            answer=answer,
            since_us=self._clock.now_us(),
            right=right,
            settled=right is False,
        )
        if answer.action is Action.PUZZLE:
            return Reply(next="puzzle", token=token, bits=PUZZLE_BITS)
        return Reply(next="confirm", token=token)

    async def _finish(
        self,
        arrival: Arrival,
        answer: Answer,
        *,
        right: bool,
        challenge: ChallengeResult = ChallengeResult.NONE,
    ) -> Reply:
        outcome = Outcome.SUCCESS if right else self._failure(arrival)
        await self._checkpoint.settle(answer.id, outcome, challenge)
        if not right:
            return AGAIN
        return Reply(next="welcome", cookie=arrival.cookie or self._keys.cookie(arrival))

    def _failure(self, arrival: Arrival) -> Outcome:
        return Outcome.WRONG_SECRET if arrival.name in self._members else Outcome.NO_SUCH_MEMBER

    def _proves(self, name: str, token: str, given: str) -> bool:
        member = self._members.get(name)
        expected = proof(member.proof_key if member else sha256(token.encode()).digest(), token)
        return hmac.compare_digest(expected.encode(), given.encode()) and member is not None

    async def _is_right(self, arrival: Arrival) -> bool:
        """Verify the password in a thread; a name that nobody has costs the same time."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._verify, arrival.name, arrival.password)

    def _verify(self, name: str, password: str) -> bool:
        member = self._members.get(name)
        stored = self._hashes.get(name if member else "")
        if stored is None:
            # Hashing everybody's password beforehand would take minutes: each waits until it is needed.
            stored = self._hasher.hash(member.password if member else STAND_IN)
            self._hashes[name if member else ""] = stored
        try:
            return self._hasher.verify(stored, password) and member is not None
        except VerificationError:
            return False


def solves(token: str, solution: str) -> bool:
    """Say whether a text solves a puzzle: the hash of both begins with enough zero bits."""
    digest = sha256(f"{token}:{solution}".encode()).digest()
    return int.from_bytes(digest[:4], "big") >> (32 - PUZZLE_BITS) == 0


def solve(token: str) -> str:
    """Solve a puzzle as a browser does: by trying."""
    number = 0
    while not solves(token, str(number)):
        number += 1
    return str(number)
