"""The hunt's calculations, each against a plain reckoning."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.campaigns.calibration import count_hits
from sekisho.campaigns.coded import code_attempts, pair_codes
from sekisho.campaigns.learning import Feature, fit_ratio
from sekisho.campaigns.neighbours import Neighbours, group_sums
from sekisho.campaigns.recurrence import (
    DEVICE_BORN_HERE,
    NEVER_OF_FEW,
    NO_OTHER_LOGIN,
    ONLY_AFTER,
    recurrence,
)
from sekisho.campaigns.trust import MISTYPED_NAME, SAME_PLACE, UNEXPLAINED, explanations, proven
from sekisho.campaigns.volume import busyness, usual_level

GROUPS = st.lists(st.tuples(st.integers(-1, 3), st.integers(0, 50)), min_size=1, max_size=40)


@given(rows=GROUPS, span=st.one_of(st.none(), st.integers(0, 60)))
def test_neighbours_are_those_of_the_group_within_the_span_and_never_oneself(rows, span):
    rows = sorted(rows, key=lambda row: row[1])
    group = np.array([code for code, _ in rows], np.int32)
    times = np.array([time for _, time in rows], np.int64)
    values = np.arange(1.0, len(rows) + 1)
    found = Neighbours(group, times, np.arange(len(rows)), (span,)).sums(values)[0]
    for place, (code, time) in enumerate(rows):
        expected = sum(
            values[other]
            for other, (its, then) in enumerate(rows)
            if other != place and its == code != -1 and (span is None or abs(then - time) <= span)
        )
        assert found[place] == pytest.approx(expected)


@given(rows=GROUPS)
def test_group_sums_are_neighbours_over_the_whole_log(rows):
    group = np.array([code for code, _ in rows], np.int32)
    everybody = np.arange(len(rows))
    values = np.ones(len(rows))
    near = Neighbours(group, np.zeros(len(rows), np.int64), everybody, (None,)).sums(values)[0]
    assert group_sums(group, values, everybody) == pytest.approx(near)


def test_pairs_have_a_code_each_and_none_where_a_part_is_absent():
    codes = pair_codes(np.array([0, 1, 0, -1, 1], np.int32), np.array([5, 5, 5, 5, -1], np.int32))
    assert codes[0] == codes[2] != codes[1]
    assert codes[3] == codes[4] == -1


def test_the_ratio_of_two_samples_is_found():
    """Cell 1 is nine times as common among the hostile, cell 0 a third as common among the honest."""
    cells = np.array([0, 1] * 2000, np.int16)
    hostile = np.where(cells == 1, 0.9, 0.1)
    honest = np.where(cells == 1, 0.1, 0.9)
    ratio = fit_ratio([Feature("x", cells, 2)], hostile, honest)
    scores = ratio.log_ratio([Feature("x", np.array([0, 1], np.int16), 2)])
    assert scores == pytest.approx([-np.log(9), np.log(9)], abs=0.15)


def test_what_is_seen_in_neither_sample_says_nothing():
    cells = np.zeros(100, np.int16)
    ratio = fit_ratio([Feature("x", cells, 3)], np.ones(100), np.ones(100))
    assert ratio.tables["x"][2] == 0


@pytest.mark.parametrize("hits", [20, 200, 2000])
def test_hits_are_counted_from_scores(hits):
    """Log likelihood ratios, hostile around +4, honest around -4, variance 8, with their numbers added."""
    chance = np.random.default_rng(5)
    numbers = np.log(5_000 / 20_000)
    tried = chance.normal(4, np.sqrt(8), 5_000) + numbers
    honest = chance.normal(-4, np.sqrt(8), 20_000)
    succeeded = np.concatenate([honest, chance.normal(4, np.sqrt(8), hits)]) + numbers
    found = count_hits(tried, np.ones(5000), succeeded)
    assert found.count == pytest.approx(hits, rel=0.5 if hits < 100 else 0.15)
    chances = found.probability(succeeded)
    assert chances[20_000:].mean() > 10 * chances[:20_000].mean()


def test_the_usual_level_is_that_of_the_calm_part():
    hours = np.full(480, 10.0)
    odd = np.full(480, 0.5)
    odd[400:] = 50.0
    assert 0.04 < usual_level(odd, hours) < 0.1


def test_an_hour_in_which_known_devices_fail_is_a_busy_one():
    failures, attempts = np.full(100, 2.0), np.full(100, 100.0)
    failures[50:56] = 30.0
    busy = busyness(failures, attempts)
    assert busy[10] == pytest.approx(1.0)
    assert busy[52] > 5


def coded(log):
    return code_attempts(log.table())["login"]


def test_a_device_that_the_member_succeeded_with_twice_proves_it(made_log):
    log = made_log(days=0)
    for time_us, device, outcome in (
        (1, "d", "success"),
        (2, "d", "success"),
        (3, "e", "success"),
        (4, "", "success"),
    ):
        log.add(member="m", ip="10.0.0.1", time_us=time_us, device=device, outcome=outcome)
    assert proven(coded(log)).tolist() == [True, True, False, False]


def test_a_token_that_failed_verification_proves_nothing(made_log):
    log = made_log(days=0)
    for time_us in (1, 2):
        log.add(member="m", ip="10.0.0.1", time_us=time_us, device="d", device_valid=0, outcome="success")
    assert not proven(coded(log)).any()


def test_slips_and_mistyped_names_are_explained_and_other_failures_are_not(made_log):
    log = made_log(days=0)
    rows = (
        (1_000_000, "m", "10.0.0.1", "wrong_secret", 1),
        (9_000_000, "m", "10.0.0.1", "success", 1),
        (20_000_000, "mm", "10.0.0.1", "no_such_member", 0),
        (30_000_000, "m", "203.0.113.1", "wrong_secret", 1),
    )
    for time_us, member, ip, outcome, known in rows:
        log.add(member=member, ip=ip, time_us=time_us, outcome=outcome, known=known, user_agent="a", tls="t")
    assert explanations(coded(log))[[0, 2, 3]].tolist() == [SAME_PLACE, MISTYPED_NAME, UNEXPLAINED]


def test_a_login_from_a_new_phone_is_followed_by_the_token_born_there(made_log):
    log = made_log(days=0)
    rows = ((1, "", "new"), (2, "token", "new"), (3, "token", "new"))
    for hour, device, agent in rows:
        log.add(
            member="m",
            ip="10.0.0.1",
            time_us=hour * 3_600_000_000,
            device=device,
            user_agent=agent,
            outcome="success",
        )
    log.add(member="n", ip="10.0.0.2", time_us=4 * 3_600_000_000, outcome="success")
    attempts = coded(log)
    found = recurrence(attempts, np.array([0, 3]), attempts.success)
    assert found.device_birth[0] == DEVICE_BORN_HERE
    assert found.aspects["prefix"].tolist() == [ONLY_AFTER, NO_OTHER_LOGIN]


def test_a_login_unlike_the_members_others_is_seen_as_such(made_log):
    log = made_log(days=0)
    for hour, ip in ((1, "10.0.0.1"), (2, "203.0.113.1")):
        log.add(member="m", ip=ip, time_us=hour * 3_600_000_000, outcome="success")
    attempts = coded(log)
    assert recurrence(attempts, np.array([1]), attempts.success).aspects["prefix"].tolist() == [NEVER_OF_FEW]


def test_networks_of_both_families_are_recognised(made_log):
    log = made_log(days=0)
    for number, ip in enumerate(
        ("10.1.2.3", "10.1.2.9", "2001:db8:1:2::9", "2001:db8:1:2:aa::1", "2001:db8::1")
    ):
        log.add(member="m", ip=ip, time_us=number, outcome="success")
    attempts = coded(log)
    assert attempts.prefix[0] == attempts.prefix[1] != attempts.prefix[2] == attempts.prefix[3]
    assert attempts.block[2] == attempts.block[3] != attempts.block[4]
