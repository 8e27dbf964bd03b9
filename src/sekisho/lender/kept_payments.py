"""Money that members paid too much: what waits to go back, and the booking that it did.

It goes back by a transfer that staff make at our bank, to the account that the member named; here it is
booked, once, and is on record with who did it.
"""

import datetime as dt
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, Select, literal, select

from sekisho.kernel.refusals import Refusal
from sekisho.kernel.yen import Yen
from sekisho.ledger.journal import take_turn
from sekisho.ledger.transfers import Transfer, post_all
from sekisho.lender.house import LenderParts
from sekisho.response import audit
from sekisho.response.audit import Act
from sekisho.response.staff import require_staff
from sekisho.storage import outbox
from sekisho.storage.tables.ledger import ledger_journal, ledger_transfer

KEPT = ("loan:overpaid", "loan:repaid:overpaid", "loan:reversed")
"""The kinds of bookings that keep money for a member.

A whole payment, what was left of one, and what had been repaid of a borrowing that was taken back.
"""

GIVEN_BACK = "loan:given_back"
SUFFIX = ":given_back"
REASON_CHARS_MAX = 400


class NothingKept(Refusal):
    """No payment is kept under this key, or it went back before."""

    code = "nothing_kept"
    status = 404
    told = "No payment is kept under this key, or it went back before."


class GivingBackUnusable(Refusal):
    """The reason is empty or too long for the record."""

    code = "giving_back_unusable"
    status = 422
    told = "Say how the money went back, in 400 characters at most."


class Kept(NamedTuple):
    """What is kept for a member: its key in the books, the contract's number, and the day that it came."""

    key: str
    contract_number: str
    amount: Yen
    day: dt.date


class KeptPaymentDesk:
    """Shows what is kept for members, and books what went back, for one lender."""

    def __init__(self, house: LenderParts) -> None:
        self._house = house

    async def waiting(self, *, limit: int = 200) -> list[Kept]:
        """Return what is kept and has not gone back, the oldest first. Raises OperationalError."""
        oldest = self._kept().order_by(ledger_transfer.c.booked_at_us, ledger_transfer.c.key).limit(limit)
        return await self._house.read(lambda at: [_of(*row) for row in at.execute(oldest)])

    async def give_back(self, key: str, *, by: str, reason: str) -> Kept:
        """Book that a kept payment went back to its member, all of it. It is on record with the booking.

        Raises StaffIdUnusable, GivingBackUnusable, NothingKept and OperationalError.
        """
        staff, why = require_staff(by), reason.strip()
        if not 0 < len(why) <= REASON_CHARS_MAX:
            raise GivingBackUnusable
        return await self._house.written(lambda at: self._give_back(at, key, staff, why))

    def _give_back(self, connection: Connection, key: str, staff: str, why: str) -> Kept:
        # Whoever gives the same back at this moment is seen first.
        take_turn(connection)
        house = self._house
        row = connection.execute(self._kept().where(ledger_transfer.c.key == key)).one_or_none()
        if row is None:
            raise NothingKept(known=key[:80])
        kept = _of(*row)
        back = Transfer(
            key=f"{key}{SUFFIX}",
            kind=GIVEN_BACK,
            debit=house.accounts.overpaid,
            credit=house.accounts.bank,
            amount=kept.amount,
            effective_on=house.today(),
            details={"contract": kept.contract_number},
        )
        post_all(connection, (back,), clock=house.clock, chance=house.chance)
        now_us = house.clock.now_us()
        body = msgspec.json.encode({"amount_yen": kept.amount.amount})
        outbox.append(connection, [outbox.Entry("lender:payment:given_back", key, now_us, body)])
        act = Act(actor=staff, act="payment:given_back", subject=key, reason=why)
        audit.record(connection, act, at_us=now_us)
        return kept

    def _kept(self) -> Select[str, bytes, int, str]:
        back = ledger_transfer.alias("back")
        gone = select(back.c.id).where(back.c.key == ledger_transfer.c.key + literal(SUFFIX)).exists()
        columns = (ledger_transfer.c.key, ledger_transfer.c.details, ledger_transfer.c.posted_yen)
        return (
            select(*columns, ledger_transfer.c.effective_on)
            .join(ledger_journal, ledger_journal.c.transfer_id == ledger_transfer.c.id)
            .where(
                ledger_journal.c.credit == self._house.accounts.overpaid,
                ledger_journal.c.kind.in_(KEPT),
                ~gone,
            )
        )


def _of(key: str, details: bytes, posted_yen: int, effective_on: str) -> Kept:
    number = msgspec.json.decode(details, type=dict[str, str]).get("contract", "")
    return Kept(key, number, Yen(posted_yen), dt.date.fromisoformat(effective_on))
