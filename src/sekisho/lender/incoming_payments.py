"""Payments that came in, whatever way they took. Their receipts are issued by `documents`."""

from datetime import date
from typing import NamedTuple

from sqlalchemy import Connection, select

from sekisho.identity.notifying import notify
from sekisho.kernel.ids import MemberId
from sekisho.kernel.yen import Yen
from sekisho.ledger.journal import take_turn
from sekisho.ledger.statements import transfer_of
from sekisho.ledger.transfers import Booked, Transfer, post
from sekisho.lender.contracts import contract_numbered, find_contract
from sekisho.lender.house import LenderParts
from sekisho.lender.loan_events import LoanEvent, Movement, NotDone, parse_day
from sekisho.messages.notices import NoticeKind
from sekisho.storage.tables.lender import loan_event

UNCLAIMED = "incoming:unclaimed"
"""The kind of what came in and belongs to no contract."""


class Taken(NamedTuple):
    """Money that has come in for a contract: on which day it counts, and the account that it stands on."""

    key: str
    contract_id: str
    amount: Yen
    day: date
    way: str
    other: str


class Incoming(NamedTuple):
    """A transfer to our account, as the bank tells it. `key` is the bank's own number of it."""

    key: str
    contract_number: str
    amount: Yen
    day: date


def take_payment(connection: Connection, house: LenderParts, taken: Taken) -> LoanEvent | None:
    """Repay with money that is here, once by its key, in the caller's unit of work.

    Money that came counts for its day, or for the day of the last event where that is later. Where nothing
    is owed any more, or the contract has ended, it is kept apart as overpaid, its member is told, and None is
    returned; there it stays, whatever is owed later, also under another contract.

    Raises ValueError for an unknown contract or an amount that is not positive, for then the money is
    nobody's repayment, and for a key that stood for another payment.
    """
    contract = find_contract(connection, taken.contract_id)
    if contract is None or taken.amount <= Yen(0):
        raise ValueError(f"no payment for {taken.contract_id}: {taken.amount}")
    before = connection.execute(select(loan_event).where(loan_event.c.key == taken.key)).mappings()
    known = before.one_or_none()
    if known is not None:
        if (known["contract_id"], known["amount_yen"]) != (taken.contract_id, taken.amount.amount):
            raise ValueError(f"{taken.key} stood for another payment")
        return LoanEvent(**known)
    apart = Transfer(
        key=overpaid_key(taken.key),
        kind="loan:overpaid",
        debit=taken.other,
        credit=house.accounts.overpaid,
        amount=taken.amount,
        effective_on=taken.day,
        details={"contract": contract.number},
    )
    if transfer_of(connection, apart.key) is not None:
        _keep_apart(connection, house, apart)
        return None
    day = max(taken.day, parse_day(contract.charged_until) or taken.day)
    movement = Movement(taken.key, taken.amount, day, taken.way, taken.other)
    event = house.loans.repay(connection, taken.contract_id, movement)
    if isinstance(event, LoanEvent):
        return event
    if event is not NotDone.NOTHING_OWED:
        raise ValueError(f"{taken.key}: {event}")
    _keep_apart(connection, house, apart)
    kind, values = NoticeKind.PAYMENT_NOT_OWED, {"when": house.clock.now_us(), "amount": taken.amount.amount}
    member_id = MemberId(contract.member_id)
    notify(connection, house.parts, member_id, kind, values, dedupe=f"{kind}:{taken.key}")
    return None


def _keep_apart(connection: Connection, house: LenderParts, money: Transfer) -> None:
    """Keep money for later, once by its key. Raises ValueError for a key that stood for something else."""
    result = post(connection, money, clock=house.clock, chance=house.chance)
    if not isinstance(result, Booked):
        raise ValueError(f"{money.key}: {result.why}")  # noqa: TRY004 - what is wrong is the payment, not its type


def incoming_key(number: str) -> str:
    """Return the key of a transfer to our account in the books, by the bank's own number of it."""
    return f"incoming:{number}"


def overpaid_key(key: str) -> str:
    """Return the key in the books of a payment that was kept because nothing was owed."""
    return f"{key}:overpaid"


def take_incoming(connection: Connection, house: LenderParts, came: Incoming) -> LoanEvent | None:
    """Take a transfer that names a contract by its number, in the caller's unit of work.

    A number that is no contract's is not guessed at: the money waits as unclaimed, and None is returned; once
    its contract is known, it repays from there. Raises ValueError for an amount that is not positive, and for
    a key that stood for another amount, for a payment, or for what a partner paid.
    """
    # Who else enters the same number at this moment has to be seen before it is said where the money stands.
    take_turn(connection)
    number = came.contract_number.strip()
    contract = contract_numbered(connection, number)
    bank, key = house.accounts.bank, incoming_key(came.key)
    if contract is not None:
        stands_on = _stands_on(connection, house, came)
        return take_payment(
            connection, house, Taken(key, contract.id, came.amount, came.day, "incoming", stands_on)
        )
    repaid = select(loan_event.c.id).where(loan_event.c.key == key)
    if connection.execute(repaid).first() or transfer_of(connection, overpaid_key(key)):
        raise ValueError(f"{key} stood for a payment")
    waits = Transfer(
        key=key,
        kind=UNCLAIMED,
        debit=bank,
        credit=house.accounts.unclaimed,
        amount=came.amount,
        effective_on=came.day,
    )
    _keep_apart(connection, house, waits)
    return None


def _stands_on(connection: Connection, house: LenderParts, came: Incoming) -> str:
    """Return on which account of ours a transfer stands: the bank's, or where it waits as unclaimed."""
    key = incoming_key(came.key)
    before = transfer_of(connection, key)
    if before is None:
        return house.accounts.bank
    given_out = transfer_of(connection, f"{key}:recovery") is not None
    if before.kind != UNCLAIMED or before.amount_yen != came.amount.amount or given_out:
        raise ValueError(f"{key} stood for something else")
    return house.accounts.unclaimed
