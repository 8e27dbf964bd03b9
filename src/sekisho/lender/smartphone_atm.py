"""The smartphone ATM, from the code that a machine shows to the cash: the side of the member's app.

The machine shows a code; one app claims it; its member chooses and approves; the gate is asked, and what is
approved is reserved; company number and PIN are typed at the machine; the machine is told to pay, and what it
says is booked. No step can be taken twice, none out of turn, and none by anybody else.
"""

from typing import NamedTuple

import msgspec
from sqlalchemy import Connection

from sekisho.identity.arrivals import Arrival
from sekisho.identity.purposes import Purpose
from sekisho.identity.session_desk import Present
from sekisho.kernel.posture import OperationalError, Posture
from sekisho.kernel.refusals import Refusal
from sekisho.kernel.yen import Yen
from sekisho.lender import atm_orders, atm_pins, atm_sessions
from sekisho.lender.atm_approvals import FUNCTIONS, asked_of, chosen, purpose_of, require_amount
from sekisho.lender.atm_machines import AtmSettings
from sekisho.lender.atm_order_states import AtmOrder
from sekisho.lender.atm_sessions import (
    APPROVED_US,
    AtmSession,
    AtmSessionOver,
    Direction,
    Machine,
    SessionState,
    require_own,
)
from sekisho.lender.atm_settlement import end_session
from sekisho.lender.gates import Gatekeeper
from sekisho.lender.house import LenderParts
from sekisho.lender.switches import Switches, Usage
from sekisho.response.money_gates import Held, HeldFor, Passed, refusal_of, require_passed
from sekisho.storage.unit_of_work import Work


class AtmPinMissing(Refusal):
    """The member has no PIN, or one that is locked."""

    code = "atm_pin_missing"
    status = 409
    told = "Set a PIN for the ATM first."


class InApp(NamedTuple):
    """What the member's page shows. `company_number` is empty until it is to be typed."""

    session: AtmSession
    machine: Machine
    purpose: Purpose | None
    company_number: str
    order: AtmOrder | None


