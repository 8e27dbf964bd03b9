"""What holds for the guard at any time: order, memory, gates, policies, and what a decision may tell."""

from ipaddress import ip_address
from typing import Any

import pytest
from tests.guard.small_world import (
    DAY_S,
    KEY,
    START_S,
    honest_traffic,
    list_attack,
    new_guard,
    play,
    share,
    together,
    visit,
)

from sekisho.guard.attempts import ChallengeResult, Outcome
from sekisho.guard.decisions import Action
from sekisho.guard.networks import BadAddress
from sekisho.guard.policy import parse_policy
from sekisho.guard.policy_faults import BadPolicy

STRICT = 'id = "strict"\nrevision = 7\n[default]\non_outage = "closed"\nfriction_calm = 0.05\n'
STRICTER = STRICT.replace("= 7", "= 8").replace("0.05", "0.2")


def _learn(guard, attempt, outcome, challenge=ChallengeResult.NONE):
    decision = guard.assess(attempt)
    guard.learn(attempt, decision, outcome, challenge)
    return decision


def _logins(guard):
    """Return how many successes of member 3 are known."""
    lane, late_s = guard.lane("login"), 4_290_000_000
    return guard.recollection.observe(visit(3, late_s, token=False), lane.tables, late_s).known.logins


def test_honest_weeks_cost_members_little():
    """Three weeks: no campaign, and no more asked than the budget for calm days allows."""
    guard = new_guard()
    judged = play(guard, honest_traffic(days=21, members=800))
    successes = [one for one in judged if one.event.outcome is Outcome.SUCCESS]
    assert share(one.stopped for one in successes) <= guard.policy.default.friction_calm * 1.25
    assert guard.lane("login").alarm.number == 0
    assert not any(one.decision.campaign for one in judged)
    assert not any(one.decision.before_hash for one in judged)


def test_the_same_stream_gives_the_same_decisions():
    """A replay decides as the request path did, to the last digit."""

    def decisions():
        attack = list_attack(start_s=START_S + 5 * DAY_S, attempts=1_000, lasts_s=DAY_S, hit=0.02)
        return [one.decision for one in play(new_guard(), together(honest_traffic(days=6), attack))]

    assert decisions() == decisions()


def test_an_outcome_that_was_never_decided_teaches_nothing():
    """Somebody else's decision, a decision learnt twice, a decision from before a restart."""
    guard, other = new_guard(), new_guard()
    attempt = visit(3, START_S)
    guard.learn(attempt, other.assess(attempt), Outcome.SUCCESS)
    assert _logins(guard) == 0
    decision = _learn(guard, attempt, Outcome.SUCCESS)
    guard.learn(attempt, decision, Outcome.SUCCESS)
    assert _logins(guard) == 1


def test_open_attempts_are_bounded():
    """Callers that never tell an outcome cost memory once and no more; the oldest is passed over."""
    guard = new_guard()
    attempt = visit(3, START_S)
    _learn(guard, attempt, Outcome.SUCCESS)
    first = guard.assess(attempt)
    for _ in range(65_536):
        last = guard.assess(attempt)
    guard.learn(attempt, first, Outcome.SUCCESS)
    assert _logins(guard) == 1
    guard.learn(attempt, last, Outcome.SUCCESS)
    assert _logins(guard) == 2


def test_a_bad_address_is_refused_and_leaves_no_trace():
    guard = new_guard()
    with pytest.raises(BadAddress):
        guard.assess(visit(3, START_S, ip="not an address"))
    assert _learn(guard, visit(3, START_S), Outcome.SUCCESS).action is Action.ALLOW


@pytest.mark.parametrize(
    ("challenge", "learnt"),
    [
        (ChallengeResult.NONE, 1),
        (ChallengeResult.PASSED, 1),
        (ChallengeResult.FAILED, 0),
        (ChallengeResult.ABANDONED, 0),
    ],
)
def test_who_does_not_pass_a_challenge_is_not_learnt_as_the_member(challenge, learnt):
    """The password was right: that alone does not make the place and the phone the member's own."""
    guard = new_guard()
    _learn(guard, visit(3, START_S, token=False), Outcome.SUCCESS, challenge)
    assert _logins(guard) == learnt


def test_a_clock_that_steps_back_or_far_ahead_stops_nothing():
    """A log with one line of the year 2105 or of 1970: what is learnt goes on, in the order of arrival."""
    guard = new_guard()
    for time_s in (START_S, START_S - 30 * DAY_S, 0, -5, 4_280_000_000, 10_000_000_000, START_S + 60):
        decision = _learn(guard, visit(3, time_s), Outcome.SUCCESS)
        _learn(guard, visit(4, time_s, token=False), Outcome.WRONG_SECRET)
    assert decision.action is Action.ALLOW
    assert _logins(guard) == 7


def test_no_reason_is_given_twice():
    """A forged token is a rule and a fact of the attempt."""
    decision = new_guard().assess(visit(3, START_S, device_valid=False))
    assert len(set(decision.reasons)) == len(decision.reasons)


def test_an_authenticated_partner_is_no_crowd_of_robots():
    """An aggregator logs thousands in from one address: its own key stands for it, and is given as reason."""
    guard = new_guard()
    decision = guard.assess(visit(3, START_S, token=False, client="household-books"))
    assert decision.reasons == ("authenticated_partner",)
    assert decision.action is Action.ALLOW


