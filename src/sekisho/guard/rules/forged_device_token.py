"""The device token was not signed by us for this member: it was invented, or taken from somebody else."""

from sekisho.guard.devices import TokenClass
from sekisho.guard.recollection import Observation


def holds(seen: Observation, limit: float) -> bool:
    """Say whether the token is known to be forged; there is no limit to set."""
    del limit
    return seen.sighting.kind == TokenClass.FORGED
