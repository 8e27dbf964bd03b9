"""Orders to move cash at a machine: reserved, asked, and settled by what the machine says.

Money that a machine gave is owed, and money that it did not give is not: an order stays open, its amount
reserved, until the machine has said which it is. What a machine says is booked once; where it says something
else later, or something that cannot be, that is a discrepancy for a person and not a booking.
"""

from datetime import date

import msgspec
from sqlalchemy import Connection, insert, select, update

from sekisho.identity.notifying import notify
from sekisho.kernel.clock import DAY_US, SECOND_US
from sekisho.kernel.ids import ATM_ORDER, MemberId
from sekisho.kernel.yen import Yen
from sekisho.ledger.transfers import Transfer, post_all, void
from sekisho.lender.atm_order_states import (
    OPEN,
    AtmNothingOwed,
    AtmNotLent,
    AtmOrder,
    Discrepancy,
    OrderState,
    Settled,
)
from sekisho.lender.atm_sessions import AtmSession, Direction, find_machine
from sekisho.lender.contracts import contract_of, find_contract
from sekisho.lender.house import LenderParts
from sekisho.lender.loan_events import LoanEvent, Movement, NotDone, parse_day
from sekisho.messages.notices import NoticeKind
from sekisho.messages.queue import insert_once
from sekisho.storage import outbox
from sekisho.storage.tables.atm import atm_discrepancy, atm_order

RESERVED_US = 45 * DAY_US
"""How long cash stays reserved. A day's report ends every order long before."""

WAY = "atm"
QUERY_AFTER_US = (20 * SECOND_US, 60 * SECOND_US, 300 * SECOND_US, 1_800 * SECOND_US)
"""When an order that is open is asked about again, and again; the last pause repeats."""


def reserve_cash(connection: Connection, house: LenderParts, session: AtmSession) -> AtmOrder:
    """Keep amount and fee of the member's line for a session's withdrawal. Raises AtmNotLent.

    Raising rolls the caller's unit of work back, so that the approval which it used is not lost.
    """
    order = _new(connection, house, session, OrderState.RESERVED)
    movement = Movement(order.id, order.amount + Yen(order.fee_yen), order.day, WAY, house.accounts.atm_cash)
    kept = house.loans.reserve(
        connection, order.contract_id, movement, expires_at_us=order.made_at_us + RESERVED_US
    )
    if isinstance(kept, NotDone):
        raise AtmNotLent(known=kept.value)
    order = msgspec.structs.replace(order, transfer_id=kept)
    connection.execute(insert(atm_order), msgspec.structs.asdict(order))
    return order


def expect_cash(
    connection: Connection, house: LenderParts, session: AtmSession, not_after_us: int
) -> AtmOrder:
    """Expect the cash that a machine has counted, to be kept before a time. Raises AtmNothingOwed."""
    order = _new(connection, house, session, OrderState.ASKED)
    contract = find_contract(connection, order.contract_id)
    if contract is None or not house.loans.position(connection, contract, house.today()).owed:
        raise AtmNothingOwed(known=session.member_id)
    now_us = house.clock.now_us()
    order = msgspec.structs.replace(
        order, asked_at_us=now_us, not_after_us=not_after_us, next_query_us=now_us + QUERY_AFTER_US[0]
    )
    connection.execute(insert(atm_order), msgspec.structs.asdict(order))
    _tell(connection, house, order, "asked")
    return order


def ask(connection: Connection, house: LenderParts, order: AtmOrder, not_after_us: int) -> AtmOrder:
    """Write down that the machine is told from now on, before it is. Commit before telling it."""
    now_us = house.clock.now_us()
    asked = msgspec.structs.replace(
        order,
        state=OrderState.ASKED,
        asked_at_us=now_us,
        not_after_us=not_after_us,
        next_query_us=now_us + QUERY_AFTER_US[0],
    )
    _change(connection, order, asked)
    _tell(connection, house, asked, "asked")
    return asked


def await_again(
    connection: Connection, house: LenderParts, order_id: str, state: OrderState
) -> AtmOrder | None:
    """Write down that a machine has begun, or did not answer, and when it is asked again."""
    order = find_order(connection, order_id, to_change=True)
    if order is None or order.state not in OPEN:
        return order
    pause_us = QUERY_AFTER_US[min(order.queries, len(QUERY_AFTER_US) - 1)]
    waiting = msgspec.structs.replace(
        order, state=state, queries=order.queries + 1, next_query_us=house.clock.now_us() + pause_us
    )
    _change(connection, order, waiting)
    return waiting


