"""What the guard remembers, in bounded space: packed tables of decaying counts.

A table never grows. Where it is full, the entry that was silent longest gives way, so that an attacker with
millions of addresses costs memory once and no more. Arrays are views over untouched zero pages: a table
that is little used is little resident.
"""

from collections.abc import MutableSequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

WAYS = 4
_MASK64 = (1 << 64) - 1
_SPREAD = 0x9E3779B97F4A7C15  # 2^64 over the golden ratio, odd: spreads neighbouring numbers over the table


class CountTable:
    """Failures and successes by key, each halved every `half_life_s`, in 4-way sets of packed slots.

    Fields of a slot: `failures` and `successes` as of `last_s` (decayed), `ever` (successes ever,
    undecayed), `tag` (a caller's mark: who failed here last). Times are seconds since the epoch.
    """

    FIELDS = (
        ("print", np.uint32),
        ("last_s", np.uint32),
        ("failures", np.float32),
        ("successes", np.float32),
        ("ever", np.uint32),
        ("tag", np.uint32),
    )

    def __init__(self, *, slots: int, half_life_s: float, key: int) -> None:
        """Make a table of `slots` (a power of two) whose layout depends on `key`."""
        # A slot's fields lie side by side: one that was not looked at for long is fetched from memory once.
        packed = np.zeros(slots, list(self.FIELDS))
        self.arrays: dict[str, NDArray[Any]] = {name: packed[name] for name, _ in self.FIELDS}
        # A view of the buffer answers a single index three times faster than the array does.
        self.prints = self._whole("print")
        self.last_s = self._whole("last_s")
        self.ever = self._whole("ever")
        self.tag = self._whole("tag")
        self.failures = self._real("failures")
        self.successes = self._real("successes")
        self._mask = slots - 1
        self._key = key & _MASK64 | 1
        self._per_s = -1.0 / half_life_s

    def _whole(self, name: str) -> MutableSequence[int]:
        return cast("MutableSequence[int]", memoryview(self.arrays[name].data))

    def _real(self, name: str) -> MutableSequence[float]:
        return cast("MutableSequence[float]", memoryview(self.arrays[name].data))

    def find(self, key: int) -> int:
        """Return the key's slot, or -1 where it has none."""
        spread = ((key ^ self._key) * _SPREAD) & _MASK64
        spread ^= spread >> 29
        wanted = spread >> 32 | 1
        at = spread & self._mask
        prints = self.prints
        if prints[at] == wanted:
            return at
        # Written out: the loop would cost as much as the search.
        if prints[at ^ 1] == wanted:
            return at ^ 1
        if prints[at ^ 2] == wanted:
            return at ^ 2
        if prints[at ^ 3] == wanted:
            return at ^ 3
        return -1

    def take(self, key: int, now_s: int) -> int:
        """Return the key's slot with its counts decayed to now, claiming the emptiest or most silent one
        of its set.
        """
        slot = self.find(key)
        last_s = self.last_s
        if slot >= 0:
            kept = 2.0 ** ((now_s - last_s[slot]) * self._per_s)
            self.failures[slot] *= kept
            self.successes[slot] *= kept
            last_s[slot] = now_s
            return slot
        spread = ((key ^ self._key) * _SPREAD) & _MASK64
        spread ^= spread >> 29
        at = spread & self._mask
        slot = min((at, at ^ 1, at ^ 2, at ^ 3), key=last_s.__getitem__)
        self.prints[slot] = spread >> 32 | 1
        last_s[slot] = now_s
        self.failures[slot] = self.successes[slot] = 0.0
        self.ever[slot] = self.tag[slot] = 0
        return slot

    def kept(self, slot: int, now_s: int) -> float:
        """Return what share of the slot's counts is left now."""
        kept: float = 2.0 ** ((now_s - self.last_s[slot]) * self._per_s)
        return kept


class Decay:
    """A common landmark for counts that decay: an event now weighs `weight`, and old ones need not be
    touched.

    Forward decay (Cormode, Shkapenyuk, Srivastava, Xu 2009): counts grow by 2^((t-landmark)/half-life), and
    every ratio of two of them is the same as if both had been halved each half-life.
    """

    _LIMIT = 2.0**400

    def __init__(self, half_life_s: float) -> None:
        self.half_life_s = half_life_s
        self.landmark_s = 0.0
        self.weight = 1.0
        self._tables: list[list[float]] = []

    def follow(self, values: list[float]) -> list[float]:
        """Let these counts be rescaled when the landmark moves."""
        self._tables.append(values)
        return values

    def advance(self, now_s: float) -> None:
        """Set the weight of an event to that of this moment."""
        if not self.landmark_s:
            self.landmark_s = now_s
        exponent = (now_s - self.landmark_s) / self.half_life_s
        if exponent > 400.0:  # noqa: PLR2004 - well inside a float's range, once in 400 half-lives
            self._move_landmark(now_s)
            exponent = 0.0
        self.weight = 2.0**exponent

    def _move_landmark(self, now_s: float) -> None:
        factor = 2.0 ** -min(1000.0, (now_s - self.landmark_s) / self.half_life_s)
        for values in self._tables:
            values[:] = [value * factor for value in values]
        self.landmark_s = now_s


class Odds:
    """Failures against successes by a code of 16 bits or fewer, under a common decay."""

    def __init__(self, decay: Decay, codes: int) -> None:
        self.decay = decay
        self.failures = decay.follow([0.0] * codes)
        self.successes = decay.follow([0.0] * codes)
