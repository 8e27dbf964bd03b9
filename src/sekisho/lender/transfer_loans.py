"""Transfer loans: borrowed at any hour, to the member's own account, for no fee, in whole yen.

The loan is booked when the member approves the order, through a clearing account; the bank's result clears
it. What the bank sends back was never lent.
"""

from typing import NamedTuple

import msgspec
from sqlalchemy import Connection

from sekisho.guard.attempts import Gate
from sekisho.identity.arrivals import Arrival
from sekisho.identity.assurance import NotFromHere, StepUp
from sekisho.identity.masks import masked_account
from sekisho.identity.notifying import facts_of, language_of, notify
from sekisho.identity.purposes import Purpose
from sekisho.identity.session_desk import Present
from sekisho.kernel.ids import TRANSFER_ORDER, MemberId
from sekisho.kernel.refusals import Refusal
from sekisho.kernel.yen import Yen
from sekisho.ledger.accounts import Side, find_account
from sekisho.ledger.journal import take_turn
from sekisho.lender import transfer_orders
from sekisho.lender.contracts import ContractState, contract_of
from sekisho.lender.gates import Gatekeeper
from sekisho.lender.house import LenderParts
from sekisho.lender.loan_events import LoanEvent, Movement, NotDone
from sekisho.lender.payout_accounts import payee_of, standing_of
from sekisho.lender.switches import Function
from sekisho.lender.transfer_hours import TransferHours, published_transfer_hours
from sekisho.lender.transfer_orders import (
    REFERENCE_DIGITS,
    Change,
    OrderState,
    TransferOrder,
    own_key,
    purpose_of,
)
from sekisho.messages.notices import NoticeKind
from sekisho.response.money_gates import Asked, Held, Passed, Stopped
from sekisho.storage import outbox

WAY = "transfer"
SHOWN_MAX = 100


class NotLent(Refusal):
    """The line does not lend this; `why` says what stands in the way."""

    code = "not_lent"
    status = 409
    told = "This can't be borrowed."

    def __init__(self, why: NotDone) -> None:
        self.why = why
        super().__init__(known=why.value)


class NoPayoutAccount(Refusal):
    """There is no account that money can go to now; `from_us` is from when there is one, if one waits."""

    code = "no_payout_account"
    status = 409
    told = (
        "Register an account for payouts first. A new account can be used 72 hours after you registered it."
    )

    def __init__(self, from_us: int | None = None) -> None:
        self.from_us = from_us
        super().__init__()


class OrderUnknown(Refusal):
    """The member has no such order, or it is outdated: another account is in use by now."""

    code = "order_unknown"
    status = 404
    told = "There is no such order."


class ToApprove(NamedTuple):
    """An order, and the purpose that has to be approved for it."""

    order: TransferOrder
    purpose: Purpose


