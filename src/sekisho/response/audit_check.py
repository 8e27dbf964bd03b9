"""Whether the record is what was sealed: the acts of staff, the history, the books; and where it is not."""

from typing import NamedTuple

from sekisho.kernel.clock import rfc3339
from sekisho.ledger.journal import first_fault as fault_in_ledger
from sekisho.response import audit
from sekisho.storage.engine import Store
from sekisho.storage.history.parquet import HistoryFolder
from sekisho.storage.history.sealing import first_fault as fault_in_history


class Checked(NamedTuple):
    """What was found: of each part the first place where it breaks, in words; and how many acts there are."""

    faults: list[str]
    acts: int


def check_record(store: Store, history: HistoryFolder) -> Checked:
    """Check everything that is sealed. It reads all of it, so it is for a thread of its own."""
    faults = []
    in_history = fault_in_history(store, history)
    if in_history is not None:
        faults.append(f"history up to {in_history.upto}: {in_history.what}")
    with store.read() as connection:
        # A file that is damaged has been named above, and cannot be read for what it says of acts.
        of_acts = audit.first_fault(connection, history if in_history is None else None)
        of_books, acts = fault_in_ledger(connection), audit.count(connection)
    if of_acts is not None:
        faults.append(f"act {of_acts.position}: {of_acts.what}")
    if of_books is not None:
        faults.append(f"books at entry {of_books.position}: {of_books.what}")
    return Checked(faults, acts)


def export_line(one: audit.Recorded) -> dict[str, object]:
    """Return an act as an auditor keeps it, with the link of its chain."""
    return one._asdict() | {"at": rfc3339(one.at_us), "link": one.link.hex()}
