"""The largest keys of the last minutes: exact while they are few, in bounded memory always."""

from collections import deque

MINUTE_S = 60


class WindowTop:
    """Counts by key and column over a sliding window of whole minutes.

    Each minute holds at most `keys_max` keys; what comes when a minute is full is counted under `rest`,
    so that sums stay right and a flood of invented keys costs no memory.
    """

    def __init__(self, *, minutes: int, keys_max: int, columns: int, rest: str) -> None:
        self._minutes = minutes
        self._keys_max = keys_max
        self._columns = columns
        self._rest = rest
        self._by_minute: deque[tuple[int, dict[str, list[int]]]] = deque(maxlen=minutes)

    def add(self, key: str, column: int, at_s: int) -> None:
        """Count one event of a key in a column. An event older than the newest minute is counted there."""
        minute = at_s // MINUTE_S
        if not self._by_minute or minute > self._by_minute[-1][0]:
            self._by_minute.append((minute, {}))
        counts = self._by_minute[-1][1]
        if key not in counts and len(counts) >= self._keys_max:
            key = self._rest
        counts.setdefault(key, [0] * self._columns)[column] += 1

    def largest(self, now_s: int, limit: int, *, by_columns: slice) -> list[tuple[str, tuple[int, ...]]]:
        """Return the keys with the highest sum over some columns, highest first, and all their columns."""
        oldest = now_s // MINUTE_S - self._minutes
        sums: dict[str, list[int]] = {}
        for minute, counts in self._by_minute:
            if minute <= oldest:
                continue
            for key, columns in counts.items():
                total = sums.setdefault(key, [0] * self._columns)
                for column, count in enumerate(columns):
                    total[column] += count
        ranked = sorted(sums.items(), key=lambda item: (-sum(item[1][by_columns]), -sum(item[1]), item[0]))
        return [(key, tuple(columns)) for key, columns in ranked[:limit]]
