"""What speaks against a charge: a wallet of today, a link of today, charged to the limit within a minute.

Pure signs with points, over facts that the store holds. No one of them stops an honest member; together they
are how stolen accounts were emptied. docs/reference/links.md has the points with their reasons.
"""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from sekisho.kernel.clock import DAY_US, MINUTE_US
from sekisho.kernel.yen import Yen
from sekisho.linking.link_partners import Strength

NEW_US = DAY_US
"""How long a wallet, a link or a device is new."""

RAPID_US = 10 * MINUTE_US
RAPID_CHARGES = 2
LARGE_PERCENT = 50
NEARLY_ALL_PERCENT = 90

POINTS = {
    "risky_session": 6,
    "campaign_session": 6,
    "warned_link": 6,
    "rapid_charges": 5,
    "wallet_opened_today": 3,
    "linked_today": 3,
    "weak_link": 2,
    "young_device": 2,
    "contact_changed": 3,
    "first_charge_large": 2,
    "charged_to_the_limit": 3,
    "spent_at_once": 3,
}
"""Two or three points are what befalls honest members on their first day; six only hardly ever."""

PASSKEY_FROM = 5
"""From so many points on only a passkey approves a charge."""

STOPPED_FROM = 8
"""From so many points on nobody does, and a person has to look."""


class ChargeFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known when a charge is asked for. Times are microseconds since the epoch, None where never.

    `charged_month` and `charges_rapid` are this link's, `month_max` its ceiling. `warned` says that somebody
    told us of fraud with this link; `spent_us` is when money last left the wallet.
    """

    now_us: int
    amount: Yen
    wallet_opened_us: int
    linked_us: int
    strength: Strength
    once_max: Yen
    month_max: Yen
    charged_month: Yen = Yen(0)
    charges_rapid: int = 0
    charges_ever: int = 0
    risk: float = 0.0
    campaign: str = ""
    proven: bool = False
    device_since_us: int | None = None
    contact_changed_us: int | None = None
    spent_us: int | None = None
    warned: bool = False


class Sign(NamedTuple):
    """One finding, and what it is worth."""

    name: str
    points: int


class ChargeEvidence(msgspec.Struct, frozen=True):
    """What was found, in the order of the rule."""

    signs: tuple[Sign, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Return the signs' names, as the guard takes them."""
        return tuple(sign.name for sign in self.signs)

    @property
    def points(self) -> int:
        """Return what all signs are worth together."""
        return sum(sign.points for sign in self.signs)


def charge_signs(facts: ChargeFacts, *, risk_max: float) -> ChargeEvidence:
    """Name what speaks against a charge. `risk_max` is the risk that a session may be born with."""
    names = (*_of_session(facts, risk_max), *_of_ages(facts), *_of_amounts(facts))
    return ChargeEvidence(tuple(Sign(name, POINTS[name]) for name in names))


def _of_session(facts: ChargeFacts, risk_max: float) -> Iterator[str]:
    if not facts.proven and facts.risk > risk_max:
        yield "risky_session"
    if not facts.proven and facts.campaign:
        yield "campaign_session"
    if facts.warned:
        yield "warned_link"


def _of_ages(facts: ChargeFacts) -> Iterator[str]:
    if _is_new(facts.wallet_opened_us, facts.now_us):
        yield "wallet_opened_today"
    if _is_new(facts.linked_us, facts.now_us):
        yield "linked_today"
    if facts.strength is Strength.KNOWLEDGE:
        yield "weak_link"
    # A device that came with the wallet is as old as can be; its youth is the wallet's.
    came_later = facts.device_since_us is not None and not _is_new(facts.wallet_opened_us, facts.now_us)
    if came_later and _is_new(facts.device_since_us, facts.now_us):
        yield "young_device"
    if _is_new(facts.contact_changed_us, facts.now_us):
        yield "contact_changed"


def _of_amounts(facts: ChargeFacts) -> Iterator[str]:
    if facts.charges_rapid >= RAPID_CHARGES:
        yield "rapid_charges"
    if not facts.charges_ever and 100 * facts.amount.amount >= LARGE_PERCENT * facts.once_max.amount:
        yield "first_charge_large"
    after = facts.charged_month + facts.amount
    if 100 * after.amount >= NEARLY_ALL_PERCENT * facts.month_max.amount:
        yield "charged_to_the_limit"
    if facts.charges_ever and facts.spent_us is not None and facts.now_us - facts.spent_us < RAPID_US:
        yield "spent_at_once"


def _is_new(since_us: int | None, now_us: int) -> bool:
    # A time from the future, after the clock was set back, is as new as can be.
    return since_us is not None and now_us - since_us < NEW_US
