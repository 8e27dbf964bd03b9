"""The hunt from a log to campaigns and entered members."""

import numpy as np
import pytest

from sekisho.campaigns.cohorts import CampaignKind
from sekisho.campaigns.hunt import hunt

HOUR_US = 3_600_000_000


def quiet(_: str) -> None:
    """Progress that nobody reads."""


def test_a_list_attack_is_found_with_its_window_and_its_size(made_log):
    log = made_log(tries=4000)
    found = hunt(log.table(), quiet)
    assert [one.kind for one in found.campaigns] == [CampaignKind.LIST]
    campaign = found.campaigns[0]
    times = [row["time_us"] for row, bad in zip(log.rows, log.hostile, strict=True) if bad]
    assert abs(campaign.first_seen_us - min(times)) <= HOUR_US
    assert abs(campaign.last_seen_us - max(times)) <= HOUR_US
    believed = float(found.probability.sum())
    assert abs(believed / 4000 - 1) < 0.02


def test_the_entered_members_are_named_and_others_are_not(made_log):
    log = made_log(tries=4000)
    found = hunt(log.table(), quiet)
    truth, named = log.members_hit(), {one.member for one in found.entered}
    assert len(truth) > 10
    assert len(named & truth) >= 0.95 * len(truth)
    assert len(named - truth) <= 0.05 * len(named)
    assert all(one.why and one.campaign == 0 and one.probability >= 0.5 for one in found.entered)


def test_ordinary_days_give_no_campaign(made_log):
    found = hunt(made_log(days=20).table(), quiet)
    assert found.campaigns == []
    assert found.entered == []
    assert not found.probability.any()


def test_a_day_on_which_everybody_slips_is_no_campaign(made_log):
    """A broken release: known devices fail three times as often for half a day."""
    log = made_log(days=14)
    noon = log.rows[0]["time_us"] + 10 * 24 * HOUR_US
    for row in [row for row in log.rows if noon < row["time_us"] < noon + 12 * HOUR_US]:
        for _ in range(3):
            log.add(**{**row, "outcome": "wrong_secret"})
    assert hunt(log.table(), quiet).campaigns == []


@pytest.mark.parametrize("token", ["partner", ""])
def test_a_partner_with_stale_passwords_is_no_campaign(made_log, token):
    """An aggregator asks for hundreds of members from one address each dawn, some with an old password."""
    log = made_log(days=14)
    start = log.rows[0]["time_us"]
    for day in range(14):
        for number in range(200):
            log.add(
                member=f"m{number}",
                ip="198.51.100.7",
                device=token,
                user_agent="collector",
                tls="collector",
                time_us=start + day * 24 * HOUR_US + number * 1_000_000,
                outcome="wrong_secret" if number % 40 == 0 else "success",
            )
    assert hunt(log.table(), quiet).campaigns == []


def test_the_same_log_gives_the_same_ids_in_any_order_of_rows(made_log):
    log = made_log(tries=2000)
    table = log.table()
    shuffled = table.take(np.random.default_rng(1).permutation(table.num_rows))
    one, other = hunt(table, quiet), hunt(table, quiet)
    moved = hunt(shuffled, quiet)
    assert [c.campaign for c in one.campaigns] == [c.campaign for c in other.campaigns]
    assert {e.member for e in one.entered} == {e.member for e in moved.entered}


def test_a_hammered_account_is_a_brute_force(made_log):
    log = made_log()
    start = log.rows[0]["time_us"] + 8 * 24 * HOUR_US
    for number in range(300):
        log.add(
            hostile=True,
            member="m1",
            ip="203.0.113.5",
            time_us=start + number * 2_000_000,
            outcome="wrong_secret",
        )
    found = hunt(log.table(), quiet)
    assert [(c.kind, len(c.rows)) for c in found.campaigns] == [(CampaignKind.BRUTE_FORCE, 300)]


def test_a_log_of_one_attempt_is_hunted(made_log):
    table = made_log(days=1).table().slice(0, 1)
    assert hunt(table, quiet).campaigns == []


def test_a_log_of_failures_alone_is_all_hostile(made_log):
    """A honeypot has no honest member."""
    log = made_log(days=0)
    for number in range(500):
        log.add(
            hostile=True,
            member=f"n{number % 50}",
            known=-1,
            ip=f"203.0.113.{number % 90}",
            time_us=number * 600_000_000,
            outcome="wrong_secret",
        )
    found = hunt(log.table(), quiet)
    believed, grouped = float(found.probability.sum()), sum(len(one.rows) for one in found.campaigns)
    assert believed > 450
    assert grouped > 450
