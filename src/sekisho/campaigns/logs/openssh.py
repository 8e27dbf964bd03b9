"""Logins in OpenSSH's `auth.log`, as syslog writes it.

A record is a line by which sshd accepted or failed a proof, or `Invalid user` where no proof followed on the
same connection. Syslog's `message repeated N times` is N records. What follows from a failure that has its
own line (PAM, too many failures, disconnections) is no record, nor is an offered key that did not fit:
clients offer all the keys they have.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from sekisho.campaigns.logs.blocks import read_blocks, text_of
from sekisho.campaigns.logs.faults import Faults
from sekisho.campaigns.logs.gathering import EMPTY_NAME, Gathering
from sekisho.campaigns.logs.record import RawRecords
from sekisho.campaigns.logs.times import time_us_of
from sekisho.guard.attempts import Outcome
from sekisho.kernel.clock import DAY_US, SECOND_US

REPEATS_MAX = 100_000
PENDING_MAX = 10_000

_LINE = re.compile(
    r"(?P<stamp>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT\S+) \S+ "
    r"sshd(?:-session)?\[(?P<pid>\d+)\]: (?P<said>.*)"
)
_REPEATED = re.compile(r"message repeated (?P<times>\d{1,9}) times: \[ (?P<said>.*)\]$")
# The name may hold anything, also " from 192.0.2.1 port 22": only the last address is the connection's.
_FAILED = re.compile(
    r"Failed (?:password|keyboard-interactive\S*|challenge-response) for (?P<invalid>invalid user )?"
    r"(?P<user>.*) from (?P<ip>\S+) port \d+(?: ssh\d?)?$"
)
_ACCEPTED = re.compile(r"Accepted \S+ for (?P<user>.*) from (?P<ip>\S+) port \d+(?: ssh\d?)?(?:: .*)?$")
_INVALID = re.compile(r"Invalid user (?P<user>.*) from (?P<ip>\S+?)(?: port \d+)?$")
_ENDS = ("Connection closed", "Connection reset", "Disconnect", "Received disconnect")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_HALF_A_YEAR_MONTHS = 6


class _Try(NamedTuple):
    """One record to be."""

    line: int
    time_us: int | None
    member: str
    ip: str
    outcome: str
    known: int


def read_openssh(path: Path, faults: Faults, *, year: int | None) -> Iterator[RawRecords]:
    """Yield a log's logins. `year` is that of the first line, where its times bear none.

    Without it the first line is taken to lie in the last twelve months before the file was changed last. When
    the months begin anew, the next year has begun. Times without a zone are UTC.
    """
    reader = _Reader(faults, _Years(year, changed_us=int(path.stat().st_mtime) * SECOND_US))
    for block in read_blocks(path, faults):
        for number, line in enumerate(block.data.split(b"\n"), block.first_line):
            if b"sshd" in line:
                reader.read(number, text_of(line.rstrip(b"\r"), faults))
        if len(reader.found):
            yield reader.found.take()
    reader.finish()
    if len(reader.found):
        yield reader.found.take()


class _Years:
    """Gives syslog's times their year."""

    def __init__(self, year: int | None, *, changed_us: int) -> None:
        self._year = year
        self._changed_us = changed_us
        self._month = 0

    def time_us(self, stamp: str) -> int | None:
        """Return a line's time, or None where there is no such day in its year."""
        if stamp[0].isdigit():
            return time_us_of(stamp)
        month = _MONTHS.index(stamp[:3]) + 1 if stamp[:3] in _MONTHS else 0
        if self._year is None:
            self._year = self._last_year_of(month, stamp)
        if month and self._month - month > _HALF_A_YEAR_MONTHS:
            self._year += 1
        elif self._month and month - self._month > _HALF_A_YEAR_MONTHS:
            return self._at(self._year - 1, month, stamp)  # an old line after New Year: the clock went back
        self._month = month or self._month
        return self._at(self._year, month, stamp)

    def _last_year_of(self, month: int, stamp: str) -> int:
        changed = datetime.fromtimestamp(self._changed_us // SECOND_US, UTC)
        this_year = self._at(changed.year, month, stamp)
        future = this_year is None or this_year > self._changed_us + DAY_US
        return changed.year - 1 if future else changed.year

    @staticmethod
    def _at(year: int, month: int, stamp: str) -> int | None:
        return time_us_of(f"{year:04}-{month:02}-{stamp[4:6].replace(' ', '0')}T{stamp[7:]}")


class _Reader:
    """Reads line after line; `found` fills."""

    def __init__(self, faults: Faults, years: _Years) -> None:
        self.found = Gathering("time_us", "member", "ip", "outcome", "known")
        self._faults = faults
        self._years = years
        self._named: dict[str, _Try] = {}  # names that do not exist, by process, until a proof or the end

    def read(self, number: int, line: str) -> None:
        """Take in one line that mentions sshd."""
        parts = _LINE.match(line)
        if parts is None:
            return
        time_us = self._years.time_us(parts["stamp"])
        pid, said, times = parts["pid"], parts["said"], 1
        if repeated := _REPEATED.match(said):
            said, times = repeated["said"], min(int(repeated["times"]), REPEATS_MAX)
        if said.startswith("Failed "):
            self._failed(number, time_us, pid, said, times)
        elif said.startswith("Accepted "):
            self._accepted(number, time_us, said)
        elif found := _INVALID.match(said):
            self._settle(pid)
            self._named[pid] = _Try(
                number, time_us, found["user"] or EMPTY_NAME, found["ip"], Outcome.NO_SUCH_MEMBER, 0
            )
            if len(self._named) > PENDING_MAX:
                self._settle(next(iter(self._named)))
        elif said.startswith(_ENDS):
            self._settle(pid)

    def finish(self) -> None:
        """Count the names whose connections never ended."""
        for pid in list(self._named):
            self._settle(pid)

    def _failed(self, number: int, time_us: int | None, pid: str, said: str, times: int) -> None:
        found = _FAILED.match(said)
        if found is None:
            if not said.startswith(("Failed none", "Failed publickey", "Failed hostbased")):
                self._faults.record(self._faults.claim(1), number, "line_not_understood")
            return
        self._named.pop(pid, None)
        outcome = Outcome.NO_SUCH_MEMBER if found["invalid"] else Outcome.WRONG_SECRET
        known = 0 if found["invalid"] else 1
        for _ in range(times):
            self._add(_Try(number, time_us, found["user"] or EMPTY_NAME, found["ip"], outcome, known))

    def _accepted(self, number: int, time_us: int | None, said: str) -> None:
        found = _ACCEPTED.match(said)
        if found is None:
            self._faults.record(self._faults.claim(1), number, "line_not_understood")
            return
        self._add(_Try(number, time_us, found["user"], found["ip"], Outcome.SUCCESS, 1))

    def _settle(self, pid: str) -> None:
        attempt = self._named.pop(pid, None)
        if attempt is not None:
            self._add(attempt)

    def _add(self, attempt: _Try) -> None:
        self.found.add(self._faults, *attempt)
