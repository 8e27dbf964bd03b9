"""What share of a loss is made good, and what an assessment has to say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.kernel.clock import DAY_US
from sekisho.response.claim_policy import Assessment, Fault, awarded_yen, policies, policy_at, why_not

LOST_US = 1_790_000_000_000_000
POLICY = policy_at(LOST_US)


@given(st.integers(1, 10**9), st.integers(1, 10**9), st.integers(0, 100))
def test_nothing_is_awarded_above_the_loss_or_the_claim(claimed, loss, share):
    """Whatever is claimed, at most what was lost is paid."""
    awarded = awarded_yen(claimed, loss, share)
    assert 0 <= awarded <= min(claimed, loss)
    assert awarded_yen(claimed, loss, 100) == min(claimed, loss)


@pytest.mark.parametrize(
    ("fault", "share", "fits"),
    [
        (Fault.NO_FAULT, 100, True),
        (Fault.NO_FAULT, 99, False),
        (Fault.SLIGHT_NEGLIGENCE, 75, True),
        (Fault.SLIGHT_NEGLIGENCE, 74, False),
        (Fault.GROSS_NEGLIGENCE, 0, True),
        (Fault.GROSS_NEGLIGENCE, 1, False),
        (Fault.OWN_USE, 0, True),
    ],
)
def test_each_fault_has_its_shares(fault, share, fits):
    """Nobody pays half where the policy says all."""
    found = Assessment(fault, share, "the device is not known")
    assert (why_not(POLICY, found, lost_at_us=LOST_US, claimed_at_us=LOST_US) == "") is fits


@pytest.mark.parametrize(
    ("days", "late_for", "fits"),
    [
        (30, "", True),
        (31, "", False),
        (31, "in hospital", True),
        (730, "abroad", True),
        (731, "abroad", False),
    ],
)
def test_a_late_report_is_excused_and_a_lapsed_claim_is_not(days, late_for, fits):
    """Thirty days without more; two years at most."""
    found = Assessment(Fault.NO_FAULT, 100, "phished", late_for)
    said = why_not(POLICY, found, lost_at_us=LOST_US, claimed_at_us=LOST_US + days * DAY_US)
    assert (said == "") is fits


def test_an_assessment_has_a_reason():
    """Nothing is decided in silence."""
    found = Assessment(Fault.NO_FAULT, 100, " ")
    assert why_not(POLICY, found, lost_at_us=LOST_US, claimed_at_us=LOST_US)


def test_a_policy_is_dated():
    """What happened before the first policy falls under it."""
    assert policy_at(0) == policies()[0]
    assert [one.since for one in policies()] == sorted(one.since for one in policies())
