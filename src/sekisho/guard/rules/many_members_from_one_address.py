"""An address that never had a success fails for one member after another: a machine, not a household."""

from sekisho.guard.recollection import Observation


def holds(seen: Observation, limit: float) -> bool:
    """Say whether the address failed for at least `limit` members in a row within about a day, and never
    succeeded.
    """
    return not seen.around.ever and seen.around.excess >= limit
