"""What was wrong with a log: broken records, damaged files, values not understood."""

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

BROKEN_KEPT = 1_000


class UnusableLog(Exception):  # noqa: N818 - a refusal, not a programmer's error
    """No attempt could be read. The message is one sentence for the person at the terminal."""


class BrokenRecord(NamedTuple):
    """A data record that is not an attempt.

    `row` counts over all files from 0, `line` within the file from 1.
    """

    row: int
    file: str
    line: int
    why: str


@dataclass(slots=True)
class Faults:
    """Collects what could not be read while the files pass by; memory stays bounded, counts stay exact.

    `broken` holds the first `BROKEN_KEPT` broken records, `broken_by_reason` counts all of them. `files`
    names the files that could not be read, or not to their end. `notes` counts values that were left out of a
    record that was kept (an unknown outcome, a text that was cut). `aside` names the columns that the attempt
    record does not have.
    """

    file: str = ""
    rows: int = 0
    broken: list[BrokenRecord] = field(default_factory=list)
    broken_by_reason: Counter[str] = field(default_factory=Counter)
    files: list[tuple[str, str]] = field(default_factory=list)
    notes: Counter[str] = field(default_factory=Counter)
    aside: dict[str, None] = field(default_factory=dict)

    def claim(self, records: int) -> int:
        """Give the next `records` data records their places and return the first place."""
        first = self.rows
        self.rows += records
        return first

    def record(self, row: int, line: int, why: str) -> None:
        """Count a broken record; the first ones are kept with their place."""
        self.broken_by_reason[why] += 1
        if len(self.broken) < BROKEN_KEPT:
            self.broken.append(BrokenRecord(row, self.file, line, why))

    def damaged(self, why: str) -> None:
        """Name a file that could not be read, or not to its end."""
        self.files.append((self.file, why))

    def note(self, what: str, count: int) -> None:
        """Count values that were left out of records that were kept."""
        if count:
            self.notes[what] += count

    def set_aside(self, names: list[str]) -> None:
        """Remember columns that the attempt record does not have."""
        self.aside.update(dict.fromkeys(names))

    @property
    def broken_count(self) -> int:
        """How many data records were broken."""
        return self.broken_by_reason.total()
