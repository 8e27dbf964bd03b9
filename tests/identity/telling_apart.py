"""Whether times of two kinds of answers can be told apart, asked so that a busy machine does not decide it.

Answers of all kinds are taken in turns, each turn in another order, so that whatever else the machine does
falls on all of them alike. Two kinds count as told apart where one is slower in nearly all pairs *and* by
more than a few milliseconds at the median. A single round can look like that by chance or by somebody else's
work; a difference in the program looks like it every time, in the same direction. So a round that shows one
is repeated, and only what each round shows is believed.
"""

import statistics
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

from sekisho.kernel.chance import Chance

SHARE_MIN = 0.75
"""Of all pairs of two answers, one of each kind: so many have to have the same one slower."""

APART_S_MIN = 0.005
ROUNDS = 3

Times = Mapping[str, Sequence[float]]
Verdict = dict[str, int]


def slower_share(one: Sequence[float], other: Sequence[float]) -> float:
    """Return Mann and Whitney's U as a share: 0.5 where neither tends to be slower, 1 where one always is."""
    wins = sum((a > b) + 0.5 * (a == b) for a in one for b in other)
    return wins / (len(one) * len(other))


def apart(times: Times, reference: str) -> Verdict:
    """Return which kinds differ from the reference: 1 for slower, -1 for quicker."""
    verdict = {}
    for kind, taken in times.items():
        share = slower_share(taken, times[reference])
        by_s = statistics.median(taken) - statistics.median(times[reference])
        if share >= SHARE_MIN and by_s >= APART_S_MIN:
            verdict[kind] = 1
        elif share <= 1 - SHARE_MIN and by_s <= -APART_S_MIN:
            verdict[kind] = -1
    return verdict


def in_turns(kinds: Iterable[str], turns: int, chance: Chance) -> Iterable[str]:
    """Return each kind as often as there are turns, in another order each turn."""
    for _ in range(turns):
        left = list(kinds)
        while left:
            yield left.pop(chance.below(len(left)))


async def told_apart(take: Callable[[], Awaitable[Times]], reference: str) -> Verdict:
    """Return the kinds that every one of up to three rounds shows to differ, in the same direction."""
    kept = apart(await take(), reference)
    for _ in range(ROUNDS - 1):
        if not kept:
            break
        again = apart(await take(), reference)
        kept = {kind: way for kind, way in kept.items() if again.get(kind) == way}
    return kept
