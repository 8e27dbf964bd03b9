"""What came to and went from an account, line by line, as the depositor reads it."""

from datetime import date, timedelta
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, select

from sekisho.bank.deposits import Deposit
from sekisho.kernel.japan import day_in_japan
from sekisho.kernel.yen import Yen
from sekisho.ledger import journal
from sekisho.storage.tables.ledger import ledger_transfer

MONTHS_MAX = 13
_AT_ONCE = 500


class StatementLine(NamedTuple):
    """One line: the day, what it was (a kind of transfer), the other side's text, and the balance after it.

    The amount is above zero where it came, and below where it went.
    """

    on: date
    booked_at_us: int
    kind: str
    text: str
    amount: Yen
    balance: Yen


def lines_in(connection: Connection, one: Deposit, month: date) -> list[StatementLine]:
    """Return the lines of the month of a day, the oldest first."""
    first = month.replace(day=1)
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    lines = journal.statement(connection, one.ledger_account, first, last)
    texts = _texts(connection, [line.transfer_id for line in lines])
    return [
        StatementLine(
            line.effective_on,
            line.booked_at_us,
            line.kind,
            texts.get(line.transfer_id, ""),
            line.amount,
            line.balance,
        )
        for line in lines
    ]


def months_of(one: Deposit, today: date) -> list[date]:
    """Return the first days of the months that an account has lines of, the latest first, a year at most."""
    opened = day_in_japan(one.opened_at_us).replace(day=1)
    months: list[date] = []
    month = today.replace(day=1)
    while month >= opened and len(months) < MONTHS_MAX:
        months.append(month)
        month = (month - timedelta(days=1)).replace(day=1)
    return months


def _texts(connection: Connection, transfer_ids: list[str]) -> dict[str, str]:
    texts: dict[str, str] = {}
    for start in range(0, len(transfer_ids), _AT_ONCE):
        its = select(ledger_transfer.c.id, ledger_transfer.c.details).where(
            ledger_transfer.c.id.in_(transfer_ids[start : start + _AT_ONCE])
        )
        for row in connection.execute(its):
            texts[row.id] = msgspec.json.decode(row.details, type=dict[str, str]).get("text", "")
    return texts
