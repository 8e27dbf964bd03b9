"""Transfers on their way: approved orders into a file, the file to the bank, its result into the books."""

import asyncio
from datetime import date

import msgspec
from sqlalchemy import Connection, select

from sekisho.identity.holds import holds_on
from sekisho.identity.notifying import notify
from sekisho.kernel.ids import BankFileId
from sekisho.kernel.japan import day_in_japan
from sekisho.ledger.transfers import Transfer, post_all
from sekisho.lender import transfer_orders
from sekisho.lender.house import LenderParts
from sekisho.lender.loan_events import LoanEvent
from sekisho.lender.payout_accounts import payee_of
from sekisho.lender.transfer_orders import Change, OrderState, TransferOrder
from sekisho.linking.bank_files import ROWS_MAX, BankFiles, ResultFileRefused, read_result
from sekisho.linking.exchange import OutTray
from sekisho.linking.zengin import FileKind, Party, Row, TransferResult
from sekisho.messages.notices import NoticeKind
from sekisho.storage import outbox
from sekisho.storage.tables.borrowings import transfer_order

STOPPED = "stopped"
"""The result of an order that we stopped before it went out."""


class TransferRuns:
    """Sends what is due and takes what came of it. Each step can be done again after a crash."""

    def __init__(self, house: LenderParts, party: Party, tray: OutTray) -> None:
        self._house = house
        self._files = BankFiles(house.parts, FileKind.TRANSFERS, party, tray)

    async def send_due(self) -> BankFileId | None:
        """Put what is due into a file and hand over every file that was not; return the new one's id.

        An order whose member's money is on hold waits. Raises OSError, Unsealable and OperationalError.
        """
        made = await self._house.written(self.make_within)
        await asyncio.to_thread(self._files.hand_over)
        return made

    async def take_result(self, octets: bytes) -> int:
        """Take a result and return how many orders it ended. Raises ResultFileRefused, OperationalError."""
        return await self._house.written(lambda at: self.take_within(at, octets))

    async def stop(self, order_id: str) -> bool:
        """Take back an order that was approved and did not go out yet, and tell whether there was one."""
        return await self._house.written(lambda at: self._stop(at, order_id))

    def make_within(self, connection: Connection) -> BankFileId | None:
        """Put what is due into a file, in the caller's unit of work; None where nothing is due."""
        now_us = self._house.clock.now_us()
        orders = [
            order
            for order in transfer_orders.due(connection, now_us, ROWS_MAX)
            # Whoever stopped the account an hour ago did not mean the transfer to go on.
            if not holds_on(connection, order.member_id, now_us)
        ]
        if not orders:
            return None
        rows = tuple(self._row(connection, order) for order in orders)
        file_id = self._files.write_within(connection, rows, day_in_japan(now_us))
        change = Change(OrderState.APPROVED, OrderState.SENT)
        for order in orders:
            if not transfer_orders.move(connection, order, change, file_id=file_id):
                raise ResultFileRefused(known=f"{order.id} went out elsewhere")
        return file_id

    def take_within(self, connection: Connection, octets: bytes) -> int:
        """Take a result, whole or not at all, in the caller's unit of work. Raises ResultFileRefused."""
        today = day_in_japan(self._house.clock.now_us())
        first = read_result(octets, near=today).rows[0].reference
        its = select(transfer_order.c.file_id).where(transfer_order.c.reference == first)
        file_id = connection.execute(its).scalar_one_or_none()
        if file_id is None:
            raise ResultFileRefused(known="its first row is in no file of ours")
        answered = self._files.take_within(connection, octets, file_id)
        orders = transfer_orders.in_file(connection, file_id)
        for row in answered.result.rows:
            self._end(connection, orders[row.reference], row, today)
        return len(answered.result.rows)

    def _row(self, connection: Connection, order: TransferOrder) -> Row:
        payee = payee_of(connection, self._house, order.account_id)
        return Row(payee.account, payee.holder_kana, order.amount, order.reference)

    def _end(self, connection: Connection, order: TransferOrder, row: Row, today: date) -> None:
        now_us = self._house.clock.now_us()
        word = row.result.name.lower() if row.result is not None else ""
        paid = row.result is TransferResult.PAID
        change = Change(OrderState.SENT, OrderState.PAID if paid else OrderState.RETURNED)
        if not transfer_orders.move(connection, order, change, result=word, ended_at_us=now_us):
            raise ResultFileRefused(known=f"{order.id} is {order.state}")
        if paid:
            self._clear(connection, order, today)
        else:
            self._take_back(connection, order, today)
        body = msgspec.json.encode({"result": word, "amount_yen": order.amount_yen})
        event = outbox.Entry(f"lender:transfer:{change.after}", order.id, now_us, body)
        outbox.append(connection, [event])

    def _clear(self, connection: Connection, order: TransferOrder, today: date) -> None:
        accounts = self._house.accounts
        cleared = Transfer(
            key=f"transfer:{order.id}:paid",
            kind="transfer:paid",
            debit=accounts.transfer_clearing,
            credit=accounts.bank,
            amount=order.amount,
            effective_on=today,
        )
        post_all(connection, (cleared,), clock=self._house.clock, chance=self._house.chance)

    def _take_back(self, connection: Connection, order: TransferOrder, today: date) -> None:
        house = self._house
        back = house.loans.reverse(connection, order.loan_event_id or "", today)
        if not isinstance(back, LoanEvent):
            raise ResultFileRefused(known=f"{order.id}: {back}")
        kind = NoticeKind.TRANSFER_RETURNED
        values = {"when": house.clock.now_us(), "amount": order.amount_yen}
        notify(connection, house.parts, order.member_id, kind, values, dedupe=f"{kind}:{order.id}")

    def _stop(self, connection: Connection, order_id: str) -> bool:
        now_us = self._house.clock.now_us()
        its = select(transfer_order.c.member_id).where(transfer_order.c.id == order_id)
        member_id = connection.execute(its).scalar_one_or_none() or ""
        order = transfer_orders.find(connection, order_id, member_id)
        change = Change(OrderState.APPROVED, OrderState.RETURNED)
        if order is None or not transfer_orders.move(
            connection, order, change, result=STOPPED, ended_at_us=now_us
        ):
            return False
        self._take_back(connection, order, day_in_japan(now_us))
        outbox.append(connection, [outbox.Entry("lender:transfer:stopped", order.id, now_us, b"{}")])
        return True