def test_gates_share_neither_thresholds_nor_alarms():
    """What is usual at a login is not usual at a bank link."""
    guard = new_guard()
    play(guard, honest_traffic(days=21))
    login, link = guard.lane("login"), guard.lane("bank_link")
    assert login.friction.thresholds[0] < float("inf") == link.friction.thresholds[0]
    assert link.friction.budgets != login.friction.budgets
    assert link.alarm.hold_s == guard.policy.gate("bank_link").hold_s
    for second in range(20):
        who = {"member": f"b{second}", "ip": f"203.0.{second}.1", "gate": "bank_link"}
        attempt = visit(0, START_S + 21 * DAY_S + second, token=False, **who)
        _learn(guard, attempt, Outcome.WRONG_SECRET)
    assert link.alarm.number == 1
    assert login.alarm.number == 0


def test_a_member_known_at_one_gate_is_a_stranger_at_the_other():
    guard = new_guard()
    _learn(guard, visit(3, START_S), Outcome.SUCCESS)
    attempt = visit(3, START_S, gate="bank_link", token=False)
    assert guard.recollection.observe(attempt, guard.lane("bank_link").tables, START_S).known.logins == 0


def test_shadow_policies_report_and_never_act():
    """A policy is tried beside the one in force: the same decisions, and what it would have done."""
    stream = [*honest_traffic(days=14)]
    alone = play(new_guard(), stream)
    beside = play(new_guard(shadows=(parse_policy(STRICT + 'ask = "puzzle"\n'),)), stream)
    assert [one.decision.action for one in alone] == [one.decision.action for one in beside]
    assert [one.decision.probability for one in alone] == [one.decision.probability for one in beside]
    acts = share(one.decision.shadow.get("strict@7") == "puzzle" for one in beside)
    assert 0.03 < acts < 0.07
    assert acts > 5 * share(one.stopped for one in beside)
    assert all(one.decision.policy == "default" for one in beside)
    assert not any(one.decision.shadow for one in alone)


def test_two_revisions_of_one_policy_are_told_apart():
    """The next revision is tried in the shadow of the one in force; the same one would hide its verdicts."""
    now, following = parse_policy(STRICT), parse_policy(STRICT.replace("revision = 7", "revision = 8"))
    decision = new_guard(now, shadows=(following,)).assess(visit(3, START_S, token=False))
    assert (decision.policy, decision.policy_revision, list(decision.shadow)) == ("strict", 7, ["strict@8"])
    with pytest.raises(BadPolicy, match="two policies strict@7"):
        new_guard(now, shadows=(now,))


def test_it_says_from_which_probability_each_policy_asks_now():
    """Calm, by score alone: whoever is above the line is asked, and nobody else."""
    guard = new_guard(parse_policy(STRICT.replace("0.05", "0.002")), shadows=(parse_policy(STRICTER),))
    assert guard.asks_from("login") == ()
    guard.assess(visit(3, START_S, token=False))
    (line, _) = guard.asks_from("login")
    assert (line.calm, line.before_hash, line.campaign) == (None, 0.5, 0.5)
    play(guard, [*honest_traffic(days=14)])
    asked = []
    for event in honest_traffic(days=2, start_s=START_S + 14 * DAY_S, seed=9):
        mild, strict = guard.asks_from("login")
        decision = _learn(guard, event.attempt, Outcome.SUCCESS)
        assert mild.calm is not None
        assert strict.calm is not None
        if decision.shadow:
            asked.append((decision.action != "allow", decision.shadow["strict@8"] != "allow"))
            assert asked[-1] == (decision.probability > mild.calm, decision.probability > strict.calm)
    assert sum(strict for _, strict in asked) > sum(mild for mild, _ in asked)


def test_the_policy_in_force_is_named_with_its_revision():
    decision = new_guard(parse_policy(STRICT)).assess(visit(3, START_S))
    assert (decision.policy, decision.policy_revision) == ("strict", 7)


def test_a_puzzle_is_asked_where_the_policy_says_so():
    policy = parse_policy(STRICT + 'ask = "puzzle"\n')
    judged = play(new_guard(policy), honest_traffic(days=14))
    assert {one.decision.action for one in judged} == {Action.ALLOW, Action.PUZZLE}


def test_a_decision_says_nothing_secret_or_personal():
    """It is stored, shown and sent on: no member, address, device, secret or key may stand in it."""
    guard = new_guard()
    told: dict[str, Any] = {
        "member": "hanako@example.jp",
        "ip": "203.0.113.77",
        "secret": "token-of-pin-4321",
    }
    told |= {"device": "device-cookie-77", "tls": "t13d1516h2", "user_agent": "Robot/9 (X11)"}
    told |= {"actor": "wallet-9", "session": "ses_55", "target": "atm_12"}
    attempt = visit(3, START_S, device_valid=False, leaked=True, **told)
    for _ in range(30):
        decision = _learn(guard, attempt, Outcome.WRONG_SECRET)
    assert decision.action is Action.CHALLENGE
    said = repr(decision) + "".join(decision.reasons) + str(decision.shadow)
    hidden = (*told.values(), KEY.hex(), repr(KEY), str(int(ip_address(told["ip"]))))
    assert not [value for value in hidden if value in said]
