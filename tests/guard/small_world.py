"""A small seeded world: members with homes, phones and habits, and an attacker with a list of leaked pairs.

It is made to be readable and quick, and says nothing about how good the guard is: `sekisho range` and logs
of the real world do.
"""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sekisho.guard.attempts import Attempt, ChallengeResult, Outcome
from sekisho.guard.decisions import Action, Decision
from sekisho.guard.guard import Guard
from sekisho.guard.policy import Policy
from sekisho.kernel.chance import SeededChance

START_S = 1_780_000_000
DAY_S = 86_400
KEY = bytes(range(32))
PHONES = tuple(
    f"Mozilla/5.0 (iPhone; CPU iPhone OS 17_{minor} like Mac OS X) Version/17.{minor} Safari/604.1"
    for minor in range(5)
) + tuple(
    f"Mozilla/5.0 (Linux; Android 1{major}) Chrome/12{major}.0 Mobile Safari/537.36" for major in range(5)
)
ROBOTS = ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/126.0 Safari/537.36", "python-requests/2.31")


@dataclass(frozen=True, slots=True)
class Event:
    """An attempt, what the password check says of it, and the truth that the guard is not told."""

    attempt: Attempt
    outcome: Outcome
    hostile: bool = False


@dataclass(frozen=True, slots=True)
class Judged:
    """An event with the guard's decision."""

    event: Event
    decision: Decision

    @property
    def stopped(self) -> bool:
        return self.decision.action is not Action.ALLOW


def visit(member: int, time_s: float, /, *, token: bool = True, **changed: object) -> Attempt:
    """Return an ordinary visit of a member: from home, on the member's own phone."""
    told: dict[str, object] = {
        "time_us": int(time_s * 1e6),
        "member": f"m{member}",
        "known": True,
        "ip": f"10.{member % 40}.{member // 40 % 256}.{7 + member // 10_240}",
        "asn": 2500 + member % 5,
        "user_agent": PHONES[member % len(PHONES)],
        "tls": f"phone{member % len(PHONES)}",
        "device": f"token-of-m{member}" if token else "",
    }
    return Attempt(**{**told, **changed})  # type: ignore[arg-type]  # what is changed is typed at the call


def honest_traffic(
    *, days: float, seed: int = 1, members: int = 1_200, visits_a_day: int = 400, start_s: float = START_S
) -> Iterator[Event]:
    """One visit in ten brings no token, half of those from another network; one in fifteen begins with a
    slip.
    """
    chance = SeededChance(seed)
    visits = int(days * visits_a_day)
    times = sorted(start_s + days * DAY_S * chance.fraction() for _ in range(visits))
    for time_s in times:
        member = chance.below(members)
        token = chance.fraction() < 0.9
        changed: dict[str, object] = {}
        if not token and chance.below(2):
            changed = {
                "ip": f"10.{60 + chance.below(20)}.{chance.below(200)}.9",
                "asn": 2600 + chance.below(3),
            }
        if chance.below(15) == 0:
            yield Event(visit(member, time_s - 9, token=token, **changed), Outcome.WRONG_SECRET)
        yield Event(visit(member, time_s, token=token, **changed), Outcome.SUCCESS)


def list_attack(
    *,
    start_s: float,
    attempts: int,
    lasts_s: float,
    seed: int = 2,
    members: int = 1_200,
    known: float = 0.3,
    hit: float = 0.0,
    addresses: int = 1 << 20,
) -> Iterator[Event]:
    """One try an account, each from an address drawn from many, most names not those of members."""
    chance = SeededChance(seed)
    for number in range(attempts):
        exists = chance.fraction() < known
        right = exists and chance.fraction() < hit
        where = chance.below(addresses)
        attempt = Attempt(
            time_us=int((start_s + lasts_s * number / attempts) * 1e6),
            member=f"m{chance.below(members)}" if exists else f"listed{seed}_{number}",
            known=exists,
            ip=f"{100 + where % 37}.{where >> 16 & 255}.{where >> 8 & 255}.{where & 255}",
            asn=60_000 + where % 37,
            user_agent=ROBOTS[number % 3 == 0],
            tls="robot",
        )
        failed = Outcome.WRONG_SECRET if exists else Outcome.NO_SUCH_MEMBER
        yield Event(attempt, Outcome.SUCCESS if right else failed, hostile=True)


def together(*streams: Iterable[Event]) -> Iterator[Event]:
    """Merge streams of events by their time."""
    return heapq.merge(*streams, key=lambda event: event.attempt.time_us)


def new_guard(policy: Policy | None = None, *, shadows: tuple[Policy, ...] = (), key: bytes = KEY) -> Guard:
    """Return a guard without a past, small enough for a test."""
    return Guard(key=key, policy=policy, shadows=shadows, addresses=1 << 16, devices=1 << 14)


def play(guard: Guard, events: Iterable[Event]) -> list[Judged]:
    """Let the guard judge and learn as a login does: a challenge is passed by members and by nobody else."""
    judged = []
    for event in events:
        decision = guard.assess(event.attempt)
        judged.append(Judged(event, decision))
        challenge = ChallengeResult.NONE
        if event.outcome is Outcome.SUCCESS and decision.action is not Action.ALLOW:
            challenge = ChallengeResult.ABANDONED if event.hostile else ChallengeResult.PASSED
        guard.learn(event.attempt, decision, event.outcome, challenge)
    return judged


def share(values: Iterable[bool]) -> float:
    """Return which part of the values is true, 0 where there are none."""
    found = list(values)
    return sum(found) / len(found) if found else 0.0
