"""What speaks against money going out: each sign by itself, and what takes it away."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.kernel.clock import DAY_US, HOUR_US
from sekisho.kernel.yen import Yen
from sekisho.lender.money_out_signs import (
    PASSKEY_FROM,
    POINTS,
    STOPPED_FROM,
    Facts,
    is_doubted,
    money_out_signs,
)

NOW = 100 * DAY_US
CALM: dict[str, Any] = {
    "now_us": NOW,
    "amount": Yen(10_000),
    "headroom": Yen(500_000),
    "largest": Yen(50_000),
}
SIGNS: dict[str, dict[str, Any]] = {
    "risky_session": {"risk": 0.2},
    "campaign_session": {"campaign": "cmp_login_1"},
    "unconfirmed_device": {"device_trusted": False},
    "young_device": {"device_since_us": NOW - 23 * HOUR_US},
    "leaked_password": {"password_leaked": True},
    "contact_changed": {"contact_changed_us": NOW - 71 * HOUR_US},
    "payout_changed": {"payout_changed_us": NOW - 71 * HOUR_US},
    "young_passkey": {"passkey_since_us": NOW - HOUR_US},
    "repaid_to_draw": {"headroom": Yen(50_000), "repaid_lately": Yen(45_000)},
    "many_borrowings": {"borrowings_lately": 3},
    "far_above_usual": {"largest": Yen(3_000)},
    "nearly_all": {"headroom": Yen(11_000)},
}
OLD = {
    "device_since_us": NOW - DAY_US,
    "contact_changed_us": NOW - 3 * DAY_US,
    "payout_changed_us": NOW - 3 * DAY_US,
    "passkey_since_us": NOW - DAY_US,
}


def facts(**changes: Any) -> Facts:
    return Facts(**{**CALM, **changes})


def names(**changes):
    return money_out_signs(facts(**changes), risk_max=0.05).names


def test_an_ordinary_borrowing_has_no_signs():
    assert names() == ()
    assert names(**OLD) == ()
    assert names(risk=0.05) == ()


@pytest.mark.parametrize("sign", sorted(POINTS))
def test_each_sign_is_found_by_itself(sign):
    assert set(SIGNS) == set(POINTS)
    assert names(**SIGNS[sign]) == (sign,)


def test_a_passkey_takes_away_what_a_session_was_born_with_and_nothing_else():
    everything = {name: value for facts in SIGNS.values() for name, value in facts.items()}
    left = set(names(**everything, proven=True))
    assert left == set(names(**everything)) - {
        "risky_session",
        "campaign_session",
        "unconfirmed_device",
        "young_device",
    }


@given(later=st.integers(0, 400 * DAY_US))
def test_no_time_takes_the_doubt_away(later):
    then = facts(now_us=NOW + later, risk=0.2)
    assert is_doubted(then, 0.05)
    assert "risky_session" in money_out_signs(then, risk_max=0.05).names


def test_repaying_to_draw_again_is_seen_only_where_the_draw_needed_it():
    assert "repaid_to_draw" in names(headroom=Yen(50_000), repaid_lately=Yen(40_001))
    assert "repaid_to_draw" not in names(headroom=Yen(50_000), repaid_lately=Yen(40_000))


def test_one_ordinary_change_stops_nobody_and_several_ask_for_more():
    one = money_out_signs(facts(**SIGNS["contact_changed"]), risk_max=0.05)
    assert one.points < PASSKEY_FROM
    chain = {**SIGNS["contact_changed"], **SIGNS["payout_changed"], **SIGNS["repaid_to_draw"]}
    three = money_out_signs(facts(**chain, proven=True), risk_max=0.05)
    assert three.points >= STOPPED_FROM


def test_a_change_from_the_future_is_a_young_one():
    """The clock was set back: that must not make a change old."""
    assert names(contact_changed_us=NOW + DAY_US) == ("contact_changed",)
