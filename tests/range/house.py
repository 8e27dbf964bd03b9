"""A login house with a checkpoint whose answers the tests decide, and passwords that hash quickly."""

import asyncio

from argon2 import PasswordHasher

from sekisho.guard.attempts import ChallengeResult, Outcome
from sekisho.guard.decisions import Action
from sekisho.kernel.chance import SeededChance
from sekisho.kernel.clock import SECOND_US, SetClock
from sekisho.range.arrivals import Arrival, HouseKeys
from sekisho.range.checkpoint import Answer
from sekisho.range.login_house import LoginHouse
from sekisho.range.world import World

NOW_US = 1_795_000_000 * SECOND_US
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
WORLD = World(seed=7, size=50)
MEMBER = next(iter(WORLD.members.values()))


class DecidedCheckpoint:
    """Gives one answer to every attempt and keeps what it is told."""

    def __init__(self, action, *, before_hash=True):
        self.action = action
        self.before_hash = before_hash and action is not Action.ALLOW
        self.asked = []
        self.told = []

    async def assess(self, attempt):
        self.asked.append(attempt)
        return Answer(id=f"att_{len(self.asked)}", action=self.action, before_hash=self.before_hash)

    async def settle(self, attempt_id, outcome, challenge):
        assert isinstance(outcome, Outcome)
        assert isinstance(challenge, ChallengeResult)
        self.told.append((attempt_id, outcome.value, challenge.value))


def house_with(checkpoint, *, clock=None, hasher=QUICK):
    """Return a login house of the small world that asks this checkpoint."""
    return LoginHouse(
        WORLD.members,
        checkpoint,
        keys=HouseKeys(7),
        clock=clock or SetClock(NOW_US),
        chance=SeededChance(1),
        hasher=hasher,
        witness=lambda _mark, _answer: None,
    )


def arrival(name=MEMBER.name, password=MEMBER.password, cookie="", ip="10.0.0.1"):
    return Arrival(
        at_us=NOW_US, name=name, password=password, ip=ip, user_agent="A browser", tls="t13", cookie=cookie
    )


def wait_for(coroutine):
    return asyncio.run(coroutine)
