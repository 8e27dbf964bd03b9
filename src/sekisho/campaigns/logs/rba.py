"""The public data set for risk-based authentication (das-group/rba-dataset), in its own CSV columns.

Its labels `Is Attack IP` and `Is Account Takeover` are set aside: they are answers, not observations.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from sekisho.campaigns.logs.columns import translated
from sekisho.campaigns.logs.delimited import read_delimited
from sekisho.campaigns.logs.faults import Faults
from sekisho.campaigns.logs.record import RawRecords
from sekisho.guard.attempts import Outcome

COLUMN_OF = {
    "Login Timestamp": "time",
    "User ID": "member",
    "IP Address": "ip",
    "Country": "country",
    "ASN": "asn",
    "User Agent String": "user_agent",
    "Login Successful": "outcome",
}
_OUTCOMES = {
    "true": Outcome.SUCCESS,
    "1": Outcome.SUCCESS,
    "false": Outcome.WRONG_SECRET,
    "0": Outcome.WRONG_SECRET,
}


def read_rba(path: Path, faults: Faults) -> Iterator[RawRecords]:
    """Yield the data set's logins. Whether a name exists and what secret was tried is not in it."""
    for raw in read_delimited(path, faults, COLUMN_OF):
        columns = {COLUMN_OF[name]: column for name, column in raw.columns.items()}
        columns["outcome"] = translated(columns.get("outcome"), raw.length, _OUTCOMES)
        yield replace(raw, columns=columns)
