"""Money of a partner: one person enters it by the number that it has outside, another one books it."""

import re
from datetime import date
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, insert, update
from sqlalchemy.exc import IntegrityError

from sekisho.identity.institution import Parts
from sekisho.kernel.ids import PARTNER_RECEIPT
from sekisho.kernel.japan import day_in_japan
from sekisho.kernel.refusals import Refusal
from sekisho.response import recovery_rows
from sekisho.response.audit import Act
from sekisho.response.partner_books import PartnerBooks, Received
from sekisho.response.partner_recoveries import (
    RecoveryChanged,
    RecoveryUnusable,
    put_on_record,
    require_reason,
)
from sekisho.response.recovery_rows import Part, Receipt, Recovery, Way, split
from sekisho.response.staff import require_second, require_staff
from sekisho.storage.tables.cases import partner_receipt, partner_receipt_part

NUMBER = re.compile(r"[!-~]{1,60}")
"""A transfer's number as a bank prints it: what is written in two widths would be two numbers."""


class RecoveryMoreThanOpen(Refusal):
    """More came than is open: what is nobody's recovery is not booked as one."""

    code = "recovery_more_than_open"
    status = 409
    told = "This is more than the partner was asked for and still owes."


class ReceiptUnknown(Refusal):
    """No money of a partner was entered under this id."""

    code = "receipt_unknown"
    status = 404
    told = "No receipt has this id."


class ReceiptNumberUsed(Refusal):
    """The number stands for money that was entered before."""

    code = "receipt_number_used"
    status = 409
    told = "This number was entered before."


class ReceiptDecided(Refusal):
    """It was booked or turned down already."""

    code = "receipt_decided"
    status = 409
    told = "This was booked or turned down already."


class Came(NamedTuple):
    """Money of a partner as a statement has it. Without a campaign it counts for what was paid first."""

    partner: str
    campaign: str | None
    way: Way
    number: str
    yen: int
    day: date


