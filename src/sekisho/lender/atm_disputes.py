"""What a person decides where a machine said what could not be booked: how much was moved, and why so.

The amount that was kept apart stays kept apart until then. Nothing above what the member approved can become
a debt: what a machine gave beyond that is between us and the network.
"""

from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, select, update

from sekisho.kernel.refusals import Refusal
from sekisho.kernel.yen import Yen
from sekisho.lender import atm_orders
from sekisho.lender.atm_machines import AtmOrderUnknown
from sekisho.lender.atm_order_states import AtmOrder, OrderState
from sekisho.lender.house import LenderParts
from sekisho.response import audit
from sekisho.response.audit import Act
from sekisho.response.staff import require_staff
from sekisho.storage import outbox
from sekisho.storage.tables.atm import atm_discrepancy, atm_order

REASON_CHARS_MAX = 2_000


class AtmOrderNotDisputed(Refusal):
    """Nothing about the order is open: the machine has said what it did, or is still being asked."""

    code = "atm_order_not_disputed"
    status = 409
    told = "Nothing about this order waits for a person."


class AtmAmountNotOrdered(Refusal):
    """More than was ordered can't be booked on the member."""

    code = "atm_amount_not_ordered"
    status = 422
    told = "Only what the member asked for, or less, can be booked."


class AtmNotBookable(Refusal):
    """The books refuse this amount: nothing of it is reserved any more, or the contract has ended."""

    code = "atm_not_bookable"
    status = 409
    told = "The books do not take this. Look at the contract first."


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What does not agree about an order: whose books say what, in yen; empty where they say nothing."""

    machine_id: str
    order_id: str
    kind: str
    ours_yen: int | None
    theirs_yen: int | None
    found_at_us: int


class Decision(NamedTuple):
    """What a person found out: so much was moved. The reason goes on record."""

    staff_id: str
    moved: Yen
    reason: str


class DisputeDesk:
    """Takes people's decisions about orders, for one lender."""

    def __init__(self, house: LenderParts) -> None:
        self._house = house

    async def findings(self, *, limit: int = 200) -> list[Finding]:
        """Return what nobody has looked into yet, the oldest first. Raises OperationalError."""
        columns = [atm_discrepancy.c[name] for name in Finding.__struct_fields__]
        its = (
            select(*columns)
            .where(atm_discrepancy.c.resolved_at_us.is_(None))
            .order_by(atm_discrepancy.c.found_at_us, atm_discrepancy.c.order_id)
            .limit(limit)
        )
        return await self._house.read(
            lambda at: [msgspec.convert(row, Finding) for row in at.execute(its).mappings()]
        )

    async def disputed(self) -> list[AtmOrder]:
        """Return the orders that wait for a person, the oldest first. Raises OperationalError."""
        its = select(atm_order).where(atm_order.c.state == OrderState.DISPUTED).order_by(atm_order.c.id)
        return await self._house.read(
            lambda at: [msgspec.convert(row, AtmOrder) for row in at.execute(its).mappings()]
        )

    async def decide(self, order_id: str, decision: Decision) -> AtmOrder:
        """Book what was moved, and close what was found about the order.

        Raises ValueError for an empty reason; StaffIdUnusable, AtmOrderUnknown, AtmOrderNotDisputed,
        AtmAmountNotOrdered, AtmNotBookable and OperationalError.
        """
        _require_reason(decision)

        def work(connection: Connection) -> AtmOrder:
            order = atm_orders.find_order(connection, order_id, to_change=True)
            if order is None:
                raise AtmOrderUnknown(known=order_id[:60])
            if order.state is not OrderState.DISPUTED:
                raise AtmOrderNotDisputed(known=f"{order.id} is {order.state}")
            if not Yen(0) <= decision.moved <= order.amount:
                raise AtmAmountNotOrdered(known=f"{decision.moved} of {order.amount}")
            ended = atm_orders.book(connection, self._house, order, decision.moved)
            if ended.state is OrderState.DISPUTED:
                # Raising takes back what the attempt wrote down.
                raise AtmNotBookable(known=f"{decision.moved} for {order.id}")
            self._close(connection, order.id, decision)
            return ended

        return await self._house.written(work)

    async def close(self, order_id: str, staff_id: str, reason: str) -> int:
        """Close findings that need no booking here, and return how many there were.

        An order of ours that is disputed is decided instead. Raises what `decide` does.
        """
        decision = Decision(staff_id, Yen(0), reason)
        _require_reason(decision)

        def work(connection: Connection) -> int:
            order = atm_orders.find_order(connection, order_id, to_change=True)
            if order is not None and order.state is OrderState.DISPUTED:
                raise AtmNotBookable(known=f"{order.id} waits for its amount")
            closed = self._close(connection, order_id, decision)
            if not closed:
                raise AtmOrderNotDisputed(known=order_id[:60])
            return closed

        return await self._house.written(work)

    def _close(self, connection: Connection, order_id: str, decision: Decision) -> int:
        now_us = self._house.clock.now_us()
        open_ones = (atm_discrepancy.c.order_id == order_id) & atm_discrepancy.c.resolved_at_us.is_(None)
        values = {"resolved_at_us": now_us, "resolved_by": decision.staff_id}
        closed = connection.execute(update(atm_discrepancy).where(open_ones).values(values)).rowcount
        # What staff write may name somebody; history does not.
        reason = self._house.keyring.seal(decision.reason.encode(), context=f"atm_dispute:{order_id}")
        body = {"by": decision.staff_id, "moved_yen": decision.moved.amount, "reason": reason}
        told = outbox.Entry(
            "atm:discrepancy:closed", f"{order_id}:{now_us}", now_us, msgspec.json.encode(body)
        )
        outbox.append(connection, [told])
        act = Act(
            actor=decision.staff_id,
            act="atm_order:decided",
            subject=order_id,
            details={"moved_yen": decision.moved.amount, "closed": closed},
        )
        audit.record(connection, act, at_us=now_us)
        return closed


def _require_reason(decision: Decision) -> None:
    require_staff(decision.staff_id)
    if not decision.reason.strip() or len(decision.reason) > REASON_CHARS_MAX:
        raise ValueError("a decision has a reason")
