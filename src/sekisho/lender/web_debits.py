"""Repaying by debit of the member's own bank account: ordered, approved, collected by file, then repaid.

An order that may still fail is worth nothing: it neither lowers what is owed nor makes room for borrowing.
Whoever stole a session must not make headroom out of the member's own savings, so each debit is approved.
"""

from typing import NamedTuple

import msgspec
from sqlalchemy import Connection

from sekisho.identity import sessions
from sekisho.identity.assurance import (
    Granted,
    Level,
    Need,
    NotFromHere,
    StepUp,
    Way,
    demand,
)
from sekisho.identity.masks import masked_account
from sekisho.identity.purposes import Purpose
from sekisho.identity.session_desk import Present
from sekisho.kernel.ids import WEB_DEBIT, MemberId
from sekisho.kernel.posture import OperationalError, Posture
from sekisho.kernel.refusals import Refusal
from sekisho.kernel.yen import Yen
from sekisho.ledger.journal import take_turn
from sekisho.lender import web_debit_orders
from sekisho.lender.contracts import contract_of, find_contract
from sekisho.lender.gates import SETTINGS
from sekisho.lender.house import LenderParts
from sekisho.lender.loan_events import NotDone, parse_day
from sekisho.lender.payout_accounts import payee_of, standing_of
from sekisho.lender.switches import Function, Switches, Usage
from sekisho.lender.transfer_loans import NoPayoutAccount, OrderUnknown
from sekisho.lender.transfer_orders import REFERENCE_DIGITS, own_key
from sekisho.lender.web_debit_orders import DebitState, WebDebitOrder, purpose_of
from sekisho.response.money_gates import GateSettings, Held, HeldFor
from sekisho.storage import outbox

YEN_MIN = 200
SHOWN_MAX = 100


class NotRepaid(Refusal):
    """Nothing is repaid in this way; `why` says what stands in the way."""

    code = "not_repaid"
    status = 409
    told = "This can't be repaid by debit. The smallest amount is 200 yen, the largest is what you owe."

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(known=why)


class DebitsStopped(Refusal):
    """The bank debits this account for us no more."""

    code = "debits_stopped"
    status = 409
    told = "Your bank no longer lets us debit this account. Register another one, or repay by transfer."


class DebitToApprove(NamedTuple):
    """An order, and the purpose that has to be approved for it."""

    order: WebDebitOrder
    purpose: Purpose


