"""Signs that speak against a charge: none stops an honest member, together they stop an emptied account."""

import msgspec
import pytest

from sekisho.kernel.clock import DAY_US, MINUTE_US
from sekisho.kernel.yen import Yen
from sekisho.linking.link_partners import Strength
from sekisho.wallet.link_risk import (
    NEW_US,
    PASSKEY_FROM,
    POINTS,
    RAPID_US,
    STOPPED_FROM,
    ChargeFacts,
    charge_signs,
)

NOON_US = 1_790_000_000_000_000
YEAR_US = 365 * DAY_US
OLD = ChargeFacts(
    now_us=NOON_US,
    amount=Yen(10_000),
    wallet_opened_us=NOON_US - YEAR_US,
    linked_us=NOON_US - YEAR_US,
    strength=Strength.POSSESSION,
    once_max=Yen(100_000),
    month_max=Yen(300_000),
    charges_ever=12,
)
FIRST_DAY = msgspec.structs.replace(OLD, wallet_opened_us=NOON_US, linked_us=NOON_US, charges_ever=0)


def signs(facts, **changes):
    return charge_signs(msgspec.structs.replace(facts, **changes), risk_max=0.05)


def test_nothing_speaks_against_a_member_of_long_standing():
    assert signs(OLD).signs == ()


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("risky_session", {"risk": 0.06}),
        ("campaign_session", {"campaign": "cmp_1"}),
        ("warned_link", {"warned": True}),
        ("wallet_opened_today", {"wallet_opened_us": NOON_US - NEW_US + 1}),
        ("linked_today", {"linked_us": NOON_US - NEW_US + 1}),
        ("weak_link", {"strength": Strength.KNOWLEDGE}),
        ("young_device", {"device_since_us": NOON_US - MINUTE_US}),
        ("contact_changed", {"contact_changed_us": NOON_US - MINUTE_US}),
        ("rapid_charges", {"charges_rapid": 2}),
        ("first_charge_large", {"charges_ever": 0, "amount": Yen(50_000)}),
        ("charged_to_the_limit", {"charged_month": Yen(260_000)}),
        ("spent_at_once", {"spent_us": NOON_US - RAPID_US + 1}),
    ],
)
def test_each_sign_alone(name, changes):
    """One finding is one sign, and none alone stops anybody."""
    evidence = signs(OLD, **changes)
    assert evidence.names == (name,)
    assert evidence.points == POINTS[name] < STOPPED_FROM


@pytest.mark.parametrize(
    "changes",
    [
        {"risk": 0.05},
        {"risk": 0.9, "proven": True},
        {"campaign": "cmp_1", "proven": True},
        {"wallet_opened_us": NOON_US - NEW_US},
        {"linked_us": NOON_US - NEW_US},
        {"device_since_us": NOON_US - NEW_US},
        {"charges_rapid": 1},
        {"charges_ever": 0, "amount": Yen(49_999)},
        {"charged_month": Yen(259_999)},
        {"spent_us": NOON_US - RAPID_US},
        {"spent_us": NOON_US, "charges_ever": 0},
    ],
)
def test_just_not(changes):
    assert signs(OLD, **changes).signs == ()


def test_an_honest_first_day_needs_a_passkey_and_is_not_stopped():
    """A wallet of today, a link of today, a charge as people make it."""
    points = signs(FIRST_DAY, amount=Yen(20_000)).points
    assert PASSKEY_FROM <= points < STOPPED_FROM


def test_a_device_that_came_with_the_wallet_is_not_counted_twice():
    assert "young_device" not in signs(FIRST_DAY, device_since_us=NOON_US).names


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"amount": Yen(100_000)}, id="a large first charge"),
        pytest.param(
            {"amount": Yen(10_000), "charges_rapid": 2, "charges_ever": 2}, id="a third in ten minutes"
        ),
        pytest.param({"charged_month": Yen(280_000), "charges_ever": 3}, id="charged to the limit"),
        pytest.param({"charges_ever": 1, "spent_us": NOON_US - 1}, id="charged and spent at once"),
        pytest.param({"strength": Strength.KNOWLEDGE}, id="a weak bank"),
    ],
)
def test_opened_today_linked_today_and_one_thing_more_is_stopped(changes):
    """The shape of the accounts that were emptied, by whichever of its edges shows first."""
    assert signs(FIRST_DAY, **changes).points >= STOPPED_FROM


def test_a_clock_that_was_set_back_makes_nothing_older():
    assert signs(OLD, wallet_opened_us=NOON_US + DAY_US).names == ("wallet_opened_today",)
