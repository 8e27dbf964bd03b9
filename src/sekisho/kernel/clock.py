"""Time as an argument: one seed and one clock replay a whole attack."""

import time
from datetime import UTC, datetime
from typing import Protocol

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US


class Clock(Protocol):
    """Tells the time in whole microseconds since 1970-01-01T00:00:00Z."""

    def now_us(self) -> int:
        """Return the current time in microseconds since the epoch, UTC."""
        ...


class SystemClock:
    """The machine's clock: the only place where the program asks it."""

    def now_us(self) -> int:
        """Return the machine's time in microseconds since the epoch, UTC."""
        return time.time_ns() // 1_000


class SetClock:
    """A clock that stands still until somebody sets it: for tests, replays and the range."""

    def __init__(self, now_us: int = 0) -> None:
        self._now_us = now_us

    def now_us(self) -> int:
        """Return the time that was set last."""
        return self._now_us

    def set(self, now_us: int) -> None:
        """Jump to a time, forwards or backwards."""
        self._now_us = now_us

    def advance(self, us: int) -> None:
        """Move forwards by so many microseconds."""
        self._now_us += us


def rfc3339(time_us: int) -> str:
    """Write a time as RFC 3339 in UTC with microseconds where they are not zero."""
    moment = datetime.fromtimestamp(time_us // SECOND_US, UTC)
    fraction = time_us % SECOND_US
    text = moment.strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{fraction:06d}Z" if fraction else f"{text}Z"
