"""What a link may do by how sure its bank was: when it can be used, how much at first, and what it needs.

A pure table. A bank that stays below the wallet's floor of strength is not refused, and does not get less
for its depositors to lose: what its authentication lacks is replaced by a fresh identity check on our side,
the same phone on both sides, three days of waiting and a small first sum.
docs/reference/links.md has the table with its reasons.
"""

from enum import StrEnum
from typing import NamedTuple

import msgspec

from sekisho.kernel.clock import DAY_US, HOUR_US
from sekisho.kernel.refusals import Refusal
from sekisho.kernel.yen import Yen
from sekisho.linking.link_partners import Strength


class LinkSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The wallet's policy of links.

    `floor` is the strength that a bank should reach. `return_s` is how long the way to the bank and back may
    take, `recheck_s` how old an identity check may be where a bank stays below the floor.
    """

    floor: Strength = Strength.POSSESSION
    return_s: int = 900
    recheck_s: int = 86_400


class LinkTerms(NamedTuple):
    """What a new link may do. The first sum is what all charges together may reach in the first time.

    `needs_recheck` asks for a fresh identity check, `needs_phone` for the same phone on both sides.
    """

    cooling_off_us: int
    first_max: Yen
    first_us: int
    needs_recheck: bool
    needs_phone: bool


_TERMS = {
    Strength.PASSKEY: LinkTerms(0, Yen(50_000), 3 * DAY_US, needs_recheck=False, needs_phone=False),
    Strength.POSSESSION: LinkTerms(HOUR_US, Yen(30_000), 7 * DAY_US, needs_recheck=False, needs_phone=False),
    Strength.KNOWLEDGE: LinkTerms(DAY_US, Yen(20_000), 14 * DAY_US, needs_recheck=False, needs_phone=False),
}
BELOW_FLOOR = LinkTerms(3 * DAY_US, Yen(10_000), 30 * DAY_US, needs_recheck=True, needs_phone=True)
"""What stands in for strength that a bank does not have."""


def terms_for(strength: Strength, floor: Strength) -> LinkTerms:
    """Return what a link of a bank of this strength may do, under the wallet's floor."""
    return _TERMS[strength] if strength >= floor else BELOW_FLOOR


class Ceilings(NamedTuple):
    """What one link allows: at once, in a calendar month, and in all until `first_until_us`."""

    usable_from_us: int
    once_max: Yen
    month_max: Yen
    first_max: Yen
    first_until_us: int


class Charged(NamedTuple):
    """What was charged over a link and may count: in this month, and since it was made."""

    month: Yen
    ever: Yen


class ChargeFault(StrEnum):
    """Why a link does not give this sum now, in the order in which they are looked at."""

    NOT_POSITIVE = "not_positive"
    """No sum at all."""

    COOLING_OFF = "cooling_off"
    """The link is too young to be used."""

    ABOVE_ONCE = "above_once"
    """More than goes at once."""

    ABOVE_FIRST = "above_first"
    """More than goes over a young link in all."""

    ABOVE_MONTH = "above_month"
    """More than goes in a month."""


class LinkCoolingOff(Refusal):
    """The link was made a short while ago; `until_us` is when it can be used."""

    code = "link_cooling_off"
    status = 409
    told = "This account was linked a short while ago and can't be used yet, for your protection."

    def __init__(self, until_us: int) -> None:
        self.until_us = until_us
        super().__init__(known=str(until_us))


class AboveLinkCeiling(Refusal):
    """The sum is more than this link gives now; `room` is how much it would give."""

    code = "above_link_ceiling"
    status = 409
    told = "This is more than you can charge from this account at the moment."

    def __init__(self, fault: ChargeFault, room: Yen) -> None:
        self.fault = fault
        self.room = room
        super().__init__(known=f"{fault}: room for {room.amount}")


def charge_fault(ceilings: Ceilings, charged: Charged, amount: Yen, now_us: int) -> ChargeFault | None:
    """Return why a sum can't be charged over a link now; None where it can."""
    young = now_us < ceilings.first_until_us
    rules = (
        (amount > Yen(0), ChargeFault.NOT_POSITIVE),
        (now_us >= ceilings.usable_from_us, ChargeFault.COOLING_OFF),
        (amount <= ceilings.once_max, ChargeFault.ABOVE_ONCE),
        (not young or charged.ever + amount <= ceilings.first_max, ChargeFault.ABOVE_FIRST),
        (charged.month + amount <= ceilings.month_max, ChargeFault.ABOVE_MONTH),
    )
    return next((fault for holds, fault in rules if not holds), None)


def room_for(ceilings: Ceilings, charged: Charged, now_us: int) -> Yen:
    """Return how much could be charged over a link now."""
    if now_us < ceilings.usable_from_us:
        return Yen(0)
    rooms = [ceilings.once_max, ceilings.month_max - charged.month]
    if now_us < ceilings.first_until_us:
        rooms.append(ceilings.first_max - charged.ever)
    return max(Yen(0), min(rooms))


def require_chargeable(ceilings: Ceilings, charged: Charged, amount: Yen, now_us: int) -> None:
    """Let a sum be charged over a link. Raises LinkCoolingOff and AboveLinkCeiling."""
    fault = charge_fault(ceilings, charged, amount, now_us)
    if fault is ChargeFault.COOLING_OFF:
        raise LinkCoolingOff(ceilings.usable_from_us)
    if fault is not None:
        raise AboveLinkCeiling(fault, room_for(ceilings, charged, now_us))