class ReceiptDesk:
    """Takes the money of partners, at one institution. `by` is a staff id."""

    def __init__(self, parts: Parts, books: PartnerBooks) -> None:
        self._parts = parts
        self._books = books

    @property
    def ways(self) -> tuple[Way, ...]:
        """How partners can pay here."""
        return self._books.ways

    async def newest(self) -> list[Receipt]:
        """Return the money that came, what waits first."""
        return await self._parts.read(recovery_rows.receipts)

    async def find(self, receipt_id: str) -> tuple[Receipt, list[Part]]:
        """Return a receipt and the claims that it counts for. Raises ReceiptUnknown."""

        def look(connection: Connection) -> tuple[Receipt, list[Part]]:
            return _required(connection, receipt_id), recovery_rows.parts_of(connection, receipt_id)

        return await self._parts.read(look)

    async def counts_for(self, came: Came) -> list[Part]:
        """Return which claims money would count for. Raises RecoveryUnusable and RecoveryMoreThanOpen."""
        return await self._parts.read(
            lambda at: self._split(recovery_rows.of_partner(at, came.partner), came)
        )

    async def enter(self, came: Came, expected: list[Part], *, by: str) -> Receipt:
        """Enter money that came, once by its number, for exactly the claims that are expected.

        Raises RecoveryUnusable, RecoveryMoreThanOpen, RecoveryChanged, ReceiptNumberUsed and StaffIdUnusable.
        """

        def work(connection: Connection) -> Receipt:
            found = recovery_rows.of_partner(connection, came.partner, to_change=True)
            parts = self._split(found, came)
            if parts != expected:
                raise RecoveryChanged(known=came.partner)
            receipt = self._written(connection, came, parts, by)
            details = {"partner": came.partner, "way": came.way.value, "number": came.number, "yen": came.yen}
            act = Act(actor=by, act="recovery:entered", subject=receipt.id, details=details)
            put_on_record(connection, self._parts, act)
            return receipt

        return await self._parts.written(work)

    async def book(self, receipt_id: str, *, by: str) -> Receipt:
        """Book money as the second person; doing it again changes nothing.

        Raises ReceiptUnknown, ReceiptDecided, ReceiptNotBookable, SecondPersonNeeded and StaffIdUnusable.
        """

        def work(connection: Connection) -> Receipt:
            before = _required(connection, receipt_id, to_change=True)
            if before.booked_at_us is not None:
                return before
            if not before.waits:
                raise ReceiptDecided(known=receipt_id)
            require_second(by, before.entered_by)
            posting = self._books.receive(connection, _received(connection, before))
            now_us = self._parts.clock.now_us()
            _decide(connection, before, booked_by=by, booked_at_us=now_us, posting=posting)
            details = {"transfer": posting, "yen": before.yen}
            act = Act(actor=by, act="recovery:booked", subject=before.id, details=details)
            put_on_record(connection, self._parts, act)
            return _required(connection, receipt_id)

        return await self._parts.written(work)

    async def turn_down(self, receipt_id: str, *, by: str, why: str) -> None:
        """Let what was entered wrongly count for nothing; its number is free again.

        Raises RecoveryUnusable, ReceiptUnknown, ReceiptDecided and StaffIdUnusable.
        """
        reason, staff = require_reason(why), require_staff(by)

        def work(connection: Connection) -> None:
            before, now_us = _required(connection, receipt_id, to_change=True), self._parts.clock.now_us()
            if not before.waits:
                raise ReceiptDecided(known=receipt_id)
            _decide(
                connection, before, turned_down_by=staff, turned_down_at_us=now_us, turned_down_why=reason
            )
            details = {"number": before.number, "yen": before.yen}
            act = Act(actor=by, act="recovery:turned_down", subject=before.id, reason=reason, details=details)
            put_on_record(connection, self._parts, act)

        await self._parts.written(work)

    def _split(self, found: list[Recovery], came: Came) -> list[Part]:
        fits = NUMBER.fullmatch(came.number) and came.way in self.ways and came.yen > 0
        if not fits or came.day > day_in_japan(self._parts.clock.now_us()):
            raise RecoveryUnusable(known=came.number[:60])
        parts = split(found, came.yen, came.campaign)
        if sum(part.yen for part in parts) != came.yen:
            raise RecoveryMoreThanOpen(known=f"{came.partner[:60]}: {came.yen}")
        return parts

    def _written(self, connection: Connection, came: Came, parts: list[Part], by: str) -> Receipt:
        receipt = Receipt(
            id=PARTNER_RECEIPT.new(self._parts.clock, self._parts.chance),
            partner=came.partner,
            way=came.way,
            number=came.number,
            yen=came.yen,
            came_on=came.day.isoformat(),
            entered_by=require_staff(by),
            entered_at_us=self._parts.clock.now_us(),
            booked_by="",
            booked_at_us=None,
            posting="",
            turned_down_by="",
            turned_down_at_us=None,
            turned_down_why="",
        )
        try:
            with connection.begin_nested():
                connection.execute(insert(partner_receipt).values(msgspec.structs.asdict(receipt)))
        except IntegrityError as error:
            raise ReceiptNumberUsed(known=came.number) from error
        rows = [
            {"receipt_id": receipt.id, "recovery_id": part.recovery_id, "yen": part.yen} for part in parts
        ]
        connection.execute(insert(partner_receipt_part), rows)
        return receipt


def _received(connection: Connection, of: Receipt) -> Received:
    losses = recovery_rows.losses_of(connection, of.id)
    return Received(of.id, of.partner, of.way, of.number, of.yen, date.fromisoformat(of.came_on), losses)


def _decide(connection: Connection, of: Receipt, **values: object) -> None:
    connection.execute(update(partner_receipt).where(partner_receipt.c.id == of.id).values(values))


def _required(connection: Connection, receipt_id: str, *, to_change: bool = False) -> Receipt:
    found = recovery_rows.receipt_of(connection, receipt_id, to_change=to_change)
    if found is None:
        raise ReceiptUnknown(known=receipt_id[:60])
    return found
