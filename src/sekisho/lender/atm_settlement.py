"""What the lender never heard about is asked for again, until every order is settled one way or the other.

Three ways lead there, each enough by itself: the machine confirms; the machine is asked, and given up where
it has not begun; the machine's day is compared with ours. An order that none of them has ended is open, and
its amount stays reserved.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, time, timedelta
from traceback import format_exc
from typing import NamedTuple

import structlog
from sqlalchemy import Connection

from sekisho.kernel.clock import MINUTE_US
from sekisho.kernel.japan import japanese_us
from sekisho.kernel.posture import OperationalError
from sekisho.kernel.yen import Yen
from sekisho.lender import atm_orders, atm_sessions
from sekisho.lender.atm_network import AtmNetwork, CashAnswer, CashState, DayReport
from sekisho.lender.atm_order_states import OPEN, AtmOrder, Discrepancy, OrderState
from sekisho.lender.house import LenderParts

log = structlog.get_logger(__name__)

EVERY_S = 5.0
CLOCKS_APART_US = MINUTE_US
"""How far a machine's clock may be from ours: a report ends only what had to begin so long before it."""

BATCH = 100


class Reconciled(NamedTuple):
    """What a day's report came to: orders it settled, orders it ended, and how many findings there are."""

    settled: int
    failed: int
    discrepancies: int
    open: int


