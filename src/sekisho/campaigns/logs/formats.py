"""Which format a log has: told by its first bytes, or by the person who calls."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sekisho.campaigns.logs.cowrie import read_cowrie_csv, read_cowrie_json
from sekisho.campaigns.logs.delimited import header_of, read_delimited
from sekisho.campaigns.logs.faults import Faults
from sekisho.campaigns.logs.history import read_history
from sekisho.campaigns.logs.ndjson import read_ndjson
from sekisho.campaigns.logs.ocsf import read_ocsf
from sekisho.campaigns.logs.openssh import read_openssh
from sekisho.campaigns.logs.parquet import read_parquet
from sekisho.campaigns.logs.rba import read_rba
from sekisho.campaigns.logs.record import COLUMNS, RawRecords
from sekisho.campaigns.logs.web_access import WebAccessRules, read_web_access


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingOptions:
    """How to read: `log_format` is `auto` or a name in `READERS`.

    `key` hashes secrets that stand in a log and lives as long as the run. `year` is that of an OpenSSH log's
    first line. `web_access` says which requests of an access log are logins.
    """

    key: bytes
    log_format: str = "auto"
    year: int | None = None
    web_access: WebAccessRules | None = None


Reader = Callable[[Path, Faults, ReadingOptions], Iterator[RawRecords]]


def _web_access(path: Path, faults: Faults, options: ReadingOptions) -> Iterator[RawRecords]:
    if options.web_access is None:
        faults.damaged("is a web access log: say with --web-access RULES.toml which requests are logins")
        return iter(())
    return read_web_access(path, faults, options.web_access, key=options.key)


READERS: dict[str, Reader] = {
    "parquet": lambda path, faults, _: read_parquet(path, faults),
    "history": lambda path, faults, _: read_history(path, faults),
    "csv": lambda path, faults, _: read_delimited(path, faults, COLUMNS),
    "ndjson": lambda path, faults, _: read_ndjson(path, faults),
    "ocsf": lambda path, faults, _: read_ocsf(path, faults),
    "openssh": lambda path, faults, options: read_openssh(path, faults, year=options.year),
    "cowrie-csv": lambda path, faults, options: read_cowrie_csv(path, faults, key=options.key),
    "cowrie-json": lambda path, faults, options: read_cowrie_json(path, faults, key=options.key),
    "rba": lambda path, faults, _: read_rba(path, faults),
    "web-access": _web_access,
}

_CSV_HEADERS = (
    ("csv", {"time", "member", "ip"}),
    ("cowrie-csv", {"timestamp", "src_ip", "username"}),
    ("rba", {"Login Timestamp", "User ID", "IP Address"}),
)
_SSHD = re.compile(r"^(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT\S+) \S+ \S", re.MULTILINE)
_ACCESS = re.compile(r'^\S+ \S+ \S+ \[[^\]]+\] "[A-Z]+ \S+', re.MULTILINE)


def detect(head: bytes) -> str | None:
    """Name the format of a log from its first bytes (unpacked), or None where no reader knows it."""
    if head.startswith(b"PAR1"):
        return "parquet"
    if b"\0" in head:
        return None
    text = head.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace").lstrip()
    if text.startswith(("{", "[")):
        return _detect_json(text)
    names, _ = header_of(text.partition("\n")[0])
    for name, columns in _CSV_HEADERS:
        if columns <= set(names):
            return name
    if _SSHD.search(text):
        return "openssh"
    return "web-access" if _ACCESS.search(text) else None


def _detect_json(text: str) -> str:
    if re.search(r'"eventid"\s*:\s*"cowrie\.', text):
        return "cowrie-json"
    return "ocsf" if re.search(r'"class_uid"\s*:\s*\d', text) else "ndjson"
