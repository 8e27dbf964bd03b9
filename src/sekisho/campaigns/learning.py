"""An additive likelihood ratio over small cells, learned from two weighted samples.

The logarithm of P(x | hostile) / P(x | honest) is modelled as a sum of tables, one for each feature: every
contribution can be read and said in words. Fitted by boosting: one damped Newton step for a table at a time
(Friedman, Hastie, Tibshirani, "Additive logistic regression", Annals of Statistics 2000), with a ridge that
keeps cells with little evidence near zero.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sekisho.campaigns.coded import Cells, Marks, Weights, Whole

SWEEPS = 8
SWEEPS_AGAIN = 3
STEP = 0.5
RIDGE = 10.0
STEP_MAX = 2.0
TINY = 1e-9


@dataclass(frozen=True, slots=True)
class Feature:
    """One observation of each attempt as a cell number below `size`."""

    name: str
    cells: Cells
    size: int

    def part(self, rows: Whole | Marks) -> "Feature":
        """Return the same observation of some of the attempts."""
        return Feature(self.name, self.cells[rows], self.size)


@dataclass(frozen=True, slots=True)
class Ratio:
    """A fitted ratio: what each cell of each feature adds to its logarithm."""

    tables: Mapping[str, Weights]

    def contributions(self, feature: Feature) -> Weights:
        """Return what one feature adds to the log ratio of each attempt."""
        added: Weights = self.tables[feature.name][feature.cells]
        return added

    def log_ratio(self, features: Sequence[Feature]) -> Weights:
        """Return log P(x | hostile) / P(x | honest) of each attempt."""
        total = np.zeros(len(features[0].cells))
        for feature in features:
            total += self.contributions(feature)
        return total


def fit_ratio(
    features: Sequence[Feature], hostile: Weights, honest: Weights, before: Ratio | None = None
) -> Ratio:
    """Learn the ratio from the attempts' weights in the hostile and in the honest sample.

    Both samples count alike, so that the logistic score is the log ratio itself; their common mass is the
    geometric mean of theirs, so that the ridge weighs against cells that either of them hardly knows.
    `before` is an earlier ratio of the same features to start from.
    """
    mass = float(np.sqrt(max(hostile.sum(), 1.0) * max(honest.sum(), 1.0)))
    positive = hostile * (mass / max(float(hostile.sum()), TINY))
    negative = honest * (mass / max(float(honest.sum()), TINY))
    both = positive + negative
    old = before.tables if before else {}
    tables = {f.name: old[f.name].copy() if f.name in old else np.zeros(f.size) for f in features}
    score = Ratio(tables).log_ratio(features)
    for _ in range(SWEEPS_AGAIN if before else SWEEPS):
        for feature in features:
            chance = 1.0 / (1.0 + np.exp(-score))
            pull = both * chance
            slope = np.bincount(feature.cells, positive - pull, feature.size)
            bend = np.bincount(feature.cells, pull * (1.0 - chance), feature.size)
            move = np.clip(STEP * slope / (bend + RIDGE), -STEP_MAX, STEP_MAX)
            tables[feature.name] += move
            score += move[feature.cells]
    return Ratio(tables)
