"""Attempts and decisions as the console's tests need them, with only what matters named."""

from sekisho.guard.attempts import Attempt, ChallengeResult, Outcome
from sekisho.guard.decisions import Action, Decision
from sekisho.kernel.clock import SECOND_US

NOW_S = 1_795_000_000
NOW_US = NOW_S * SECOND_US


def attempt(member="sato1", ip="10.0.0.1", asn=64_512, country="JP", *, device_valid=None):
    return Attempt(time_us=NOW_US, member=member, ip=ip, asn=asn, country=country, device_valid=device_valid)


def decision(action=Action.ALLOW, *, campaign="", before_hash=False, reasons=(), probability=0.1):
    return Decision(
        action=action,
        probability=probability,
        before_hash=before_hash,
        reasons=tuple(reasons),
        policy="default",
        policy_revision=1,
        campaign=campaign,
    )


def log_in(tally, at_s, *, settled=True, action=Action.ALLOW, challenge=ChallengeResult.NONE, **facts):
    """Let one attempt be decided and, where it is settled, succeed."""
    campaign, probability = facts.pop("campaign", ""), facts.pop("probability", 0.9)
    tried = attempt(**facts)
    decided = decision(action, campaign=campaign, probability=probability)
    tally.decided(tried, decided, at_s * SECOND_US)
    if settled:
        tally.settled(tried, decided, Outcome.SUCCESS, challenge, at_s * SECOND_US)
