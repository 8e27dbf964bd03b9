"""Sums over the other attempts of the same group, within spans of time or over the whole log."""

from collections.abc import Sequence

import numpy as np

from sekisho.campaigns.coded import ABSENT, Codes, Weights, Whole


class Neighbours:
    """The attempts that share a code (an address, a network) with each asked one, in both directions of time.

    Each span in `spans_us` limits them to those at most so far away in time; None takes the whole log. The
    attempts must be in time order. Building sorts once; sums are linear afterwards.
    """

    def __init__(self, group: Codes, time_us: Whole, asked: Whole, spans_us: Sequence[int | None]) -> None:
        self._order = np.argsort(group, kind="stable").astype(np.int32)
        self._asked = asked
        self._absent = group[asked] == ABSENT
        start = int(time_us[0]) if len(time_us) else 0
        length = (int(time_us[-1]) - start if len(time_us) else 0) + 1
        key = (group[self._order].astype(np.int64) + 1) * (3 * length) + (time_us[self._order] - start)
        answer = np.full(len(group), -1, np.int32)
        answer[asked] = np.arange(len(asked), dtype=np.int32)
        answer = answer[self._order]
        here = answer >= 0
        self._answers, want = answer[here], key[here]
        self._limits = []
        for span in spans_us:  # the wanted keys ascend, so that a search stays near the one before
            reach = length if span is None else min(span, length)
            low = np.searchsorted(key, want - reach, side="left")
            high = np.searchsorted(key, want + reach, side="right")
            self._limits.append((low.astype(np.int32), high.astype(np.int32)))

    def sums(self, values: Weights) -> list[Weights]:
        """Return for each span the sum of `values` over each asked attempt's neighbours, without itself."""
        running = np.concatenate([[0.0], np.cumsum(values[self._order])])
        own = values[self._asked]
        found = []
        for low, high in self._limits:
            total = np.empty(len(own))
            total[self._answers] = running[high] - running[low]
            total = np.maximum(total - own, 0.0)
            total[self._absent] = 0.0
            found.append(total)
        return found


def group_sums(group: Codes, values: Weights, asked: Whole) -> Weights:
    """Return the sum of `values` over the other attempts of each asked one's group; 0 where it has none."""
    totals = np.bincount(group + 1, values)
    own = group[asked]
    found: Weights = np.maximum(totals[own + 1] - values[asked], 0.0)
    found[own == ABSENT] = 0.0
    return found
