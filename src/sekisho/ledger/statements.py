"""The few statements of a transfer, written by hand and prepared once: they are the ledger's hot path.

Whoever runs them has taken a turn at the journal first.
"""

from typing import Any, NamedTuple

from sqlalchemy import Connection

from sekisho.kernel.chain import GENESIS
from sekisho.ledger.accounts import Account
from sekisho.ledger.journal import Entry
from sekisho.storage.handwritten import change, fetch

_ACCOUNT = (
    "id, kind, owner, normal, net_debit_max, net_credit_max, debits_posted, credits_posted, "
    "debits_pending, credits_pending, opened_at_us, closed_at_us"
)
_ACCOUNT_FIELDS = Account.__struct_fields__
_NEWEST = "SELECT position, link FROM ledger_journal ORDER BY position DESC LIMIT 1"
_TRANSFER = (
    "id, key, request, kind, debit, credit, amount_yen, state, posted_yen, effective_on, booked_at_us, "
    "expires_at_us, corrects, details"
)
_ADD_DEBIT, _ADD_CREDIT = (
    f"UPDATE ledger_account SET {side}_posted = {side}_posted + ?, {side}_pending = {side}_pending + ? "
    "WHERE id = ?"
    for side in ("debits", "credits")
)
_ENTRY = (
    "position, transfer_id, event, kind, debit, credit, pending_yen, posted_yen, effective_on, booked_at_us, "
    "link"
)


class KeptTransfer(NamedTuple):
    """A row of ledger_transfer."""

    id: str
    key: str
    request: bytes
    kind: str
    debit: str
    credit: str
    amount_yen: int
    state: str
    posted_yen: int
    effective_on: str
    booked_at_us: int
    expires_at_us: int | None
    corrects: str | None
    details: bytes


class Head(NamedTuple):
    """The newest entry of the journal."""

    position: int
    link: bytes


class Books(NamedTuple):
    """What a transfer must know before it is made. Without either account the head is of no use."""

    debit: Account | None
    credit: Account | None
    head: Head


def look(connection: Connection, debit: str, credit: str) -> Books:
    """Read both accounts and the journal's head."""
    both = fetch(
        connection,
        f"SELECT {_ACCOUNT}, position, link FROM ledger_account LEFT JOIN ({_NEWEST}) AS newest ON 1 = 1 "
        "WHERE id IN (?, ?)",
        (debit, credit),
    )
    accounts = {row[0]: Account(**dict(zip(_ACCOUNT_FIELDS, row, strict=False))) for row in both}
    return Books(accounts.get(debit), accounts.get(credit), _head(both[0][-2:] if both else (None, None)))


def head(connection: Connection) -> Head:
    """Return the newest entry; before the first one, what the chain stands on."""
    rows = fetch(connection, _NEWEST, ())
    return _head(rows[0] if rows else (None, None))


def find_transfer(connection: Connection, transfer_id: str) -> KeptTransfer | None:
    """Return a transfer by its id."""
    return _transfer(connection, "id", transfer_id)


def transfer_of(connection: Connection, key: str) -> KeptTransfer | None:
    """Return the transfer that was made by a key."""
    return _transfer(connection, "key", key)


def correction_of(connection: Connection, transfer_id: str) -> KeptTransfer | None:
    """Return the transfer that corrects another, if there is one."""
    return _transfer(connection, "corrects", transfer_id)


def expired(connection: Connection, now_us: int, limit: int) -> list[KeptTransfer]:
    """Return pending transfers whose time has run out, oldest first."""
    due = (
        f"SELECT {_TRANSFER} FROM ledger_transfer WHERE state = 'pending' AND expires_at_us <= ? "
        "ORDER BY expires_at_us LIMIT ?"
    )
    return [KeptTransfer._make(row) for row in fetch(connection, due, (now_us, limit))]


def insert_transfer(connection: Connection, row: KeptTransfer) -> bool:
    """Write a new transfer down; return False, and change nothing, where its key was used before."""
    marks = ", ".join("?" * len(row))
    insert = f"INSERT INTO ledger_transfer ({_TRANSFER}) VALUES ({marks}) ON CONFLICT (key) DO NOTHING"
    return change(connection, insert, row) == 1


def end_transfer(connection: Connection, transfer_id: str, state: str, posted_yen: int) -> None:
    """Say how a pending transfer ended."""
    ended = "UPDATE ledger_transfer SET state = ?, posted_yen = ? WHERE id = ?"
    change(connection, ended, (state, posted_yen, transfer_id))


def add_to_totals(connection: Connection, debit: str, credit: str, pending_yen: int, posted_yen: int) -> None:
    """Change the totals of both accounts."""
    for statement, account in ((_ADD_DEBIT, debit), (_ADD_CREDIT, credit)):
        change(connection, statement, (posted_yen, pending_yen, account))


def insert_entry(connection: Connection, entry: Entry, link: bytes) -> None:
    """Write an entry at the journal's end."""
    marks = ", ".join("?" * (len(entry) + 1))
    change(connection, f"INSERT INTO ledger_journal ({_ENTRY}) VALUES ({marks})", (*entry, link))


def _transfer(connection: Connection, column: str, value: str) -> KeptTransfer | None:
    rows = fetch(connection, f"SELECT {_TRANSFER} FROM ledger_transfer WHERE {column} = ?", (value,))
    return KeptTransfer._make(rows[0]) if rows else None


def _head(newest: tuple[Any, ...]) -> Head:
    return Head(-1, GENESIS) if newest[0] is None else Head._make(newest)