def settle(connection: Connection, house: LenderParts, order_id: str, moved: Yen) -> Settled | None:
    """Book what a machine says that it moved; None where there is no such order.

    The same again changes nothing. Another amount than before is kept as a discrepancy.
    """
    order = find_order(connection, order_id, to_change=True)
    if order is None:
        return None
    if order.state is OrderState.RESERVED and not moved:
        return Settled(give_up(connection, house, order))
    if order.state not in OPEN:
        said_before = order.moved_yen or 0
        if said_before != moved.amount:
            _differ(connection, house, order, Discrepancy.ANOTHER_AMOUNT, moved)
        return Settled(order, again=True)
    return Settled(book(connection, house, order, moved))


def give_up(connection: Connection, house: LenderParts, order: AtmOrder) -> AtmOrder:
    """End an order under which nothing was moved and nothing will be; what was reserved is free again."""
    if order.transfer_id:
        void(connection, order.transfer_id, clock=house.clock)
    return _end(connection, house, order, OrderState.FAILED, Yen(0))


def find_order(connection: Connection, order_id: str, *, to_change: bool = False) -> AtmOrder | None:
    """Return an order, locked where it is to be changed."""
    its = select(atm_order).where(atm_order.c.id == order_id)
    row = connection.execute(its.with_for_update() if to_change else its).mappings().one_or_none()
    return None if row is None else _of(row)


def due(connection: Connection, now_us: int, limit: int) -> list[AtmOrder]:
    """Return open orders whose machine is to be asked again now, at most so many."""
    its = (
        select(atm_order)
        .where(atm_order.c.state.in_(sorted(OPEN)), atm_order.c.next_query_us <= now_us)
        .order_by(atm_order.c.next_query_us)
        .limit(limit)
    )
    return [_of(row) for row in connection.execute(its).mappings()]


def of_machine(connection: Connection, machine_id: str, from_us: int, until_us: int) -> list[AtmOrder]:
    """Return a machine's orders made from one time to before another, oldest first."""
    its = (
        select(atm_order)
        .where(
            atm_order.c.machine_id == machine_id,
            atm_order.c.made_at_us >= from_us,
            atm_order.c.made_at_us < until_us,
        )
        .order_by(atm_order.c.made_at_us, atm_order.c.id)
    )
    return [_of(row) for row in connection.execute(its).mappings()]


def note_discrepancy(  # noqa: PLR0913 - a finding, field by field
    connection: Connection,
    house: LenderParts,
    machine_id: str,
    order_id: str,
    kind: Discrepancy,
    *,
    ours: Yen | None,
    theirs: Yen | None,
) -> None:
    """Write a discrepancy down once, and tell the staff's side of it."""
    now_us = house.clock.now_us()
    row = {
        "machine_id": machine_id,
        "order_id": order_id,
        "kind": kind.value,
        "ours_yen": None if ours is None else ours.amount,
        "theirs_yen": None if theirs is None else theirs.amount,
        "found_at_us": now_us,
        "resolved_at_us": None,
        "resolved_by": "",
    }
    if insert_once(connection, atm_discrepancy, row):
        body = msgspec.json.encode({"machine": machine_id, "kind": kind})
        event = outbox.Entry("atm:discrepancy:found", f"{order_id}:{kind}", now_us, body)
        outbox.append(connection, [event])


def _new(connection: Connection, house: LenderParts, session: AtmSession, state: OrderState) -> AtmOrder:
    contract = contract_of(connection, session.member_id)
    if contract is None:
        raise AtmNotLent(known=NotDone.CONTRACT_UNKNOWN.value)
    now_us = house.clock.now_us()
    return AtmOrder(
        id=ATM_ORDER.new(house.clock, house.chance),
        atm_session_id=session.id,
        machine_id=session.machine_id,
        member_id=MemberId(session.member_id),
        contract_id=contract.id,
        direction=Direction(session.direction),
        amount_yen=session.amount_yen,
        fee_yen=session.fee_yen,
        state=state,
        transfer_id="",
        made_at_us=now_us,
        not_after_us=session.expires_at_us,
        asked_at_us=None,
        next_query_us=now_us,
        queries=0,
        moved_yen=None,
        settled_at_us=None,
        loan_event_id="",
    )


def book(connection: Connection, house: LenderParts, order: AtmOrder, moved: Yen) -> AtmOrder:
    """Book what was moved under an order that is not settled; what cannot be is a dispute."""
    """Book what was moved under an order that has not ended, or leave it disputed where the books refuse."""
    if not moved:
        return give_up(connection, house, order)
    if moved > order.amount:
        return _dispute(connection, house, order, Discrepancy.ABOVE_ORDER, moved)
    if order.direction is Direction.REPAYMENT:
        return _take(connection, house, order, moved)
    return _lend(connection, house, order, moved)


