"""Estimate for every attempt the probability that it is hostile, from the log alone.

The log is a mixture of honest and hostile attempts whose proportion changes by the hour. Two likelihood
ratios are learned by expectation maximisation: one among failures, started from the excess of unexplained
failures, and one for successes, whose hostile sample are the hostile *failures* on existing members. That
works without a single label because what a hostile client looks like does not depend on whether its pair
happens to be right (Freeman et al., NDSS 2016; Herley and Schechter, NDSS 2019, use the same independence).
"""

from dataclasses import dataclass

import numpy as np

from sekisho.campaigns.calibration import Hits, count_hits
from sekisho.campaigns.coded import CodedAttempts, Marks, Weights, Whole
from sekisho.campaigns.evidence import HONEST_LEVELS, Evidence
from sekisho.campaigns.learning import Feature, Ratio, fit_ratio
from sekisho.campaigns.trust import EXPLANATIONS, SAME_PLACE, explanations, proven
from sekisho.campaigns.volume import first_estimate, hours_of

ROUNDS = 4
UNEXPLAINED_STRATA = 2
CONTROL_SHARE_MIN = 0.2
FAILURE_SAMPLE_MAX = 80_000
SUCCESS_SAMPLE_MAX = 150_000
SPRAYED_LEVEL = 3
SPRAYED_SHARE = 0.5
HONEST_GROWTH_MAX = 1.5
QUIET_TRIES = 0.2
QUIET_WEIGHT = 0.1
QUIET_SUCCESSES_MIN = 500
HAMMERED_LEVEL = 6
SEQUENCE_LEVEL = 5
HAMMERED_CHANCE = 0.9
TINY = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What is believed of each attempt of one gate.

    `successes` are the rows that may be hits, with the `features` that speak about them and the `ratio` that
    weighs those; `hits` is their estimated number. Without suspicion they are empty.
    """

    hostile: Weights
    hits: float
    successes: Whole
    features: list[Feature]
    ratio: Ratio


def estimate(attempts: CodedAttempts) -> Estimate:
    """Return the probability of each attempt and what it rests on."""
    sure = proven(attempts) | attempts.partner
    explained = explanations(attempts)
    stratum = np.where(attempts.failure & ~sure, explained * 2 + attempts.unknown_name, -1)
    control = sure
    if sure.sum() < CONTROL_SHARE_MIN * attempts.success.sum():
        control = attempts.success | (attempts.failure & (explained == SAME_PLACE))
    hostile, least = first_estimate(attempts, stratum, EXPLANATIONS * 2, UNEXPLAINED_STRATA, control)
    asked = np.flatnonzero(~sure)
    if hostile.sum() < 1.0:
        return Estimate(hostile=hostile, hits=0.0, successes=asked[:0], features=[], ratio=Ratio({}))
    turn = _Turn(attempts, asked, hostile[asked])
    evidence = Evidence(attempts, asked, explained)
    for number in range(ROUNDS):
        features = [*evidence.of_surroundings(hostile), *evidence.lasting]
        hostile[asked] = np.maximum(turn.failures(features, hostile[asked]), least[asked])
        hostile[asked] = turn.successes(features, hostile[asked], first=number == 0)
    rows = np.flatnonzero(turn.succeeded)
    return Estimate(
        hostile=hostile,
        hits=turn.hits.count,
        successes=asked[rows],
        features=[feature.part(rows) for feature in turn.shared],
        ratio=turn.success_ratio or Ratio({}),
    )


class _Turn:
    """One round's two steps over the asked attempts; remembers the ratios to start the next round from."""

    def __init__(self, attempts: CodedAttempts, asked: Whole, belief: Weights) -> None:
        self.succeeded: Marks = attempts.success[asked]
        self._existing: Marks = ~self.succeeded & ~attempts.unknown_name[asked]
        self._hour = hours_of(attempts)[asked]
        self._hours = int(self._hour.max(initial=0)) + 1
        self._honest_max = HONEST_GROWTH_MAX * self._smooth((1.0 - belief) * ~self.succeeded) + 1.0
        self._calm = True
        self._failure_ratio: Ratio | None = None
        self.success_ratio: Ratio | None = None
        self.shared: list[Feature] = []
        self.hits = Hits(0.0, 0.0)

    def failures(self, features: list[Feature], belief: Weights) -> Weights:
        """Tell hostile from honest failures; those cannot be many more than the honest volume explains."""
        failed = ~self.succeeded
        self._failure_ratio = _fit(
            features,
            np.where(failed, belief, 0.0),
            np.where(failed, 1.0 - belief, 0.0),
            FAILURE_SAMPLE_MAX,
            self._failure_ratio,
        )
        bad, good = self._smooth(belief * failed), self._smooth((1.0 - belief) * failed)
        odds = ((bad + TINY) / (np.minimum(good, self._honest_max) + 1.0))[self._hour]
        score = self._failure_ratio.log_ratio(features) + np.log(odds)
        return np.where(failed, 1.0 / (1.0 + np.exp(-np.clip(score, -40.0, 40.0))), belief)

    def successes(self, features: list[Feature], belief: Weights, *, first: bool) -> Weights:
        """Find the hits among the successes.

        The honest sample are the successes of the hours with hostile tries, less the hits found so far; in
        the first round, when none are found, it is those of the quiet hours. Where there are hardly any,
        nothing shows what an honest login amid hammering looks like: one there is believed to be a hit.
        """
        tries = self._smooth(belief * self._existing)
        quiet: Marks = self.succeeded & (tries[self._hour] < QUIET_TRIES)
        if first:
            self._calm = int(quiet.sum()) >= QUIET_SUCCESSES_MIN
        honest = np.where(self.succeeded, 1.0 - belief, 0.0)
        if not first:
            honest = np.where(quiet, QUIET_WEIGHT * honest, honest)
        elif self._calm:
            honest = np.where(quiet, honest, 0.0)
        least = 0.0 if self._calm else HAMMERED_CHANCE * _amid_hammering(features)
        honest = np.minimum(honest, 1.0 - least)
        self.shared = _shared(features, belief * self._existing)
        weight = np.where(self._existing, belief, 0.0)
        self.success_ratio = _fit(self.shared, weight, honest, SUCCESS_SAMPLE_MAX, self.success_ratio)
        share = np.log((tries + TINY) / np.maximum(self._smooth(self.succeeded.astype(float)), 1.0))
        score = self.success_ratio.log_ratio(self.shared) + share[self._hour]
        self.hits = count_hits(score[self._existing], belief[self._existing], score[self.succeeded])
        return np.where(self.succeeded, np.maximum(self.hits.probability(score), least), belief)

    def _smooth(self, weight: Weights) -> Weights:
        """Return the weight in each hour, smoothed over its neighbours."""
        sums = np.pad(np.bincount(self._hour, weight, self._hours), 1, mode="edge")
        smooth: Weights = np.convolve(sums, (0.25, 0.5, 0.25), mode="valid")
        return smooth


