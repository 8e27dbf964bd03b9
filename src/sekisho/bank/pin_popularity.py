"""How often each PIN fails, beside how popular it is here: one PIN tried on many accounts stands out.

Honest failures spread over PINs as PINs are chosen; who tries one popular PIN on account after account adds
to that one alone. A PIN whose failures of about a day exceed what this bank's own successes let expect, by
six and by five standard deviations, asks for a second factor. It does not stop who guesses evenly; it takes
away what popular PINs are worth to an attacker.

A keyed hash of four digits can be reversed by whoever holds the key. So the key is drawn when the process
starts and never written down, and the counts live in memory alone.
"""

from hashlib import blake2b
from typing import NamedTuple

from sekisho.kernel.chance import Chance
from sekisho.kernel.clock import DAY_US, Clock

PINS = 10_000
EXCESS_MIN = 6.0
DEVIATIONS = 5.0
FAILURES_HALVE_US = DAY_US
SUCCESSES_HALVE_US = 30 * DAY_US


class _Count:
    """Decaying counts of one PIN, each as of its own moment, and the account on which it failed last."""

    __slots__ = ("account", "failures", "failures_at_us", "successes", "successes_at_us")

    def __init__(self) -> None:
        self.failures, self.failures_at_us = 0.0, 0
        self.successes, self.successes_at_us = 0.0, 0
        self.account = b""


class Excess(NamedTuple):
    """How many accounts a PIN failed on lately, and on how many it was to be expected."""

    failed: float
    expected: float

    @property
    def stands_out(self) -> bool:
        """Whether that is no chance."""
        return self.failed - self.expected > max(EXCESS_MIN, DEVIATIONS * float(self.expected**0.5))


class PinPopularity:
    """Counts for one bank, in memory: at most one entry a PIN. Use it from one event loop."""

    def __init__(self, clock: Clock, chance: Chance) -> None:
        self._clock = clock
        self._key = chance.octets(32)
        self._counts: dict[bytes, _Count] = {}
        self._all = _Count()

    def excess(self, pin: str) -> Excess:
        """Return how a PIN fails beside what its popularity lets expect."""
        now_us = self._clock.now_us()
        count = self._counts.get(self._digest(pin))
        if count is None:
            return Excess(0.0, 0.0)
        failed = _failures(count, now_us)
        # Without a past every PIN is taken to be as popular as any other.
        popularity = (_successes(count, now_us) + 1.0) / (_successes(self._all, now_us) + PINS)
        return Excess(failed, popularity * _failures(self._all, now_us))

    def failed(self, pin: str, account: str) -> None:
        """Count a failure; the same account twice in a row counts once."""
        now_us, count = self._clock.now_us(), self._count(pin)
        mark = self._digest(account)
        if count.account == mark:
            return
        count.account = mark
        for each in (count, self._all):
            each.failures, each.failures_at_us = _failures(each, now_us) + 1.0, now_us

    def succeeded(self, pin: str) -> None:
        """Count a success: this is how popular PINs are here."""
        now_us = self._clock.now_us()
        for each in (self._count(pin), self._all):
            each.successes, each.successes_at_us = _successes(each, now_us) + 1.0, now_us

    def _count(self, pin: str) -> _Count:
        return self._counts.setdefault(self._digest(pin), _Count())

    def _digest(self, text: str) -> bytes:
        return blake2b(text.encode("utf-8", "surrogatepass"), key=self._key, digest_size=16).digest()


def _failures(count: _Count, now_us: int) -> float:
    return count.failures * _kept(now_us - count.failures_at_us, FAILURES_HALVE_US)


def _successes(count: _Count, now_us: int) -> float:
    return count.successes * _kept(now_us - count.successes_at_us, SUCCESSES_HALVE_US)


def _kept(passed_us: int, half_life_us: int) -> float:
    return float(0.5 ** (max(0, passed_us) / half_life_us))
