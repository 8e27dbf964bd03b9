"""History as Parquet: `attempts/day=2020-09-13/...`, and `outcomes` and `events` beside it.

A file holds the entries of one batch that belong to one day (UTC) and is never changed. What came of an
attempt is known later than the attempt, so it stands in `outcomes`; `attempts_between` puts the two
together. Times are whole microseconds since the epoch, which every engine reads and computes alike.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sekisho.guard.attempts import Attempt
from sekisho.guard.decisions import Decision
from sekisho.kernel.clock import DAY_US
from sekisho.storage.attempts import AttemptDecided, AttemptSettled, event_of
from sekisho.storage.files import replace_file
from sekisho.storage.outbox import StoredEntry

ATTEMPT_COLUMNS = msgspec.structs.fields(Attempt)
DECISION_COLUMNS = msgspec.structs.fields(Decision)

_TYPES: dict[Any, pa.DataType] = {
    int: pa.int64(),
    str: pa.string(),
    float: pa.float64(),
    bool: pa.bool_(),
    int | None: pa.int64(),
    bool | None: pa.bool_(),
    tuple[str, ...]: pa.list_(pa.string()),
    dict[str, str]: pa.map_(pa.string(), pa.string()),
}
_PLACE = [("position", pa.int64()), ("attempt_id", pa.string()), ("at_us", pa.int64())]

ATTEMPTS = pa.schema(
    _PLACE
    + [(field.name, _TYPES.get(field.type, pa.string())) for field in (*ATTEMPT_COLUMNS, *DECISION_COLUMNS)]
)
OUTCOMES = pa.schema([*_PLACE, ("outcome", pa.string()), ("challenge", pa.string())])
EVENTS = pa.schema(
    [
        ("position", pa.int64()),
        ("kind", pa.string()),
        ("subject", pa.string()),
        ("at_us", pa.int64()),
        ("body", pa.binary()),
    ]
)
SCHEMAS = {"attempts": ATTEMPTS, "outcomes": OUTCOMES, "events": EVENTS}

_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_LAST_DAY = date.max.toordinal() - _EPOCH_ORDINAL
_NO_DAY = "out-of-range"
_INT64_END = 1 << 63
_WHOLE_NUMBERS = tuple(field.name for field in ATTEMPTS if field.type == pa.int64())


class WrittenFile(NamedTuple):
    """A file of history: its name below the folder, its rows, and the SHA-256 of its bytes in hexadecimal."""

    name: str
    rows: int
    sha256: str


class HistoryFolder:
    """The folder of history. Files appear in it whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, entries: Sequence[StoredEntry]) -> list[WrittenFile]:
        """Write one batch of outbox entries. The same batch again replaces its files and adds nothing."""
        rows: defaultdict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
        for entry in entries:
            kind, time_us, row = _row_of(entry)
            rows[kind, _day(time_us)].append(row)
        batch = f"{entries[0].position:015d}-{entries[-1].position:015d}.parquet"
        return [
            self._write_file(f"{kind}/day={day}/{batch}", rows[kind, day], SCHEMAS[kind])
            for kind, day in sorted(rows)
        ]

    def attempts_between(self, from_us: int, before_us: int) -> pa.Table:
        """Return the attempts of a span of time with what came of them, in the order of the record.

        The columns are those of `ATTEMPTS`, `outcome` and `challenge`, which are empty where nothing is
        known.
        """
        attempts = self._read("attempts", from_us, before_us)
        times = attempts["time_us"]
        within = pc.and_(pc.greater_equal(times, from_us), pc.less(times, before_us))
        attempts = attempts.filter(within).sort_by("position")
        # What came of an attempt may have been told on any later day.
        outcomes = self._read("outcomes", from_us, None)
        found = pc.index_in(attempts["attempt_id"], value_set=outcomes["attempt_id"].combine_chunks())
        for name in ("outcome", "challenge"):
            attempts = attempts.append_column(name, pc.fill_null(outcomes[name].take(found), ""))
        return attempts

    def sha256(self, name: str) -> str | None:
        """Return the SHA-256 of a file's bytes in hexadecimal, or None where the file is gone."""
        try:
            with (self.folder / name).open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except FileNotFoundError:
            return None

    def _write_file(self, name: str, rows: list[dict[str, Any]], schema: pa.Schema) -> WrittenFile:
        sink = pa.BufferOutputStream()
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), sink, compression="zstd")
        octets = sink.getvalue().to_pybytes()
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, octets)
        return WrittenFile(name, len(rows), hashlib.sha256(octets).hexdigest())

    def _read(self, kind: str, from_us: int, before_us: int | None) -> pa.Table:
        first = _day(max(from_us, 0))
        last = _NO_DAY if before_us is None else _day(before_us - 1)
        tables = [pq.read_table(path, partitioning=None) for path in self._files(kind, first, last)]
        # A file that was written before a column was thought of has nothing to say about it.
        return pa.concat_tables([SCHEMAS[kind].empty_table(), *tables], promote_options="default")

    def _files(self, kind: str, first: str, last: str) -> Iterator[Path]:
        for folder in sorted((self.folder / kind).glob("day=*")):
            # Times that no calendar has are sorted after every day, and are looked at in any case.
            day = folder.name.removeprefix("day=")
            if first <= day <= last or day == _NO_DAY:
                yield from sorted(folder.glob("*.parquet"))


def _row_of(entry: StoredEntry) -> tuple[str, int, dict[str, Any]]:
    """Return the kind of file in which an entry belongs, the time that gives its day, and its row."""
    try:
        event = event_of(entry)
    except msgspec.DecodeError:
        event = None  # a body that cannot be read is evidence all the same
    if isinstance(event, AttemptDecided):
        place = {"position": event.position, "attempt_id": event.attempt_id, "at_us": event.at_us}
        row: dict[str, Any] = place | _fields(event.attempt) | _fields(event.decision)
        if all(-_INT64_END <= (row[name] or 0) < _INT64_END for name in _WHOLE_NUMBERS):
            return "attempts", event.attempt.time_us, row
    if isinstance(event, AttemptSettled):
        return "outcomes", event.at_us, _fields(event)
    return "events", entry.at_us, entry._asdict()


def _fields(struct: msgspec.Struct) -> dict[str, Any]:
    return msgspec.structs.asdict(struct)


def _day(time_us: int) -> str:
    days = time_us // DAY_US
    if not 0 <= days <= _LAST_DAY:
        return _NO_DAY
    return date.fromordinal(_EPOCH_ORDINAL + days).isoformat()
