"""Each rule holds and does not, on attempts that differ in the one thing that the rule looks at."""

import pytest
from tests.guard.small_world import START_S, new_guard, visit

from sekisho.guard.attempts import Outcome
from sekisho.guard.decisions import Action
from sekisho.guard.policy import RuleSetting, default_policy, parse_policy
from sekisho.guard.rules import RULES

ROBOT = "203.0.113.9"
DEFAULTS = default_policy().default.rules
HEAD = 'id = "strict"\nrevision = 1\n[default]\non_outage = "closed"\n[default.rules]\n'


@pytest.fixture
def guard():
    return new_guard()


def _fail(guard, attempt, outcome=Outcome.WRONG_SECRET):
    guard.learn(attempt, guard.assess(attempt), outcome)


def _succeed(guard, attempt):
    guard.learn(attempt, guard.assess(attempt), Outcome.SUCCESS)


def _seen(guard, attempt):
    return guard.recollection.observe(attempt, guard.lane(attempt.gate).tables, attempt.time_us // 1_000_000)


def _holds(guard, rule, attempt, limit=None):
    return RULES[rule](_seen(guard, attempt), DEFAULTS[rule].limit if limit is None else limit)


@pytest.mark.parametrize(("valid", "held"), [(False, True), (None, False), (True, False)])
def test_forged_device_token(guard, valid, held):
    attempt = visit(1, START_S, device_valid=valid)
    assert _holds(guard, "forged_device_token", attempt) is held
    without = visit(1, START_S, token=False, device_valid=valid)
    assert not _holds(guard, "forged_device_token", without)


@pytest.mark.parametrize(("leaked", "held"), [(True, True), (None, False), (False, False)])
def test_leaked_pair_on_unknown_device(guard, leaked, held):
    assert _holds(guard, "leaked_pair_on_unknown_device", visit(1, START_S, leaked=leaked)) is held


def test_a_leaked_pair_on_the_member_s_own_device_is_the_member(guard):
    _succeed(guard, visit(1, START_S))
    assert not _holds(guard, "leaked_pair_on_unknown_device", visit(1, START_S + 9, leaked=True))


def test_guesses_on_one_account(guard):
    for guess in range(10):
        assert not _holds(guard, "guesses_on_one_account", visit(1, START_S, token=False))
        _fail(guard, visit(1, START_S, token=False, ip=f"203.0.113.{guess}"))
    assert _holds(guard, "guesses_on_one_account", visit(1, START_S, token=False))
    assert not _holds(guard, "guesses_on_one_account", visit(2, START_S, token=False))
    later = visit(1, START_S + 3_600, token=False)
    assert not _holds(guard, "guesses_on_one_account", later), "half of them are forgotten after an hour"


def test_a_lockout_is_no_weapon(guard):
    """The member's own device does not pay for what others do to the account."""
    _succeed(guard, visit(1, START_S))
    for guess in range(50):
        _fail(guard, visit(1, START_S + guess, token=False, ip=f"203.0.113.{guess}"))
    own = visit(1, START_S + 60)
    assert not _holds(guard, "guesses_on_one_account", own)
    assert guard.assess(own).action is Action.ALLOW


def test_many_members_from_one_address(guard):
    for member in range(20):
        assert not _holds(guard, "many_members_from_one_address", visit(99, START_S, token=False, ip=ROBOT))
        _fail(guard, visit(member, START_S, token=False, ip=ROBOT))
    assert _holds(guard, "many_members_from_one_address", visit(99, START_S, token=False, ip=ROBOT))
    assert not _holds(guard, "many_members_from_one_address", visit(99, START_S, token=False))


def test_one_member_who_forgot_the_password_is_not_many(guard):
    for _ in range(60):
        _fail(guard, visit(7, START_S, token=False, ip=ROBOT))
    assert not _holds(guard, "many_members_from_one_address", visit(7, START_S, token=False, ip=ROBOT))


def test_a_carrier_s_address_fails_for_many_and_is_no_machine(guard):
    for member in range(400):
        _succeed(guard, visit(member, START_S, token=False, ip=ROBOT))
        if member % 4:
            _fail(guard, visit(member + 1_000, START_S, token=False, ip=ROBOT))
    assert not _holds(guard, "many_members_from_one_address", visit(99, START_S, token=False, ip=ROBOT))


def test_a_machine_that_hits_now_and_then_is_still_one(guard):
    for member in range(60):
        outcome = Outcome.SUCCESS if member % 15 == 0 else Outcome.WRONG_SECRET
        _fail(guard, visit(member, START_S, token=False, ip=ROBOT), outcome)
    assert _holds(guard, "many_members_from_one_address", visit(99, START_S, token=False, ip=ROBOT))


def test_one_secret_on_many_accounts(guard):
    def pin(member, value="token-of-a-pin"):
        return visit(member, START_S, token=False, ip=f"198.51.100.{member}", secret=value)

    for member in range(50):
        assert not _holds(guard, "one_secret_on_many_accounts", pin(200))
        _fail(guard, pin(member))
    assert _holds(guard, "one_secret_on_many_accounts", pin(200))
    assert not _holds(guard, "one_secret_on_many_accounts", pin(200, "token-of-another"))
    assert not _holds(guard, "one_secret_on_many_accounts", pin(200, ""))


def test_relayed_code(guard):
    """The signs' points add up, each once; a name that is not known is worth nothing."""
    stolen = visit(1, START_S, token=False, gate="code_entry", signs=("other_device", "strange_device"))
    assert _holds(guard, "relayed_code", stolen)
    for signs in ((), ("other_device", "other_device"), ("other_network",), ("other_device", "bad_luck")):
        assert not _holds(guard, "relayed_code", visit(1, START_S, token=False, signs=signs)), signs
    assert guard.assess(stolen).action is Action.CHALLENGE


def test_shared_signal(guard):
    """One strong word of a partner does it, or two weak ones; a relayed code's signs count elsewhere."""
    warned = visit(1, START_S, token=False, signs=("partner_hostile_source", "partner_hostile_device"))
    assert _holds(guard, "shared_signal", warned)
    assert _holds(guard, "shared_signal", visit(1, START_S, token=False, signs=("partner_risk_high",)))
    for signs in ((), ("partner_hostile_source",) * 2, ("partner_risk_medium",), ("other_session",)):
        assert not _holds(guard, "shared_signal", visit(1, START_S, token=False, signs=signs)), signs
    assert guard.assess(warned).action is Action.CHALLENGE


def _forged(policy=None):
    guard = new_guard(policy)
    return guard.assess(visit(1, START_S, device_valid=False))


def test_what_follows_from_a_rule_is_the_policy_s_business():
    assert _forged(parse_policy(HEAD + 'forged_device_token = { action = "deny" }')).action is Action.DENY
    assert _forged(parse_policy(HEAD + 'forged_device_token = { action = "puzzle" }')).action is Action.PUZZLE
    assert _forged(parse_policy(HEAD + "forged_device_token = {}")).action is Action.ALLOW


def test_a_rule_stands_before_the_hash_and_names_itself():
    decision = _forged()
    assert decision.action is Action.CHALLENGE
    assert decision.before_hash
    assert decision.reasons[0] == "forged_device_token"


def test_the_strictest_of_the_rules_that_hold_counts_and_all_are_named():
    policy = parse_policy(
        HEAD
        + 'forged_device_token = { action = "deny" }\nleaked_pair_on_unknown_device = { action = "puzzle" }'
    )
    decision = new_guard(policy).assess(visit(1, START_S, device_valid=False, leaked=True))
    assert decision.action is Action.DENY
    assert decision.reasons[:2] == ("forged_device_token", "leaked_pair_on_unknown_device")


def test_a_rule_is_off_unless_its_action_says_otherwise():
    assert RuleSetting().action is Action.ALLOW
