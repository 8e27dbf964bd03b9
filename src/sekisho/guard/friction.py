"""The friction budget: how many honest members may be asked for more, instead of a fixed threshold of risk.

A ring of recent honest successes that no token vouched for is scored again and again under the current
model, a few with each arrival, so that the threshold follows the model at once. Where an attacker has many
right passwords, his hits would use up the budget and push the threshold out of his own way: then only those
count that came in attack-free time or passed a challenge.

The ring lags behind where honest members' surroundings change (the same carrier now carries the attack). So
what was really spent steers too: each budget is scaled by a factor that falls a little with every honest
member asked, and rises with every success.
"""

import math
from array import array
from collections.abc import Callable

import numpy as np

from sekisho.guard.evidence import Example

RING = 4_096
_FEWEST = 50
_LOOK = 64
_EVERY = 64
_CATCH_UP = 16
_STEP = 1 / 25  # e-fold after 25 honest members too many or too few
_LEAST, _MOST = 0.25, 4.0  # wide: where it sticks, what was spent is forgotten
NEVER = float("inf")
_EVEN = 0.0  # in a campaign the score is a log ratio: above this, hostile is likelier than honest


class Friction:
    """Thresholds of the score for a set of budgets, each a share of all honest successes."""

    def __init__(self, budgets: tuple[float, ...], rescore: Callable[[Example], float]) -> None:
        self.budgets = budgets
        # Nothing to compare with yet: nobody is asked in peace, whoever is likelier hostile in a campaign.
        self.thresholds = [_EVEN if number % 3 else NEVER for number in range(len(budgets))]
        self._factors = [1.0] * len(budgets)
        self._rescore = rescore
        self._examples: list[Example] = []
        self._scores = array("d", bytes(8 * RING))
        self._proven = bytearray(RING)
        self._only_proven = False
        self._next = 0
        self._cursor = 0
        self._since = 0
        self._stale = 0

    def add(
        self,
        example: Example,
        score: float,
        doubted_share: float,
        *,
        proven: bool,
        many_hits: bool,
        refresh: int,
    ) -> None:
        """Put a success that no token vouched for into the ring.

        `doubted_share` is the part of all honest successes that no token vouched for; `proven` says that it
        came in attack-free time or passed a challenge; `many_hits` that among the others there are more
        hits than can be borne; `refresh` how many examples of the ring are scored again.
        """
        self._only_proven = many_hits
        count = len(self._examples)
        if count < RING:
            self._examples.append(example)
            at = count
        elif many_hits:
            at = self._like(score) if proven else -1
        else:
            at = self._next
            self._next = (at + 1) % RING
        if at >= 0:
            self._examples[at], self._scores[at], self._proven[at] = example, score, proven
        self.refresh(doubted_share, refresh)

    def _like(self, score: float) -> int:
        """Return the place of a proven success on the same side of the last threshold, or -1 where none is
        near.

        Who passes a challenge was asked because of the score: such newcomers may take only each other's
        places, or the ring would fill up with them.
        """
        limit = self.thresholds[-1]
        for step in range(_LOOK):
            at = (self._next + step) % RING
            if self._proven[at] and (self._scores[at] > limit) == (score > limit):
                self._next = (at + 1) % RING
                return at
        return -1

    def spend(self, number: int, asked: float) -> None:
        """Account for a success under a budget; `asked` is the chance that it was an honest member who
        was asked.
        """
        step = _STEP * (self.budgets[number] - asked)
        self._factors[number] = max(_LEAST, min(_MOST, self._factors[number] * math.exp(step)))

    def trust_the_ring(self) -> None:
        """Leave off steering by what was spent, where hits can't be told from honest members who were
        asked.
        """
        self._factors = [1.0] * len(self.budgets)

    @property
    def is_stale(self) -> bool:
        """Say whether part of the ring was scored under a model that is no more."""
        return self._stale > 0

    def model_changed(self) -> None:
        """Have the whole ring scored again, a few with each arrival: its scores tell nothing now."""
        self._stale = len(self._examples)

    def refresh(self, doubted_share: float, refresh: int) -> None:
        """Score some of the ring again, more while it is stale, and place the thresholds now and then."""
        count = len(self._examples)
        if self._stale > 0:
            refresh = max(refresh, _CATCH_UP)
            self._stale -= refresh
        for _ in range(min(refresh, count)):
            at = self._cursor = (self._cursor + 1) % count
            self._scores[at] = self._rescore(self._examples[at])
        self._since += 1
        if self._since >= _EVERY:
            self._since = 0
            self._place(count, doubted_share)

    def _place(self, count: int, doubted_share: float) -> None:
        """Set each threshold where the share of honest successes above it is its budget."""
        scores = np.frombuffer(self._scores)[:count]
        if self._only_proven:
            scores = scores[np.frombuffer(self._proven, np.uint8)[:count] == 1]
        if len(scores) < _FEWEST:
            return
        falling = -np.sort(-scores)
        for number, budget in enumerate(self.budgets):
            at = int(budget * self._factors[number] / doubted_share * len(falling))
            self.thresholds[number] = float(falling[at]) if at < len(falling) else -NEVER
