"""What links may do by the strength of their banks: a table, and sums that never pass it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.kernel.clock import DAY_US, HOUR_US
from sekisho.kernel.yen import Yen
from sekisho.linking.link_partners import Strength
from sekisho.wallet.link_limits import (
    BELOW_FLOOR,
    AboveLinkCeiling,
    Ceilings,
    Charged,
    ChargeFault,
    LinkCoolingOff,
    charge_fault,
    require_chargeable,
    room_for,
    terms_for,
)

NOON_US = 1_790_000_000_000_000
CEILINGS = Ceilings(
    usable_from_us=NOON_US,
    once_max=Yen(100_000),
    month_max=Yen(300_000),
    first_max=Yen(30_000),
    first_until_us=NOON_US + 7 * DAY_US,
)
NOTHING = Charged(Yen(0), Yen(0))
yen = st.integers(-10, 400_000).map(Yen)


def test_the_surer_the_bank_the_sooner_and_the_more():
    weak, fair, strong = (terms_for(strength, Strength.KNOWLEDGE) for strength in Strength)
    assert weak.cooling_off_us > fair.cooling_off_us > strong.cooling_off_us == 0
    assert weak.first_max < fair.first_max < strong.first_max
    assert weak.first_us > fair.first_us > strong.first_us


@pytest.mark.parametrize(
    ("strength", "floor", "is_below"),
    [
        (Strength.KNOWLEDGE, Strength.KNOWLEDGE, False),
        (Strength.KNOWLEDGE, Strength.POSSESSION, True),
        (Strength.POSSESSION, Strength.POSSESSION, False),
        (Strength.POSSESSION, Strength.PASSKEY, True),
        (Strength.PASSKEY, Strength.PASSKEY, False),
    ],
)
def test_below_the_floor_something_stands_in_for_strength(strength, floor, is_below):
    """A fresh identity check, the same phone, three days and a small first sum; above it, none of these."""
    terms = terms_for(strength, floor)
    assert (terms == BELOW_FLOOR) is is_below
    assert terms.needs_recheck is terms.needs_phone is is_below
    assert BELOW_FLOOR.cooling_off_us == 72 * HOUR_US


@pytest.mark.parametrize(
    ("amount", "charged", "at_us", "fault"),
    [
        (30_000, NOTHING, NOON_US, None),
        (30_001, NOTHING, NOON_US, ChargeFault.ABOVE_FIRST),
        (1, Charged(Yen(30_000), Yen(30_000)), NOON_US, ChargeFault.ABOVE_FIRST),
        (1, NOTHING, NOON_US - 1, ChargeFault.COOLING_OFF),
        (0, NOTHING, NOON_US, ChargeFault.NOT_POSITIVE),
        (100_000, NOTHING, NOON_US + 7 * DAY_US, None),
        (100_001, NOTHING, NOON_US + 7 * DAY_US, ChargeFault.ABOVE_ONCE),
        (50_001, Charged(Yen(250_000), Yen(250_000)), NOON_US + 7 * DAY_US, ChargeFault.ABOVE_MONTH),
        (50_000, Charged(Yen(250_000), Yen(999_000)), NOON_US + 7 * DAY_US, None),
    ],
)
def test_each_limit_to_the_yen_and_to_the_microsecond(amount, charged, at_us, fault):
    assert charge_fault(CEILINGS, charged, Yen(amount), at_us) is fault


@given(yen, yen, yen, st.integers(NOON_US - 10, NOON_US + 8 * DAY_US))
def test_room_is_exactly_what_may_be_charged(amount, month, ever, at_us):
    """What is told as room goes through, and one yen more does not."""
    charged = Charged(max(month, Yen(0)), max(ever, Yen(0)))
    room = room_for(CEILINGS, charged, at_us)
    may = charge_fault(CEILINGS, charged, amount, at_us) is None
    assert may == (Yen(0) < amount <= room)


def test_refusals_say_when_and_how_much():
    with pytest.raises(LinkCoolingOff) as young:
        require_chargeable(CEILINGS, NOTHING, Yen(1), NOON_US - 1)
    assert young.value.until_us == NOON_US
    with pytest.raises(AboveLinkCeiling) as much:
        require_chargeable(CEILINGS, Charged(Yen(20_000), Yen(20_000)), Yen(20_000), NOON_US)
    assert (much.value.fault, much.value.room) == (ChargeFault.ABOVE_FIRST, Yen(10_000))
    require_chargeable(CEILINGS, NOTHING, Yen(1), NOON_US)
