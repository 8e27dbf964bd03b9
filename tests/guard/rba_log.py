"""Logs in the columns of the RBA data set, read and scored in the way of its authors' own test run."""

import csv
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from sekisho.guard.freeman import Login, PastLogins

ROWS_READ = 1_000_000
# What the authors' reader takes for a missing value, Namibia's country code among it; such rows are left out.
MISSING = {
    *("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN"),
    *("<NA>", "N/A", "NA", "NULL", "NaN", "n/a", "nan", "null"),
}
COLUMNS = (
    *("IP Address", "ASN", "Country", "User Agent String"),
    *("Browser Name and Version", "OS Name and Version", "Device Type"),
)


class Scored(NamedTuple):
    """A login that had a past: when, the member's how manieth, and its score."""

    time: str
    number: int
    score: float


def successes(path: Path) -> list[tuple[str, str, Login]]:
    """Return time, member and values of each complete successful login, in time order."""
    found = []
    with path.open(newline="", encoding="utf-8") as file:
        for row in islice(csv.DictReader(file), ROWS_READ):
            values = [row[name] for name in COLUMNS]
            if row["Login Successful"] == "True" and not MISSING.intersection(values):
                found.append((row["Login Timestamp"], row["User ID"], Login(*values)))
    return sorted(found, key=lambda login: login[0])


def scores(path: Path, start: int, size: int) -> list[Scored]:
    """Score so many successful logins from the one numbered `start` (0 is the first) against all before."""
    log = successes(path)
    past, whole = PastLogins(), PastLogins()
    for _, member, login in log:
        whole.add(member, login)
    for _, member, login in log[:start]:
        past.add(member, login)
    scored = []
    for time, member, login in log[start : start + size]:
        score = past.score(member, login, whole=whole)
        if score is not None:
            scored.append(Scored(time, past.of_member[member].total() + 1, score))
        past.add(member, login)
    return scored