def _amid_hammering(features: list[Feature]) -> Marks:
    """Mark attempts after many tries on their member, or amid many hostile ones with nobody else's login."""
    named = {feature.name: feature.cells for feature in features}
    around = named["address_hour"]
    alone: Marks = (around // HONEST_LEVELS >= HAMMERED_LEVEL) & (around % HONEST_LEVELS == 0)
    return alone | (named["sequence"] >= SEQUENCE_LEVEL)


def _shared(features: list[Feature], weight: Weights) -> list[Feature]:
    """Return the features that say of a success what they say of a failure.

    What is known of the secret does so only where the campaign works through secrets, a few on many members;
    in a list every pair has its own, and whether it is right goes with how common it is.
    """
    secret = next(feature for feature in features if feature.name == "secret")
    sprayed = secret.cells // HONEST_LEVELS >= SPRAYED_LEVEL
    share = float((weight * sprayed).sum() / max(float(weight.sum()), 1.0))
    dropped = {"explained"} if share >= SPRAYED_SHARE else {"explained", "secret", "secret_spread"}
    return [feature for feature in features if feature.name not in dropped]


def _fit(
    features: list[Feature], hostile: Weights, honest: Weights, sample_max: int, before: Ratio | None
) -> Ratio:
    """Fit on every so many of the attempts that have a weight: the time does not grow with the log."""
    rows = np.flatnonzero(hostile + honest > 0)
    rows = rows[:: max(1, -(-len(rows) // sample_max))]
    return fit_ratio([feature.part(rows) for feature in features], hostile[rows], honest[rows], before)
