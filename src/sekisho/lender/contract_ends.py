"""Ending a contract: what stands in the way of it, what ends with it, and who may.

A contract ends at the member's wish, on the pages or through staff, and only where nothing is owed under it
and nothing is on its way. An end moves no money and is not taken back: who wants to borrow again applies
anew.
"""

from datetime import date
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection

from sekisho.identity.holds import OnHold, holds_on
from sekisho.identity.notifying import notify
from sekisho.identity.personal_data import MEMBER_ACTOR
from sekisho.identity.purposes import Purpose
from sekisho.identity.session_desk import Present, require_approved
from sekisho.kernel.ids import MemberId
from sekisho.kernel.refusals import Refusal
from sekisho.kernel.yen import Yen
from sekisho.ledger.journal import take_turn
from sekisho.lender import transfer_orders, web_debit_orders
from sekisho.lender.atm_order_states import OrderState
from sekisho.lender.atm_pins import forget_pin
from sekisho.lender.atm_sight import NOT_SETTLED, Unsettled, unsettled
from sekisho.lender.contracts import Contract, ContractState, contract_numbered, contract_of, find_contract
from sekisho.lender.house import LenderParts
from sekisho.lender.income_renewals import give_up
from sekisho.lender.loan_events import LoanEvent, parse_day
from sekisho.lender.payout_accounts import end_accounts
from sekisho.lender.transfer_orders import TransferOrder
from sekisho.lender.web_debit_orders import WebDebitOrder
from sekisho.messages.notices import NoticeKind
from sekisho.response import audit, cases
from sekisho.response.audit import Act
from sekisho.response.staff import require_staff
from sekisho.storage import outbox

BY_MEMBER = "member"
BY_STAFF = "staff"
"""Through whom a member ended the contract."""

REASON_CHARS_MAX = 400
NOTHING = Yen(0)
CASH = frozenset({OrderState.RESERVED, *NOT_SETTLED})


class ContractNotFound(Refusal):
    """There is no such contract."""

    code = "contract_not_found"
    status = 404
    told = "There is no such contract."


class ContractStillOwed(Refusal):
    """Something is owed under the contract."""

    code = "contract_still_owed"
    status = 409
    told = "The contract can't end while something is owed. Please repay everything first."


class ContractUnderWay(Refusal):
    """Money is on its way under the contract: cash at a machine, a transfer or a debit."""

    code = "contract_under_way"
    status = 409
    told = "The contract can't end while money is on its way. Please try again when it has arrived."


class ContractCaseOpen(Refusal):
    """Damage that was reported about the member is not settled: what is made good changes what is owed."""

    code = "contract_case_open"
    status = 409
    told = "What was reported about your account is not settled yet. Please call us."


class EndUnusable(Refusal):
    """The reason is empty or too long for the record."""

    code = "contract_end_unusable"
    status = 422
    told = "An end has a reason, of 400 characters at most."


class InTheWay(NamedTuple):
    """What has to be settled before a contract can end.

    `owed` is everything that is owed today; `cash`, `transfers` and `debits` have not come to their end.
    """

    owed: Yen = NOTHING
    cash: tuple[Unsettled, ...] = ()
    transfers: tuple[TransferOrder, ...] = ()
    debits: tuple[WebDebitOrder, ...] = ()
    is_held: bool = False
    has_case: bool = False

    def refusal(self) -> Refusal | None:
        """Return what refuses the end; None where nothing does."""
        if self.is_held:
            return OnHold(known="the end of a contract")
        if self.has_case:
            return ContractCaseOpen()
        if self.owed > NOTHING:
            return ContractStillOwed(known=str(self.owed))
        if self.cash or self.transfers or self.debits:
            counts = f"cash {len(self.cash)}, transfers {len(self.transfers)}, debits {len(self.debits)}"
            return ContractUnderWay(known=counts)
        return None


class Ending(NamedTuple):
    """A contract that may end: what stands in the way, and what approves it."""

    contract: Contract
    in_the_way: InTheWay
    purpose: Purpose


