"""What partners moved in the last days, which passes no gate of the guard: what a switch would have met."""

from collections.abc import Iterator

from sqlalchemy import Connection, or_, select

from sekisho.bank.orders import Direction, OrderState
from sekisho.bank.switches import Function
from sekisho.response.past_uses import PastUse
from sekisho.response.switches import Usage
from sekisho.storage.tables.deposits import deposit, depositor
from sekisho.storage.tables.mandates import mandate, mandate_order

_FUNCTIONS = {Direction.DEBIT: Function.DEBIT, Direction.CREDIT: Function.CREDIT}


class BankUses:
    """The bank's debits and credits under mandates, out of its orders."""

    def since(self, connection: Connection, from_us: int) -> Iterator[PastUse]:
        """Return what was booked since a time; new is what had no debit under its mandate before."""
        joined = (
            mandate_order.join(mandate, mandate.c.id == mandate_order.c.mandate_id)
            .join(deposit, deposit.c.id == mandate_order.c.deposit_id)
            .join(depositor, depositor.c.id == deposit.c.depositor_id)
        )
        is_new = or_(
            mandate_order.c.is_first,
            mandate.c.first_debit_at_us.is_(None),
            mandate.c.first_debit_at_us > mandate_order.c.booked_at_us,
        )
        # A switch for some members can mean nobody who has no online bank: they go by the depositor's id.
        columns = (depositor.c.member_id, depositor.c.id.label("depositor_id"), is_new.label("is_new"))
        booked = (
            select(mandate_order, *columns)
            .select_from(joined)
            .where(mandate_order.c.state == OrderState.DONE.value, mandate_order.c.booked_at_us >= from_us)
        )
        for row in connection.execute(booked):
            name = _FUNCTIONS[Direction(row.direction)].value
            usage = Usage(name, row.member_id or row.depositor_id, row.partner, is_new=bool(row.is_new))
            yield PastUse(row.id, row.booked_at_us, usage, (name,), row.amount_yen)
