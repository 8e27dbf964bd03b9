"""Somebody tries many secrets on one account. The member's own devices are not asked: a lockout must not
be a weapon.
"""

from sekisho.guard.recollection import Observation


def holds(seen: Observation, limit: float) -> bool:
    """Say whether the account failed at least `limit` times within about an hour."""
    return seen.guesses >= limit
