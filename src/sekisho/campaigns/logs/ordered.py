"""Attempts in time order without holding them all: they wait in a temporary file."""

import tempfile
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import IO

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sekisho.campaigns.logs.record import SCHEMA

SORTED_AT_ONCE = 262_144
BATCHES_AT_HAND = 4

_LIGHTLY_PACKED = pa.ipc.IpcWriteOptions(compression="lz4", use_threads=False)


@contextmanager
def in_time_order(batches: Iterable[pa.RecordBatch]) -> Iterator["TimeOrderedAttempts"]:
    """Take in all batches of `SCHEMA` and offer them in time order until the context ends.

    In memory stay the times and a few batches; the attempts lie in an unnamed temporary file. Secrets lie
    there only as the tokens that the readers made of them.
    """
    with tempfile.TemporaryFile() as file:
        yield TimeOrderedAttempts(file, batches)


class TimeOrderedAttempts:
    """Attempts that wait in a file. Iterating gives them in time order, equal times in input order."""

    def __init__(self, file: IO[bytes], batches: Iterable[pa.RecordBatch]) -> None:
        self._file = file
        self._places: list[tuple[int, int]] = []
        self._at_hand: OrderedDict[int, pa.RecordBatch] = OrderedDict()
        times = [self._put(batch) for batch in batches]
        self._times = np.concatenate(times) if times else np.zeros(0, np.int64)
        self._starts = np.cumsum([0, *(len(part) for part in times)])

    def __len__(self) -> int:
        return len(self._times)

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        if np.all(self._times[1:] >= self._times[:-1]):
            yield from (self._get(number) for number in range(len(self._places)))
            return
        order = np.argsort(self._times, kind="stable")
        for start in range(0, len(order), SORTED_AT_ONCE):
            yield self._pick(order[start : start + SORTED_AT_ONCE])

    def _put(self, batch: pa.RecordBatch) -> npt.NDArray[np.int64]:
        packed = pa.BufferOutputStream()
        with pa.ipc.new_stream(packed, SCHEMA, options=_LIGHTLY_PACKED) as stream:
            stream.write_batch(batch)
        data = packed.getvalue()
        self._places.append((self._file.tell(), len(data)))
        self._file.write(data)
        times: npt.NDArray[np.int64] = batch["time_us"].to_numpy().copy()
        return times

    def _get(self, number: int) -> pa.RecordBatch:
        if number in self._at_hand:
            self._at_hand.move_to_end(number)
            return self._at_hand[number]
        at, length = self._places[number]
        self._file.seek(at)
        with pa.ipc.open_stream(self._file.read(length)) as stream:
            batch = stream.read_next_batch()
        self._at_hand[number] = batch
        if len(self._at_hand) > BATCHES_AT_HAND:
            self._at_hand.popitem(last=False)
        return batch

    def _pick(self, positions: npt.NDArray[np.int64]) -> pa.RecordBatch:
        """Return the attempts at these positions of the input, in this order."""
        numbers = np.searchsorted(self._starts, positions, side="right") - 1
        by_batch = np.argsort(numbers, kind="stable")
        parts = []
        for number in np.unique(numbers).tolist():
            inside = positions[by_batch][numbers[by_batch] == number] - self._starts[number]
            parts.append(self._get(number).take(pa.array(inside)))
        back = np.empty(len(positions), np.int64)
        back[by_batch] = np.arange(len(positions))
        gathered = pa.Table.from_batches(parts).unify_dictionaries().combine_chunks()
        return gathered.take(pa.array(back)).combine_chunks().to_batches()[0]