def _lend(connection: Connection, house: LenderParts, order: AtmOrder, moved: Yen) -> AtmOrder:
    """Let the member owe what was given, and the fee for that much."""
    fee = house.book.atm_fee(moved)
    movement = Movement(order.id, moved + fee, _day(connection, order), WAY, house.accounts.atm_cash)
    lent = house.loans.borrow(connection, order.contract_id, movement, reserved=order.transfer_id)
    if isinstance(lent, NotDone):
        return _dispute(connection, house, order, Discrepancy.NOT_BOOKED, moved)
    machine = find_machine(connection, order.machine_id)
    notify(
        connection,
        house.parts,
        order.member_id,
        NoticeKind.CASH_DRAWN,
        {
            "when": house.clock.now_us(),
            "amount": moved.amount,
            "place": "" if machine is None else machine.place,
        },
        dedupe=f"cash_drawn:{order.id}",
    )
    order = msgspec.structs.replace(order, fee_yen=fee.amount)
    return _end(connection, house, order, OrderState.DISPENSED, moved, lent)


def _take(connection: Connection, house: LenderParts, order: AtmOrder, moved: Yen) -> AtmOrder:
    """Take what was kept, less the fee, as a repayment; where nothing is owed any more, it is overpaid."""
    fee = house.book.atm_fee(moved)
    order = msgspec.structs.replace(order, fee_yen=fee.amount)
    movement = Movement(order.id, moved - fee, _day(connection, order), WAY, house.accounts.atm_cash)
    taken = house.loans.repay(connection, order.contract_id, movement)
    if taken is NotDone.NOTHING_OWED:
        contract = find_contract(connection, order.contract_id)
        back = Transfer(
            key=f"{order.id}:overpaid",
            kind="loan:repaid:overpaid",
            debit=house.accounts.atm_cash,
            credit=house.accounts.overpaid,
            amount=movement.amount,
            effective_on=movement.day,
            details={} if contract is None else {"contract": contract.number},
        )
        post_all(connection, (back,), clock=house.clock, chance=house.chance)
        return _end(connection, house, order, OrderState.DEPOSITED, moved)
    if isinstance(taken, NotDone):
        return _dispute(connection, house, order, Discrepancy.NOT_BOOKED, moved)
    return _end(connection, house, order, OrderState.DEPOSITED, moved, taken)


def _day(connection: Connection, order: AtmOrder) -> date:
    """Return the order's day, or the one up to which the contract was charged since: that can't be undone."""
    contract = find_contract(connection, order.contract_id)
    charged_until = None if contract is None else parse_day(contract.charged_until)
    return order.day if charged_until is None else max(order.day, charged_until)


def _differ(
    connection: Connection, house: LenderParts, order: AtmOrder, kind: Discrepancy, moved: Yen
) -> None:
    ours = None if order.moved_yen is None else Yen(order.moved_yen)
    note_discrepancy(connection, house, order.machine_id, order.id, kind, ours=ours, theirs=moved)


def _dispute(
    connection: Connection, house: LenderParts, order: AtmOrder, kind: Discrepancy, moved: Yen
) -> AtmOrder:
    """Leave what is reserved reserved: it is neither ours nor the member's until somebody has looked."""
    _differ(connection, house, order, kind, moved)
    return _end(connection, house, order, OrderState.DISPUTED, moved)


def _end(  # noqa: PLR0913, PLR0917 - how an order ends, part by part
    connection: Connection,
    house: LenderParts,
    order: AtmOrder,
    state: OrderState,
    moved: Yen,
    booked: LoanEvent | None = None,
) -> AtmOrder:
    ended = msgspec.structs.replace(
        order,
        state=state,
        moved_yen=moved.amount,
        settled_at_us=house.clock.now_us(),
        loan_event_id="" if booked is None else booked.id,
    )
    _change(connection, order, ended)
    _tell(connection, house, ended, state.value)
    return ended


def _change(connection: Connection, before: AtmOrder, after: AtmOrder) -> None:
    values = msgspec.structs.asdict(after)
    changed = connection.execute(update(atm_order).where(atm_order.c.id == before.id).values(values))
    assert changed.rowcount == 1  # noqa: S101 - the row was read and locked in this unit of work


def _tell(connection: Connection, house: LenderParts, order: AtmOrder, what: str) -> None:
    body = {"machine": order.machine_id, "amount_yen": order.amount_yen, "moved_yen": order.moved_yen}
    kind = f"atm:{order.direction}:{what}"
    entry = outbox.Entry(kind, order.id, house.clock.now_us(), msgspec.json.encode(body))
    outbox.append(connection, [entry])


def _of(row: object) -> AtmOrder:
    return msgspec.convert(row, AtmOrder)
