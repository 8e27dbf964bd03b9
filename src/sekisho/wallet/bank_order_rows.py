"""Orders to banks as they are kept, and what has been charged over a link."""

from enum import StrEnum
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, RowMapping, and_, func, insert, select, update

from sekisho.kernel.ids import BankLinkId, BankOrderId
from sekisho.kernel.japan import in_japan, japanese_us
from sekisho.kernel.yen import Yen
from sekisho.linking.bank_bookings import Direction
from sekisho.storage.tables.bank_links import bank_order
from sekisho.wallet.link_limits import Charged


class OrderState(StrEnum):
    """What became of an order. All but ORDERED are final."""

    ORDERED = "ordered"
    """It is to be carried out, or what became of it is not known yet."""

    DONE = "done"
    """The bank moved the money."""

    REFUSED = "refused"
    """The bank said no."""

    NEVER = "never"
    """The bank never heard of it, and it is too late for it to hear."""

    LOST = "lost"
    """Nobody can tell: the bank may have heard it and speaks with us no more. A person has to ask."""


MAY_HAVE_MOVED = (OrderState.ORDERED, OrderState.DONE, OrderState.LOST)
"""The states that count against ceilings."""


class BankOrder(msgspec.Struct, frozen=True, kw_only=True):
    """Money that a bank was asked to move. `result` is the bank's word, `bank_id` its id for it."""

    id: BankOrderId
    key: str
    link_id: BankLinkId
    direction: Direction
    amount_yen: int
    text: str
    state: OrderState
    result: str
    bank_id: str
    maybe_heard: bool
    ordered_at_us: int
    not_after_us: int
    tries: int
    next_try_us: int
    settled_at_us: int | None

    @property
    def amount(self) -> Yen:
        """How much is to move."""
        return Yen(self.amount_yen)


class Settled(NamedTuple):
    """What became of an order: its final state, the bank's word for it, and the bank's id."""

    state: OrderState
    result: str = ""
    bank_id: str = ""


def find(connection: Connection, order_id: str) -> BankOrder | None:
    """Return an order by id."""
    row = connection.execute(select(bank_order).where(bank_order.c.id == order_id)).mappings().one_or_none()
    return None if row is None else _read(row)


def by_key(connection: Connection, key: str) -> BankOrder | None:
    """Return the order of a key."""
    row = connection.execute(select(bank_order).where(bank_order.c.key == key)).mappings().one_or_none()
    return None if row is None else _read(row)


def due(connection: Connection, now_us: int, limit: int) -> list[BankOrder]:
    """Return the orders that wait for another try, the one that waits longest first."""
    waits = and_(bank_order.c.state == OrderState.ORDERED, bank_order.c.next_try_us <= now_us)
    rows = select(bank_order).where(waits).order_by(bank_order.c.next_try_us, bank_order.c.id).limit(limit)
    return [_read(row) for row in connection.execute(rows).mappings()]


def add(connection: Connection, order: BankOrder) -> None:
    """Write an order down."""
    connection.execute(insert(bank_order), msgspec.structs.asdict(order))


def take(connection: Connection, order: BankOrder, *, next_try_us: int) -> bool:
    """Take an order for one try, and tell whether nobody else has taken it since it was read."""
    still = and_(
        bank_order.c.id == order.id,
        bank_order.c.state == OrderState.ORDERED,
        bank_order.c.tries == order.tries,
    )
    # From here on the bank may hear of it: a program that dies now must ask before anything else.
    values = {"tries": order.tries + 1, "next_try_us": next_try_us, "maybe_heard": True}
    return bool(connection.execute(update(bank_order).where(still).values(values)).rowcount)


def not_heard(connection: Connection, order_id: str) -> None:
    """Write down that the bank cannot have heard of an order, so that it may be sent anew."""
    one = and_(bank_order.c.id == order_id, bank_order.c.state == OrderState.ORDERED)
    connection.execute(update(bank_order).where(one).values(maybe_heard=False))


def settle(connection: Connection, order_id: str, settled: Settled, now_us: int) -> bool:
    """Write down what became of an order, once, and tell whether this was the first time."""
    one = and_(bank_order.c.id == order_id, bank_order.c.state == OrderState.ORDERED)
    values = {**settled._asdict(), "settled_at_us": now_us}
    return bool(connection.execute(update(bank_order).where(one).values(values)).rowcount)


def charged_over(connection: Connection, link_id: str, now_us: int) -> Charged:
    """Return what was charged over a link and may count: in this month of Japan, and ever."""
    its = and_(
        bank_order.c.link_id == link_id,
        bank_order.c.direction == Direction.DEBIT,
        bank_order.c.state.in_(MAY_HAVE_MOVED),
    )
    month = in_japan(now_us).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    sums = select(func.coalesce(func.sum(bank_order.c.amount_yen), 0)).where(its)
    this_month = sums.where(bank_order.c.ordered_at_us >= japanese_us(month))
    return Charged(
        Yen(int(connection.execute(this_month).scalar_one())), Yen(int(connection.execute(sums).scalar_one()))
    )


def charges_since(connection: Connection, link_id: str, since_us: int = 0) -> int:
    """Return how many charges were ordered over a link since a time; refused ones count as well."""
    its = and_(
        bank_order.c.link_id == link_id,
        bank_order.c.direction == Direction.DEBIT,
        bank_order.c.ordered_at_us > since_us,
    )
    return int(connection.execute(select(func.count()).select_from(bank_order).where(its)).scalar_one())


def is_first(connection: Connection, link_id: str, direction: Direction) -> bool:
    """Say whether nothing was ever moved over a link this way; what a bank refused has moved nothing."""
    its = and_(
        bank_order.c.link_id == link_id,
        bank_order.c.direction == direction,
        bank_order.c.state == OrderState.DONE,
    )
    return connection.execute(select(bank_order.c.id).where(its).limit(1)).first() is None


def _read(row: RowMapping) -> BankOrder:
    return msgspec.convert({name: row[name] for name in BankOrder.__struct_fields__}, BankOrder)
