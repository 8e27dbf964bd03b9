"""Japanese time: the clock on the wall of whoever lends, banks or pays here."""

from datetime import UTC, date, datetime, timedelta, timezone

from sekisho.kernel.clock import HOUR_US

AHEAD_US = 9 * HOUR_US
"""How far clocks in Japan are ahead of UTC; they are never changed for the summer."""

JAPAN = timezone(timedelta(microseconds=AHEAD_US), "JST")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def in_japan(at_us: int) -> datetime:
    """Return a time (microseconds since the epoch, UTC) as clocks in Japan show it."""
    return (_EPOCH + timedelta(microseconds=at_us)).astimezone(JAPAN)


def day_in_japan(at_us: int) -> date:
    """Return the day that it is in Japan at a time."""
    return in_japan(at_us).date()


def japanese_us(moment: datetime) -> int:
    """Return the time that a clock in Japan shows, in microseconds since the epoch."""
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=JAPAN)
    return (aware - _EPOCH) // timedelta(microseconds=1)
