"""The journal: every change to the totals, in order, each entry sealed with all before it.

Nothing is changed or deleted; a correction is a new entry. Totals are kept beside the journal for speed, and
`first_fault` derives them again from it.
"""

import hashlib
from collections import defaultdict
from collections.abc import Generator
from contextlib import closing
from datetime import date
from enum import StrEnum
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, func, insert, or_, select

from sekisho.kernel import chain
from sekisho.kernel.clock import Clock
from sekisho.kernel.yen import Yen
from sekisho.ledger.accounts import Side
from sekisho.storage.tables.ledger import ledger_account, ledger_checkpoint, ledger_journal

LEDGER_LOCK = 0x5E_C1_50_04
ENTRIES_AT_ONCE = 10_000


class Event(StrEnum):
    """What happened to a transfer."""

    RESERVED = "reserved"
    """Its amount is pending on both accounts."""

    POSTED = "posted"
    """It is final; what was pending of it is no longer."""

    VOIDED = "voided"
    """What was pending was given up by whoever reserved it."""

    EXPIRED = "expired"
    """What was pending ran out of time."""


class Entry(NamedTuple):
    """One line of the journal. `pending_yen` and `posted_yen` are added to the totals of both accounts, to
    the debits of `debit` and to the credits of `credit`.
    """

    position: int
    transfer_id: str
    event: str
    kind: str
    debit: str
    credit: str
    pending_yen: int
    posted_yen: int
    effective_on: str
    booked_at_us: int


class LedgerFault(NamedTuple):
    """The first place where the books are not what the journal says."""

    position: int
    what: str


class Line(NamedTuple):
    """A line of a statement: what was posted, signed for the account's normal side, and the balance after."""

    effective_on: date
    booked_at_us: int
    transfer_id: str
    kind: str
    amount: Yen
    balance: Yen


Totals = dict[str, tuple[int, int, int, int]]
"""By account: debits posted, credits posted, debits pending, credits pending."""


def take_turn(connection: Connection) -> None:
    """Wait until nobody else writes to the ledger; the turn ends with the transaction.

    On SQLite there is one writer anyway; on PostgreSQL a lock makes one of many, so that the totals that were
    read are the totals that are changed, and entries have no gaps.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LEDGER_LOCK})")


def sealed(entry: Entry, previous: bytes) -> bytes:
    """Return an entry's link onto the chain."""
    return chain.link(previous, chain.canonical(entry))


def balance_on(connection: Connection, account_id: str, day: date) -> Yen:
    """Return an account's posted balance at the end of a day by effective date, on its normal side.

    What was booked later for that day or before counts: a correction changes the past as it should have been.
    Raises LookupError where there is no such account.
    """
    normal = select(ledger_account.c.normal).where(ledger_account.c.id == account_id)
    side = connection.execute(normal).scalar_one_or_none()
    if side is None:
        raise LookupError(f"no account {account_id}")
    upto = ledger_journal.c.effective_on <= day.isoformat()
    debits, credits_ = (
        connection.execute(
            select(func.coalesce(func.sum(ledger_journal.c.posted_yen), 0)).where(column == account_id, upto)
        ).scalar_one()
        for column in (ledger_journal.c.debit, ledger_journal.c.credit)
    )
    net = int(debits) - int(credits_)
    return Yen(net if side == Side.DEBIT else -net)


def statement(connection: Connection, account_id: str, first: date, last: date) -> list[Line]:
    """Return what was posted to an account from one day to another, by effective date, with its balances."""
    normal = select(ledger_account.c.normal).where(ledger_account.c.id == account_id)
    sign = 1 if connection.execute(normal).scalar_one() == Side.DEBIT else -1
    lines = (
        select(ledger_journal)
        .where(
            or_(ledger_journal.c.debit == account_id, ledger_journal.c.credit == account_id),
            ledger_journal.c.posted_yen != 0,
            ledger_journal.c.effective_on <= last.isoformat(),
        )
        .order_by(ledger_journal.c.effective_on, ledger_journal.c.position)
    )
    balance, found = Yen(0), []
    for row in connection.execute(lines):
        amount = Yen(row.posted_yen * (sign if row.debit == account_id else -sign))
        balance = balance + amount
        on = date.fromisoformat(row.effective_on)
        if on >= first:
            found.append(Line(on, row.booked_at_us, row.transfer_id, row.kind, amount, balance))
    return found


