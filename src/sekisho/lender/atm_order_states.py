"""An order to move cash at a machine: what it is, how it can stand, and how books and machine can differ."""

from datetime import date
from enum import StrEnum
from typing import NamedTuple

import msgspec

from sekisho.kernel.ids import MemberId
from sekisho.kernel.japan import day_in_japan
from sekisho.kernel.refusals import Refusal
from sekisho.kernel.yen import Yen
from sekisho.lender.atm_sessions import Direction


class AtmNotLent(Refusal):
    """The line does not allow this amount now."""

    code = "atm_not_lent"
    status = 409
    told = "You can't borrow this amount at the moment. Your page shows how much is free."


class AtmNothingOwed(Refusal):
    """There is nothing to repay."""

    code = "atm_nothing_owed"
    status = 409
    told = "There is nothing to repay."


class OrderState(StrEnum):
    """How an order stands."""

    RESERVED = "reserved"
    """Approved and kept free; the machine has not been asked, because nothing was typed there yet."""

    ASKED = "asked"
    """The machine is being told. After a crash nobody knows whether it was: it is asked again."""

    DISPENSING = "dispensing"
    """The machine has begun."""

    UNKNOWN = "unknown"
    """No answer came in time. The machine is asked again, or its day's report says it."""

    DISPENSED = "dispensed"
    """The machine gave cash, and the member owes it."""

    DEPOSITED = "deposited"
    """The machine kept cash, and it was taken as a repayment."""

    FAILED = "failed"
    """Nothing was moved, and nothing was booked."""

    DISPUTED = "disputed"
    """What the machine says could not be booked: a person has to look."""


OPEN = frozenset({OrderState.ASKED, OrderState.DISPENSING, OrderState.UNKNOWN})
"""The states in which cash may be moved, or have been, without our knowing."""


class Discrepancy(StrEnum):
    """How our books and a machine's day differ."""

    ANOTHER_AMOUNT = "another_amount"
    """The machine says another amount than it said before."""

    ABOVE_ORDER = "above_order"
    """The machine moved more than it was asked for."""

    NOT_BOOKED = "not_booked"
    """The machine moved cash, and the books refused it."""

    NOT_OURS = "not_ours"
    """The machine reports an order that we never made, or that was another machine's."""

    NOT_REPORTED = "not_reported"
    """We booked what the machine's day does not know."""


class AtmOrder(msgspec.Struct, frozen=True, kw_only=True):
    """One order as it stands. `moved_yen` is None until the machine has said."""

    id: str
    atm_session_id: str
    machine_id: str
    member_id: MemberId
    contract_id: str
    direction: Direction
    amount_yen: int
    fee_yen: int
    state: OrderState
    transfer_id: str
    made_at_us: int
    not_after_us: int
    asked_at_us: int | None
    next_query_us: int
    queries: int
    moved_yen: int | None
    settled_at_us: int | None
    loan_event_id: str

    @property
    def amount(self) -> Yen:
        """What was asked for, without the fee."""
        return Yen(self.amount_yen)

    @property
    def day(self) -> date:
        """The day in Japan that it belongs to: that of its making."""
        return day_in_japan(self.made_at_us)


class Settled(NamedTuple):
    """What an order came to; `again` says that it had come to it before."""

    order: AtmOrder
    again: bool = False
