"""Orders for transfer loans: the rows, and the states that they go through.

requested, approved (the loan is booked), sent (in a file), paid or returned. An order that nobody approved
is worth nothing.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, Row, insert, select, update

from sekisho.identity.purposes import Purpose
from sekisho.kernel.ids import MemberId, TransferOrderId
from sekisho.kernel.yen import Yen
from sekisho.storage.tables.borrowings import transfer_order

KEY_MAX = 100
REFERENCE_DIGITS = 20


class OrderState(StrEnum):
    """How an order stands."""

    REQUESTED = "requested"
    """Somebody wants it; nothing is owed."""

    APPROVED = "approved"
    """The member approved it and owes it from this day on; it waits to go out."""

    SENT = "sent"
    """It is in a file to the bank."""

    PAID = "paid"
    """The member has it."""

    RETURNED = "returned"
    """The bank sent it back; the borrowing was taken back."""


class TransferOrder(msgspec.Struct, frozen=True, kw_only=True):
    """One order. `key` is its member's own; `reference` travels with it through the banks.

    `goes_out_us` is when it goes out, known from its approval on. `result` is the bank's word for how it
    ended.
    """

    id: TransferOrderId
    key: str
    member_id: MemberId
    contract_id: str
    account_id: str
    bank: str
    amount_yen: int
    reference: str
    state: OrderState
    session_id: str
    requested_at_us: int
    goes_out_us: int | None = None
    approved_at_us: int | None = None
    approved_by: str = ""
    attempt_id: str = ""
    loan_event_id: str | None = None
    transfer_id: str | None = None
    file_id: str | None = None
    result: str = ""
    ended_at_us: int | None = None

    @property
    def amount(self) -> Yen:
        """Return the amount."""
        return Yen(self.amount_yen)


class Change(NamedTuple):
    """From which state to which."""

    before: OrderState
    after: OrderState


def purpose_of(order: TransferOrder, account: str) -> Purpose:
    """Return what is approved with an order: this one, its amount, its account (masked) and its bank."""
    details = {"bank": order.bank, "account": account, "order": order.id, "account_id": order.account_id}
    return Purpose(action="transfer", amount_yen=order.amount_yen, details=details)


def own_key(member_id: str, key: str) -> str:
    """Return a member's key as it is kept, so that nobody meets another member's order by a guessed key."""
    return f"{member_id}:{key[:KEY_MAX]}"


def add(connection: Connection, order: TransferOrder) -> None:
    """Write an order down."""
    connection.execute(insert(transfer_order), msgspec.structs.asdict(order))


def find(connection: Connection, order_id: str, member_id: str) -> TransferOrder | None:
    """Return a member's order."""
    its = select(transfer_order).where(
        transfer_order.c.id == order_id, transfer_order.c.member_id == member_id
    )
    row = connection.execute(its).one_or_none()
    return None if row is None else _of(row)


def by_key(connection: Connection, key: str) -> TransferOrder | None:
    """Return the order that a key made."""
    row = connection.execute(select(transfer_order).where(transfer_order.c.key == key)).one_or_none()
    return None if row is None else _of(row)


def of_member(connection: Connection, member_id: str, limit: int) -> list[TransferOrder]:
    """Return a member's orders, the newest first."""
    its = select(transfer_order).where(transfer_order.c.member_id == member_id)
    newest = its.order_by(transfer_order.c.id.desc()).limit(limit)
    return _all(connection.execute(newest).all())


def on_the_way(connection: Connection, contract_id: str) -> list[TransferOrder]:
    """Return the orders under a contract that were approved and of which no bank has said how they ended."""
    its = select(transfer_order).where(
        transfer_order.c.contract_id == contract_id,
        transfer_order.c.state.in_((OrderState.APPROVED, OrderState.SENT)),
    )
    return _all(connection.execute(its.order_by(transfer_order.c.id)).all())


def due(connection: Connection, now_us: int, limit: int) -> list[TransferOrder]:
    """Return approved orders that can go out, in the order of their approval; nobody else gets the same."""
    its = select(transfer_order).where(
        transfer_order.c.state == OrderState.APPROVED, transfer_order.c.goes_out_us <= now_us
    )
    rows = its.order_by(transfer_order.c.approved_at_us, transfer_order.c.id).limit(limit)
    return _all(connection.execute(rows.with_for_update(skip_locked=True)).all())


def in_file(connection: Connection, file_id: str) -> dict[str, TransferOrder]:
    """Return the orders in a file, by reference."""
    its = select(transfer_order).where(transfer_order.c.file_id == file_id)
    return {order.reference: order for order in _all(connection.execute(its).all())}


def move(connection: Connection, order: TransferOrder, change: Change, **values: object) -> bool:
    """Take an order on from one state to the next, and tell whether it still was in the first."""
    one = update(transfer_order).where(
        transfer_order.c.id == order.id, transfer_order.c.state == change.before
    )
    return connection.execute(one.values(state=change.after, **values)).rowcount == 1


def _all(rows: Sequence[Row[tuple[object, ...]]]) -> list[TransferOrder]:
    return [_of(row) for row in rows]


def _of(row: Row[tuple[object, ...]]) -> TransferOrder:
    return msgspec.convert(row, TransferOrder, from_attributes=True)
