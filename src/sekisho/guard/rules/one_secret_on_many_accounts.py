"""One secret is tried on many accounts, so that no single account counts many failures (password or PIN
spraying).
"""

from sekisho.guard.recollection import Observation


def holds(seen: Observation, limit: float) -> bool:
    """Say whether the secret failed on at least `limit` other accounts within about a day."""
    return seen.sprayed >= limit
