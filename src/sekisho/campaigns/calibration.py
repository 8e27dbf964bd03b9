"""How many of the successes are hits: the campaign's own hit rate, and with it each success's probability."""

from dataclasses import dataclass

import numpy as np

from sekisho.campaigns.coded import Weights

CLEAR_SHARES = (0.85, 0.7, 0.5)
BINS = 60
SMOOTHING = (1 / 9, 2 / 9, 3 / 9, 2 / 9, 1 / 9)
FLOOR = 1e-4
STEPS = 300
TINY = 1e-12
SPREAD_MAX = 40.0
NO_ODDS = -40.0
SLACK = 1.5


@dataclass(frozen=True, slots=True)
class Hits:
    """The number of hits among the successes, and the log odds to add to a score of zero."""

    count: float
    offset: float

    def probability(self, score: Weights) -> Weights:
        """Return the probability that a success with this score is a hit."""
        return 1.0 / (1.0 + np.exp(-np.clip(score + self.offset, -SPREAD_MAX, SPREAD_MAX)))


def count_hits(tried: Weights, weight: Weights, succeeded: Weights) -> Hits:
    """Count the hits by the scores of hostile failures on existing members and of all successes.

    A score is the logarithm of hostile failures to honest successes of its kind. Hits score like the
    hostile failures, honest successes like those tilted by the score itself, which also says how many there
    should be, within `SLACK`. The mixture is fitted where most of the hostile failures lie: far below,
    honest logins are so many that the smallest fault of the score would outweigh the hits. Where exactly to
    begin is a matter of chance, so several beginnings are averaged.
    """
    if not len(tried) or not len(succeeded) or weight.sum() < 1.0:
        return Hits(0.0, NO_ODDS)
    found = np.array([_count_above(share, tried, weight, succeeded) for share in CLEAR_SHARES])
    count, too_many = np.exp(np.log(found + TINY).mean(axis=0))
    return Hits(float(count), float(np.log(count / weight.sum() / too_many)))


def _count_above(share: float, tried: Weights, weight: Weights, succeeded: Weights) -> tuple[float, float]:
    """Use the scores that `share` of the hostile failures reach.

    Returns the number of hits, and how many times more honest successes there are than the scores say.
    """
    order = np.argsort(tried)
    level = np.searchsorted(np.cumsum(weight[order]), (1.0 - share) * weight.sum())
    low = float(tried[order][min(int(level), len(tried) - 1)])
    edges = np.linspace(low, max(float(tried.max()), float(succeeded.max()), low) + 1e-6, BINS + 1)
    hostile = np.histogram(tried, edges, weights=weight)[0]
    hostile = np.convolve(hostile, SMOOTHING, mode="same") + FLOOR * hostile.sum()
    honest = hostile * np.exp(-np.clip((edges[1:] + edges[:-1]) / 2, -SPREAD_MAX, SPREAD_MAX))
    found = np.histogram(succeeded, edges)[0].astype(float)
    hits, others = _mixture(hostile / hostile.sum(), honest, found)
    return hits / share, others


def _mixture(hostile: Weights, honest: Weights, found: Weights) -> tuple[float, float]:
    """Return the hits and the factor of `honest` that together explain what was found best."""
    hits, factor, expected = float(found.sum()) / 2, 1.0, float(honest.sum())
    for _ in range(STEPS):
        ratio = found / (hits * hostile + factor * honest + TINY)
        hits *= float((hostile * ratio).sum())
        factor *= float((honest * ratio).sum()) / expected
        factor = min(max(factor, 1.0 / SLACK), SLACK)
    return hits, factor
