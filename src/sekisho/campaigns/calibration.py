"""How many of the successes are hits: the campaign's own hit rate, and with it each success's probability."""

from dataclasses import dataclass

import numpy as np

from sekisho.campaigns.coded import Weights

CLEAR_SHARES = (0.85, 0.7, 0.5)
BINS = 60
STEPS = 300
TINY = 1e-12
SPREAD_MAX = 40.0
NO_ODDS = -40.0
OFFSET_SLACK = 1.0


@dataclass(frozen=True, slots=True)
class Hits:
    """The number of hits among the successes, and the log odds to add to a score of zero."""

    count: float
    offset: float

    def probability(self, score: Weights) -> Weights:
        """Return the probability that a success with this score (a log likelihood ratio) is a hit."""
        return 1.0 / (1.0 + np.exp(-np.clip(score + self.offset, -SPREAD_MAX, SPREAD_MAX)))


def count_hits(tried: Weights, weight: Weights, succeeded: Weights) -> Hits:
    """Count the hits by the scores of hostile failures on existing members and of all successes.

    Hits score like the hostile failures, honest successes like those tilted by the ratio itself. The
    mixture is fitted where most of the hostile failures lie: far below, honest logins are so many that the
    smallest fault of the ratio would outweigh the hits. Where exactly to begin is a matter of chance, so
    several beginnings are averaged.
    """
    if not len(tried) or not len(succeeded) or weight.sum() < 1.0:
        return Hits(0.0, NO_ODDS)
    counts = [_count_above(share, tried, weight, succeeded) for share in CLEAR_SHARES]
    logs = np.log(np.array(counts) + TINY)
    count, offset = np.exp(logs.mean(axis=0)) - TINY
    rate = float(np.log((count + TINY) / weight.sum()))
    return Hits(float(count), float(np.clip(np.log(offset + TINY), rate - OFFSET_SLACK, rate + OFFSET_SLACK)))


def _count_above(share: float, tried: Weights, weight: Weights, succeeded: Weights) -> tuple[float, float]:
    """Return the hits and the odds of a score of zero, from scores that `share` of the hostile ones reach."""
    order = np.argsort(tried)
    level = np.searchsorted(np.cumsum(weight[order]), (1.0 - share) * weight.sum())
    low = float(tried[order][min(int(level), len(tried) - 1)])
    edges = np.linspace(low, max(float(tried.max()), float(succeeded.max()), low) + 1e-6, BINS + 1)
    part = weight / weight.sum()
    hostile = np.histogram(tried, edges, weights=part)[0]
    tilted = part * np.exp(-np.clip(tried - low, 0.0, SPREAD_MAX))
    honest = np.histogram(tried, edges, weights=tilted)[0]
    found = np.histogram(succeeded, edges)[0].astype(float)
    hits, others = _mixture(hostile / hostile.sum(), honest / honest.sum(), found)
    odds = (
        (hits / hostile.sum())
        / (others / honest.sum() + TINY)
        * np.exp(-np.clip(low, -SPREAD_MAX, SPREAD_MAX))
    )
    return hits / float(hostile.sum()), float(odds)


def _mixture(hostile: Weights, honest: Weights, found: Weights) -> tuple[float, float]:
    hits = others = float(found.sum()) / 2
    for _ in range(STEPS):
        ratio = found / (hits * hostile + others * honest + TINY)
        hits, others = hits * float((hostile * ratio).sum()), others * float((honest * ratio).sum())
    return hits, others
