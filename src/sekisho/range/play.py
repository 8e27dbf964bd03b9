"""One play: a world with a past, an ordinary day, and an attack in the middle of it, over real HTTP."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from copy import copy

import msgspec
from argon2 import PasswordHasher

from sekisho.guard.guard import Guard
from sekisho.kernel.chance import SeededChance
from sekisho.kernel.clock import DAY_US, HOUR_US, SECOND_US, Clock
from sekisho.kernel.japan import AHEAD_US
from sekisho.kernel.posture import Posture
from sekisho.range.arrivals import HouseKeys
from sekisho.range.attackers.list_attack import ListAttack, Try
from sekisho.range.checkpoint import HttpCheckpoint
from sekisho.range.login_house import LoginHouse
from sekisho.range.login_log import LoggedCheckpoint, LoginLog
from sekisho.range.login_site import LoginSite
from sekisho.range.members import Visit
from sekisho.range.past import Past, live_through
from sekisho.range.scoreboard import HONEST, HOSTILE, Auditor, Scoreboard
from sekisho.range.visitors import HttpDoor, attack, come
from sekisho.range.world import World
from sekisho.range.world_clock import WorldClock

OPENS_AT_US = 10 * HOUR_US
"""Each play begins at ten in the morning in Japan, so that the day's rhythm is always the same."""
AT_ONCE_MAX = 48
ARGON2 = PasswordHasher(time_cost=2, memory_cost=19 * 1_024, parallelism=1)
"""The cheapest setting that is recommended for passwords: 19 MiB, two passes."""
LOGIN_HOST = "login.localhost"


class Scale(msgspec.Struct, frozen=True, kw_only=True):
    """How large and how long: `speed` is the world's seconds in one of ours, the other times are ours.

    `evening_s` is how long members go on coming after the play is over, for those who still look at the page.
    """

    members: int
    past_days: int
    speed: int
    calm_s: int
    attack_s: int
    after_s: int
    tries: int
    evening_s: int

    @property
    def length_s(self) -> int:
        """How long the play takes, in seconds of our time."""
        return self.calm_s + self.attack_s + self.after_s


PLAYS = {
    "list-attack": "leaked name and password pairs, one try an account, through residential lines",
}
SCALES = {
    "laptop": Scale(
        members=16_000,
        past_days=21,
        speed=120,
        calm_s=30,
        attack_s=150,
        after_s=35,
        tries=4_500,
        evening_s=600,
    ),
    "small": Scale(
        members=4_000, past_days=14, speed=480, calm_s=6, attack_s=18, after_s=3, tries=540, evening_s=60
    ),
}


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """Where a play stands: seconds of our time, and the scoreboard so far."""

    elapsed_s: int
    length_s: int
    act: str
    board: Scoreboard


