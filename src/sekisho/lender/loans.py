"""Borrowing and repaying under a contract: the books, the charges and the next payment, in one unit of work.

Charges are written down whenever the principal changes: on that day the interest and delay since the last
time become receivables, in whole yen, and a payment is divided among delay, interest and principal in this
order.
Each event happens once by its key. An event for a day before the last one is refused: what was charged since
would be wrong, and a correction is another thing.
"""

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, insert, select

from sekisho.kernel.chance import Chance
from sekisho.kernel.clock import Clock
from sekisho.kernel.ids import LOAN_EVENT
from sekisho.kernel.yen import Yen
from sekisho.ledger.accounts import find_account
from sekisho.ledger.journal import take_turn
from sekisho.ledger.statements import find_transfer
from sekisho.ledger.transfers import Refused, Transfer, Why, post, post_all, reserve, settle
from sekisho.lender.contracts import Contract, ContractState, change_contract, find_contract
from sekisho.lender.loan_events import (
    EventKind,
    LoanEvent,
    Movement,
    NotDone,
    Position,
    after_borrowing,
    after_repayment,
    charges_since,
    is_overdue,
    parse_day,
    request_of,
    why_not_lent,
    why_not_taken,
)
from sekisho.lender.loan_replay import REVERSAL, Replayed, moves, replay, standing
from sekisho.lender.repayment import Allocation, allocate, fixed_payment
from sekisho.lender.terms import TermsBook
from sekisho.storage.tables.lender import loan_event

ENDING = "ending:"
"""How the key of a contract's end begins; its id follows."""

NOTHING_MOVED = Allocation(delay=Yen(0), interest=Yen(0), principal=Yen(0), left_over=Yen(0))


class LoanAccounts(NamedTuple):
    """The lender's own accounts in the ledger, by id."""

    interest_income: str
    delay_income: str
    overpaid: str


