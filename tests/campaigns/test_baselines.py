"""The published score as a judge: who is spared, what is learnt, and how often it challenges."""

import pytest

from sekisho.campaigns.baselines import FEWEST, FreemanJudge
from sekisho.guard.attempts import Attempt, ChallengeResult, Outcome
from sekisho.guard.decisions import Action
from sekisho.kernel.chance import SeededChance

MEMBERS = 50
FRICTION = 0.05
AGENTS = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) Safari/604.1",
    "Mozilla/5.0 (Windows NT 10.0) Firefox/130.0",
)


def coming(member, place, *, agent=0, **more):
    return Attempt(
        time_us=0, member=f"m{member}", ip=f"192.0.2.{place}", asn=64_500 + place % 3, country="JP",
        user_agent=AGENTS[agent], **more,
    )  # fmt: skip


def challenges(judge, attempt):
    return judge.assess(attempt).action is Action.CHALLENGE


def live(judge, attempt, challenge=ChallengeResult.NONE, outcome=Outcome.SUCCESS):
    """Let an attempt be decided and then be learnt."""
    decision = judge.assess(attempt)
    judge.learn(attempt, decision, outcome, challenge)
    return decision.action is Action.CHALLENGE


@pytest.fixture
def judge():
    """One that has seen its members come from home, one time in ten from elsewhere."""
    judge, chance = FreemanJudge(friction=FRICTION), SeededChance(4)
    for number in range(2 * FEWEST):
        member = number % MEMBERS
        place = member if chance.fraction() < 0.9 else chance.below(250)
        live(judge, coming(member, place, agent=member % 2))
    return judge


def test_a_stranger_with_the_right_password_is_challenged_and_home_is_not(judge):
    assert challenges(judge, coming(1, 200, agent=0))
    assert not challenges(judge, coming(1, 1, agent=1))


def test_an_earned_token_spares_its_member_alone(judge):
    """It counts from the success that carried it, and not in somebody else's hands."""
    strange = coming(1, 200, agent=0, device="cookie")
    assert live(judge, strange)
    assert not challenges(judge, coming(1, 201, agent=0, device="cookie"))
    assert challenges(judge, coming(3, 202, agent=0, device="cookie"))


@pytest.mark.parametrize(("valid", "challenged"), [(True, False), (False, True)])
def test_a_verified_token_needs_no_earning(judge, valid, challenged):
    strange = coming(1, 200, agent=0, device="cookie", device_valid=valid)
    assert challenges(judge, strange) is challenged


@pytest.mark.parametrize(
    ("outcome", "challenge", "learnt"),
    [
        (Outcome.SUCCESS, ChallengeResult.NONE, True),
        (Outcome.SUCCESS, ChallengeResult.PASSED, True),
        (Outcome.SUCCESS, ChallengeResult.FAILED, False),
        (Outcome.WRONG_SECRET, ChallengeResult.NONE, False),
    ],
)
def test_only_a_success_becomes_the_members_past(judge, outcome, challenge, learnt):
    strange = coming(1, 200, agent=1)
    before = judge.assess(strange).probability
    live(judge, strange, challenge, outcome)
    assert (judge.assess(strange).probability < before) is learnt


def test_about_the_share_that_was_asked_for_is_challenged(judge):
    chance = SeededChance(5)
    asked = 0
    for number in range(2 * FEWEST):
        member = number % MEMBERS
        place = member if chance.fraction() < 0.9 else chance.below(250)
        asked += live(judge, coming(member, place, agent=member % 2))
    assert 0.5 * FRICTION < asked / (2 * FEWEST) < 1.5 * FRICTION


def test_a_first_login_is_as_likely_an_attackers_as_the_members(judge):
    """The method has nothing to say about it: that is its weakness where an account is dormant."""
    assert judge.assess(coming(MEMBERS + 1, 7)).probability == 0.5


def test_a_gate_without_a_past_challenges_nobody(judge):
    """What is usual at the login says nothing about the bank link."""
    assert not challenges(judge, coming(1, 200, agent=0, gate="bank_link"))
