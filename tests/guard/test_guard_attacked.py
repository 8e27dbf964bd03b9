"""A list attack on a guard that has seen three honest weeks, and what it may and may not change."""

from collections import Counter

import pytest
from tests.guard.small_world import (
    DAY_S,
    ROBOTS,
    START_S,
    honest_traffic,
    list_attack,
    new_guard,
    play,
    share,
    together,
    visit,
)

from sekisho.guard.attempts import Outcome
from sekisho.guard.decisions import Action
from sekisho.guard.policy import parse_policy

ATTACK_S = START_S + 21 * DAY_S
LASTS_S = DAY_S / 2
NOW_S = ATTACK_S + 3_600 + LASTS_S  # the attack is just over, the campaign is held
DENYING = 'id = "denying"\nrevision = 1\n[default]\non_outage = "closed"\ndeny_from = 0.99\n'
ROBOT = {"ip": "150.1.1.1", "asn": 60_005, "user_agent": ROBOTS[0], "tls": "robot"}


def _attacked(policy=None, **attack):
    guard = new_guard(policy)
    play(guard, honest_traffic(days=21))
    told = {"attempts": 3_000, "hit": 0.02} | attack
    stream = together(
        honest_traffic(days=0.54, seed=5, start_s=ATTACK_S),
        list_attack(start_s=ATTACK_S + 3_600, lasts_s=LASTS_S, **told),
    )
    return guard, play(guard, stream)


@pytest.fixture(scope="module")
def attacked():
    """Play a list of names of which three in ten exist, one try an account, each from a new address."""
    return _attacked()


def _of(judged, *, hostile, outcome=None):
    return [one for one in judged if one.event.hostile is hostile and outcome in (None, one.event.outcome)]


def test_the_campaign_is_named_within_a_dozen_attempts(attacked):
    guard, judged = attacked
    named = [bool(one.decision.campaign) for one in _of(judged, hostile=True)]
    assert named.index(True) <= 12
    assert share(named[12:]) > 0.99
    assert {one.decision.campaign for one in judged if one.decision.campaign} == {"cmp_login_1"}
    assert guard.lane("login").alarm.number == 1
    assert guard.lane("login").hit_rate < 0.1


def test_hits_are_stopped_before_the_password_is_hashed(attacked):
    """Whoever holds the right password is asked before it is even looked at."""
    _, judged = attacked
    hits = _of(judged, hostile=True, outcome=Outcome.SUCCESS)
    assert len(hits) > 10
    assert all(one.stopped for one in hits)
    assert share(one.decision.before_hash for one in hits) >= 0.95
    assert share(one.decision.before_hash for one in _of(judged, hostile=True)) > 0.95


def test_honest_members_pay_no_more_than_the_budget(attacked):
    guard, judged = attacked
    honest = _of(judged, hostile=False, outcome=Outcome.SUCCESS)
    gate = guard.policy.default
    # A few hundred successes: three standard errors of a share so small.
    slack = 3 * (gate.friction_campaign / len(honest)) ** 0.5
    assert share(one.stopped for one in honest) <= gate.friction_campaign + slack
    assert share(one.decision.before_hash for one in honest) <= gate.friction_before_hash + slack


def test_an_attack_with_many_right_passwords_is_stopped_as_well():
    """One in ten pairs is right: hits must not pass for honest members and buy their friends' way."""
    guard, judged = _attacked(hit=0.33)
    assert guard.lane("login").hit_rate > 0.1
    hits = _of(judged, hostile=True, outcome=Outcome.SUCCESS)
    assert len(hits) > 200
    assert share(one.stopped for one in hits) > 0.97


def test_the_reasons_name_what_can_be_checked(attacked):
    _, judged = attacked
    last = _of(judged, hostile=True)[-1].decision
    assert {"campaign", "no_device_token", "new_address"} <= set(last.reasons)
    assert last.probability > 0.9


def test_known_devices_pass_while_others_hammer_the_account(attacked):
    """A lockout is no weapon, not even in a campaign."""
    guard, judged = attacked
    with_token = [one for one in _of(judged, hostile=False) if one.decision.reasons == ("known_device",)]
    assert len(with_token) > 100
    assert not any(one.stopped for one in with_token)
    now_s = NOW_S
    (member,) = Counter(int(one.event.attempt.member[1:]) for one in with_token).most_common(1)[0][:1]
    for guess in range(40):
        attempt = visit(member, now_s + guess, token=False, **(ROBOT | {"ip": f"150.2.{guess}.1"}))
        guard.learn(attempt, guard.assess(attempt), Outcome.WRONG_SECRET)
    assert guard.assess(visit(member, now_s + 60)).action is Action.ALLOW
    assert guard.assess(visit(member, now_s + 60, token=False, **ROBOT)).action is Action.CHALLENGE


