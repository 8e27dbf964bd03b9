"""Records found one by one, gathered into columns."""

import hashlib
import hmac

import numpy as np
import pyarrow as pa

from sekisho.campaigns.logs.faults import Faults
from sekisho.campaigns.logs.record import FLAGS, NUMBERS, RawRecords
from sekisho.campaigns.logs.times import END_US

EMPTY_NAME = "(empty)"
_KINDS = dict.fromkeys(NUMBERS, pa.int64()) | dict.fromkeys(FLAGS, pa.int8())


def secret_token(secret: str, key: bytes) -> str:
    """Return a token that is equal for equal secrets within one run; the secret cannot be read from it."""
    return hmac.new(key, secret.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:16]


class Gathering:
    """Takes records with the same few columns and gives them back as `RawRecords`."""

    def __init__(self, *columns: str) -> None:
        self._columns: dict[str, list[object]] = {name: [] for name in columns}
        self._rows: list[int] = []
        self._lines: list[int] = []

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, faults: Faults, line: int, *values: object, row: int | None = None) -> None:
        """Add one record, its values in the order of the columns; it takes the next row unless it has one."""
        self._rows.append(faults.claim(1) if row is None else row)
        self._lines.append(line)
        for column, value in zip(self._columns.values(), values, strict=True):
            column.append(value)

    def take(self) -> RawRecords:
        """Return what was gathered and begin anew."""
        raw = RawRecords(
            columns={name: _column(name, values) for name, values in self._columns.items()},
            length=len(self._rows),
            first_row=0,
            rows=np.array(self._rows, np.int64),
            lines=np.array(self._lines, np.int64),
        )
        self._columns = {name: [] for name in self._columns}
        self._rows, self._lines = [], []
        return raw


def _column(name: str, values: list[object]) -> pa.Array:
    """Return a column; a reader gives a number either always as a number or always as it was written."""
    if name == "time_us":  # a log may say any number; what no column can hold is no time
        times = [time if isinstance(time, int) and 0 <= time < END_US else None for time in values]
        return pa.array(times, pa.int64())
    written = bool(values) and isinstance(values[0], str)
    return pa.array(values, pa.string() if written else _KINDS.get(name, pa.string()))
