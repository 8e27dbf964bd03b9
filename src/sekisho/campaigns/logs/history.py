"""The record that Sekisho keeps itself, as a log: the folder with its sealed history."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from sekisho.campaigns.logs.faults import Faults
from sekisho.campaigns.logs.record import COLUMNS, RawRecords
from sekisho.storage.history.parquet import HistoryFolder

EVER = (0, (1 << 63) - 1)
RECORDS_AT_ONCE = 65_536


def is_history(path: Path) -> bool:
    """Say whether a folder is a history, which has its attempts by day."""
    return (path / "attempts").is_dir()


def read_history(path: Path, faults: Faults) -> Iterator[RawRecords]:
    """Yield the attempts of a history with what came of them, in the order of the record.

    What the outbox has not yet handed over, a few seconds of it, is not among them.
    """
    try:
        attempts = HistoryFolder(path).attempts_between(*EVER)
    except (pa.ArrowException, OSError) as damage:
        faults.damaged(f"is not a whole history: {str(damage).splitlines()[0][:200]}")
        return
    wanted = [name for name in attempts.column_names if name in COLUMNS or name == "time_us"]
    for batch in attempts.select(wanted).to_batches(RECORDS_AT_ONCE):
        columns = {name: batch[name] for name in wanted}
        first = faults.claim(len(batch))
        yield RawRecords(columns=columns, length=len(batch), first_row=first, first_line=first + 1)
