"""Logins a second through the login desk, beside bare Argon2id verifications on the same cores.

Run as a module with a number of logins and a folder; prints JSON.

A login here is what a member does on a known device: the claim is looked up, the guard is asked on record,
the password is verified in the pool, and a session is opened in the store. The bare verifications keep the
same number of threads busy with nothing else. A hostile attempt has a new name, address and password each
time and is held before the hash, as in a campaign: everything is done for it but the hash.
"""

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import NamedTuple

import msgspec

from sekisho.cli.bench_parts.figures import Logins
from sekisho.guard.answers import AsksGuard, GuardAnswer, Told
from sekisho.guard.attempts import Attempt, ChallengeResult, Outcome
from sekisho.guard.decisions import Action
from sekisho.guard.devices import DeviceTokens
from sekisho.guard.guard import Guard
from sekisho.identity import devices, passwords
from sekisho.identity.arrivals import Arrival
from sekisho.identity.assurance import Standing
from sekisho.identity.claims import LoginForm
from sekisho.identity.codes import CodeDesk
from sekisho.identity.hashing import Hasher
from sekisho.identity.institution import Institution, Parts
from sekisho.identity.leaked_lists import Leaks
from sekisho.identity.logins import LoginDesk
from sekisho.identity.member_numbers import draw
from sekisho.identity.welcomes import Welcome
from sekisho.kernel.chance import SeededChance
from sekisho.kernel.clock import SystemClock
from sekisho.kernel.ids import MEMBER
from sekisho.kernel.posture import Posture
from sekisho.storage.attempts import AttemptStore
from sekisho.storage.engine import open_store
from sekisho.storage.handwritten import change
from sekisho.storage.keyring import HeldKeyring, new_keys
from sekisho.storage.unit_of_work import Connection
from sekisho.web.guard_api.desk import GuardDesk
from sekisho.web.guard_client.local_guard import LocalGuard

MEMBERS = 64
CLIENTS = 16
ROUNDS = 15
HOSTILE_PER_LOGIN = 2
PASSWORD = "kumo-to-niwatori 37"  # noqa: S105 - an example's
HOME = Arrival(ip="192.0.2.10", user_agent="Mozilla/5.0 (Windows NT 10.0) Chrome/140.0", country="JP")
INSTITUTION = Institution(
    key="bench",
    names={"ja": "計測", "en": "Bench"},
    host="bench.localhost",
    origin="http://bench.localhost",
    telephone="0120-000-000",
    desk_hours={"ja": "", "en": ""},
)


class AtTheDoor(NamedTuple):
    """A member who can log in: the number, and the cookie of a known device."""

    number: str
    cookie: str


class Taken(NamedTuple):
    """What a round took: seconds of the clock, and of CPU on all cores."""

    seconds: float
    cpu_s: float


class Stops:
    """Asks a guard, on record, and stops whatever comes before the hash."""

    def __init__(self, guard: AsksGuard) -> None:
        self._guard = guard

    async def assess(self, attempt: Attempt) -> GuardAnswer:
        """Return the guard's answer, made as strict as can be."""
        answer = await self._guard.assess(attempt)
        stopped = msgspec.structs.replace(
            answer.decision, action=Action.DENY, before_hash=True, label_wanted=False
        )
        return msgspec.structs.replace(answer, decision=stopped)

    async def settle(
        self,
        attempt_id: str,
        outcome: Outcome,
        challenge: ChallengeResult = ChallengeResult.NONE,
        *,
        issue_device: bool = False,
    ) -> Told:
        """Tell the guard."""
        return await self._guard.settle(attempt_id, outcome, challenge, issue_device=issue_device)


class Bank(NamedTuple):
    """What logins are measured on."""

    parts: Parts
    guard: AsksGuard
    hasher: Hasher

    def desk(self, guard: AsksGuard) -> LoginDesk:
        """Return a desk that answers as soon as it can."""
        codes = CodeDesk(self.parts)
        return LoginDesk(
            self.parts, guard, self.hasher, codes, Leaks(), leaks_down=Posture.CLOSED, answer_floor_s=0
        )


