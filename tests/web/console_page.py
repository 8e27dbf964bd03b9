"""The console in process, with a tally that the tests fill: what the tests of its pages share."""

from sekisho.console.live_tally import LiveTally
from sekisho.guard.attempts import Attempt, ChallengeResult, Outcome
from sekisho.guard.decisions import Action, Decision
from sekisho.kernel.clock import SECOND_US, SetClock
from sekisho.web.console.app import create_console

NOW_US = 1_795_000_000 * SECOND_US


def filled_tally(now_us=NOW_US, *, live=True):
    """Return a tally that has seen ordinary logins, then an attack that let two members in."""
    tally = LiveTally()
    for ago in range(240, 0, -1):
        at_us = now_us - ago * SECOND_US
        for number in range(6):
            _honest(tally, f"member{ago:03d}{number}", at_us, device_valid=number > 0)
        if (40 if live else 120) <= ago < 200 or (live and ago < 40):
            for number in range(20):
                _hostile(
                    tally, f"leaked{ago:03d}{number:02d}", at_us, entered=ago in {50, 130} and not number
                )
    return tally


def _honest(tally, member, at_us, *, device_valid):
    attempt = Attempt(
        time_us=at_us, member=member, ip="10.0.0.1", asn=64_512, country="JP", device_valid=device_valid
    )
    decision = decided(Action.ALLOW, 0.01)
    tally.decided(attempt, decision, at_us)
    tally.settled(attempt, decision, Outcome.SUCCESS, ChallengeResult.NONE, at_us)


def _hostile(tally, member, at_us, *, entered):
    number = hash(member) % 7
    attempt = Attempt(time_us=at_us, member=member, ip=f"10.9.0.{number}", asn=64_520 + number, country="BR")
    action = Action.ALLOW if entered else [Action.PUZZLE, Action.CHALLENGE, Action.DENY][number % 3]
    decision = decided(action, 0.97, campaign="cmp_1", reasons=("a_reason_without_words", "another"))
    tally.decided(attempt, decision, at_us)
    if entered:
        tally.settled(attempt, decision, Outcome.SUCCESS, ChallengeResult.NONE, at_us)


def decided(action, probability, *, campaign="", reasons=()):
    return Decision(
        action=action,
        probability=probability,
        before_hash=action is not Action.ALLOW,
        reasons=reasons,
        policy="default",
        policy_revision=1,
        campaign=campaign,
    )


def console_with(tally, now_us=NOW_US):
    """Return the console's application over a tally, at a moment that stands still."""
    return create_console(tally, clock=SetClock(now_us), closing=lambda: False)
