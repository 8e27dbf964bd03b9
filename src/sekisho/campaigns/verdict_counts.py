"""How often policies answered what, at the same attempts: by gate, by what is known of them, and by day."""

from collections import Counter
from collections.abc import Iterator

import msgspec

from sekisho.campaigns.known_ends import End
from sekisho.guard.decisions import STRICTNESS, Action


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """Attempts that have all this in common; `actions` are the policies' answers, in the order of the names.

    `day` is one in Japan, as `2026-11-21`; empty where nobody counts by days.
    """

    gate: str
    end: End
    actions: tuple[Action, ...]
    attempts: int
    day: str = ""


class VerdictCounts(msgspec.Struct, frozen=True, kw_only=True):
    """What policies answered, the one in force first in `names`. A policy's number is its place there."""

    names: tuple[str, ...]
    counted: tuple[Counted, ...]

    @property
    def compared(self) -> int:
        """How many attempts were compared."""
        return sum(one.attempts for one in self.counted)

    @property
    def gates(self) -> list[str]:
        """The gates at which there were attempts, the busiest first."""
        counts: Counter[str] = Counter()
        for one in self.counted:
            counts[one.gate] += one.attempts
        return [gate for gate, _ in counts.most_common()]

    def attempts_at(self, gate: str, *, end: End | None = None) -> int:
        """Return how many attempts there were at a gate, of one end or of all."""
        return sum(one.attempts for one in self._at(gate, end))

    def count(self, gate: str, number: int, action: Action, *, end: End | None = None) -> int:
        """Return how many attempts a policy answers with an action."""
        return sum(one.attempts for one in self._at(gate, end) if one.actions[number] is action)

    def stopped(self, gate: str, number: int, *, end: End | None = None) -> int:
        """Return how many attempts a policy does not simply allow."""
        return self.attempts_at(gate, end=end) - self.count(gate, number, Action.ALLOW, end=end)

    def moved(self, gate: str, number: int, *, stricter: bool, end: End | None = None) -> int:
        """Return how many attempts a policy answers more strictly than the first one, or less."""
        return sum(
            one.attempts
            for one in self._at(gate, end)
            if one.actions[number] is not one.actions[0]
            and (STRICTNESS[one.actions[number]] > STRICTNESS[one.actions[0]]) is stricter
        )

    def by_day(self, gate: str) -> list[tuple[str, "VerdictCounts"]]:
        """Return the counts of a gate's days, the oldest first."""
        days: dict[str, list[Counted]] = {}
        for one in self._at(gate, None):
            days.setdefault(one.day, []).append(one)
        return [(day, VerdictCounts(names=self.names, counted=tuple(days[day]))) for day in sorted(days)]

    def _at(self, gate: str, end: End | None) -> Iterator[Counted]:
        return (one for one in self.counted if one.gate == gate and end in {None, one.end})
