"""Logs read into one table, for tests that look at all of it."""

from collections import Counter
from typing import NamedTuple

import pyarrow as pa

from sekisho.campaigns.logs.faults import BrokenRecord, Faults
from sekisho.campaigns.logs.formats import ReadingOptions
from sekisho.campaigns.logs.reading import stream_logs
from sekisho.campaigns.logs.record import SCHEMA


class AttemptLog(NamedTuple):
    """Attempts in the order of the input, and what could not be read."""

    table: pa.Table
    faults: Faults

    @property
    def broken(self) -> list[BrokenRecord]:
        return self.faults.broken

    @property
    def broken_by_reason(self) -> Counter[str]:
        return self.faults.broken_by_reason

    @property
    def aside(self) -> list[str]:
        return list(self.faults.aside)


def read_logs(paths, *, log_format="auto", key, year=None, web_access=None) -> AttemptLog:
    """Read logs one after the other into one table."""
    options = ReadingOptions(log_format=log_format, key=key, year=year, web_access=web_access)
    faults = Faults()
    batches = list(stream_logs(paths, faults, options))
    return AttemptLog(pa.Table.from_batches(batches, schema=SCHEMA).unify_dictionaries(), faults)
