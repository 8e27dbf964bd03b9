"""History as Parquet: `attempts/day=2020-09-13/...`, and `outcomes` and `events` beside it.

A file holds the entries of one batch that belong to one day (UTC) and is never changed. What came of an
attempt is known later than the attempt, so it stands in `outcomes`; `attempts_between` puts the two
together. Times are whole microseconds since the epoch, which every engine reads and computes alike.
"""

import hashlib
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from functools import lru_cache
from operator import attrgetter
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
_PATHS = {
    "attempts": (
        *(name for name, _ in _PLACE),
        *(f"attempt.{field.name}" for field in ATTEMPT_COLUMNS),
        *(f"decision.{field.name}" for field in DECISION_COLUMNS),
    ),
    "outcomes": tuple(OUTCOMES.names),
    "events": tuple(EVENTS.names),
}
_VALUES = {kind: tuple(map(attrgetter, paths)) for kind, paths in _PATHS.items()}
_whole_numbers = attrgetter(
    *(
        path
        for path, field in zip(_PATHS["attempts"], ATTEMPTS, strict=True)
        if field.type == pa.int64() and "." in path
    )
)
# This is done beside an event loop that answers logins: it takes the interpreter for about a millisecond at a
# time, and lets go of it.
ROWS_AT_ONCE = 200
REST_S = 0.001


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
        rows: defaultdict[tuple[str, str], list[Any]] = defaultdict(list)
        for count, entry in enumerate(entries, 1):
            kind, time_us, row = _row_of(entry)
            rows[kind, _day(time_us)].append(row)
            if count % ROWS_AT_ONCE == 0:
                time.sleep(REST_S)
        batch = f"{entries[0].position:015d}-{entries[-1].position:015d}.parquet"
        return [
            self._write_file(f"{kind}/day={day}/{batch}", rows[kind, day], kind) for kind, day in sorted(rows)
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

    def newest_first(self, kind: str, from_us: int, columns: Sequence[str]) -> Iterator[pa.Table]:
        """Yield columns of what was recorded since a time, a file at a time, the newest file first.

        `kind` is `attempts`, whose time is the attempt's, or `outcomes`, whose time is the recording's. A
        column that a file does not know yet is empty.
        """
        clock = "time_us" if kind == "attempts" else "at_us"
        schema = pa.schema([SCHEMAS[kind].field(name) for name in {*columns, clock}])
        for path in reversed(list(self._files(kind, _day(max(from_us, 0)), _NO_DAY))):
            file = pq.ParquetFile(path)
            known = [name for name in schema.names if name in file.schema_arrow.names]
            rows = pa.concat_tables(
                [schema.empty_table(), file.read(columns=known)], promote_options="default"
            )
            yield rows.filter(pc.greater_equal(rows[clock], from_us)).select(list(columns))

    def newest_file(self, kind: str) -> str:
        """Return the name of the newest file of a kind, empty where there is none yet."""
        names = [path.relative_to(self.folder).as_posix() for path in self._files(kind, "", _NO_DAY)]
        return max(names, default="")

    def events(self) -> Iterator[tuple[str, bytes]]:
        """Yield every event of the record that is no attempt and no outcome: its kind and its body."""
        for path in self._files("events", "", _NO_DAY):
            table = pq.read_table(path, columns=["kind", "body"], partitioning=None)
            yield from zip(table["kind"].to_pylist(), table["body"].to_pylist(), strict=True)

    def sha256(self, name: str) -> str | None:
        """Return the SHA-256 of a file's bytes in hexadecimal, or None where the file is gone."""
        try:
            with (self.folder / name).open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except FileNotFoundError:
            return None

    def _write_file(self, name: str, rows: list[Any], kind: str) -> WrittenFile:
        sink = pa.BufferOutputStream()
        pq.write_table(_table(rows, kind), sink, compression="zstd")
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


def _row_of(entry: StoredEntry) -> tuple[str, int, AttemptDecided | AttemptSettled | StoredEntry]:
    """Return the kind of file in which an entry belongs, the time that gives its day, and its row."""
    try:
        event = event_of(entry)
    except msgspec.DecodeError:
        event = None  # a body that cannot be read is evidence all the same
    if isinstance(event, AttemptDecided):
        if all(-_INT64_END <= (number or 0) < _INT64_END for number in _whole_numbers(event)):
            return "attempts", event.attempt.time_us, event
    elif event is not None:
        return "outcomes", event.at_us, event
    return "events", entry.at_us, entry


def _table(rows: list[Any], kind: str) -> pa.Table:
    """Put rows into columns, one column after the other: a table of rows would cost three times as much."""
    schema = SCHEMAS[kind]
    columns = []
    for field, value_of in zip(schema, _VALUES[kind], strict=True):
        columns.append(pa.array(list(map(value_of, rows)), field.type))
        time.sleep(REST_S)
    return pa.Table.from_arrays(columns, schema=schema)


def _day(time_us: int) -> str:
    return _day_of(time_us // DAY_US)


@lru_cache(maxsize=1_024)
def _day_of(days: int) -> str:
    if not 0 <= days <= _LAST_DAY:
        return _NO_DAY
    return date.fromordinal(_EPOCH_ORDINAL + days).isoformat()
