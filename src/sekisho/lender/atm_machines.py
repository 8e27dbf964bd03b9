"""The machines' side of the smartphone ATM: codes that are shown, what is typed, and cash that moved.

A machine speaks for its network, which has proven who it is before anything here is called. It hears how far
a session has come and what to pay, and nothing of the member. Whatever it sends twice counts once.
"""

from enum import StrEnum
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection

from sekisho.identity import sessions
from sekisho.identity.holds import require_money_free
from sekisho.kernel.clock import SECOND_US
from sekisho.kernel.ids import MemberId
from sekisho.kernel.posture import OperationalError
from sekisho.kernel.refusals import Refusal
from sekisho.kernel.yen import Yen
from sekisho.lender import atm_orders, atm_pins, atm_sessions
from sekisho.lender.atm_approvals import require_amount
from sekisho.lender.atm_network import AtmNetwork, CashAnswer, CashState, PayOut
from sekisho.lender.atm_order_states import AtmOrder, OrderState
from sekisho.lender.atm_pins import PinAnswer, PinDesk, PinTry
from sekisho.lender.atm_sessions import (
    AtmMachineUnknown,
    AtmSession,
    AtmSessionOver,
    Direction,
    SessionState,
    Shown,
)
from sekisho.lender.atm_settlement import AtmSettlement, end_session
from sekisho.lender.house import LenderParts

WRONG_NUMBERS = 3
BEGIN_WITHIN_US = 30 * SECOND_US
"""How long a machine has to begin what it was told."""


class AtmSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a lender agreed with its network: the number that members type, and the most at once, in yen."""

    company_number: str = "8470"
    withdrawal_yen_max: int = 200_000
    deposit_yen_max: int = 500_000


class AtmOrderUnknown(Refusal):
    """The network confirms an order that is not one of its own."""

    code = "atm_order_unknown"
    status = 404
    told = "There is no such order."


class Typed(NamedTuple):
    """What was typed at a machine. `key` makes the request count once."""

    key: str
    company_number: str
    pin: str = ""


class Result(StrEnum):
    """What a machine shows next."""

    PAYING = "paying"
    """The order to pay comes, or has come."""

    COUNTED = "counted"
    """Keep the cash, and confirm."""

    WRONG_NUMBER = "wrong_number"
    """Another company's number, or none."""

    WRONG_PIN = "wrong_pin"
    """Not the PIN; there are tries left."""

    REFUSED = "refused"
    """The session is over, and only the member hears why."""


