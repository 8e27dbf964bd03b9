"""The operator's address lists carry the address: hosting, anonymous networks, known attackers."""

from sekisho.guard.recollection import Observation


def holds(seen: Observation, limit: float) -> bool:
    """Say whether at least `limit` lists carry the address; without lists it never holds."""
    return seen.listed > 0 and seen.listed >= limit
