"""How much a wallet has moved by one function, today and this month, against the ceilings of its level."""

from datetime import date

from sqlalchemy import Connection, func, select

from sekisho.kernel.refusals import Refusal
from sekisho.kernel.yen import Yen
from sekisho.storage.tables.ledger import ledger_journal
from sekisho.wallet.identity_levels import Ceiling, require_may
from sekisho.wallet.switches import Function
from sekisho.wallet.wallets import Wallet

KINDS = {
    Function.PAYMENT: "wallet:payment",
    Function.SEND: "wallet:send",
    Function.CHARGE: "wallet:charge",
    Function.PAYOUT: "wallet:payout",
}
"""The kind under which the ledger books what a function takes out of a wallet, or puts into it."""


class AboveCeiling(Refusal):
    """More than the level allows at once, in a day or in a month. `room` is what is left."""

    code = "above_wallet_ceiling"
    status = 409
    told = "This is more than you can move at the moment."

    def __init__(self, room: Yen) -> None:
        self.room = room
        super().__init__(known=f"room for {room}")


def require_room(connection: Connection, of: Wallet, function: Function, amount: Yen, day: date) -> None:
    """Let an amount through that level and ceilings allow. Raises LevelTooLow and AboveCeiling."""
    left = room(connection, of, function, day)
    if left is not None and amount > left:
        raise AboveCeiling(left)


def room(connection: Connection, of: Wallet, function: Function, day: date) -> Yen | None:
    """Return how much may still be moved at once today; None without a ceiling. Raises LevelTooLow."""
    ceiling = require_may(of.level, function, day).ceilings.get(function)
    return None if ceiling is None else _left(connection, of, function, ceiling, day)


def _left(connection: Connection, of: Wallet, function: Function, ceiling: Ceiling, day: date) -> Yen:
    today = _moved(connection, of, function, day, day)
    month = _moved(connection, of, function, day.replace(day=1), day)
    left = min(ceiling.once_yen, ceiling.day_yen - today, ceiling.month_yen - month)
    return Yen(max(left, 0))


def _moved(connection: Connection, of: Wallet, function: Function, first: date, last: date) -> int:
    side = ledger_journal.c.credit if function is Function.CHARGE else ledger_journal.c.debit
    moved = func.coalesce(func.sum(ledger_journal.c.posted_yen + ledger_journal.c.pending_yen), 0)
    its = select(moved).where(
        side == of.account,
        ledger_journal.c.kind == KINDS[function],
        ledger_journal.c.effective_on.between(first.isoformat(), last.isoformat()),
    )
    return int(connection.execute(its).scalar_one())
