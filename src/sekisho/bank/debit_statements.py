"""The few statements of a debit, written by hand and prepared once: they are the bank's hot path.

Whoever runs them has taken a turn at the ledger first.
"""

from typing import Any

from sqlalchemy import Connection

from sekisho.bank.deposits import Deposit
from sekisho.bank.house import PARTNER_SETTLEMENT
from sekisho.bank.mandates import Mandate
from sekisho.storage.handwritten import change, fetch

_MANDATE = Mandate.__struct_fields__
_DEPOSIT = Deposit.__struct_fields__
_UNDER = (
    f"SELECT {', '.join(f'mandate.{name}' for name in _MANDATE)}, "
    f"{', '.join(f'deposit.{name}' for name in _DEPOSIT)}, depositor.member_id FROM mandate "
    "JOIN deposit ON deposit.id = mandate.deposit_id "
    "JOIN depositor ON depositor.id = deposit.depositor_id WHERE mandate.id = ?"
)
_DEBITED = (
    "SELECT COALESCE(SUM(amount_yen), 0) FROM mandate_order WHERE deposit_id = ? AND partner = ? "
    "AND month = ? AND direction = 'debit' AND state = 'done'"
)
_SETTLEMENT = "SELECT id FROM ledger_account WHERE owner = ? AND kind = ?"


def under(
    connection: Connection, mandate_id: str
) -> tuple[dict[str, Any], dict[str, Any], str | None] | None:
    """Return the fields of a mandate and of its account, and which member its holder is."""
    rows = fetch(connection, _UNDER, (mandate_id,))
    if not rows:
        return None
    row, cut = rows[0], len(_MANDATE)
    return (
        dict(zip(_MANDATE, row[:cut], strict=True)),
        dict(zip(_DEPOSIT, row[cut:-1], strict=True)),
        row[-1],
    )


def debited_in(connection: Connection, partner: str, deposit_id: str, month: str) -> int:
    """Return what a partner debited from an account in a month, in yen."""
    return int(fetch(connection, _DEBITED, (deposit_id, partner, month))[0][0])


def settlement_of(connection: Connection, partner: str) -> str | None:
    """Return the account through which a partner settles, None where it has none yet."""
    rows = fetch(connection, _SETTLEMENT, (f"partner:{partner}", PARTNER_SETTLEMENT))
    return rows[0][0] if rows else None


def order_by_key(
    connection: Connection, fields: tuple[str, ...], partner: str, direction: str, key: str
) -> tuple[Any, ...] | None:
    """Return the fields of what a partner ordered by a key."""
    statement = (
        f"SELECT {', '.join(fields)} FROM mandate_order WHERE partner = ? AND direction = ? AND key = ?"
    )
    rows = fetch(connection, statement, (partner, direction, key))
    return rows[0] if rows else None


def insert_order(connection: Connection, values: dict[str, Any]) -> None:
    """Write an order down with its answer."""
    marks = ", ".join("?" * len(values))
    statement = f"INSERT INTO mandate_order ({', '.join(values)}) VALUES ({marks})"
    change(connection, statement, tuple(values.values()))
