"""What recovery asks of an institution's books: what partners are called, and that money is booked once."""

from datetime import date
from typing import NamedTuple, Protocol

from sqlalchemy import Connection

from sekisho.kernel.chance import Chance
from sekisho.kernel.clock import Clock
from sekisho.kernel.refusals import Refusal
from sekisho.kernel.yen import Yen
from sekisho.ledger.transfers import Refused, Transfer, post
from sekisho.response.recovery_rows import Way


class ReceiptNotBookable(Refusal):
    """The books do not take it: as a rule, the number stands for something else there."""

    code = "receipt_not_bookable"
    status = 409
    told = "The books do not take this: the number stands for something else, or an account can't bear it."


class Received(NamedTuple):
    """Money of a partner that is to be booked, once a receipt. `losses` are what was made good."""

    receipt_id: str
    partner: str
    way: Way
    number: str
    yen: int
    day: date
    losses: tuple[str, ...]


class PartnerBooks(Protocol):
    """Whoever knows the institution's books and its partners."""

    @property
    def ways(self) -> tuple[Way, ...]:
        """How partners can pay here."""
        ...

    def name_of(self, connection: Connection, partner: str, language: str) -> str:
        """Return what a partner is called in a language; its own word where nobody knows."""
        ...

    def receive(self, connection: Connection, received: Received) -> str:
        """Book what came against what the institution bore, and return what it is called in the books.

        Doing it again with the same receipt books nothing. Raises ReceiptNotBookable.
        """
        ...


class Booking(NamedTuple):
    """How a receipt is booked: under which key and kind, from which account to which."""

    key: str
    kind: str
    debit: str
    credit: str


def book_received(
    connection: Connection, received: Received, as_: Booking, *, clock: Clock, chance: Chance
) -> str:
    """Book what came, once by the booking's key, and return the transfer's id. Raises ReceiptNotBookable."""
    transfer = Transfer(
        key=as_.key,
        kind=as_.kind,
        debit=as_.debit,
        credit=as_.credit,
        amount=Yen(received.yen),
        effective_on=received.day,
        details={"receipt": received.receipt_id},
    )
    booked = post(connection, transfer, clock=clock, chance=chance)
    if isinstance(booked, Refused):
        raise ReceiptNotBookable(known=f"{received.receipt_id}: {booked.why}")
    return booked.transfer_id
