"""Who may have been entered in a campaign: from a hunt's list, and from the sessions known to be its own."""

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection, func, literal_column, select

from sekisho.campaigns.logs.times import time_us_of
from sekisho.kernel.refusals import Refusal
from sekisho.storage.tables.sessions import session

COLUMNS = ("member", "first_entered_at", "probability", "campaign")


class CohortUnreadable(Refusal):
    """The list of who was entered lacks a column, or holds something that is no time or no probability."""

    code = "cohort_unreadable"
    status = 422
    told = "This is not the entered.csv of a hunt."


class Suspect(NamedTuple):
    """Somebody who may have been entered, as the list names them, since when and with which probability."""

    named: str
    entered_at_us: int
    probability: float


def read_entered(file: Path, campaign: str) -> list[Suspect]:
    """Return those whom a hunt says a campaign entered. Raises CohortUnreadable, and OSError.

    The whole list is read before anybody is touched: one bad line and nobody is.
    """
    with file.open(encoding="utf-8", newline="") as rows:
        read = csv.DictReader(rows)
        missing = set(COLUMNS) - set(read.fieldnames or ())
        if missing:
            raise CohortUnreadable(known=f"no column {', '.join(sorted(missing))}")
        return [
            _suspect(row, line)
            for line, row in enumerate(read, 2)
            if not campaign or row["campaign"] == campaign
        ]


def of_sessions(connection: Connection, campaign: str) -> list[Suspect]:
    """Return the members in whose sessions the guard knew the campaign when they were opened."""
    opened = (
        select(session.c.member_id, func.min(session.c.opened_at_us), func.max(session.c.risk))
        # Said twice, so that the index over sessions of campaigns alone is found.
        .where(session.c.campaign == campaign, session.c.campaign != literal_column("''"))
        .group_by(session.c.member_id)
    )
    return [Suspect(*row) for row in connection.execute(opened)]


def together(*lists: Iterable[Suspect]) -> list[Suspect]:
    """Put lists together: each once, since the earliest time, with the highest probability."""
    found: dict[str, Suspect] = {}
    for one in (each for some in lists for each in some):
        known = found.get(one.named, one)
        entered_at_us = min(known.entered_at_us, one.entered_at_us)
        found[one.named] = Suspect(one.named, entered_at_us, max(known.probability, one.probability))
    return sorted(found.values(), key=lambda one: (-one.probability, one.named))


def _suspect(row: dict[str, str | None], line: int) -> Suspect:
    named, entered_at_us = (row["member"] or "").strip(), time_us_of(row["first_entered_at"] or "")
    try:
        probability = float(row["probability"] or "")
    except ValueError:
        probability = -1.0
    if not named or entered_at_us is None or not 0 <= probability <= 1:
        raise CohortUnreadable(known=f"line {line}")
    return Suspect(named, entered_at_us, probability)
