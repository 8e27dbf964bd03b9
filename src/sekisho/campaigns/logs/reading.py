"""Read any number of logs into attempts: the one door for `hunt` and `replay`."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa

from sekisho.campaigns.logs.blocks import read_head
from sekisho.campaigns.logs.faults import Faults, UnusableLog
from sekisho.campaigns.logs.formats import READERS, ReadingOptions, detect
from sekisho.campaigns.logs.history import is_history
from sekisho.campaigns.logs.record import attempt_records


def stream_logs(paths: Sequence[Path], faults: Faults, options: ReadingOptions) -> Iterator[pa.RecordBatch]:
    """Yield attempts in batches as they are read, so that memory stays small; `faults` fills on the way.

    A batch has the columns of `record.SCHEMA`: `row` is a record's place among all data records (broken ones
    included, from 0), `time_us` its time (UTC). Absent texts are '', absent marks -1, an absent `asn` 0, an
    absent `amount_yen` null.

    Raises:
        UnusableLog: at the end, if not one attempt could be read.

    """
    attempts = 0
    for path in paths:
        faults.file = str(path)
        for batch in _stream_one(path, faults, options):
            attempts += len(batch)
            if len(batch):
                yield batch
    if not attempts:
        raise UnusableLog(_why_unusable(paths, faults))


def _stream_one(path: Path, faults: Faults, options: ReadingOptions) -> Iterator[pa.RecordBatch]:
    try:
        if path.is_dir() and not is_history(path):
            faults.damaged("is a directory: name the files in it")
            return
        if is_history(path):
            name: str | None = "history"
        else:
            name = _format_of(path, faults) if options.log_format == "auto" else options.log_format
        if name is not None:
            for raw in READERS[name](path, faults, options):
                yield attempt_records(raw, faults)
    except OSError as error:
        faults.damaged(f"cannot be read: {error.strerror or error}")


def _format_of(path: Path, faults: Faults) -> str | None:
    head = read_head(path)
    if not head.strip():
        faults.damaged("is empty" if not path.stat().st_size else "cannot be unpacked")
        return None
    name = detect(head)
    if name is None:
        faults.damaged("is not text" if b"\0" in head else "has a format that no reader knows")
    return name


def _why_unusable(paths: Sequence[Path], faults: Faults) -> str:
    if faults.broken_count:
        reason, count = faults.broken_by_reason.most_common(1)[0]
        return f"None of {faults.broken_count} records is usable; most often: {reason} ({count})."
    if faults.files:
        file, why = faults.files[0]
        return f"No attempt could be read: {file} {why}."
    return f"No attempt stands in {', '.join(map(str, paths)) or 'the input: no file was named'}."