class WebDebitDesk:
    """Takes orders for repayments by debit, and their approvals."""

    def __init__(
        self,
        house: LenderParts,
        switches: Switches,
        *,
        on_outage: Posture,
        settings: GateSettings = SETTINGS,
    ) -> None:
        """Take the switches, what it means when they cannot be asked, and the policy of the gate."""
        self._risk_max = settings.risk_max
        self._house = house
        self._switches = switches
        self._on_outage = on_outage

    async def request(self, present: Present, amount: Yen, key: str) -> DebitToApprove:
        """Take an order; the same key again returns what it made.

        Raises NotRepaid, NoPayoutAccount, DebitsStopped and OperationalError.
        """
        return await self._house.written(lambda at: self._request(at, present, amount, key))

    async def to_approve(self, member_id: MemberId, order_id: str) -> DebitToApprove:
        """Return an order with its purpose. Raises OrderUnknown and OperationalError."""
        return await self._house.read(lambda at: self._found(at, member_id, order_id))

    async def approve(self, present: Present, order_id: str) -> WebDebitOrder | StepUp | NotFromHere | Held:
        """Let an order go to the bank, once the member approved it; approved before, it is returned as it is.

        Raises OrderUnknown and OperationalError.
        """
        order, purpose = await self.to_approve(present.session.member_id, order_id)
        if order.state is not DebitState.REQUESTED:
            return order
        held = await self._switched_off(order, present.session.id)
        if held is not None:
            return held
        return await self._house.written(lambda at: self._approve(at, present, order, purpose))

    async def orders(self, member_id: MemberId) -> list[WebDebitOrder]:
        """Return a member's orders, the newest first, a hundred at most. Raises OperationalError."""
        return await self._house.read(lambda at: web_debit_orders.of_member(at, member_id, SHOWN_MAX))

    async def _switched_off(self, order: WebDebitOrder, session_id: str) -> Held | None:
        try:
            usage = Usage(Function.WEB_DEBIT, order.member_id, order.bank, session_id)
            off = await self._switches.off_for(usage)
        except OperationalError:
            closed = self._on_outage is Posture.CLOSED
            return Held(HeldFor.AWAY, "switches", {}) if closed else None
        return None if off is None else Held(HeldFor.SWITCHED_OFF, off.reason, off.told, off.until_us)

    def _request(self, connection: Connection, present: Present, amount: Yen, key: str) -> DebitToApprove:
        house, member_id = self._house, present.session.member_id
        before = web_debit_orders.by_key(connection, own_key(member_id, key))
        if before is not None:
            if before.amount != amount:
                raise NotRepaid(NotDone.KEY_USED_OTHERWISE)
            return self._with_purpose(connection, before)
        now_us = house.clock.now_us()
        contract = contract_of(connection, member_id)
        if contract is None:
            raise NotRepaid(NotDone.CONTRACT_UNKNOWN)
        account = standing_of(connection, member_id, now_us).in_use
        if account is None:
            raise NoPayoutAccount
        if account.debits_stopped_at_us is not None:
            raise DebitsStopped(known=account.id)
        self._require_owed(connection, contract.id, amount)
        order = WebDebitOrder(
            id=WEB_DEBIT.new(house.clock, house.chance),
            key=own_key(member_id, key),
            member_id=member_id,
            contract_id=contract.id,
            account_id=account.id,
            bank=account.bank,
            amount_yen=amount.amount,
            reference=f"{house.chance.below(10**REFERENCE_DIGITS):0{REFERENCE_DIGITS}d}",
            is_first=not web_debit_orders.was_debited(connection, account.id),
            state=DebitState.REQUESTED,
            session_id=present.session.id,
            requested_at_us=now_us,
        )
        web_debit_orders.add(connection, order)
        return self._with_purpose(connection, order)

    def _require_owed(self, connection: Connection, contract_id: str, amount: Yen) -> None:
        """Refuse what is too little, and what is more than is owed beside what is on its way already."""
        contract = find_contract(connection, contract_id)
        assert contract is not None  # noqa: S101 - it was found just now
        day = max(self._house.today(), parse_day(contract.charged_until) or self._house.today())
        owed = self._house.loans.position(connection, contract, day).owed
        left = owed - web_debit_orders.on_the_way(connection, contract_id)
        if amount > left:
            raise NotRepaid(NotDone.NOTHING_OWED if left <= Yen(0) else "more_than_owed")
        # The last payment may be smaller than the smallest.
        if amount < min(Yen(YEN_MIN), left):
            raise NotRepaid("too_little")

    def _found(self, connection: Connection, member_id: MemberId, order_id: str) -> DebitToApprove:
        order = web_debit_orders.find(connection, order_id, member_id)
        if order is None:
            raise OrderUnknown(known=order_id[:40])
        return self._with_purpose(connection, order)

    def _with_purpose(self, connection: Connection, order: WebDebitOrder) -> DebitToApprove:
        number = payee_of(connection, self._house, order.account_id).number
        return DebitToApprove(order, purpose_of(order, masked_account(number)))

    def _approve(
        self, connection: Connection, present: Present, order: WebDebitOrder, purpose: Purpose
    ) -> WebDebitOrder | StepUp | NotFromHere:
        # Who else approves the same at this moment has to be seen before the approval is used up.
        take_turn(connection)
        now_us = self._house.clock.now_us()
        current = self._found(connection, order.member_id, order.id).order
        if current.state is not DebitState.REQUESTED:
            return current
        session = present.session
        doubted = session.level is not Level.PASSKEY and (
            session.risk > self._risk_max or bool(session.campaign)
        )
        bound = tuple(
            proof
            for proof in session.proofs
            if proof.purpose == purpose.key and (proof.way is Way.PASSKEY or not doubted)
        )
        session = msgspec.structs.replace(session, proofs=bound)
        key = "" if doubted else purpose.key
        answer = demand(session, present.device, Need.PAY_OUT, now_us, purpose=key)
        if not isinstance(answer, Granted):
            return answer
        used = (sessions.spend_proof(connection, session, way, purpose.key, now_us) for way in _WAYS)
        if not any(used):
            return StepUp((Way.PASSKEY,))
        self._require_owed(connection, order.contract_id, order.amount)
        moved = web_debit_orders.move(
            connection, order, DebitState.REQUESTED, DebitState.APPROVED, approved_at_us=now_us
        )
        if not moved:
            raise OrderUnknown(known=f"{order.id}: approved elsewhere")
        body = msgspec.json.encode({"amount_yen": order.amount_yen, "is_first": order.is_first})
        outbox.append(connection, [outbox.Entry("lender:web_debit:approved", order.id, now_us, body)])
        return self._found(connection, order.member_id, order.id).order


_WAYS = (Way.PASSKEY, Way.CODE)
