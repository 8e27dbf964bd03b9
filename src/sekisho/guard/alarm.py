"""Notices that a campaign has begun, and that it is over, from counts alone: raise first, attribute after.

A suspicious failure is one that no token vouches for, from an address that never had a success, and not a
repetition (the same member failing again counts once). Honest people make few of those, whatever the day; a
list attack makes little else. Their number is compared with what is usual for the honest successes seen
meanwhile by one-sided cumulative sums (CUSUM; Page 1954), one for each size of excess, so that a flood is
named within seconds and a trickle within hours.
"""

from dataclasses import dataclass

from sekisho.guard.memory import Decay

_OVER = 5.0


@dataclass(slots=True)
class _Sum:
    """One cumulative sum: adds each suspicious failure, gives back `slack` times what was usual meanwhile."""

    slack: float
    floor: float
    value: float = 0.0
    peak: float = 0.0
    calm_max: float = 0.0
    passed: bool = False  # this excursion went over the limit: it was an attack, and no part of the usual

    @property
    def limit(self) -> float:
        """Return the value above which a campaign is named: well above every excursion that ended by
        itself.
        """
        return max(self.floor, 1.6 * self.calm_max)

    def add(self, weight: float) -> bool:
        """Add a suspicious failure and say whether the limit is passed."""
        self.value = min(self.value + weight, self.limit + _OVER)  # a long attack must not ring on for days
        self.peak = max(self.peak, self.value)
        over = self.value > self.limit
        self.passed = self.passed or over
        return over

    def give_back(self, usual: float, *, calm: bool) -> None:
        """Take off what was usual for one success; an excursion that ends in calm time is part of the
        usual.
        """
        self.value -= self.slack * usual
        if self.value <= 0.0:
            self.value = 0.0
            if calm and not self.passed:
                self.calm_max = max(self.calm_max, self.peak)
            self.peak, self.passed = 0.0, False


class Alarm:
    """Raised while a campaign is on. Times are seconds; `hold_s` bridges the attacker's pauses."""

    CALM_HALF_LIFE_S = 14 * 86_400.0
    FIRST_S = 2 * 86_400  # until then the log itself is new: every address is one that never had a success
    USUAL_MAX = 0.2  # for each success: an attack that was there before the guard must not pass for peace

    def __init__(self, *, hold_s: int = 6 * 3_600) -> None:
        self.hold_s = hold_s
        self.raised_s = 0
        self.until_s = 0
        self.number = 0
        self._sums = (_Sum(2.5, 25.0), _Sum(5.0, 15.0), _Sum(12.0, 10.0), _Sum(40.0, 8.0))
        self._long = Decay(self.CALM_HALF_LIFE_S)
        self._suspicious = 0.0
        self._successes = 0.0
        self._begun_s = 0

    def is_on(self, now_s: int) -> bool:
        """Say whether a campaign is on."""
        return now_s < self.until_s

    def usual(self) -> float:
        """Return the usual number of suspicious failures for each success."""
        pull = 30.0 * self._long.weight
        return (self._suspicious + 0.02 * pull) / (self._successes + pull)

    def success(self, now_s: int) -> None:
        """Count a success: exposure in which some suspicious failures are usual."""
        self._long.advance(now_s)
        self._begun_s = self._begun_s or now_s
        usual = self.usual()
        calm = not self.is_on(now_s)
        for part in self._sums:
            part.give_back(usual, calm=calm)
        if calm:
            self._successes += self._long.weight

    def suspicious(self, now_s: int, weight: float = 1.0) -> bool:
        """Count a suspicious failure; return whether it raised the alarm."""
        self._begun_s = self._begun_s or now_s
        was_on = self.is_on(now_s)
        new_log = now_s - self._begun_s < self.FIRST_S
        over = False
        for part in self._sums:
            passed = part.add(weight)
            over = over or (passed and not (new_log and part.slack < 10.0))  # noqa: PLR2004 - the two slow sums
        if not was_on and not over and self.usual() < self.USUAL_MAX:
            self._suspicious += self._long.weight * weight
        if over:
            self.until_s = now_s + self.hold_s
            if not was_on:
                self.raised_s = now_s
                self.number += 1
        return over and not was_on
