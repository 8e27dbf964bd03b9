"""The world's past: weeks of honest logins that the guard has seen before the day that is played."""

from collections.abc import Iterable

import msgspec

from sekisho.guard.attempts import ChallengeResult, Outcome
from sekisho.guard.decisions import Action
from sekisho.guard.guard import Guard
from sekisho.kernel.clock import SECOND_US
from sekisho.range.arrivals import Arrival, HouseKeys
from sekisho.range.login_log import LoginLog
from sekisho.range.members import Visit
from sekisho.range.world import World

BETWEEN_TRIES_US = 8 * SECOND_US


class Past(msgspec.Struct, kw_only=True):
    """What the past held: attempts, and how many of the honest were asked for more."""

    attempts: int = 0
    asked: int = 0


def arrival_of(visit: Visit, number: int, at_us: int) -> Arrival:
    """Return a visitor's form as the house gets it; `number` counts what the visitor types, from 0."""
    name, password = visit.typed[number]
    return Arrival(
        at_us=at_us,
        name=name,
        password=password,
        ip=visit.ip,
        user_agent=visit.device.browser.user_agent,
        tls=visit.device.browser.tls,
        cookie=visit.device.cookie if visit.keeps_cookies else "",
    )


def live_through(
    visits: Iterable[Visit], world: World, keys: HouseKeys, guard: Guard, log: LoginLog | None = None
) -> Past:
    """Let the guard see visits as they happened; whoever is asked for an additional proof gives it."""
    past = Past()
    for visit in visits:
        for number in range(len(visit.typed)):
            arrival = arrival_of(visit, number, visit.at_us + number * BETWEEN_TRIES_US)
            attempt = keys.attempt(arrival, known=arrival.name in world.members)
            decision = guard.assess(attempt)
            outcome = _outcome(arrival, world)
            asked = outcome is Outcome.SUCCESS and decision.action in {Action.CHALLENGE, Action.DENY}
            challenge = ChallengeResult.PASSED if asked else ChallengeResult.NONE
            guard.learn(attempt, decision, outcome, challenge)
            if outcome is Outcome.SUCCESS and visit.keeps_cookies and not arrival.cookie:
                visit.device.cookie = keys.cookie(arrival)
            if log is not None:
                log.write(attempt, outcome, challenge)
            past.attempts += 1
            past.asked += asked
    return past


def _outcome(arrival: Arrival, world: World) -> Outcome:
    member = world.members.get(arrival.name)
    if member is None:
        return Outcome.NO_SUCH_MEMBER
    return Outcome.SUCCESS if member.password == arrival.password else Outcome.WRONG_SECRET
