"""The pair stands on a list of leaked ones, and no known device speaks for the member."""

from sekisho.guard.recollection import Observation


def holds(seen: Observation, limit: float) -> bool:
    """Say whether the pair is known to have leaked; there is no limit to set."""
    del limit
    return seen.leaked == 1