class SmartphoneAtm:
    """The member's side of the smartphone ATM, for one lender."""

    def __init__(
        self,
        house: LenderParts,
        gate: Gatekeeper,
        switches: Switches,
        *,
        on_outage: Posture,
        settings: AtmSettings | None = None,
    ) -> None:
        """Take the parts, and what it means for a repayment that the switches cannot be asked."""
        self._house = house
        self._gate = gate
        self._switches = switches
        self._on_outage = on_outage
        self._settings = settings or AtmSettings()

    @property
    def withdrawal_max(self) -> Yen:
        """The most that a machine pays out at once."""
        return Yen(self._settings.withdrawal_yen_max)

    async def claim(self, present: Present, qr: str) -> InApp:
        """Claim the code that a member's app has read. Raises AtmSessionOver."""

        def work(connection: Connection) -> InApp:
            session = atm_sessions.claim(connection, self._house, present, qr)
            return self._in_app(connection, session)

        return await self._house.written(work)

    async def choose(self, present: Present, session_id: str, direction: Direction, amount: Yen) -> InApp:
        """Take what the member wants; a repayment needs no approval, and its amount is counted later.

        Raises AtmSessionOver, AtmAmountNotAllowed, AtmPinMissing, FunctionSwitchedOff and MoneyOutAway.
        """
        wanted = Yen(0)
        if direction is Direction.WITHDRAWAL:
            wanted = require_amount(amount, self.withdrawal_max)
        await self._require_switched_on(present, session_id, direction)

        def work(connection: Connection) -> InApp:
            session = self._own(connection, present, session_id)
            if session.state is not SessionState.CLAIMED:
                raise AtmSessionOver(known=f"{session.id} was approved already")
            if direction is Direction.WITHDRAWAL:
                self._require_pin(connection, session.member_id)
            machine = _machine(connection, session)
            after = chosen(session, machine, direction, wanted, self._house.book)
            if direction is Direction.REPAYMENT:
                after = self._approved(after)
            atm_sessions.change(connection, session, after)
            return self._in_app(connection, after)

        return await self._house.written(work)

    async def approve(self, present: Present, arrival: Arrival, session_id: str) -> InApp:
        """Ask the gate for exactly what was chosen, use the approval up and reserve the cash.

        `present` is the session as it is now, with its proofs. Raises what `require_passed` raises where
        something is missing (step-up) or in the way, AtmSessionOver and AtmNotLent.
        """
        house = self._house
        session, machine = await house.read(lambda at: self._claimed(at, present, session_id))
        asked = asked_of(present, arrival, session, machine, house.book)
        passed = require_passed(await self._gate.ask(asked))

        def work(connection: Connection) -> InApp:
            current = self._own(connection, present, session_id)
            if current.state is not SessionState.CLAIMED or current.purpose_key != asked.purpose.key:
                raise AtmSessionOver(known=f"{session_id} is about something else by now")
            refused = self._gate.take_within(connection, asked, passed)
            if isinstance(refused, Held):
                raise refusal_of(refused)
            if refused is not None:
                require_passed(refused)
            order = atm_orders.reserve_cash(connection, house, current)
            after = msgspec.structs.replace(
                self._approved(current), order_id=order.id, attempt_id=passed.attempt_id
            )
            atm_sessions.change(connection, current, after)
            return self._in_app(connection, after)

        return await self._after_gate(passed, work)

    async def standing(self, present: Present, session_id: str) -> InApp:
        """Return how a session stands, for the page of the member who claimed it. Raises AtmSessionOver."""

        def look(connection: Connection) -> InApp:
            session = atm_sessions.find(connection, session_id)
            own = present.session
            if session is None or (session.member_id, session.session_id) != (own.member_id, own.id):
                raise AtmSessionOver(known=f"not claimed by {own.id}")
            return self._in_app(connection, session)

        return await self._house.read(look)

    async def cancel(self, present: Present, session_id: str) -> None:
        """Give a session up before anything was typed at the machine. Raises AtmSessionOver."""

        def work(connection: Connection) -> None:
            end_session(connection, self._house, self._own(connection, present, session_id))

        await self._house.written(work)

    async def _after_gate(self, passed: Passed, work: Work[InApp]) -> InApp:
        try:
            done = await self._house.written(work)
        except (Refusal, OperationalError):
            await self._gate.settle(passed, done=False)
            raise
        await self._gate.settle(passed, done=True)
        return done

    async def _require_switched_on(self, present: Present, session_id: str, direction: Direction) -> None:
        machine = (await self.standing(present, session_id)).machine
        session = present.session
        usage = Usage(FUNCTIONS[direction], session.member_id, machine.network, session.id)
        try:
            off = await self._switches.off_for(usage)
        except OperationalError:
            if self._on_outage is Posture.OPEN:
                return
            raise
        if off is not None:
            raise refusal_of(Held(HeldFor.SWITCHED_OFF, off.reason, off.told, off.until_us))

    def _claimed(
        self, connection: Connection, present: Present, session_id: str
    ) -> tuple[AtmSession, Machine]:
        session = self._own(connection, present, session_id, to_change=False)
        if session.state is not SessionState.CLAIMED or session.direction != Direction.WITHDRAWAL:
            raise AtmSessionOver(known=f"{session_id} is {session.state}, nothing was chosen")
        return session, _machine(connection, session)

    def _own(
        self, connection: Connection, present: Present, session_id: str, *, to_change: bool = True
    ) -> AtmSession:
        found = atm_sessions.find(connection, session_id, to_change=to_change)
        return require_own(found, present, self._house.clock.now_us())

    def _approved(self, session: AtmSession) -> AtmSession:
        until_us = self._house.clock.now_us() + APPROVED_US
        return msgspec.structs.replace(session, state=SessionState.APPROVED, expires_at_us=until_us)

    def _require_pin(self, connection: Connection, member_id: str) -> None:
        pin = atm_pins.find_pin(connection, member_id)
        if pin is None or not pin.tries_left:
            raise AtmPinMissing(known=member_id)

    def _in_app(self, connection: Connection, session: AtmSession) -> InApp:
        machine = _machine(connection, session)
        purpose = None
        if session.direction:
            direction = Direction(session.direction)
            purpose = purpose_of(session, machine, direction, session.amount, self._house.book)
        waits = session.state is SessionState.APPROVED
        order = atm_orders.find_order(connection, session.order_id) if session.order_id else None
        return InApp(session, machine, purpose, self._settings.company_number if waits else "", order)


def _machine(connection: Connection, session: AtmSession) -> Machine:
    machine = atm_sessions.find_machine(connection, session.machine_id)
    if machine is None:
        raise AtmSessionOver(known=f"{session.machine_id} is out of service")
    return machine