class TransferLoanDesk:
    """Takes orders for transfer loans and their approvals."""

    def __init__(
        self, house: LenderParts, gatekeeper: Gatekeeper, hours: TransferHours | None = None
    ) -> None:
        self._house = house
        self._gatekeeper = gatekeeper
        self._hours = hours or published_transfer_hours()

    def goes_out_us(self, bank: str) -> int:
        """Return when a transfer to a bank goes out that is approved now."""
        return self._hours.goes_out_us(bank, self._house.clock.now_us())

    async def request(self, present: Present, amount: Yen, key: str) -> ToApprove:
        """Take an order. Nothing is lent yet; the same key again returns what it made.

        Raises NotLent, NoPayoutAccount and OperationalError.
        """
        return await self._house.written(lambda at: self._request(at, present, amount, key))

    async def to_approve(self, member_id: MemberId, order_id: str) -> ToApprove:
        """Return an order with its purpose. Raises OrderUnknown and OperationalError."""
        return await self._house.read(lambda at: self._to_approve(at, member_id, order_id))

    async def approve(
        self, present: Present, arrival: Arrival, order_id: str
    ) -> TransferOrder | StepUp | NotFromHere | Held | Stopped:
        """Lend what an order says, once the gate lets it pass; approved before, it is returned as it is.

        Raises OrderUnknown, NotLent and OperationalError.
        """
        order, purpose = await self.to_approve(present.session.member_id, order_id)
        if order.state is not OrderState.REQUESTED:
            return order
        asked = Asked(
            present=present,
            arrival=arrival,
            gate=Gate.TRANSFER,
            function=Function.TRANSFER_LOAN,
            purpose=purpose,
            amount=order.amount,
            target=order.bank,
            partner=order.bank,
        )
        passed = await self._gatekeeper.ask(asked)
        if not isinstance(passed, Passed):
            return passed
        done = False
        try:
            outcome = await self._house.written(lambda at: self._approve(at, asked, passed, order.id))
            done = isinstance(outcome, TransferOrder)
        finally:
            await self._gatekeeper.settle(passed, done=done)
        return outcome

    async def orders(self, member_id: MemberId) -> list[TransferOrder]:
        """Return a member's orders, the newest first, a hundred at most. Raises OperationalError."""
        return await self._house.read(lambda at: transfer_orders.of_member(at, member_id, SHOWN_MAX))

    def _request(self, connection: Connection, present: Present, amount: Yen, key: str) -> ToApprove:
        house, member_id = self._house, present.session.member_id
        before = transfer_orders.by_key(connection, own_key(member_id, key))
        if before is not None:
            if before.amount != amount:
                raise NotLent(NotDone.KEY_USED_OTHERWISE)
            return self._with_purpose(connection, before)
        now_us = house.clock.now_us()
        contract = contract_of(connection, member_id)
        if contract is None:
            raise NotLent(NotDone.CONTRACT_UNKNOWN)
        if contract.state != ContractState.OPEN:
            raise NotLent(NotDone.BORROWING_CLOSED)
        if amount <= Yen(0):
            raise NotLent(NotDone.AMOUNT_NOT_POSITIVE)
        account = find_account(connection, contract.principal_account)
        if account is None or amount > (account.room(Side.DEBIT) or Yen(0)):
            raise NotLent(NotDone.ABOVE_LIMIT)
        standing = standing_of(connection, member_id, now_us)
        if standing.in_use is None:
            raise NoPayoutAccount(standing.waiting.usable_from_us if standing.waiting else None)
        order = TransferOrder(
            id=TRANSFER_ORDER.new(house.clock, house.chance),
            key=own_key(member_id, key),
            member_id=member_id,
            contract_id=contract.id,
            account_id=standing.in_use.id,
            bank=standing.in_use.bank,
            amount_yen=amount.amount,
            reference=f"{house.chance.below(10**REFERENCE_DIGITS):0{REFERENCE_DIGITS}d}",
            state=OrderState.REQUESTED,
            session_id=present.session.id,
            requested_at_us=now_us,
        )
        transfer_orders.add(connection, order)
        return self._with_purpose(connection, order)

    def _to_approve(self, connection: Connection, member_id: MemberId, order_id: str) -> ToApprove:
        order = transfer_orders.find(connection, order_id, member_id)
        if order is None:
            raise OrderUnknown(known=order_id[:40])
        return self._with_purpose(connection, order)

    def _with_purpose(self, connection: Connection, order: TransferOrder) -> ToApprove:
        number = payee_of(connection, self._house, order.account_id).number
        return ToApprove(order, purpose_of(order, masked_account(number)))

    def _approve(
        self, connection: Connection, asked: Asked, passed: Passed, order_id: str
    ) -> TransferOrder | StepUp | NotFromHere | Held:
        # Who else approves the same at this moment has to be seen before the approval is used up.
        take_turn(connection)
        house, now_us = self._house, self._house.clock.now_us()
        member_id = asked.present.session.member_id
        order = transfer_orders.find(connection, order_id, member_id)
        if order is None:
            raise OrderUnknown(known=order_id[:40])
        if order.state is not OrderState.REQUESTED:
            return order
        in_use = standing_of(connection, member_id, now_us).in_use
        if in_use is None or in_use.id != order.account_id:
            raise OrderUnknown(known=f"{order.id}: another account is in use")
        refused = self._gatekeeper.take_within(connection, asked, passed)
        if refused is not None:
            return refused
        clearing = house.accounts.transfer_clearing
        movement = Movement(f"transfer:{order.id}", order.amount, house.today(), WAY, clearing)
        lent = house.loans.borrow(connection, order.contract_id, movement)
        if not isinstance(lent, LoanEvent):
            raise NotLent(lent)
        approved: dict[str, object] = {
            "approved_at_us": now_us,
            "approved_by": passed.way.value,
            "goes_out_us": self.goes_out_us(order.bank),
            "attempt_id": passed.attempt_id,
            "loan_event_id": lent.id,
            "transfer_id": lent.transfer_id,
        }
        change = Change(OrderState.REQUESTED, OrderState.APPROVED)
        if not transfer_orders.move(connection, order, change, **approved):
            # Another process approved it a moment ago: what was booked here is rolled back.
            raise OrderUnknown(known=f"{order.id}: approved elsewhere")
        self._tell(connection, order, asked.arrival, now_us)
        moved = transfer_orders.find(connection, order.id, member_id)
        assert moved is not None  # noqa: S101 - it was changed just now
        return moved

    def _tell(self, connection: Connection, order: TransferOrder, arrival: Arrival, now_us: int) -> None:
        language = language_of(connection, order.member_id)
        values = {**facts_of(arrival, now_us, language), "amount": order.amount_yen}
        kind = NoticeKind.MONEY_BORROWED
        notify(connection, self._house.parts, order.member_id, kind, values, dedupe=f"{kind}:{order.id}")
        body = msgspec.json.encode({"amount_yen": order.amount_yen, "bank": order.bank})
        outbox.append(connection, [outbox.Entry("lender:transfer:approved", order.id, now_us, body)])