class Play:
    """A list-type attack on an ordinary day. What members and attacker do depends on the seed alone."""

    def __init__(  # noqa: PLR0913 - what a play needs, each named at the call
        self,
        scale: Scale,
        *,
        seed: int,
        clock: Clock,
        hasher: PasswordHasher,
        solves_puzzles: bool = False,
        log: LoginLog | None = None,
    ) -> None:
        self.scale = scale
        self.auditor = Auditor()
        self._solves_puzzles = solves_puzzles
        self._log = log
        self._seed = seed
        self._hasher = hasher
        self._keys = HouseKeys(seed)
        self._world = World(seed=seed, size=scale.members)
        second_us = scale.speed * SECOND_US
        starts_us = _latest_morning(clock.now_us() - (scale.length_s + scale.evening_s) * second_us)
        ends_us = starts_us + scale.length_s * second_us
        self._clock = WorldClock(clock, starts_us=starts_us, speed=scale.speed)
        visits = self._world.visits(
            starts_us - scale.past_days * DAY_US, ends_us + scale.evening_s * second_us
        )
        attack_us = starts_us + scale.calm_s * second_us
        tries = ListAttack(
            tries=scale.tries, start_us=attack_us, end_us=attack_us + scale.attack_s * second_us
        ).plan(self._world, SeededChance(seed + 1))
        self._past = [visit for visit in visits if visit.at_us < starts_us]
        today = [visit for visit in visits if starts_us <= visit.at_us < ends_us]
        self.day: list[Visit | Try] = sorted([*today, *tries], key=lambda event: event.at_us)
        self._evening: list[Visit | Try] = [visit for visit in visits if visit.at_us >= ends_us]
        self._ends_us = ends_us
        self._house: LoginHouse | None = None
        self._checkpoint: HttpCheckpoint | None = None

    def live_the_past(self, guard: Guard) -> Past:
        """Show the guard the weeks before the day, as it would have seen them."""
        return live_through(self._past, self._world, self._keys, guard, self._log)

    def open_house(self, guard_url: str, key: str) -> LoginSite:
        """Return the login house, which asks the guard at a URL with an API key."""
        self._checkpoint = HttpCheckpoint(guard_url, key, on_outage=Posture.CLOSED)
        self._house = LoginHouse(
            self._world.members,
            self._checkpoint if self._log is None else LoggedCheckpoint(self._checkpoint, self._log),
            keys=self._keys,
            clock=self._clock,
            chance=SeededChance(self._seed + 2),
            hasher=self._hasher,
            witness=self.auditor.witnessed,
        )
        return LoginSite(self._house)

    async def run(self, login_url: str, tell: Callable[[Progress], None]) -> Scoreboard:
        """Play the day against the open house; `tell` hears of the progress every second."""
        self._clock.begin()
        async with self._at_the_door(login_url) as door:
            keeping = asyncio.ensure_future(self._keep_house(tell))
            try:
                await self._visit_all(self.day, door)
                await asyncio.sleep(self._clock.wait_s(self._ends_us))
            finally:
                keeping.cancel()
        if self._log is not None:
            self._log.flush()
        return copy(self.auditor.board)

    async def go_on(self, login_url: str) -> None:
        """Let members come as on any evening, until the evening is over."""
        async with self._at_the_door(login_url) as door:
            keeping = asyncio.ensure_future(self._keep_house(lambda _: None))
            try:
                await self._visit_all(self._evening, door)
            finally:
                keeping.cancel()

    async def close(self) -> None:
        """Close the house."""
        if self._house is not None and self._checkpoint is not None:
            self._house.close()
            await self._checkpoint.aclose()
        if self._log is not None:
            self._log.close()

    @asynccontextmanager
    async def _at_the_door(self, login_url: str) -> AsyncIterator[HttpDoor]:
        door = HttpDoor(login_url, LOGIN_HOST)
        try:
            yield door
        finally:
            await door.aclose()

    async def _visit_all(self, events: list[Visit | Try], door: HttpDoor) -> None:
        places = asyncio.Semaphore(AT_ONCE_MAX)
        async with asyncio.TaskGroup() as tasks:
            for number, event in enumerate(events):
                await asyncio.sleep(self._clock.wait_s(event.at_us))
                await places.acquire()
                task = tasks.create_task(self._meet(event, number, door))
                task.add_done_callback(lambda _: places.release())

    async def _meet(self, event: Visit | Try, number: int, door: HttpDoor) -> None:
        if isinstance(event, Visit):
            stay = await come(event, door, f"{HONEST}{number}", self._clock.now_us())
            right = (event.member.name, event.member.password)
            self.auditor.left(stay, came_with_the_right_pair=right in event.typed)
            return
        mark = f"{HOSTILE}{number}"
        self.auditor.sends(event, mark)
        if await attack(event, door, mark, solves_puzzles=self._solves_puzzles):
            self.auditor.opened(event)

    async def _keep_house(self, tell: Callable[[Progress], None]) -> None:
        assert self._house is not None  # noqa: S101 - nobody comes before the house is open
        while True:
            await self._house.let_go()
            elapsed_s = self._clock.elapsed_us() // SECOND_US
            tell(
                Progress(
                    elapsed_s=elapsed_s,
                    length_s=self.scale.length_s,
                    act=self._act(elapsed_s),
                    board=self.auditor.board,
                )
            )
            await asyncio.sleep(1)

    def _act(self, elapsed_s: int) -> str:
        if elapsed_s < self.scale.calm_s:
            return "an ordinary day"
        if elapsed_s < self.scale.calm_s + self.scale.attack_s:
            return "a list-type attack"
        return "the attack is over"


def _latest_morning(before_us: int) -> int:
    """Return the last ten o'clock in Japan that is not after a moment."""
    days = (before_us + AHEAD_US - OPENS_AT_US) // DAY_US
    return days * DAY_US + OPENS_AT_US - AHEAD_US
