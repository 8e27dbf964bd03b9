"""Chance as an argument: one seed replays a whole world, and secrets come from the machine's own source."""

import random  # noqa: TID251 - this is where chance comes from
from collections.abc import Sequence
from typing import Protocol, TypeVar

Item = TypeVar("Item")


class Chance(Protocol):
    """Draws at random. What it draws is a secret only where the source is a SystemChance."""

    def bits(self, count: int) -> int:
        """Return a number of so many random bits, 0 included."""
        ...

    def octets(self, count: int) -> bytes:
        """Return so many random bytes."""
        ...

    def below(self, limit: int) -> int:
        """Return a whole number from 0 up to, not including, the limit."""
        ...

    def fraction(self) -> float:
        """Return a number from 0 up to, not including, 1."""
        ...

    def choose(self, items: Sequence[Item]) -> Item:
        """Return one of the items, each as likely as the others. Raises IndexError where there are none."""
        ...


class _Drawn:
    def __init__(self, source: random.Random) -> None:
        self._source = source
        self.bits = source.getrandbits
        self.octets = source.randbytes
        self.below = source.randrange
        self.fraction = source.random

    def choose(self, items: Sequence[Item]) -> Item:
        """Return one of the items, each as likely as the others. Raises IndexError where there are none."""
        return self._source.choice(items)


class SystemChance(_Drawn):
    """The machine's own source, fit for keys and tokens."""

    def __init__(self) -> None:
        super().__init__(random.SystemRandom())


class SeededChance(_Drawn):
    """The same draws for the same seed: for tests, replays and the range, never for secrets."""

    def __init__(self, seed: int) -> None:
        super().__init__(random.Random(seed))  # noqa: S311 - repeatable on purpose; secrets take SystemChance
