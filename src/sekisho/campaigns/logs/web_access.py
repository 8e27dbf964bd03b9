"""Logins in a web server's access log, found by rules that stand in a TOML file.

A record is a request whose method and path are those of the login. The file says how a line looks, where the
member's name stands, and which answers mean success or failure; see docs/guides/reading-your-logs.md.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs

import msgspec

from sekisho.campaigns.logs.blocks import read_blocks, text_of
from sekisho.campaigns.logs.faults import Faults, UnusableLog
from sekisho.campaigns.logs.gathering import EMPTY_NAME, Gathering, secret_token
from sekisho.campaigns.logs.record import RawRecords
from sekisho.campaigns.logs.times import time_us_of
from sekisho.guard.attempts import Gate, Outcome
from sekisho.kernel.clock import SECOND_US

COMBINED = (
    r'(?P<ip>\S+) \S+ (?P<user>\S+) \[(?P<time>[^\]]+)\] "(?P<method>\S+) (?P<path>\S+)[^"]*" '
    r'(?P<status>\d{3}) \S+(?: "(?P<referer>[^"]*)" "(?P<user_agent>(?:[^"\\]|\\.)*)")?'
)
COMBINED_TIME = "%d/%b/%Y:%H:%M:%S %z"
# Groups with these names fill the attempt record's column of the same name.
TAKEN = ("ip", "asn", "country", "user_agent", "tls", "device", "session", "client", "actor", "target")
_COLUMNS = ("time_us", "gate", "member", "outcome", "secret", *TAKEN)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Answer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One kind of answer: its status codes and, if given, a pattern over where it redirects to."""

    status: tuple[int, ...]
    location: str = ""


class WebAccessRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the TOML file says. `line` is `combined` or a regular expression with named groups.

    `time` is `rfc3339`, `epoch` (seconds) or a strptime pattern. `path` is a regular expression over the
    whole path without its query. `member` is the name of a group, or `query:name` for a parameter of the
    query.
    """

    path: str
    line: str = "combined"
    time: str = COMBINED_TIME
    methods: tuple[str, ...] = ("POST",)
    member: str = "user"
    gate: Gate = Gate.LOGIN
    success: Answer
    wrong_secret: Answer | None = None
    no_such_member: Answer | None = None
    refused: Answer | None = None
    challenged: Answer | None = None


def read_rules(path: Path) -> WebAccessRules:
    """Read the rules from a TOML file.

    Raises:
        UnusableLog: if the file cannot be read or does not say what it must; the sentence names the place.

    """
    try:
        rules = msgspec.toml.decode(path.read_bytes(), type=WebAccessRules)
        groups = re.compile(_line_pattern(rules)).groupindex
        re.compile(rules.path)
    except (OSError, msgspec.DecodeError, msgspec.ValidationError, re.error) as error:
        raise UnusableLog(f"The rules for the web access log in {path} cannot be used: {error}.") from error
    needed = {"ip", "time", "method", "path", "status"}
    if not rules.member.startswith("query:"):
        needed.add(rules.member)
    if missing := needed - set(groups):
        raise UnusableLog(f"The pattern `line` in {path} lacks the groups {', '.join(sorted(missing))}.")
    return rules


def _line_pattern(rules: WebAccessRules) -> str:
    return COMBINED if rules.line == "combined" else rules.line


def read_web_access(path: Path, faults: Faults, rules: WebAccessRules, *, key: bytes) -> Iterator[RawRecords]:
    """Yield the requests that are logins. A line that does not look as the rules say is a broken record."""
    reader = _Reader(rules, faults, key)
    for block in read_blocks(path, faults):
        for number, line in enumerate(block.data.split(b"\n"), block.first_line):
            if line.strip():
                reader.read(number, text_of(line.rstrip(b"\r"), faults))
        if len(reader.found):
            yield reader.found.take()


class _Reader:
    """Reads line after line; `found` fills."""

    def __init__(self, rules: WebAccessRules, faults: Faults, key: bytes) -> None:
        self.found = Gathering(*_COLUMNS)
        self._rules = rules
        self._faults = faults
        self._key = key
        self._line = re.compile(_line_pattern(rules))
        self._path = re.compile(rules.path)
        self._answers = [
            (outcome, frozenset(answer.status), re.compile(answer.location))
            for outcome, answer in (
                (Outcome.SUCCESS, rules.success),
                (Outcome.CHALLENGED, rules.challenged),
                (Outcome.REFUSED, rules.refused),
                (Outcome.NO_SUCH_MEMBER, rules.no_such_member),
                (Outcome.WRONG_SECRET, rules.wrong_secret),
            )
            if answer is not None
        ]

    def read(self, number: int, line: str) -> None:
        """Take in one line."""
        match = self._line.match(line)
        if match is None:
            self._faults.record(self._faults.claim(1), number, "line_not_understood")
            return
        said = {name: "" if value in (None, "-") else value for name, value in match.groupdict().items()}
        path, _, query = said["path"].partition("?")
        if said["method"] not in self._rules.methods or self._path.fullmatch(path) is None:
            return
        self.found.add(
            self._faults,
            number,
            self._time_us(said["time"]),
            self._rules.gate,
            self._member(said, query) or EMPTY_NAME,
            self._outcome(said),
            secret_token(said["secret"], self._key) if said.get("secret") else "",
            *(said.get(name, "") for name in TAKEN),
        )

    def _member(self, said: dict[str, str], query: str) -> str:
        group, _, parameter = self._rules.member.partition(":")
        if not parameter:
            return said[group]
        return parse_qs(query).get(parameter, [""])[0]

    def _outcome(self, said: dict[str, str]) -> Outcome:
        location = said.get("location", "")
        for outcome, status, pattern in self._answers:
            if int(said["status"]) in status and pattern.search(location) is not None:
                return outcome
        return Outcome.UNKNOWN

    def _time_us(self, text: str) -> int | None:
        kind = self._rules.time
        if kind == "rfc3339":
            return time_us_of(text)
        try:
            if kind == "epoch":
                return round(float(text) * SECOND_US)
            moment = datetime.strptime(text, kind)  # noqa: DTZ007 - zoned below
        except (ValueError, OverflowError):
            return None
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
        return (moment - _EPOCH) // timedelta(microseconds=1)