class Loans:
    """Moves money under contracts. Every method runs inside the caller's unit of work."""

    def __init__(self, accounts: LoanAccounts, book: TermsBook, *, clock: Clock, chance: Chance) -> None:
        self._accounts = accounts
        self._book = book
        self._clock = clock
        self._chance = chance

    def position(self, connection: Connection, contract: Contract, day: date) -> Position:
        """Return what is owed at the end of a day that is not before the last event's."""
        principal = _balance(connection, contract.principal_account)
        since = charges_since(contract, principal, day)
        account = find_account(connection, contract.principal_account)
        assert account is not None  # noqa: S101 - a contract without its account is a programmer's error
        used = account.debits_posted + account.debits_pending - account.credits_posted
        return Position(
            principal=principal,
            interest=_balance(connection, contract.interest_account) + since.interest,
            delay=_balance(connection, contract.delay_account) + since.delay,
            payment=Yen(contract.payment_yen),
            next_due_on=parse_day(contract.next_due_on),
            overdue=is_overdue(contract, day),
            headroom=max(Yen(contract.limit_yen - used), Yen(0)),
        )

    def borrow(
        self, connection: Connection, contract_id: str, movement: Movement, *, reserved: str = ""
    ) -> LoanEvent | NotDone:
        """Lend an amount: the member owes it from this day on, and the payment is worked out anew.

        With `reserved` the transfer was reserved before (the cash of a machine) and is settled here.
        """
        take_turn(connection)
        request = request_of(EventKind.BORROWED, contract_id, movement)
        before = self._before(connection, movement.key, request)
        contract = find_contract(connection, contract_id)
        refused = before or why_not_lent(contract, movement, settling=bool(reserved))
        if refused is not None or contract is None:
            return refused or NotDone.CONTRACT_UNKNOWN
        if reserved:
            result = settle(connection, reserved, clock=self._clock, amount=movement.amount)
        else:
            drawn = self._drawing(contract, movement)
            result = post(connection, drawn, clock=self._clock, chance=self._chance)
        if isinstance(result, Refused):
            return NotDone.RESERVATION_GONE if reserved else NotDone.ABOVE_LIMIT
        contract = self._charge(connection, contract, movement.day, movement.key, less=movement.amount)
        principal = _balance(connection, contract.principal_account)
        contract = after_borrowing(contract, movement.day, fixed_payment(principal, self._book))
        lent = Allocation(delay=Yen(0), interest=Yen(0), principal=movement.amount, left_over=Yen(0))
        return self._record(
            connection, contract, EventKind.BORROWED, movement, lent, result.transfer_id, request
        )

    def reserve(
        self, connection: Connection, contract_id: str, movement: Movement, *, expires_at_us: int
    ) -> str | NotDone:
        """Keep a part of the line for cash that a machine is about to pay; return the transfer's id."""
        # Whoever ends the contract at this moment is seen before the line is found open.
        take_turn(connection)
        contract = find_contract(connection, contract_id)
        refused = why_not_lent(contract, movement, settling=False)
        if refused is not None or contract is None:
            return refused or NotDone.CONTRACT_UNKNOWN
        kept = reserve(
            connection,
            self._drawing(contract, movement),
            expires_at_us=expires_at_us,
            clock=self._clock,
            chance=self._chance,
        )
        if isinstance(kept, Refused):
            reused = kept.why is Why.KEY_USED_OTHERWISE
            return NotDone.KEY_USED_OTHERWISE if reused else NotDone.ABOVE_LIMIT
        return kept.transfer_id

    def repay(self, connection: Connection, contract_id: str, movement: Movement) -> LoanEvent | NotDone:
        """Take a payment: delay first, then interest, then principal; what is too much is kept apart."""
        take_turn(connection)
        request = request_of(EventKind.REPAID, contract_id, movement)
        before = self._before(connection, movement.key, request)
        contract = find_contract(connection, contract_id)
        refused = before or why_not_taken(contract, movement)
        if refused is not None or contract is None:
            return refused or NotDone.CONTRACT_UNKNOWN
        position = self.position(connection, contract, movement.day)
        if not position.owed:
            return NotDone.NOTHING_OWED
        contract = self._charge(connection, contract, movement.day, movement.key)
        parts = allocate(
            movement.amount,
            delay=position.delay,
            interest=position.interest,
            principal=position.principal,
        )
        booked = post_all(
            connection,
            tuple(self._repaying(contract, movement, parts)),
            clock=self._clock,
            chance=self._chance,
        )
        owed = position.owed - parts.delay - parts.interest - parts.principal
        contract = after_repayment(contract, movement, position, owed)
        return self._record(
            connection, contract, EventKind.REPAID, movement, parts, booked[0].transfer_id, request
        )

    def reverse(
        self, connection: Connection, borrowing_id: str, day: date, *, borne_by: str = ""
    ) -> LoanEvent | NotDone:
        """Take a borrowing back that did not reach the member, as if it had never been.

        The principal goes back to the account that paid it, or to the one that bears the loss where somebody
        else has the money, for the borrowing's own day; interest charged on it since and payments divided by
        it are put right on `day`. Doing it again changes nothing.
        """
        take_turn(connection)
        rows = select(loan_event).where(loan_event.c.id == borrowing_id)
        row = connection.execute(rows).mappings().one_or_none()
        if row is None or row["kind"] != EventKind.BORROWED:
            return NotDone.NOTHING_TO_REVERSE
        borrowing = LoanEvent(**row)
        lent_on = date.fromisoformat(borrowing.effective_on)
        amount = Yen(borrowing.amount_yen)
        movement = Movement(f"{REVERSAL}{borrowing.id}", amount, lent_on, borrowing.way, "")
        request = request_of(EventKind.REVERSED, borrowing.contract_id, movement)
        before = self._before(connection, movement.key, request)
        contract = find_contract(connection, borrowing.contract_id)
        if before is not None or contract is None:
            return before or NotDone.CONTRACT_UNKNOWN
        counted = standing(self.history(connection, contract.id, date.min, date.max))
        was = replay(contract, counted, self._book)
        kept = [event for event in counted if event.id != borrowing.id]
        now = replay(contract, kept, self._book)
        back = find_transfer(connection, borrowing.transfer_id)
        assert back is not None  # noqa: S101 - a borrowing without its transfer is a programmer's error
        other = borne_by or back.credit
        booked = self._put_right(connection, borrowing, other, self._differences(contract, was, now), day)
        given_back = Allocation(
            delay=was.delay_charged - now.delay_charged,
            interest=was.interest_charged - now.interest_charged,
            principal=amount,
            left_over=now.overpaid - was.overpaid,
        )
        return self._record(
            connection, now.contract, EventKind.REVERSED, movement, given_back, booked, request
        )

    def end(self, connection: Connection, contract_id: str, day: date, way: str) -> LoanEvent | NotDone:
        """End a contract under which nothing is owed or reserved; again, the same event is returned.

        `way` says through whom its member wished it.
        """
        take_turn(connection)
        contract = find_contract(connection, contract_id)
        if contract is None:
            return NotDone.CONTRACT_UNKNOWN
        key = f"{ENDING}{contract.id}"
        row = connection.execute(select(loan_event).where(loan_event.c.key == key)).mappings().one_or_none()
        if row is not None:
            return LoanEvent(**row)
        if self.position(connection, contract, day).owed:
            return NotDone.STILL_OWED
        account = find_account(connection, contract.principal_account)
        if account is None or account.debits_pending:
            return NotDone.STILL_RESERVED
        movement = Movement(key, Yen(0), day, way, "")
        request = request_of(EventKind.ENDED, contract.id, movement)
        ended = msgspec.structs.replace(contract, state=ContractState.ENDED.value)
        return self._record(connection, ended, EventKind.ENDED, movement, NOTHING_MOVED, "", request)

    def _differences(self, contract: Contract, was: Replayed, now: Replayed) -> dict[str, Yen]:
        """Return by account what is to be debited, beside the account that the amount goes back to."""
        return {
            contract.principal_account: now.principal - was.principal,
            contract.interest_account: now.interest - was.interest,
            contract.delay_account: now.delay - was.delay,
            self._accounts.interest_income: was.interest_charged - now.interest_charged,
            self._accounts.delay_income: was.delay_charged - now.delay_charged,
            self._accounts.overpaid: was.overpaid - now.overpaid,
        }

    def _put_right(
        self, connection: Connection, borrowing: LoanEvent, other: str, differences: dict[str, Yen], day: date
    ) -> str:
        """Book a reversal and return its first transfer, which corrects the borrowing's."""
        contract = find_contract(connection, borrowing.contract_id)
        named = {} if contract is None else {"contract": contract.number}
        changes = {other: Yen(borrowing.amount_yen), **differences}
        first = ""
        for number, move in enumerate(moves(changes)):
            own_day = date.fromisoformat(borrowing.effective_on) if move.debit == other else day
            key = f"{REVERSAL}{borrowing.id}:{number}"
            transfer = Transfer(
                key=key,
                kind="loan:reversed",
                debit=move.debit,
                credit=move.credit,
                amount=move.amount,
                effective_on=own_day,
                corrects=None if first else borrowing.transfer_id,
                details=named,
            )
            booked = post_all(connection, (transfer,), clock=self._clock, chance=self._chance)
            first = first or booked[0].transfer_id
        return first

    def history(self, connection: Connection, contract_id: str, first: date, last: date) -> list[LoanEvent]:
        """Return what happened from one day to another, in order."""
        its = (
            select(loan_event)
            .where(
                loan_event.c.contract_id == contract_id,
                loan_event.c.effective_on.between(first.isoformat(), last.isoformat()),
            )
            .order_by(loan_event.c.id)
        )
        return [LoanEvent(**row) for row in connection.execute(its).mappings()]

    def _before(self, connection: Connection, key: str, request: bytes) -> LoanEvent | NotDone | None:
        row = connection.execute(select(loan_event).where(loan_event.c.key == key)).mappings().one_or_none()
        if row is None:
            return None
        return LoanEvent(**row) if row["request"] == request else NotDone.KEY_USED_OTHERWISE

    def _charge(
        self, connection: Connection, contract: Contract, day: date, key: str, less: Yen | None = None
    ) -> Contract:
        """Write down the interest and delay up to a day, on the principal as it was before it changed."""
        principal = _balance(connection, contract.principal_account) - (less or Yen(0))
        cost = charges_since(contract, principal, day)
        for kind, account, income, amount in (
            ("interest", contract.interest_account, self._accounts.interest_income, cost.interest),
            ("delay", contract.delay_account, self._accounts.delay_income, cost.delay),
        ):
            if amount:
                charged = self._transfer(f"{key}:{kind}", f"loan:{kind}", account, income, amount, day)
                post_all(connection, (charged,), clock=self._clock, chance=self._chance)
        return msgspec.structs.replace(contract, charged_until=day.isoformat())

    def _drawing(self, contract: Contract, movement: Movement) -> Transfer:
        key, account = f"{movement.key}:principal", contract.principal_account
        return self._transfer(key, "loan:borrowed", account, movement.other, movement.amount, movement.day)

    def _repaying(self, contract: Contract, movement: Movement, parts: Allocation) -> Iterator[Transfer]:
        for kind, account, amount in (
            ("delay", contract.delay_account, parts.delay),
            ("interest", contract.interest_account, parts.interest),
            ("principal", contract.principal_account, parts.principal),
            ("overpaid", self._accounts.overpaid, parts.left_over),
        ):
            if amount:
                key, what = f"{movement.key}:paid:{kind}", f"loan:repaid:{kind}"
                paid = self._transfer(key, what, movement.other, account, amount, movement.day)
                # What is kept apart goes back to the member, whom the contract names.
                named = {"contract": contract.number} if kind == "overpaid" else {}
                yield msgspec.structs.replace(paid, details=named)

    def _transfer(self, key: str, kind: str, debit: str, credit: str, amount: Yen, day: date) -> Transfer:  # noqa: PLR0913, PLR0917 - a transfer, field by field
        return Transfer(key=key, kind=kind, debit=debit, credit=credit, amount=amount, effective_on=day)

    def _record(  # noqa: PLR0913, PLR0917 - an event, part by part
        self,
        connection: Connection,
        contract: Contract,
        kind: EventKind,
        movement: Movement,
        parts: Allocation,
        transfer_id: str,
        request: bytes,
    ) -> LoanEvent:
        change_contract(connection, contract)
        event = LoanEvent(
            id=LOAN_EVENT.new(self._clock, self._chance),
            key=movement.key,
            contract_id=contract.id,
            kind=kind.value,
            way=movement.way,
            amount_yen=movement.amount.amount,
            delay_yen=parts.delay.amount,
            interest_yen=parts.interest.amount,
            principal_yen=parts.principal.amount,
            overpaid_yen=parts.left_over.amount,
            balance_yen=_balance(connection, contract.principal_account).amount,
            payment_yen=contract.payment_yen,
            next_due_on=contract.next_due_on,
            effective_on=movement.day.isoformat(),
            booked_at_us=self._clock.now_us(),
            transfer_id=transfer_id,
            request=request,
        )
        connection.execute(insert(loan_event), msgspec.structs.asdict(event))
        return event


def _balance(connection: Connection, account_id: str) -> Yen:
    account = find_account(connection, account_id)
    assert account is not None  # noqa: S101 - a contract without its account is a programmer's error
    return account.balance
