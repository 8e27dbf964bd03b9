"""What is wrong with a policy's text, and on which line."""

import re
import tomllib
from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec

Place = tuple[str, ...]
DEPTH_MAX = 5
"""So many keys lead to a setting at most; what is deeper is on the line of these."""

_NO_KEY = frozenset("#[]{}")
_TOML_LINE = re.compile(r"at line ([0-9]+)")
_FIELD = re.compile(r"unknown field `([^`]+)`|- at `\$\.(\w+)")


class Fault(NamedTuple):
    """One thing that is wrong, and the keys that lead to it; `line` counts from 1, 0 is the whole."""

    why: str
    place: Place = ()
    line: int = 0

    def __str__(self) -> str:
        return f"line {self.line}: {self.why}" if self.line else self.why


class BadPolicy(ValueError):  # noqa: N818 - named like a refusal, for it is one to the operator
    """A policy can't be used; the text says where and why, `faults` one by one."""

    def __init__(self, *faults: Fault | str, file: str = "") -> None:
        self.faults = tuple(fault if isinstance(fault, Fault) else Fault(fault) for fault in faults)
        said = "; ".join(map(str, self.faults))
        super().__init__(f"{file}: {said}" if file else said)


def read_toml(text: str) -> dict[str, Any]:
    """Read a text as TOML. Raises `BadPolicy` with the line where it is none."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = _TOML_LINE.search(str(error))
        last = text.count("\n") + 1  # "at end of document"
        raise BadPolicy(Fault(str(error), (), int(line[1]) if line else last)) from error
    except (ValueError, RecursionError) as error:
        # A number of thousands of digits, or brackets within brackets: nobody's policy.
        raise BadPolicy(str(error)) from error


def misfits(value: object, kind: type[msgspec.Struct], place: Place, named: str) -> list[Fault]:
    """Return what of a value does not fit a kind; `named` says in words whose value it is."""
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        field = _FIELD.search(str(error))
        tail = () if field is None else (field[1] or field[2],)
        return [Fault(f"{named}: {error}" if named else str(error), (*place, *tail))]
    return []


def with_lines(faults: Iterable[Fault], text: str) -> list[Fault]:
    """Return faults with their lines, in the order of these."""
    lines = _lines(text)
    found = [fault._replace(line=fault.line or _line(fault.place, lines)) for fault in faults]
    return sorted(found, key=lambda fault: fault.line)


def _lines(text: str) -> dict[Place, int]:
    """Return on which line each table and each key of a table is named first."""
    lines: dict[Place, int] = {}
    table: Place = ()
    for number, line in enumerate(text.split("\n"), 1):
        if header := _header(line):
            table = named = _keys(header)
        elif key := _key(line):
            named = (*table, *_keys(key))
        else:
            continue
        for length in range(1, min(len(named), DEPTH_MAX) + 1):
            lines.setdefault(named[:length], number)
    return lines


def _header(line: str) -> str:
    """Return the name of the table that a line begins, empty where it begins none."""
    # No pattern: whoever types the text could type one that is matched for hours.
    named, closed, after = line.strip().lstrip("[").partition("]")
    rest = after.lstrip("]").strip()
    return named if line.lstrip().startswith("[") and closed and rest[:1] in {"", "#"} else ""


def _key(line: str) -> str:
    """Return the key that a line begins with, empty where there is none."""
    key, equals, _ = line.partition("=")
    return key.strip() if equals and not _NO_KEY.intersection(key) else ""


def _keys(written: str) -> Place:
    return tuple(key.strip().strip("\"'") for key in written.split("."))


def _line(place: Place, lines: dict[Place, int]) -> int:
    """Return the line of a place, or of what it stands in where it has none or is missing."""
    for length in range(len(place), 0, -1):
        if place[:length] in lines:
            return lines[place[:length]]
    return 0