async def measure(logins: int, folder: Path) -> Logins:
    """Log in so many times in each round, verify as many bare hashes in turns, then let strangers try."""
    async with _bank(folder) as bank:
        people = await _people(bank)
        desk = bank.desk(bank.guard)
        stored = await bank.hasher.hash(b"peppered")
        taken: list[list[Taken]] = [[], []]

        async def log_in(number: int) -> None:
            who = people[number % len(people)]
            arrival = msgspec.structs.replace(HOME, device_token=who.cookie)
            welcomed = await desk.begin(LoginForm(who.number, PASSWORD), arrival)
            if not isinstance(welcomed, Welcome):
                raise TypeError(f"{type(welcomed).__name__} in place of a welcome")

        async def verify(number: int) -> None:
            del number
            await bank.hasher.verify(stored, b"peppered")

        for _ in range(ROUNDS):
            for found, work in zip(taken, (log_in, verify), strict=True):
                found.append(await _timed(logins, work))
        await desk.close()
        return Logins(
            logins_per_second=logins / median(one.seconds for one in taken[0]),
            verifications_per_second=logins / median(one.seconds for one in taken[1]),
            share=median(bare.seconds / login.seconds for login, bare in zip(*taken, strict=True)),
            cpu_share=median(bare.cpu_s / login.cpu_s for login, bare in zip(*taken, strict=True)),
            hostile_per_cpu_second=await _hostile(bank, logins * HOSTILE_PER_LOGIN),
        )


async def _hostile(bank: Bank, attempts: int) -> float:
    desk = bank.desk(Stops(bank.guard))

    async def attempt(number: int) -> None:
        arrival = Arrival(ip=f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", user_agent="curl/8")
        await desk.begin(LoginForm(f"somebody{number}@example.jp", f"a guess of {number}"), arrival)

    began = process_time()
    await _by_clients(attempts, attempt)
    await desk.close()
    return attempts / (process_time() - began)


async def _timed(count: int, work: Callable[[int], Awaitable[None]]) -> Taken:
    began_s, began_cpu_s = perf_counter(), process_time()
    await _by_clients(count, work)
    return Taken(perf_counter() - began_s, process_time() - began_cpu_s)


async def _by_clients(count: int, work: Callable[[int], Awaitable[None]]) -> None:
    """Do a piece of work so many times, by clients that each begin anew when they were answered."""
    numbers = iter(range(count))

    async def client() -> None:
        for number in numbers:
            await work(number)

    await asyncio.gather(*(client() for _ in range(CLIENTS)))


async def _people(bank: Bank) -> list[AtTheDoor]:
    """Make members who have a password and a known device; one hash does for all."""
    parts = bank.parts
    peppered = passwords.pepper(parts.keyring, PASSWORD, None)
    hashed = await bank.hasher.hash(peppered.for_new)

    def open_all(connection: Connection) -> list[AtTheDoor]:
        return [
            _open(connection, parts, draw(parts.chance), (hashed, peppered.newest_pepper))
            for _ in range(MEMBERS)
        ]

    return await asyncio.wrap_future(parts.store.write(open_all))


def _open(connection: Connection, parts: Parts, number: str, hashed: tuple[str, str]) -> AtTheDoor:
    member_id, now_us = MEMBER.new(parts.clock, parts.chance), parts.clock.now_us()
    row = (member_id, number, "open", "ja", now_us)
    change(
        connection,
        "INSERT INTO member (id, number, state, language, opened_at_us) VALUES (?, ?, ?, ?, ?)",
        row,
    )
    passwords.put(connection, parts, member_id, *hashed)
    enrolled = devices.enrol(connection, parts, member_id, HOME, Standing.TRUSTED)
    return AtTheDoor(number, enrolled.cookie)


@asynccontextmanager
async def _bank(folder: Path) -> AsyncIterator[Bank]:
    clock, chance = SystemClock(), SeededChance(1)
    store = open_store(f"sqlite:///{folder}/logins.db")
    hasher = Hasher(chance)
    try:
        parts = Parts(INSTITUTION, store, HeldKeyring.of(new_keys(clock, chance), chance), clock, chance)
        yield Bank(parts, LocalGuard(_guard_desk(parts), on_outage=Posture.CLOSED), hasher)
    finally:
        hasher.close()
        store.close()


def _guard_desk(parts: Parts) -> GuardDesk:
    return GuardDesk(
        Guard(key=parts.chance.octets(32)),
        clock=parts.clock,
        chance=parts.chance,
        recorder=AttemptStore(parts.store, clock=parts.clock),
        on_outage=Posture.CLOSED,
        devices=DeviceTokens(parts.chance.octets(32)),
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(dir=sys.argv[2]) as place:
        measured = asyncio.run(measure(int(sys.argv[1]), Path(place)))
        sys.stdout.write(msgspec.json.encode(measured).decode())