def make_checkpoint(connection: Connection, *, clock: Clock) -> int:
    """Write down the totals of all accounts with the newest link, and return its position.

    An empty journal has none, and its position is -1. Hand a checkpoint's link to somebody else, and the
    books up to there can no longer be written anew unseen.
    """
    take_turn(connection)
    newest = connection.execute(
        select(ledger_journal.c.position, ledger_journal.c.link)
        .order_by(ledger_journal.c.position.desc())
        .limit(1)
    ).one_or_none()
    if newest is None:
        return -1
    known = select(ledger_checkpoint.c.position).where(ledger_checkpoint.c.position == newest.position)
    if connection.execute(known).one_or_none() is None:
        values = {
            "position": newest.position,
            "at_us": clock.now_us(),
            "link": newest.link,
            "totals": _digest(_kept_totals(connection)),
        }
        connection.execute(insert(ledger_checkpoint), values)
    return int(newest.position)


def first_fault(connection: Connection) -> LedgerFault | None:
    """Derive all totals from the journal and check the chain, the checkpoints and the accounts.

    Returns None where the books are right: each link holds, no entry is missing, debits equal credits, and
    every account's totals are what its entries add up to.
    """
    derived: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    fault = _fault_in_journal(connection, derived)
    if fault is not None:
        return fault
    kept = {account: totals for account, totals in _kept_totals(connection).items() if any(totals)}
    if kept != _plain(derived):
        return LedgerFault(-1, "an account's totals are not what its entries add up to")
    return None


def _fault_in_journal(connection: Connection, derived: defaultdict[str, list[int]]) -> LedgerFault | None:
    """Walk the journal, and add it up into `derived`."""
    checkpoints = {row.position: row for row in connection.execute(select(ledger_checkpoint))}
    previous, position = chain.GENESIS, -1
    with closing(_entries(connection)) as entries:
        for entry, link in entries:
            if entry.position != position + 1:
                return LedgerFault(position + 1, "an entry is missing")
            position = entry.position
            if sealed(entry, previous) != link:
                return LedgerFault(position, "the chain is broken")
            previous = link
            _add(derived, entry)
            checkpoint = checkpoints.pop(position, None)
            seen = (link, _digest(_plain(derived))) if checkpoint is not None else None
            if checkpoint is not None and (checkpoint.link, checkpoint.totals) != seen:
                return LedgerFault(position, "a checkpoint has seen other books")
    if checkpoints:
        return LedgerFault(position + 1, "entries that a checkpoint has seen are missing")
    return None


def _entries(connection: Connection) -> Generator[tuple[Entry, bytes]]:
    in_order = select(ledger_journal).order_by(ledger_journal.c.position)
    with connection.execution_options(yield_per=ENTRIES_AT_ONCE).execute(in_order) as rows:
        for row in rows:
            yield Entry(*row[:-1]), row[-1]


def _add(totals: defaultdict[str, list[int]], entry: Entry) -> None:
    debited, credited = totals[entry.debit], totals[entry.credit]
    debited[0] += entry.posted_yen
    credited[1] += entry.posted_yen
    debited[2] += entry.pending_yen
    credited[3] += entry.pending_yen


def _plain(totals: defaultdict[str, list[int]]) -> Totals:
    return {account: (of[0], of[1], of[2], of[3]) for account, of in totals.items() if any(of)}


def _kept_totals(connection: Connection) -> Totals:
    columns = (
        ledger_account.c.id,
        ledger_account.c.debits_posted,
        ledger_account.c.credits_posted,
        ledger_account.c.debits_pending,
        ledger_account.c.credits_pending,
    )
    return {row[0]: (row[1], row[2], row[3], row[4]) for row in connection.execute(select(*columns))}


def _digest(totals: Totals) -> bytes:
    used = sorted((account, *of) for account, of in totals.items() if any(of))
    return hashlib.sha256(msgspec.json.encode(used)).digest()
