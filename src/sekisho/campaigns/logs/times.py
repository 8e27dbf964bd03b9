"""Times of a log as whole microseconds since the epoch, UTC."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
END_US = int((datetime(2200, 1, 1, tzinfo=UTC) - _EPOCH) / timedelta(microseconds=1))
_HAS_ZONE = r"(?:[Zz]|[+-][0-9]{2}:?[0-9]{2})$"


def time_us_of(text: str) -> int | None:
    """Parse one RFC 3339 time; None where it is not one, or not a date that exists.

    A time without a zone is UTC. More than six decimals are cut. A blank may stand for the `T`.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    if len(text.strip()) <= len("2026-01-01"):
        return None  # a day is not a time
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return (moment - _EPOCH) // timedelta(microseconds=1)


def times_us(times: pa.Array) -> pa.Int64Array:
    """Convert a column of texts or timestamps; null marks what is not a time between 1970 and 2200.

    A timestamp column without a zone is UTC. Numbers are not taken for times: their unit would be a guess.
    """
    kind = times.type
    if pa.types.is_timestamp(kind):
        found = _from_timestamps(times)
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind):
        found = _from_texts(times)
    else:
        found = pa.nulls(len(times), pa.int64())
    return possible_us(found)


def possible_us(times: pa.Int64Array) -> pa.Int64Array:
    """Keep the times from 1970 up to, not including, 2200; null marks the others."""
    possible = pc.and_(pc.greater_equal(times, 0), pc.less(times, END_US))
    return pc.if_else(pc.fill_null(possible, False), times, pa.scalar(None, pa.int64()))


def _from_timestamps(times: pa.Array) -> pa.Int64Array:
    whole = times.cast(pa.timestamp("us", times.type.tz), safe=times.type.unit != "ns")
    return whole.cast(pa.int64())


def _from_texts(times: pa.Array) -> pa.Int64Array:
    texts = pc.fill_null(times.cast(pa.string()), "")
    zoned = pc.match_substring_regex(texts, _HAS_ZONE)
    if not pc.all(zoned).as_py():
        texts = pc.if_else(zoned, texts, pc.binary_join_element_wise(texts, "Z", ""))
    try:
        return texts.cast(pa.timestamp("us", "UTC")).cast(pa.int64())
    except pa.ArrowInvalid:  # at least one is not as Arrow wants it: look at each
        return pa.array([time_us_of(text) for text in texts.to_pylist()], pa.int64())