class AtmSettlement:
    """Settles orders with one network of machines, for one lender."""

    def __init__(self, house: LenderParts, network: AtmNetwork) -> None:
        self._house = house
        self._network = network

    async def take_answer(self, order_id: str, answer: CashAnswer) -> AtmOrder | None:
        """Book what a machine says of an order; where that is nothing yet, it is asked again later."""
        house = self._house
        match answer.state:
            case CashState.DONE | CashState.NEVER:
                moved = Yen(answer.moved_yen if answer.state is CashState.DONE else 0)
                settled = await house.written(lambda at: atm_orders.settle(at, house, order_id, moved))
                return None if settled is None else settled.order
            case CashState.WORKING:
                state = OrderState.DISPENSING
            case CashState.UNHEARD:
                state = OrderState.UNKNOWN
        return await house.written(lambda at: atm_orders.await_again(at, house, order_id, state))

    async def ask_again(self) -> int:
        """Ask about the orders that are open and due, and return how many of them are settled now.

        A machine that has not begun in time is told to give the order up. Raises OperationalError where the
        store is down; a network that is down leaves things as they are.
        """
        house = self._house
        waiting = await house.read(lambda at: atm_orders.due(at, house.clock.now_us(), BATCH))
        settled = 0
        for order in waiting:
            after = await self._ask_about(order)
            settled += after is not None and after.state not in OPEN
        return settled

    async def end_what_expired(self) -> int:
        """End sessions whose time is over, free what they had reserved, and return how many there were."""
        return await self._house.written(self._end_expired)

    async def reconcile(self, machine_id: str, report: DayReport) -> Reconciled:
        """Compare a machine's day with ours, settle what is open, and write down what does not agree."""
        return await self._house.written(lambda at: self._compare(at, machine_id, report))

    async def reconcile_yesterday(self) -> int:
        """Compare the last whole day of every machine in service; return how many machines told theirs.

        Doing it again finds nothing new. One that does not answer is left for the next time. Raises
        OperationalError where the store is down.
        """
        day = self._house.today() - timedelta(days=1)
        told = 0
        for machine in await self._house.read(atm_sessions.machines):
            try:
                report = await self._network.report(machine.id, day)
            except OperationalError as outage:
                log.warning("atm:report:unreachable", machine=machine.id, failure=str(outage))
                continue
            found = await self.reconcile(machine.id, report)
            told += 1
            if found.discrepancies:
                log.warning("atm:day:differs", machine=machine.id, findings=found.discrepancies)
        return told

    @asynccontextmanager
    async def settling(self) -> AsyncIterator[None]:
        """End what expired and ask again, for as long as the block runs."""
        going = asyncio.create_task(self._go_on(), name="atm-settlement")
        try:
            yield
        finally:
            going.cancel()
            await asyncio.wait({going})

    async def _go_on(self) -> None:
        while True:
            try:
                await self.end_what_expired()
                await self.ask_again()
            except OperationalError as outage:
                log.warning("atm:settlement:unreachable", failure=str(outage))
            except Exception:  # noqa: BLE001 - if this ended, cash that was given would never be booked
                log.error("atm:settlement:failed", trace=format_exc())  # noqa: TRY400 - rendered, an exception shows local variables
            await asyncio.sleep(EVERY_S)

    async def _ask_about(self, order: AtmOrder) -> AtmOrder | None:
        try:
            answer = await self._network.query(order.machine_id, order.id)
            if answer.state in {CashState.UNHEARD, CashState.WORKING}:
                answer = await self._network.reverse(order.machine_id, order.id)
        except OperationalError:
            answer = CashAnswer(order_id=order.id, state=CashState.UNHEARD)
        return await self.take_answer(order.id, answer)

    def _end_expired(self, connection: Connection) -> int:
        over = atm_sessions.past(connection, self._house.clock.now_us(), BATCH)
        for session in over:
            end_session(connection, self._house, session)
        return len(over)

    def _compare(self, connection: Connection, machine_id: str, report: DayReport) -> Reconciled:
        house = self._house
        begins = datetime.combine(report.on, time())
        from_us, until_us = japanese_us(begins), japanese_us(begins + timedelta(days=1))
        ours = {order.id: order for order in atm_orders.of_machine(connection, machine_id, from_us, until_us)}
        theirs = {line.order_id: Yen(line.moved_yen) for line in report.lines}
        settled = failed = 0
        findings = self._strange(connection, machine_id, ours, theirs)
        for order in ours.values():
            said = theirs.get(order.id)
            if said is None and order.state in OPEN and not _is_final(order, report):
                continue
            if said is None and order.state in {OrderState.DISPENSED, OrderState.DEPOSITED}:
                self._note(connection, order, Discrepancy.NOT_REPORTED, None)
                findings += 1
            elif order.state in OPEN:
                after = atm_orders.settle(connection, house, order.id, said or Yen(0))
                ended = None if after is None else after.order.state
                failed += ended is OrderState.FAILED
                settled += ended in {OrderState.DISPENSED, OrderState.DEPOSITED}
                findings += ended is OrderState.DISPUTED
            elif said is not None and said.amount != (order.moved_yen or 0):
                self._note(connection, order, Discrepancy.ANOTHER_AMOUNT, said)
                findings += 1
        left = atm_orders.of_machine(connection, machine_id, from_us, until_us)
        return Reconciled(settled, failed, findings, sum(order.state in OPEN for order in left))

    def _strange(
        self,
        connection: Connection,
        machine_id: str,
        ours: dict[str, AtmOrder],
        theirs: dict[str, Yen],
    ) -> int:
        """Write down what the machine moved under orders that are not among ours of this day."""
        strange = [order_id for order_id, moved in theirs.items() if moved and order_id not in ours]
        for order_id in strange:
            atm_orders.note_discrepancy(
                connection,
                self._house,
                machine_id,
                order_id[:60],
                Discrepancy.NOT_OURS,
                ours=None,
                theirs=theirs[order_id],
            )
        return len(strange)

    def _note(self, connection: Connection, order: AtmOrder, kind: Discrepancy, theirs: Yen | None) -> None:
        ours = Yen(order.moved_yen or 0)
        atm_orders.note_discrepancy(
            connection, self._house, order.machine_id, order.id, kind, ours=ours, theirs=theirs
        )


def end_session(connection: Connection, house: LenderParts, session: atm_sessions.AtmSession) -> None:
    """End a session of which nothing came, and free what it had reserved."""
    if session.order_id:
        order = atm_orders.find_order(connection, session.order_id, to_change=True)
        # Once the machine was asked, only the machine can say that nothing was given.
        if order is not None and order.state is OrderState.RESERVED:
            atm_orders.give_up(connection, house, order)
    atm_sessions.change(
        connection, session, atm_sessions.with_state(session, atm_sessions.SessionState.ENDED)
    )


def _is_final(order: AtmOrder, report: DayReport) -> bool:
    """Say whether what the report does not name can't come any more."""
    return order.not_after_us + CLOCKS_APART_US <= report.made_at_us
