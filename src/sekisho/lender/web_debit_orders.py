"""Orders for repayments by debit of the member's bank account: the rows, and the states they go through."""

from collections.abc import Sequence
from enum import StrEnum

import msgspec
from sqlalchemy import Connection, Row, func, insert, select, update

from sekisho.identity.purposes import Purpose
from sekisho.kernel.ids import MemberId, WebDebitId
from sekisho.kernel.yen import Yen
from sekisho.storage.tables.borrowings import web_debit_order


class DebitState(StrEnum):
    """How an order stands. Only DONE repays anything; before that nothing is booked."""

    REQUESTED = "requested"
    """Somebody wants it."""

    APPROVED = "approved"
    """The member approved it; it waits for the next file."""

    SENT = "sent"
    """It is in a file to the bank."""

    DONE = "done"
    """The bank debited it, and it is repaid."""

    FAILED = "failed"
    """The bank did not debit it."""


OPEN = (DebitState.APPROVED, DebitState.SENT)


class WebDebitOrder(msgspec.Struct, frozen=True, kw_only=True):
    """One order. `is_first` says that nothing was ever debited from this account: the mandate is new."""

    id: WebDebitId
    key: str
    member_id: MemberId
    contract_id: str
    account_id: str
    bank: str
    amount_yen: int
    reference: str
    is_first: bool
    state: DebitState
    session_id: str
    requested_at_us: int
    approved_at_us: int | None = None
    loan_event_id: str | None = None
    file_id: str | None = None
    result: str = ""
    ended_at_us: int | None = None

    @property
    def amount(self) -> Yen:
        """Return the amount."""
        return Yen(self.amount_yen)


def purpose_of(order: WebDebitOrder, account: str) -> Purpose:
    """Return what is approved with an order: this one, its amount, its account (masked) and its bank."""
    details = {"bank": order.bank, "account": account, "order": order.id, "account_id": order.account_id}
    return Purpose(action="payment", amount_yen=order.amount_yen, details=details)


def add(connection: Connection, order: WebDebitOrder) -> None:
    """Write an order down."""
    connection.execute(insert(web_debit_order), msgspec.structs.asdict(order))


def find(connection: Connection, order_id: str, member_id: str) -> WebDebitOrder | None:
    """Return a member's order."""
    its = select(web_debit_order).where(
        web_debit_order.c.id == order_id, web_debit_order.c.member_id == member_id
    )
    return next(iter(_all(connection.execute(its).all())), None)


def by_key(connection: Connection, key: str) -> WebDebitOrder | None:
    """Return the order that a key made."""
    its = select(web_debit_order).where(web_debit_order.c.key == key)
    return next(iter(_all(connection.execute(its).all())), None)


def of_member(connection: Connection, member_id: str, limit: int) -> list[WebDebitOrder]:
    """Return a member's orders, the newest first."""
    its = select(web_debit_order).where(web_debit_order.c.member_id == member_id)
    return _all(connection.execute(its.order_by(web_debit_order.c.id.desc()).limit(limit)).all())


def on_the_way(connection: Connection, contract_id: str) -> Yen:
    """Return what is to be debited for a contract and has not ended."""
    its = select(func.coalesce(func.sum(web_debit_order.c.amount_yen), 0)).where(
        web_debit_order.c.contract_id == contract_id, web_debit_order.c.state.in_(OPEN)
    )
    return Yen(int(connection.execute(its).scalar_one()))


def under_way(connection: Connection, contract_id: str) -> list[WebDebitOrder]:
    """Return the orders for a contract that were approved and have not ended, the oldest first."""
    its = select(web_debit_order).where(
        web_debit_order.c.contract_id == contract_id, web_debit_order.c.state.in_(OPEN)
    )
    return _all(connection.execute(its.order_by(web_debit_order.c.id)).all())


def was_debited(connection: Connection, account_id: str) -> bool:
    """Say whether a debit of this account was ever done."""
    its = select(web_debit_order.c.id).where(
        web_debit_order.c.account_id == account_id, web_debit_order.c.state == DebitState.DONE
    )
    return connection.execute(its.limit(1)).first() is not None


def waiting(connection: Connection, limit: int) -> list[WebDebitOrder]:
    """Return what was approved and is in no file, the oldest first; nobody else gets the same."""
    its = select(web_debit_order).where(web_debit_order.c.state == DebitState.APPROVED)
    rows = its.order_by(web_debit_order.c.requested_at_us, web_debit_order.c.id).limit(limit)
    return _all(connection.execute(rows.with_for_update(skip_locked=True)).all())


def in_file(connection: Connection, file_id: str) -> dict[str, WebDebitOrder]:
    """Return the orders in a file, by reference."""
    its = select(web_debit_order).where(web_debit_order.c.file_id == file_id)
    return {order.reference: order for order in _all(connection.execute(its).all())}


def move(
    connection: Connection, order: WebDebitOrder, before: DebitState, after: DebitState, **values: object
) -> bool:
    """Take an order on from one state to the next, and tell whether it still was in the first."""
    one = update(web_debit_order).where(web_debit_order.c.id == order.id, web_debit_order.c.state == before)
    return connection.execute(one.values(state=after, **values)).rowcount == 1


def _all(rows: Sequence[Row[tuple[object, ...]]]) -> list[WebDebitOrder]:
    return [_of(row) for row in rows]


def _of(row: Row[tuple[object, ...]]) -> WebDebitOrder:
    return msgspec.convert(row, WebDebitOrder, from_attributes=True)