class ContractEndDesk:
    """Ends members' contracts at their own wish, for one lender."""

    def __init__(self, house: LenderParts) -> None:
        self._house = house

    async def look(self, member_id: MemberId) -> Ending:
        """Return how a member's newest contract stands to its end.

        Raises ContractNotFound and OperationalError.
        """
        return await self._house.read(lambda at: self._look(at, member_id))

    async def end(self, present: Present) -> Contract:
        """End a member's contract, and return it; one that has ended is returned as it is.

        It takes a fresh proof for exactly this. Raises InsufficientAuthentication, what `InTheWay.refusal`
        names, ContractNotFound and OperationalError.
        """
        return await self._house.written(lambda at: self._end(at, present))

    async def end_at_request(self, number: str, *, by: str, reason: str) -> bool:
        """End a contract for a member who asked staff for it, and tell whether it had not ended before.

        It is on record who did it and why. Raises StaffIdUnusable, EndUnusable, ContractNotFound, what
        `InTheWay.refusal` names, and OperationalError.
        """
        staff, why = require_staff(by), reason.strip()
        if not 0 < len(why) <= REASON_CHARS_MAX:
            raise EndUnusable

        def work(connection: Connection) -> bool:
            contract = contract_numbered(connection, number.strip())
            if contract is None:
                raise ContractNotFound(known=number[:20])
            ended = end_within(connection, self._house, contract, way=BY_STAFF, by=staff)
            if ended:
                act = Act(actor=staff, act="contract:ended", subject=contract.id, reason=why)
                audit.record(connection, act, at_us=self._house.clock.now_us())
            return ended

        return await self._house.written(work)

    def _look(self, connection: Connection, member_id: MemberId) -> Ending:
        contract = _contract_of(connection, member_id)
        return Ending(contract, in_the_way(connection, self._house, contract), purpose_of(contract))

    def _end(self, connection: Connection, present: Present) -> Contract:
        # Whoever borrows at this moment is seen before nothing is found owed.
        take_turn(connection)
        contract = _contract_of(connection, present.session.member_id)
        if contract.state != ContractState.ENDED:
            now_us = self._house.clock.now_us()
            require_approved(connection, present, purpose_of(contract), now_us, known="the end of a contract")
            session_id = present.session.id
            end_within(connection, self._house, contract, way=BY_MEMBER, session_id=session_id)
        return _contract_of(connection, present.session.member_id)


def end_within(  # noqa: PLR0913 - who ends it, and in which session, is known to one caller each
    connection: Connection,
    house: LenderParts,
    contract: Contract,
    *,
    way: str,
    by: str = BY_MEMBER,
    session_id: str = "",
) -> bool:
    """End a contract with all that stands on it, and tell whether it had not ended; its member is told.

    The accounts for payouts and the PIN for machines are used no more. Raises what `InTheWay.refusal` names.
    """
    take_turn(connection)
    current = find_contract(connection, contract.id)
    if current is None or current.state == ContractState.ENDED:
        return False
    refusal = in_the_way(connection, house, current).refusal()
    if refusal is not None:
        raise refusal
    event = house.loans.end(connection, current.id, _day(house, current), way)
    if not isinstance(event, LoanEvent):
        raise ContractUnderWay(known=event.value)
    member_id, now_us = MemberId(current.member_id), house.clock.now_us()
    actor = MEMBER_ACTOR if way == BY_MEMBER else f"staff:{by}"
    end_accounts(connection, house, member_id, session_id=session_id, actor=actor)
    forget_pin(connection, member_id, now_us)
    give_up(connection, house, current.id)
    body = msgspec.json.encode({"way": way, "by": by})
    outbox.append(connection, [outbox.Entry("lender:contract:ended", current.id, now_us, body)])
    kind = NoticeKind.CONTRACT_ENDED
    notify(connection, house.parts, member_id, kind, {"when": now_us}, dedupe=f"{kind}:{current.id}")
    return True


def in_the_way(connection: Connection, house: LenderParts, contract: Contract) -> InTheWay:
    """Return what stands in the way of a contract's end now."""
    member_id = MemberId(contract.member_id)
    return InTheWay(
        owed=house.loans.position(connection, contract, _day(house, contract)).owed,
        cash=unsettled(connection, member_id, CASH),
        transfers=tuple(transfer_orders.on_the_way(connection, contract.id)),
        debits=tuple(web_debit_orders.under_way(connection, contract.id)),
        is_held=bool(holds_on(connection, member_id, house.clock.now_us())),
        has_case=any(case.closed_at_us is None for case in cases.of_member(connection, member_id)),
    )


def purpose_of(contract: Contract) -> Purpose:
    """Return what is approved: the end of exactly this contract."""
    return Purpose(action="contract_ended", details={"contract": contract.id})


def _day(house: LenderParts, contract: Contract) -> date:
    """Return today; where the clock was set back, the day up to which the books are further."""
    today = house.today()
    return max(today, parse_day(contract.charged_until) or today)


def _contract_of(connection: Connection, member_id: MemberId) -> Contract:
    contract = contract_of(connection, member_id)
    if contract is None:
        raise ContractNotFound(known=f"{member_id} has none")
    return contract
