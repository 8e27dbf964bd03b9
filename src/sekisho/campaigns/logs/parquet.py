"""The attempt record as Parquet."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from sekisho.campaigns.logs.blocks import text_of
from sekisho.campaigns.logs.faults import Faults
from sekisho.campaigns.logs.record import COLUMNS, REPEATING, RawRecords

RECORDS_AT_ONCE = 16384


def read_parquet(path: Path, faults: Faults) -> Iterator[RawRecords]:
    """Yield a file's records. A damaged file is named; what came before the damage is kept."""
    try:
        schema = pq.read_schema(path)
        wanted = [name for name in schema.names if name in COLUMNS or name == "time_us"]
        faults.set_aside([name for name in schema.names if name not in wanted])
        if not wanted:
            faults.damaged("has none of the attempt record's columns")
            return
        texts = [name for name in wanted if name in REPEATING and pa.types.is_string(schema.field(name).type)]
        with pq.ParquetFile(path, read_dictionary=texts, buffer_size=65_536) as file:
            for batch in file.iter_batches(RECORDS_AT_ONCE, columns=wanted, use_threads=False):
                columns = {name: _sound(batch[name], faults) for name in batch.schema.names}
                first = faults.claim(len(batch))
                yield RawRecords(columns=columns, length=len(batch), first_row=first, first_line=first + 1)
    except (pa.ArrowException, OSError) as damage:
        faults.damaged(f"is not a whole Parquet file: {str(damage).splitlines()[0][:200]}")


def _sound(column: pa.Array, faults: Faults) -> pa.Array:
    """Return a column whose texts are UTF-8.

    Raises:
        pa.ArrowInvalid: if the column is damaged otherwise.

    """
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        if pa.types.is_dictionary(column.type):
            column = column.dictionary.cast(pa.binary()).take(column.indices)
        elif not pa.types.is_string(column.type):
            raise
        texts = [
            None if value is None else text_of(value, faults)
            for value in column.cast(pa.binary()).to_pylist()
        ]
        return pa.array(texts, pa.string())
    return column
