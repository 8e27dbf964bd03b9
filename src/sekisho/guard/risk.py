"""The risk score: how much likelier an attempt comes from an attacker than from an honest member who will
pass.

Failures are the labels. Inside an attack, what a client looks like does not depend on whether the pair it
tries happens to be right, so the odds of hostile attempts against honest successes, A(x)/S(x), are learnt
from failures alone:

    A(x)/S(x) = F1(x)/S1(x) - F0(x)/S0(x) = exp z1(x) - exp z0(x)

with z1 the log odds of failure now and z0 those of attack-free time (weights frozen while a campaign is
on). No attack sample is needed at install: until a campaign has given labels, the prior speaks. It is
learnt in peace by contrast: the same source and moment, once with the member who really came and once with
another member drawn at random, which is what an attacker with somebody else's password looks like to the
member's history.
"""

import math

from sekisho.guard.evidence import Codes

CEILING = 30.0  # log odds beyond which nothing changes any more
_NEARLY_NOTHING = 1e-6
_KNOWN = 0.01  # an example that surprises less than this teaches nothing: most of a flood is of that kind


def chance(log_odds: float) -> float:
    """Return the probability, 0 to 1, that log odds stand for."""
    if log_odds > CEILING:
        return 1.0
    return 1.0 / (1.0 + math.exp(-log_odds)) if log_odds > -CEILING else 0.0


class Weights:
    """A logistic regression over codes, learnt one example at a time (AdaGrad: Duchi, Hazan, Singer 2011)."""

    def __init__(self, size: int, *, rate: float = 0.08) -> None:
        self.values = [0.0] * size
        self._squares = [0.1] * size
        self._rate = rate

    def sum(self, codes: Codes) -> float:
        """Return the log odds of these codes."""
        return sum(map(self.values.__getitem__, codes))

    def learn(self, codes: Codes, offset: float, label: float, weight: float) -> None:
        """Move towards a label (1 hostile or failed, 0 honest or passed), given the other part of the
        log odds.
        """
        values, squares, rate = self.values, self._squares, self._rate
        logit = offset + sum(map(values.__getitem__, codes))
        slope = (chance(logit) - label) * weight
        if -_KNOWN < slope < _KNOWN:
            return
        square = slope * slope
        for code in codes:
            squares[code] += square
            values[code] -= rate * slope / math.sqrt(squares[code])


class FailureOdds:
    """Log odds of failure for source and member codes, live and as they were in attack-free time."""

    def __init__(self, source_size: int, member_size: int) -> None:
        self.source, self.member = Weights(source_size), Weights(member_size)
        self.calm_source, self.calm_member = list(self.source.values), list(self.member.values)

    def excess(self, source: Codes, member: Codes, least: float) -> tuple[float, float]:
        """Return log of A(x)/S(x) from the source alone, and what the member's side adds to it.

        `least` is the smallest part of the failures of any kind of attempt that is taken to be hostile: where
        honest people always failed often, the difference of two large odds is mostly noise.
        """
        live, calm = self.source.sum(source), sum(map(self.calm_source.__getitem__, source))
        by_source = _log_excess(live, calm, least)
        live += self.member.sum(member)
        calm += sum(map(self.calm_member.__getitem__, member))
        return by_source, _log_excess(live, calm, least) - by_source

    def learn(
        self,
        source: Codes,
        member: Codes | None,
        *,
        failed: bool,
        weight: float,
        member_weight: float,
        calm: bool,
    ) -> None:
        """Learn an outcome; `member` is None where the id does not exist; `calm` also teaches the
        attack-free weights.

        `weight` is how much of an example it is, `member_weight` the same for the member side, where
        failures that were stopped before the hash are known by a sample only.
        """
        offset = self.source.sum(source)
        label = 1.0 if failed else 0.0
        if member is not None:
            self.member.learn(member, offset, label, member_weight)
        self.source.learn(source, 0.0, label, weight)
        if calm:
            for codes, live, kept in (
                (source, self.source.values, self.calm_source),
                (member or (), self.member.values, self.calm_member),
            ):
                for code in codes:
                    kept[code] = live[code]

    def forget_attack(self) -> None:
        """Return to the attack-free weights when a campaign is over."""
        self.source.values[:] = self.calm_source
        self.member.values[:] = self.calm_member


def _log_excess(live: float, calm: float, least: float) -> float:
    # No sum of some thirty weights comes near what exp can't hold: learning stops where an example is known.
    now = math.exp(live)
    return math.log(max(least * now, now - math.exp(calm)) + _NEARLY_NOTHING)


class Prior:
    """Log odds of hostile against honest before any attack was seen.

    The member side is the contrast of real and random pairings. The source side compares how often honest
    successes are in a class with how often a list attack is expected to be; those expectations are the only
    guesses in here: most attempts bring no token and come from addresses that never had a success, and four
    in ten pairs are on a known list.
    """

    TOKENS = (0.92, 0.04, 0.01, 0.01, 0.01, 0.01)
    EVER = (0.75, 0.10, 0.07, 0.05, 0.03)
    FAILURES = (0.50, 0.22, 0.12, 0.08, 0.05, 0.03)
    LEAKED = (0.6, 0.4)
    _PULL = 40.0

    def __init__(self, member_size: int) -> None:
        self.contrast = Weights(member_size, rate=0.05)
        self._tokens = [self._PULL / len(self.TOKENS)] * len(self.TOKENS)
        self._states = [self._PULL / 30.0] * 30
        self._leaked = [self._PULL * 0.98, self._PULL * 0.02]
        self._total = self._PULL

    def source(self, kind: int, state: int, leaked: int) -> float:
        """Return the source's log odds; `leaked` as in the member codes (2: not recorded, says nothing)."""
        total = self._total
        odds = self.TOKENS[kind] * total / self._tokens[kind]
        odds *= self.EVER[state // 6] * self.FAILURES[state % 6] * total / self._states[state]
        if leaked < 2:  # noqa: PLR2004 - not recorded
            odds *= self.LEAKED[leaked] * (self._leaked[0] + self._leaked[1]) / self._leaked[leaked]
        return math.log(odds)

    def member(self, codes: Codes) -> float:
        """Return the log odds of the member's side: how much likelier with a member drawn at random."""
        return self.contrast.sum(codes)

    def learn(self, kind: int, state: int, leaked: int, real: Codes, random: Codes) -> None:
        """Take in an honest success: its classes, its codes, and its codes had another member come."""
        self._tokens[kind] += 1.0
        self._states[state] += 1.0
        self._total += 1.0
        if leaked < 2:  # noqa: PLR2004 - not recorded
            self._leaked[leaked] += 1.0
        self.contrast.learn(real, 0.0, 0.0, 1.0)
        self.contrast.learn(random, 0.0, 1.0, 1.0)
