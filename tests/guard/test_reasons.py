"""Each reason is one fact that an analyst can check: it is given where the fact holds, and only there."""

import pytest
from tests.guard.small_world import START_S, new_guard, visit
from tests.project_files import ROOT

from sekisho.guard.attempts import Outcome
from sekisho.guard.evidence import PROVIDER
from sekisho.guard.reasons import REASONS, reasons
from sekisho.guard.rules import RULES

NOW_S = START_S + 3_600
POPULAR = {"secret": "token-of-a-popular-pin"}


@pytest.fixture(scope="module")
def guard():
    """Members 1 and 2 came three times from home; an address, a secret and a name failed several times."""
    guard = new_guard()

    def met(attempt, outcome):
        guard.learn(attempt, guard.assess(attempt), outcome)

    for day in range(3):
        met(visit(1, START_S + day), Outcome.SUCCESS)
        met(visit(2, START_S + day), Outcome.SUCCESS)
    for number in range(4):
        sprayed = visit(50 + number, NOW_S - 60, token=False, ip="203.0.113.1", **POPULAR)
        met(sprayed, Outcome.WRONG_SECRET)
        met(visit(9, NOW_S - 60, token=False, ip=f"198.51.100.{number}"), Outcome.WRONG_SECRET)
    return guard


def _reasons(guard, attempt, *, campaign=False):
    lane = guard.lane("login")
    lane.tables.advance(NOW_S)
    return set(reasons(guard.recollection.observe(attempt, lane.tables, NOW_S), campaign=campaign))


@pytest.mark.parametrize(
    ("reason", "speaks", "silent"),
    [
        pytest.param("no_device_token", {"token": False}, {"device": "new"}, id="no_device_token"),
        pytest.param(
            "unproven_device_token", {"device": "new"}, {"token": False}, id="unproven_device_token"
        ),
        pytest.param(
            "foreign_device_token", {"device": "token-of-m2"}, {"device": "new"}, id="foreign_device_token"
        ),
        pytest.param(
            "forged_device_token", {"device_valid": False}, {"device": "new"}, id="forged_device_token"
        ),
        pytest.param(
            "moved_device_token", {"user_agent": "curl/8"}, {"device": "new"}, id="moved_device_token"
        ),
        pytest.param(
            "authenticated_partner", {"client": "books"}, {"token": False}, id="authenticated_partner"
        ),
        pytest.param("no_history", {"token": False, "member": "m77"}, {"token": False}, id="no_history"),
        pytest.param(
            "new_network", {"token": False, "ip": "198.18.0.1", "asn": 9}, {"token": False}, id="new_network"
        ),
        pytest.param(
            "new_client", {"token": False, "user_agent": "curl/8"}, {"token": False}, id="new_client"
        ),
        pytest.param("new_address", {"token": False, "ip": "10.1.0.99"}, {"token": False}, id="new_address"),
        pytest.param(
            "failing_address", {"token": False, "ip": "203.0.113.1"}, {"token": False}, id="failing_address"
        ),
        pytest.param("sprayed_secret", {"token": False} | POPULAR, {"token": False}, id="sprayed_secret"),
        pytest.param(
            "guessed_account", {"token": False, "member": "m9"}, {"token": False}, id="guessed_account"
        ),
        pytest.param(
            "leaked_pair",
            {"token": False, "leaked": True},
            {"token": False, "leaked": False},
            id="leaked_pair",
        ),
    ],
)
def test_a_reason_is_given_for_its_fact_alone(guard, reason, speaks, silent):
    token = {"token": True} | speaks
    assert reason in _reasons(guard, visit(1, NOW_S, **token))
    assert reason not in _reasons(guard, visit(1, NOW_S, **({"token": True} | silent)))


def test_a_member_without_a_past_is_not_new_anywhere(guard):
    """Nothing can be new to somebody of whom nothing is known: that would say one fact three times."""
    told = _reasons(guard, visit(77, NOW_S, token=False, ip="198.18.0.1", user_agent="curl/8"))
    assert not told & {"new_network", "new_client"}


def test_the_campaign_comes_first_where_one_is_on(guard):
    seen = guard.recollection.observe(visit(1, NOW_S, token=False), guard.lane("login").tables, NOW_S)
    assert reasons(seen, campaign=True)[0] == "campaign"
    assert "campaign" not in reasons(seen, campaign=False)


def test_a_provider_that_fails_twice_as_often_as_usual_is_named(guard):
    attempt = visit(1, NOW_S, token=False)
    lane = guard.lane("login")
    seen = guard.recollection.observe(attempt, lane.tables, NOW_S)
    assert "provider_under_attack" not in reasons(seen, campaign=False)
    lane.tables.provider.failures[seen.facts.provider] += 100.0 * lane.tables.slow.weight
    attacked = guard.recollection.observe(attempt, lane.tables, NOW_S)
    assert attacked.facts.codes[PROVIDER] > seen.facts.codes[PROVIDER]
    assert "provider_under_attack" in reasons(attacked, campaign=False)


def test_a_known_device_is_the_only_reason_of_who_has_one():
    guard = new_guard()
    for _ in range(2):
        attempt = visit(1, START_S)
        decision = guard.assess(attempt)
        guard.learn(attempt, decision, Outcome.SUCCESS)
    assert decision.reasons == ("known_device",)


def test_every_reason_has_a_sentence():
    """A rule's name may be a reason's too: both say the same."""
    assert all(text.endswith(".") and text[0].isupper() for text in REASONS.values())
    assert set(RULES) & set(REASONS) == {"forged_device_token"}


def test_every_reason_is_documented():
    """They stand in the record, in answers and on pages, and are read by people who ask what they mean."""
    page = (ROOT / "docs" / "reference" / "reasons.md").read_text("utf-8")
    assert [name for name in REASONS if f"| `{name}` |" not in page] == []
