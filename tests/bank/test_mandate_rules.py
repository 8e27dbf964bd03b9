"""The pure rules: how a mandate moves, and what of a debit speaks for holding it back."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.bank.debit_signs import DebitWatchSettings, Seen, Sign, burst_threshold, sign_in
from sekisho.bank.mandate_states import Deed, MandateState, Standing, Who, after
from sekisho.kernel.clock import DAY_US
from sekisho.kernel.yen import Yen

STATES = list(MandateState)
EVERY = [
    Standing(state, frozenset(stops))
    for state in STATES
    for count in range(len(Who) + 1)
    for stops in itertools.combinations(Who, count)
]
MOVES = [(standing, deed, who) for standing in EVERY for deed in Deed for who in Who]


def test_what_has_ended_never_begins_again():
    for standing, deed, who in MOVES:
        if standing.state is MandateState.REVOKED:
            assert after(standing, deed, who) is None


def test_nobody_lifts_another_s_stop():
    for standing, deed, who in MOVES:
        moved = after(standing, deed, who)
        if moved is not None:
            assert standing.stops - moved.stops <= {who}


def test_a_stop_is_over_when_the_last_one_is_lifted():
    for standing, deed, who in MOVES:
        moved = after(standing, deed, who)
        if moved is not None and deed is Deed.ALLOW:
            assert (moved.state is MandateState.ACTIVE) is (not moved.stops)


def test_a_partner_neither_ends_nor_begins_a_dispute():
    for standing, deed, _ in MOVES:
        moved = after(standing, deed, Who.PARTNER)
        if moved is not None:
            assert MandateState.DISPUTED not in {standing.state, moved.state}


def test_no_deed_makes_a_mandate_active_past_the_bank_s_authentication():
    for standing, deed, who in MOVES:
        moved = after(standing, deed, who)
        if moved is not None and standing.state is MandateState.REQUESTED:
            assert moved.state in {MandateState.BANK_AUTHENTICATED, MandateState.REVOKED}


SETTINGS = DebitWatchSettings()
QUIET = Seen(
    age_us=0,
    is_first=True,
    amount=Yen(10_000),
    month_ceiling=Yen(300_000),
    first_in_hour=0,
    first_before=0,
    run=0,
    run_amount=Yen(0),
)
AMOUNTS = st.integers(0, 10**7).map(Yen)
SEEN = st.builds(
    Seen,
    age_us=st.integers(0, 2 * DAY_US),
    is_first=st.booleans(),
    amount=AMOUNTS,
    month_ceiling=AMOUNTS,
    first_in_hour=st.integers(0, 500),
    first_before=st.integers(0, 100_000),
    run=st.integers(0, 50),
    run_amount=AMOUNTS,
)


@given(seen=SEEN)
def test_a_mandate_that_has_been_there_is_never_held(seen):
    assert sign_in(seen._replace(age_us=SETTINGS.new_for_us), SETTINGS) is None


@given(seen=SEEN, more=st.integers(1, 100_000))
def test_the_more_a_partner_is_used_to_the_later_it_is_held(seen, more):
    used = seen._replace(first_before=seen.first_before + more)
    if sign_in(seen, SETTINGS) is None:
        assert sign_in(used, SETTINGS) is None


@pytest.mark.parametrize(
    ("before", "threshold"), [(0, 30), (2_016, 30), (2_017, 35), (2_400, 40), (100_000, 1_490)]
)
def test_an_ordinary_hour_is_a_twelfth_of_a_day(before, threshold):
    assert burst_threshold(before, SETTINGS) == threshold


@pytest.mark.parametrize(
    ("changes", "sign"),
    [
        ({}, None),
        ({"first_in_hour": 29}, None),
        ({"first_in_hour": 30}, Sign.FIRST_DEBITS_BURST),
        ({"first_in_hour": 30, "is_first": False}, None),
        ({"run": 1, "run_amount": Yen(140_000)}, None),
        ({"run": 1, "run_amount": Yen(140_001)}, Sign.RUN_TO_CEILING),
        ({"amount": Yen(300_000)}, None),
    ],
)
def test_where_the_signs_begin(changes, sign):
    assert sign_in(QUIET._replace(**changes), SETTINGS) is sign
