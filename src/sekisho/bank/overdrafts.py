"""Overdrafts: by how much an account may be overdrawn, changed by staff and on record."""

import msgspec
from sqlalchemy import Connection

from sekisho.bank import deposits
from sekisho.bank.deposits import Deposit, DepositState
from sekisho.bank.house import BankParts
from sekisho.kernel.yen import Yen
from sekisho.ledger.accounts import change_limits
from sekisho.response import audit
from sekisho.response.audit import Act
from sekisho.response.staff import require_staff
from sekisho.storage import outbox


def change_overdraft(  # noqa: PLR0913 - of which account, to what, by whom and why
    connection: Connection, bank: BankParts, one: Deposit, limit: Yen, *, by: str, reason: str
) -> bool:
    """Set by how much an account may be overdrawn, and tell whether that is new.

    What stands below a new limit stays, and may only come nearer to it. Raises StaffIdUnusable, and
    ValueError for a negative amount and for a closed account.
    """
    require_staff(by)
    if limit < Yen(0):
        raise ValueError("an overdraft is no negative amount")
    if one.state is DepositState.CLOSED:
        raise ValueError("a closed account is not overdrawn")
    before = deposits.books_of(connection, one).net_debit_max
    if before == limit.amount:
        return False
    change_limits(connection, one.ledger_account, net_debit_max=limit, net_credit_max=None)
    now_us, details = bank.clock.now_us(), {"before_yen": before, "yen": limit.amount}
    body = msgspec.json.encode(details)
    event = outbox.Entry("bank:deposit:overdraft_changed", f"{one.id}:{now_us}", now_us, body)
    outbox.append(connection, [event])
    act = Act(actor=by, act="bank:overdraft_changed", subject=one.id, reason=reason, details=details)
    audit.record(connection, act, at_us=now_us)
    return True
