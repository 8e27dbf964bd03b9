"""An address fails for one member after another and hardly ever succeeds: a machine, not a household."""

from sekisho.guard.recollection import Observation

_FAILURES_A_SUCCESS = 5.0  # a carrier's shared address fails for many members, but succeeds for more


def holds(seen: Observation, limit: float) -> bool:
    """Say whether the address failed for at least `limit` members in a row within about a day, and for five
    times as many as it succeeded for.
    """
    around = seen.around
    return around.excess >= max(limit, _FAILURES_A_SUCCESS * around.successes)
