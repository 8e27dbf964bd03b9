"""Somebody else enters a one-time code than the person whom it was sent to: a site or a caller asked for it
and passes it on. Whoever compares entry and request names signs of that, and here is what each is worth.
"""

from collections.abc import Iterable

from sekisho.guard.recollection import Observation

# One point is what befalls many honest members now and then; six are what hardly ever comes together.
POINTS = {
    "other_address": 1,
    "other_network": 1,
    "other_country": 4,
    "other_browser": 4,
    "other_fingerprint": 3,
    "other_device": 5,
    "other_session": 6,
    "strange_device": 1,
    "strange_network": 2,
    "strange_country": 2,
    "lookalike_referrer": 6,
    "foreign_referrer": 3,
    "many_codes": 1,
    "machine_speed": 1,
    "pasted_late": 1,
}


def points(signs: Iterable[str]) -> int:
    """Add up what signs are worth, each counted once; a name that is not known is worth nothing."""
    return sum(POINTS.get(sign, 0) for sign in set(signs))


def holds(seen: Observation, limit: float) -> bool:
    """Say whether the attempt's signs are worth at least `limit` points."""
    return bool(seen.signs) and points(seen.signs) >= limit