def _answers(guard, names, *, known, **told):
    now_s = NOW_S
    decisions = [
        guard.assess(visit(0, now_s, token=False, member=name, known=known, **told)) for name in names
    ]
    return Counter((decision.action, decision.before_hash) for decision in decisions)


@pytest.mark.parametrize(
    "told", [pytest.param(ROBOT, id="a robot's address"), pytest.param({}, id="a member's home")]
)
@pytest.mark.parametrize("attack", [False, True], ids=["calm", "campaign"])
def test_a_name_that_does_not_exist_is_answered_like_one_that_does(attacked, told, attack):
    """No oracle. Half the decoys have no past, like members who never came; the others have somebody's.

    So the answers to names that do not exist lie between those to members without and with a past.
    """
    guard = attacked[0]
    if not attack:
        guard = new_guard()
        play(guard, honest_traffic(days=21))
    assert guard.lane("login").in_campaign is attack
    unknown = _answers(guard, [f"nobody{number}" for number in range(2_000)], known=False, **told)
    without = _answers(guard, [f"newcomer{number}" for number in range(2_000)], known=True, **told)
    members = _answers(guard, [f"m{number}" for number in range(1_200)], known=True, **told)
    assert set(unknown) <= set(without) | set(members)
    assert set(without) <= set(unknown), (
        "whatever a member without a past may be told, nobody may be told too"
    )
    for answer, count in unknown.items():
        shares = (without[answer] / 2_000, members[answer] / 1_200)
        assert min(shares) - 0.05 <= count / 2_000 <= max(shares) + 0.05


@pytest.mark.parametrize("answered_after_s", [0, 3])
def test_labels_come_from_the_drawn_share_alone(answered_after_s):
    """Stopped before the hash, a failure is known for one in twenty, and stands for twenty.

    However long the check takes: others come meanwhile.
    """
    guard, _ = _attacked()
    lane, learnt, drawn, stopped = guard.lane("login"), 0.0, 0, 0
    for number in range(4_000):
        attempt = visit(0, NOW_S + number, token=False, **(ROBOT | {"member": f"m{number % 1_200}"}))
        decision = guard.assess(attempt)
        before = lane.labels
        guard.assess(visit(5, NOW_S + number + answered_after_s))
        guard.learn(attempt, decision, Outcome.WRONG_SECRET)
        assert (lane.labels > before) is (decision.label_wanted or not decision.before_hash)
        stopped += decision.before_hash
        drawn += decision.label_wanted
        learnt += lane.labels - before
    assert stopped > 3_900
    assert drawn / stopped == pytest.approx(guard.policy.default.label_share, rel=0.25)
    assert learnt == pytest.approx(drawn * 20.0, rel=0.05)


def test_no_label_is_wanted_of_what_was_let_through():
    decision = new_guard().assess(visit(3, START_S))
    assert decision.action is Action.ALLOW
    assert not decision.label_wanted


def test_a_sure_attack_is_denied_where_the_policy_says_so():
    _, judged = _attacked(parse_policy(DENYING))
    denied = [one for one in judged if one.decision.action is Action.DENY]
    assert len(denied) > 1_000
    assert all(one.decision.before_hash and one.decision.probability >= 0.99 for one in denied)
    assert share(not one.event.hostile for one in denied) < 0.01


def test_it_ends_and_peace_is_as_it_was():
    """After the hold the attack is forgotten: honest members are asked no more than before it."""
    guard, _ = _attacked()
    later_s = ATTACK_S + 3 * DAY_S
    lane = guard.lane("login")
    assert lane.odds.member.values != lane.odds.calm_member
    guard.assess(visit(3, later_s))
    assert lane.odds.member.values == lane.odds.calm_member
    judged = play(guard, honest_traffic(days=7, seed=9, start_s=later_s))
    assert not guard.lane("login").in_campaign
    assert not any(one.decision.campaign for one in judged[100:])
    honest = _of(judged, hostile=False, outcome=Outcome.SUCCESS)
    assert share(one.stopped for one in honest) < 0.006