class Entered(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The answer to what was typed."""

    result: Result
    tries_left: int = 0
    order_id: str = ""
    amount_yen: int = 0
    fee_yen: int = 0
    not_after_us: int = 0


class AtMachine(msgspec.Struct, frozen=True, kw_only=True):
    """What a machine may know of a session: nothing of the member."""

    state: SessionState
    direction: str
    amount_yen: int
    fee_yen: int
    expires_at_us: int


class MachineDesk:
    """Answers the machines of one network, for one lender."""

    def __init__(
        self, house: LenderParts, pins: PinDesk, network: AtmNetwork, settings: AtmSettings | None = None
    ) -> None:
        self._house = house
        self._pins = pins
        self._network = network
        self._settings = settings or AtmSettings()
        self.settlement = AtmSettlement(house, network)

    async def show(self, network: str, machine_id: str, key: str) -> Shown:
        """Open a session at a machine of a network. Raises AtmMachineUnknown and AtmSessionOver."""

        def work(connection: Connection) -> Shown:
            machine = atm_sessions.find_machine(connection, machine_id, network)
            if machine is None:
                raise AtmMachineUnknown(known=f"{machine_id[:40]!r} of {network!r}")
            return atm_sessions.open_session(connection, self._house, machine, key)

        return await self._house.written(work)

    async def at_machine(self, network: str, session_id: str) -> AtMachine:
        """Return how far a session has come, for its machine. Raises AtmSessionOver."""
        session = await self._house.read(lambda at: _of_network(at, network, session_id))
        over = session.state is not SessionState.ORDERED and not session.is_open(self._house.clock.now_us())
        return AtMachine(
            state=SessionState.ENDED if over else session.state,
            direction=session.direction,
            amount_yen=session.amount_yen,
            fee_yen=session.fee_yen,
            expires_at_us=session.expires_at_us,
        )

    async def enter(self, network: str, session_id: str, typed: Typed) -> Entered:
        """Take company number and PIN, and tell the machine to pay. The same request counts once.

        Raises AtmSessionOver, OnHold, HashingBusy and OperationalError.
        """
        session = await self._house.read(lambda at: _of_network(at, network, session_id))
        if session.answer_key == typed.key:
            return msgspec.json.decode(session.answer, type=Entered)
        self._require_awaited(session, Direction.WITHDRAWAL)
        if typed.company_number != self._settings.company_number:
            return await self._house.written(lambda at: self._wrong_number(at, session_id, typed))
        app = await self._house.read(lambda at: sessions.find(at, session.session_id))
        if app is None:
            raise AtmSessionOver(known=f"the app session of {session_id} is gone")
        tried = await self._pins.take(PinTry(app, session.machine_id, session.amount, typed.pin))
        if tried.answer is not PinAnswer.RIGHT:
            return await self._house.written(lambda at: self._wrong_pin(at, session_id, typed, tried))
        entered = await self._house.written(lambda at: self._order(at, session_id, typed))
        await self.tell_machine(entered.order_id)
        return entered

    async def count(self, network: str, session_id: str, typed: Typed, amount: Yen) -> Entered:
        """Take what a machine has counted of a member's cash; it keeps it from now on, and confirms.

        Raises AtmSessionOver, AtmAmountNotAllowed, AtmNothingOwed and OperationalError.
        """
        require_amount(amount, Yen(self._settings.deposit_yen_max))

        def work(connection: Connection) -> Entered:
            session = _of_network(connection, network, session_id, to_change=True)
            if session.answer_key == typed.key:
                return msgspec.json.decode(session.answer, type=Entered)
            self._require_awaited(session, Direction.REPAYMENT)
            if typed.company_number != self._settings.company_number:
                return self._wrong_number(connection, session_id, typed)
            fee = self._house.book.atm_fee(amount)
            counted = msgspec.structs.replace(session, amount_yen=amount.amount, fee_yen=fee.amount)
            not_after_us = self._house.clock.now_us() + BEGIN_WITHIN_US
            order = atm_orders.expect_cash(connection, self._house, counted, not_after_us)
            entered = _entered(order, Result.COUNTED)
            after = _answered(counted, typed, entered, SessionState.ORDERED, order_id=order.id)
            atm_sessions.change(connection, session, after)
            return entered

        return await self._house.written(work)

    async def confirm(self, network: str, answer: CashAnswer) -> AtmOrder:
        """Take what a machine says of an order by itself, however late or often. Raises AtmOrderUnknown."""

        def look(connection: Connection) -> AtmOrder | None:
            order = atm_orders.find_order(connection, answer.order_id)
            if order is None or atm_sessions.find_machine(connection, order.machine_id, network) is None:
                return None
            return order

        if await self._house.read(look) is None:
            raise AtmOrderUnknown(known=f"{answer.order_id[:60]!r} of {network!r}")
        order = await self.settlement.take_answer(answer.order_id, answer)
        assert order is not None  # noqa: S101 - it was there, and orders stay
        return order

    async def tell_machine(self, order_id: str) -> AtmOrder | None:
        """Tell a machine to pay, and book its answer. Without one the order is unknown until asked again.

        No posture could do better here: neither yes nor no may be guessed about cash.
        """
        order = await self._house.read(lambda at: atm_orders.find_order(at, order_id))
        if order is None or order.state is not OrderState.ASKED:
            return order
        told = PayOut(
            order_id=order.id,
            machine_id=order.machine_id,
            session_id=order.atm_session_id,
            amount_yen=order.amount_yen,
            not_after_us=order.not_after_us,
        )
        try:
            answer = await self._network.pay_out(told)
        except OperationalError:
            answer = CashAnswer(order_id=order.id, state=CashState.UNHEARD)
        return await self.settlement.take_answer(order.id, answer)

    def _require_awaited(self, session: AtmSession, direction: Direction) -> None:
        awaited = session.state is SessionState.APPROVED and session.direction == direction
        if not awaited or not session.is_open(self._house.clock.now_us()):
            raise AtmSessionOver(known=f"{session.id} is {session.state}, {direction} was tried")

    def _order(self, connection: Connection, session_id: str, typed: Typed) -> Entered:
        """Let the cash go, unless the member has stopped everything since the approval."""
        now_us = self._house.clock.now_us()
        session = atm_sessions.find(connection, session_id, to_change=True)
        if session is None:
            raise AtmSessionOver(known=session_id)
        self._require_awaited(session, Direction.WITHDRAWAL)
        require_money_free(connection, MemberId(session.member_id), now_us)
        app = sessions.find(connection, session.session_id)
        order = atm_orders.find_order(connection, session.order_id, to_change=True)
        if app is None or not app.is_live(now_us) or order is None or order.state is not OrderState.RESERVED:
            raise AtmSessionOver(known=f"the app session or the order of {session_id} is over")
        asked = atm_orders.ask(connection, self._house, order, now_us + BEGIN_WITHIN_US)
        entered = _entered(asked, Result.PAYING)
        after = _answered(session, typed, entered, SessionState.ORDERED)
        atm_sessions.change(connection, session, after)
        return entered

    def _wrong_number(self, connection: Connection, session_id: str, typed: Typed) -> Entered:
        session = atm_sessions.find(connection, session_id, to_change=True)
        if session is None or session.state is not SessionState.APPROVED:
            raise AtmSessionOver(known=session_id)
        wrong = session.wrong_numbers + 1
        entered = Entered(result=Result.WRONG_NUMBER, tries_left=WRONG_NUMBERS - wrong)
        after = _answered(session, typed, entered, SessionState.APPROVED, wrong_numbers=wrong)
        atm_sessions.change(connection, session, after)
        if wrong >= WRONG_NUMBERS:
            end_session(connection, self._house, after)
        return entered

    def _wrong_pin(
        self, connection: Connection, session_id: str, typed: Typed, tried: atm_pins.PinTried
    ) -> Entered:
        session = atm_sessions.find(connection, session_id, to_change=True)
        if session is None or session.state is not SessionState.APPROVED:
            raise AtmSessionOver(known=session_id)
        over = tried.answer is not PinAnswer.WRONG
        result = Result.REFUSED if over else Result.WRONG_PIN
        entered = Entered(result=result, tries_left=tried.tries_left)
        after = _answered(session, typed, entered, SessionState.APPROVED)
        atm_sessions.change(connection, session, after)
        if over:
            end_session(connection, self._house, after)
        return entered


def _of_network(
    connection: Connection, network: str, session_id: str, *, to_change: bool = False
) -> AtmSession:
    session = atm_sessions.find(connection, session_id, to_change=to_change)
    if session is None or atm_sessions.find_machine(connection, session.machine_id, network) is None:
        raise AtmSessionOver(known=f"{session_id[:60]!r} is none of {network!r}")
    return session


def _entered(order: AtmOrder, result: Result) -> Entered:
    return Entered(
        result=result,
        order_id=order.id,
        amount_yen=order.amount_yen,
        fee_yen=order.fee_yen,
        not_after_us=order.not_after_us,
    )


def _answered(
    session: AtmSession, typed: Typed, entered: Entered, state: SessionState, **changed: int | str
) -> AtmSession:
    answer = msgspec.json.encode(entered).decode()
    return msgspec.structs.replace(session, answer_key=typed.key, answer=answer, state=state, **changed)
