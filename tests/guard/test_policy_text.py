"""A policy that is written out reads as the same policy."""

from hypothesis import given
from hypothesis import strategies as st

from sekisho.guard.attempts import Gate
from sekisho.guard.decisions import Action
from sekisho.guard.policy import (
    NEVER,
    REVISION_MAX,
    GatePolicy,
    Policy,
    RuleSetting,
    default_policy,
    parse_policy,
)
from sekisho.guard.policy_text import policy_text
from sekisho.guard.rules import RULES
from sekisho.kernel.posture import Posture

SHARES = st.floats(0.0, 1.0)


@st.composite
def gates(draw):
    before, campaign = sorted((draw(SHARES), draw(SHARES)))
    limits = st.builds(RuleSetting, st.sampled_from(Action), st.floats(0.0, 1e9, exclude_min=True))
    return GatePolicy(
        on_outage=draw(st.sampled_from(Posture)),
        ask=draw(st.sampled_from([Action.PUZZLE, Action.CHALLENGE])),
        friction_calm=draw(SHARES),
        friction_before_hash=before,
        friction_campaign=campaign,
        deny_from=draw(st.just(NEVER) | st.floats(0.0, 1.0, exclude_min=True)),
        hold_s=draw(st.integers(0, 1 << 40)),
        label_share=draw(st.floats(0.0, 1.0, exclude_min=True)),
        rules=draw(st.dictionaries(st.sampled_from(sorted(RULES)), limits)),
    )


POLICIES = st.builds(
    Policy,
    id=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", fullmatch=True),
    revision=st.integers(0, REVISION_MAX),
    default=gates(),
    gates=st.dictionaries(st.sampled_from([gate.value for gate in Gate]), gates()),
)


@given(POLICIES)
def test_every_policy_is_read_back_as_it_was(policy):
    assert parse_policy(policy_text(policy)) == policy


def test_the_policy_that_comes_along_is_written_out_so_that_people_read_it():
    lines = policy_text(default_policy()).splitlines()
    assert lines[:5] == ['id = "default"', "revision = 1", "", "[default]", 'on_outage = "closed"']
    assert "friction_calm = 0.0022" in lines
    assert 'guesses_on_one_account = { action = "challenge", limit = 10.0 }' in lines
    assert not any(line.startswith("deny_from") for line in lines)
