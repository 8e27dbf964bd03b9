"""The few statements of a transfer, written by hand and prepared once: they are the ledger's hot path.

Whoever runs them has taken a turn at the journal first.
"""

from typing import NamedTuple

from sqlalchemy import Connection

from sekisho.kernel.chain import GENESIS
from sekisho.ledger.accounts import Account
from sekisho.ledger.journal import Entry
from sekisho.storage.handwritten import handwritten

_ACCOUNT = (
    "id, kind, owner, normal, net_debit_max, net_credit_max, debits_posted, credits_posted, "
    "debits_pending, credits_pending, opened_at_us, closed_at_us"
)
_TRANSFER = (
    "id, key, request, kind, debit, credit, amount_yen, state, posted_yen, effective_on, booked_at_us, "
    "expires_at_us, corrects, details"
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
    """What a transfer must know before it is made."""

    debit: Account | None
    credit: Account | None
    same_key: KeptTransfer | None
    head: Head


def look(connection: Connection, debit: str, credit: str, key: str) -> Books:
    """Read both accounts, the transfer of this key if there is one, and the journal's head."""
    both = handwritten(
        connection, f"SELECT {_ACCOUNT} FROM ledger_account WHERE id IN (?, ?)", (debit, credit)
    )
    accounts = {row[0]: Account(**dict(zip(Account.__struct_fields__, row, strict=True))) for row in both}
    return Books(
        debit=accounts.get(debit),
        credit=accounts.get(credit),
        same_key=_transfer(connection, "key", key),
        head=head(connection),
    )


def head(connection: Connection) -> Head:
    """Return the newest entry; before the first one, what the chain stands on."""
    newest = "SELECT position, link FROM ledger_journal ORDER BY position DESC LIMIT 1"
    rows = handwritten(connection, newest, ())
    return Head._make(rows[0]) if rows else Head(-1, GENESIS)


def find_transfer(connection: Connection, transfer_id: str) -> KeptTransfer | None:
    """Return a transfer by its id."""
    return _transfer(connection, "id", transfer_id)


def correction_of(connection: Connection, transfer_id: str) -> KeptTransfer | None:
    """Return the transfer that corrects another, if there is one."""
    return _transfer(connection, "corrects", transfer_id)


def expired(connection: Connection, now_us: int, limit: int) -> list[KeptTransfer]:
    """Return pending transfers whose time has run out, oldest first."""
    due = (
        f"SELECT {_TRANSFER} FROM ledger_transfer WHERE state = 'pending' AND expires_at_us <= ? "
        "ORDER BY expires_at_us LIMIT ?"
    )
    return [KeptTransfer._make(row) for row in handwritten(connection, due, (now_us, limit))]


def insert_transfer(connection: Connection, row: KeptTransfer) -> None:
    """Write a new transfer down."""
    marks = ", ".join("?" * len(row))
    handwritten(connection, f"INSERT INTO ledger_transfer ({_TRANSFER}) VALUES ({marks})", row)


def end_transfer(connection: Connection, transfer_id: str, state: str, posted_yen: int) -> None:
    """Say how a pending transfer ended."""
    ended = "UPDATE ledger_transfer SET state = ?, posted_yen = ? WHERE id = ?"
    handwritten(connection, ended, (state, posted_yen, transfer_id))


def add_to_totals(connection: Connection, debit: str, credit: str, pending_yen: int, posted_yen: int) -> None:
    """Change the totals of both accounts."""
    for side, account in (("debits", debit), ("credits", credit)):
        change = (
            f"UPDATE ledger_account SET {side}_posted = {side}_posted + ?, "
            f"{side}_pending = {side}_pending + ? WHERE id = ?"
        )
        handwritten(connection, change, (posted_yen, pending_yen, account))


def insert_entry(connection: Connection, entry: Entry, link: bytes) -> None:
    """Write an entry at the journal's end."""
    marks = ", ".join("?" * (len(entry) + 1))
    handwritten(connection, f"INSERT INTO ledger_journal ({_ENTRY}) VALUES ({marks})", (*entry, link))


def _transfer(connection: Connection, column: str, value: str) -> KeptTransfer | None:
    rows = handwritten(connection, f"SELECT {_TRANSFER} FROM ledger_transfer WHERE {column} = ?", (value,))
    return KeptTransfer._make(rows[0]) if rows else None
