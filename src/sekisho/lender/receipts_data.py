"""Payments that came in, whatever way they took, and what a receipt for one says.

What a receipt says is laid down in article 18 of the Money Lending Business Act: lender, contract, amount
lent, amount received and what it went to, the day, and what is left.
"""

from datetime import date
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, select

from sekisho.kernel.yen import Yen
from sekisho.ledger.transfers import Booked, Transfer, post, post_all
from sekisho.lender.contracts import find_contract
from sekisho.lender.house import LenderParts
from sekisho.lender.loan_events import EventKind, LoanEvent, Movement, NotDone, parse_day
from sekisho.storage.tables.lender import credit_contract, loan_event


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


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What a receipt says. Amounts are whole yen, days ISO dates; `left_yen` is the principal still owed."""

    lender: str
    lender_telephone: str
    contract_number: str
    contract_signed_on: str
    limit_yen: int
    received_on: str
    received_yen: int
    delay_yen: int
    interest_yen: int
    principal_yen: int
    overpaid_yen: int
    left_yen: int
    way: str


def take_payment(connection: Connection, house: LenderParts, taken: Taken) -> LoanEvent | None:
    """Repay with money that is here, once by its key, in the caller's unit of work.

    Money that came counts for its day, or for the day of the last event where that is later. Where nothing
    is owed any more it is kept apart as overpaid, and None is returned. Raises ValueError for an unknown
    contract or an amount that is not positive: then the money is nobody's repayment.
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
    day = max(taken.day, parse_day(contract.charged_until) or taken.day)
    movement = Movement(taken.key, taken.amount, day, taken.way, taken.other)
    event = house.loans.repay(connection, taken.contract_id, movement)
    if isinstance(event, LoanEvent):
        return event
    if event is not NotDone.NOTHING_OWED:
        raise ValueError(f"{taken.key}: {event}")
    apart = Transfer(
        key=f"{taken.key}:overpaid",
        kind="loan:overpaid",
        debit=taken.other,
        credit=house.accounts.overpaid,
        amount=taken.amount,
        effective_on=taken.day,
        details={"contract": contract.number},
    )
    post_all(connection, (apart,), clock=house.clock, chance=house.chance)
    return None


def take_incoming(connection: Connection, house: LenderParts, came: Incoming) -> LoanEvent | None:
    """Take a transfer that names a contract by its number, in the caller's unit of work.

    A number that is no contract's is not guessed at: the money waits as unclaimed, and None is returned.
    Raises ValueError for an amount that is not positive, and for a key that stood for another amount.
    """
    number = came.contract_number.strip()
    its = select(credit_contract.c.id).where(credit_contract.c.number == number)
    contract_id = connection.execute(its).scalar_one_or_none()
    bank = house.accounts.bank
    key = f"incoming:{came.key}"
    if contract_id is not None:
        taken = Taken(key, contract_id, came.amount, came.day, "incoming", bank)
        return take_payment(connection, house, taken)
    waits = Transfer(
        key=key,
        kind="incoming:unclaimed",
        debit=bank,
        credit=house.accounts.unclaimed,
        amount=came.amount,
        effective_on=came.day,
    )
    result = post(connection, waits, clock=house.clock, chance=house.chance)
    if not isinstance(result, Booked):
        raise ValueError(f"{key}: {result.why}")  # noqa: TRY004 - what is wrong is the payment, not its type
    return None


def receipt_of(connection: Connection, house: LenderParts, event_id: str, language: str) -> Receipt:
    """Return what the receipt of a repayment says. Raises LookupError where there is no such repayment."""
    row = connection.execute(select(loan_event).where(loan_event.c.id == event_id)).mappings().one_or_none()
    event = None if row is None else LoanEvent(**row)
    contract = None if event is None else find_contract(connection, event.contract_id)
    if event is None or contract is None or event.kind != EventKind.REPAID:
        raise LookupError(f"no repayment {event_id}")
    return Receipt(
        lender=house.institution.name(language),
        lender_telephone=house.institution.telephone,
        contract_number=contract.number,
        contract_signed_on=contract.signed_on,
        limit_yen=contract.limit_yen,
        received_on=event.effective_on,
        received_yen=event.amount_yen,
        delay_yen=event.delay_yen,
        interest_yen=event.interest_yen,
        principal_yen=event.principal_yen,
        overpaid_yen=event.overpaid_yen,
        left_yen=event.balance_yen,
        way=event.way,
    )
