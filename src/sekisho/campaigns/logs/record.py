"""The attempt record's columns, and the one way from raw columns to them.

Columns are converted as a whole. A record is broken if it has no usable time, member or address, or names a
gate that does not exist; everything else that is not understood becomes "not recorded" and is counted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sekisho.campaigns.logs.addresses import normal_addresses
from sekisho.campaigns.logs.columns import (
    FEW,
    cut_text,
    distinct_text,
    flags,
    repeating_text,
    whole_numbers,
    words,
)
from sekisho.campaigns.logs.faults import Faults
from sekisho.campaigns.logs.times import possible_us, times_us
from sekisho.guard.attempts import ChallengeResult, Gate, Outcome

DISTINCT = ("member", "ip", "device", "secret", "session")
REPEATING = ("gate", "actor", "client", "country", "user_agent", "tls", "outcome", "challenge", "target")
FLAGS = ("known", "device_valid", "leaked")
NUMBERS = ("asn", "amount_yen")
CUT_WHEN_LONG = ("device", "secret", "session", "actor", "client", "country", "user_agent", "tls", "target")
MEMBER_BYTES_MAX = 4_096
COLUMNS = ("time", *DISTINCT, *REPEATING, *FLAGS, *NUMBERS)

SCHEMA = pa.schema(
    [("row", pa.int64()), ("time_us", pa.int64())]
    + [(name, pa.string()) for name in DISTINCT]
    + [(name, FEW) for name in REPEATING]
    + [(name, pa.int8()) for name in FLAGS]
    + [(name, pa.int64()) for name in NUMBERS]
)

WHY_BROKEN = ("", "gate_unknown", "member_too_long", "member_missing", "address_invalid", "time_impossible")


@dataclass(frozen=True, slots=True)
class RawRecords:
    """Columns of equal length as a format's reader found them, not yet converted.

    The names are those of the attempt record; `time` may be replaced by `time_us` (whole microseconds).
    Records stand at `rows` (or at `first_row` and on, where None) and at `lines` of their file (or at
    `first_line` and on).
    """

    columns: Mapping[str, pa.Array]
    length: int
    first_row: int
    first_line: int = 1
    rows: npt.NDArray[np.int64] | None = None
    lines: npt.NDArray[np.int64] | None = None

    def places(self) -> npt.NDArray[np.int64]:
        """Return each record's place among all data records."""
        if self.rows is not None:
            return self.rows
        return np.arange(self.first_row, self.first_row + self.length, dtype=np.int64)

    def lines_in_file(self) -> npt.NDArray[np.int64]:
        """Return each record's line within its file, from 1."""
        if self.lines is not None:
            return self.lines
        return np.arange(self.first_line, self.first_line + self.length, dtype=np.int64)


def joined(parts: Sequence[RawRecords]) -> RawRecords:
    """Put records with the same columns behind each other; where a column's types differ, it becomes text."""
    if len(parts) == 1:
        return parts[0]
    return RawRecords(
        columns={name: _joined([part.columns[name] for part in parts]) for name in parts[0].columns},
        length=sum(part.length for part in parts),
        first_row=parts[0].first_row,
        rows=np.concatenate([part.places() for part in parts]),
        lines=np.concatenate([part.lines_in_file() for part in parts]),
    )


def _joined(columns: list[pa.Array]) -> pa.Array:
    if len({column.type for column in columns}) > 1:
        columns = [column.cast(pa.string()) for column in columns]
    return pa.concat_arrays(columns)


def attempt_records(raw: RawRecords, faults: Faults) -> pa.RecordBatch:
    """Convert raw records to a batch of `SCHEMA`. Broken ones are left out and told to `faults`."""
    made: dict[str, pa.Array] = {"row": pa.array(raw.places()), "time_us": _times(raw)}
    get, length = raw.columns.get, raw.length
    for name in DISTINCT:
        made[name] = distinct_text(get(name), length)
    for name in REPEATING:
        made[name] = repeating_text(get(name), length)
    for name in FLAGS:
        made[name] = flags(get(name), length, name, faults)
    made["asn"] = pc.fill_null(whole_numbers(get("asn"), length, "asn", faults), 0)
    made["amount_yen"] = whole_numbers(get("amount_yen"), length, "amount_yen", faults)
    made["ip"] = normal_addresses(made["ip"])
    made["gate"] = words(made["gate"], Gate, empty=Gate.LOGIN)
    made["outcome"] = _known_words(made["outcome"], Outcome.UNKNOWN, faults)
    made["challenge"] = _known_words(made["challenge"], ChallengeResult.NONE, faults)
    why = _why_broken(made)
    for name in CUT_WHEN_LONG:
        made[name] = cut_text(made[name], name, faults)
    batch = pa.RecordBatch.from_arrays([made[name] for name in SCHEMA.names], schema=SCHEMA)
    return _without_broken(batch, why, raw, faults)


def _times(raw: RawRecords) -> pa.Int64Array:
    whole = raw.columns.get("time_us")
    if whole is not None and pa.types.is_integer(whole.type):
        return possible_us(whole.cast(pa.int64(), safe=False))
    if "time" in raw.columns:
        return times_us(raw.columns["time"])
    return pa.nulls(raw.length, pa.int64())


def _known_words(
    texts: pa.DictionaryArray, empty: Outcome | ChallengeResult, faults: Faults
) -> pa.DictionaryArray:
    found = words(texts, type(empty), empty=empty)
    faults.note(f"{type(empty).__name__.lower()}_unknown", found.null_count)
    return repeating_text(found, len(found))


def _why_broken(made: Mapping[str, pa.Array]) -> npt.NDArray[np.int8] | None:
    """Return each record's reason as its place in `WHY_BROKEN` (0: fine); None if all are fine."""
    lengths = pc.binary_length(made["member"])
    shortest, longest = pc.min_max(lengths).values()
    members_fine = not shortest.is_valid or (shortest.as_py() > 0 and longest.as_py() <= MEMBER_BYTES_MAX)
    if members_fine and not any(made[name].null_count for name in ("gate", "ip", "time_us")):
        return None
    why = np.zeros(len(lengths), np.int8)
    marks = (
        ("gate_unknown", pc.is_null(made["gate"])),
        ("member_too_long", pc.greater(lengths, MEMBER_BYTES_MAX)),
        ("member_missing", pc.equal(lengths, 0)),
        ("address_invalid", pc.is_null(made["ip"])),
        ("time_impossible", pc.is_null(made["time_us"])),
    )
    for reason, mark in marks:  # a later reason stands before an earlier one
        why[mark.to_numpy(zero_copy_only=False)] = WHY_BROKEN.index(reason)
    return why


def _without_broken(
    batch: pa.RecordBatch, why: npt.NDArray[np.int8] | None, raw: RawRecords, faults: Faults
) -> pa.RecordBatch:
    if why is None:
        return batch
    places, lines = raw.places(), raw.lines_in_file()
    for index in np.flatnonzero(why).tolist():
        faults.record(int(places[index]), int(lines[index]), WHY_BROKEN[why[index]])
    return batch.filter(pa.array(why == 0))
