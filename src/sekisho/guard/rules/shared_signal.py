"""Another institution said something of the member, or of where the attempt comes from: named signs, and here
is what each is worth. They come with the attempt; what they follow from is the exchange of signals' business.
"""

from collections.abc import Iterable

from sekisho.guard.recollection import Observation

# From five on a member is asked for more: one strong word does it, or two weak ones that agree.
POINTS = {
    "partner_credential_compromise": 6,
    "partner_account_disabled": 6,
    "partner_risk_high": 6,
    "partner_identifier_recycled": 6,
    "partner_credential_revoked": 5,
    "partner_recovery": 3,
    "partner_risk_medium": 3,
    "partner_hostile_source": 3,
    "partner_hostile_device": 2,
}


def points(signs: Iterable[str]) -> int:
    """Add up what signs are worth, each counted once; a name that is not known is worth nothing."""
    return sum(POINTS.get(sign, 0) for sign in set(signs))


def holds(seen: Observation, limit: float) -> bool:
    """Say whether what partners said is worth at least `limit` points."""
    return bool(seen.signs) and points(seen.signs) >= limit
