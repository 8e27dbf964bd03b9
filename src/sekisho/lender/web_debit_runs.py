"""Debits on their way: approved orders into a file, the file to the bank, its result into the books."""

import asyncio
from datetime import date

import msgspec
from sqlalchemy import Connection, select

from sekisho.identity import holds
from sekisho.identity.holds import HoldKind, HoldScope
from sekisho.identity.notifying import notify
from sekisho.kernel.ids import BankFileId
from sekisho.kernel.japan import day_in_japan
from sekisho.kernel.yen import Yen, total
from sekisho.ledger.transfers import Transfer, post_all
from sekisho.lender import web_debit_orders
from sekisho.lender.due_days import next_business_day
from sekisho.lender.house import LenderParts
from sekisho.lender.incoming_payments import Taken, take_payment
from sekisho.lender.payout_accounts import payee_of, stop_debits
from sekisho.lender.web_debit_orders import DebitState, WebDebitOrder
from sekisho.linking.bank_files import ROWS_MAX, BankFiles, ResultFileRefused, read_result
from sekisho.linking.exchange import OutTray
from sekisho.linking.zengin import DebitResult, FileKind, Party, Row
from sekisho.messages.notices import NoticeKind
from sekisho.storage import outbox
from sekisho.storage.tables.borrowings import web_debit_order

WAY = "web_debit"
_NO_MORE = frozenset({DebitResult.NO_ACCOUNT, DebitResult.DEPOSITOR_STOPPED, DebitResult.NO_MANDATE})


class WebDebitRuns:
    """Sends what is due and takes what came of it. Each step can be done again after a crash."""

    def __init__(self, house: LenderParts, party: Party, tray: OutTray) -> None:
        self._house = house
        self._files = BankFiles(house.parts, FileKind.DEBITS, party, tray)

    async def send_due(self) -> BankFileId | None:
        """Put what is approved into a file and hand over every file that was not; return the new one's id.

        Banks debit on the next day that they are open. Raises OSError, Unsealable and OperationalError.
        """
        made = await self._house.written(self.make_within)
        await asyncio.to_thread(self._files.hand_over)
        return made

    async def take_result(self, octets: bytes) -> int:
        """Take a result and return how many orders it ended. Raises ResultFileRefused, OperationalError."""
        return await self._house.written(lambda at: self.take_within(at, octets))

    def make_within(self, connection: Connection) -> BankFileId | None:
        """Put what is approved into a file, in the caller's unit of work; None where nothing is."""
        orders = web_debit_orders.waiting(connection, ROWS_MAX)
        if not orders:
            return None
        rows = tuple(self._row(connection, order) for order in orders)
        on = next_business_day(day_in_japan(self._house.clock.now_us()))
        file_id = self._files.write_within(connection, rows, on)
        for order in orders:
            if not web_debit_orders.move(
                connection, order, DebitState.APPROVED, DebitState.SENT, file_id=file_id
            ):
                raise ResultFileRefused(known=f"{order.id} went out elsewhere")
        return file_id

    def take_within(self, connection: Connection, octets: bytes) -> int:
        """Take a result, whole or not at all, in the caller's unit of work. Raises ResultFileRefused."""
        today = day_in_japan(self._house.clock.now_us())
        first = read_result(octets, near=today).rows[0].reference
        its = select(web_debit_order.c.file_id).where(web_debit_order.c.reference == first)
        file_id = connection.execute(its).scalar_one_or_none()
        if file_id is None:
            raise ResultFileRefused(known="its first row is in no file of ours")
        answered = self._files.take_within(connection, octets, file_id)
        orders = web_debit_orders.in_file(connection, file_id)
        for row in answered.result.rows:
            self._end(connection, orders[row.reference], row, min(answered.on, today))
        done = total(row.amount for row in answered.result.rows if row.result is DebitResult.DONE)
        self._bank_paid(connection, file_id, done, answered.on)
        return len(answered.result.rows)

    def _row(self, connection: Connection, order: WebDebitOrder) -> Row:
        payee = payee_of(connection, self._house, order.account_id)
        return Row(payee.account, payee.holder_kana, order.amount, order.reference, first=order.is_first)

    def _end(self, connection: Connection, order: WebDebitOrder, row: Row, day: date) -> None:
        now_us = self._house.clock.now_us()
        done = row.result is DebitResult.DONE
        after = DebitState.DONE if done else DebitState.FAILED
        word = row.result.name.lower() if row.result is not None else ""
        if not web_debit_orders.move(
            connection, order, DebitState.SENT, after, result=word, ended_at_us=now_us
        ):
            raise ResultFileRefused(known=f"{order.id} is {order.state}")
        if done:
            self._repay(connection, order, day)
        else:
            self._fail(connection, order, row.result)
        body = msgspec.json.encode({"result": word, "amount_yen": order.amount_yen})
        outbox.append(connection, [outbox.Entry(f"lender:web_debit:{after}", order.id, now_us, body)])

    def _repay(self, connection: Connection, order: WebDebitOrder, day: date) -> None:
        taken = Taken(
            key=f"web_debit:{order.id}",
            contract_id=order.contract_id,
            amount=order.amount,
            day=day,
            way=WAY,
            other=self._house.accounts.web_debit_clearing,
        )
        event = take_payment(connection, self._house, taken)
        if event is not None:
            web_debit_orders.move(connection, order, DebitState.DONE, DebitState.DONE, loan_event_id=event.id)

    def _bank_paid(self, connection: Connection, file_id: str, amount: Yen, on: date) -> None:
        """Book that the bank pays all that it debited in one sum."""
        if not amount:
            return
        accounts = self._house.accounts
        came = Transfer(
            key=f"bank_file:{file_id}:came",
            kind="web_debit:came",
            debit=accounts.bank,
            credit=accounts.web_debit_clearing,
            amount=amount,
            effective_on=on,
        )
        post_all(connection, (came,), clock=self._house.clock, chance=self._house.chance)

    def _fail(self, connection: Connection, order: WebDebitOrder, result: object) -> None:
        house, now_us = self._house, self._house.clock.now_us()
        if result in _NO_MORE:
            stop_debits(connection, order.account_id, now_us)
        if result is DebitResult.DEPOSITOR_STOPPED and order.is_first:
            # The depositor of a mandate made days ago knows nothing of it: who made it, then?
            holds.place(
                connection,
                house.parts,
                order.member_id,
                HoldKind.CONTAINMENT,
                HoldScope.MONEY_OUT,
                reason="the depositor stopped a new mandate",
                until_us=None,
            )
        kind = NoticeKind.DEBIT_FAILED
        values = {"when": now_us, "amount": order.amount_yen}
        notify(connection, house.parts, order.member_id, kind, values, dedupe=f"{kind}:{order.id}")
