"""Settlements: what merchants are owed is paid out to their accounts, less our fee, in one file a day.

A settlement takes what the merchant's account holds at that moment. Its amount waits in a clearing account
until the bank says what became of it; what the bank returns is the merchant's again.
"""

import asyncio
from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from itertools import islice
from typing import NamedTuple

import msgspec
import structlog
from sqlalchemy import Connection, insert, select, update

from sekisho.kernel.ids import SETTLEMENT, BankFileId
from sekisho.kernel.yen import Yen
from sekisho.ledger.accounts import find_account
from sekisho.ledger.journal import take_turn
from sekisho.ledger.transfers import Transfer, post_all
from sekisho.linking.bank_files import ROWS_MAX, BankFiles, ResultFileRefused, ResultTakenBefore, read_result
from sekisho.linking.exchange import InTray, OutTray
from sekisho.linking.zengin import FileKind, Party, Row, TransferResult
from sekisho.storage import outbox
from sekisho.storage.keyring import Unsealable
from sekisho.storage.tables.wallet_money import settlement
from sekisho.wallet.house import WalletParts
from sekisho.wallet.merchants import Merchant, all_merchants, find_merchant, settlement_account

log = structlog.get_logger(__name__)

LEAST = Yen(1)
BASIS_POINTS = 10_000
REFERENCE_DIGITS = 15
FEE_KIND, NET_KIND = "wallet:settlement:fee", "wallet:settlement"


class SettlementState(StrEnum):
    """Where a settlement stands."""

    SENT = "sent"
    """It is in a file to the bank."""

    PAID = "paid"
    """The merchant has it."""

    RETURNED = "returned"
    """The bank could not pay it; it is owed again."""


class Sum(NamedTuple):
    """What was paid at a merchant, our fee on it, and what the merchant gets."""

    gross: Yen
    fee: Yen
    net: Yen


def fee_of(gross: Yen, basis_points: int) -> Yen:
    """Return our fee on what was paid, rounded down to whole yen, in the merchant's favour."""
    return Yen(gross.amount * basis_points // BASIS_POINTS)


class Settlements:
    """Settles with the merchants of one wallet. Each step can be done again after a crash."""

    def __init__(self, house: WalletParts, party: Party, out: OutTray, results: InTray) -> None:
        """Take who we are to our bank, and the folders to it and from it."""
        self._house = house
        self._files = BankFiles(house.parts, FileKind.TRANSFERS, party, out)
        self._results = results

    async def go_round(self) -> None:
        """Settle once a day, and take what the bank answered. Raises OSError and OperationalError."""
        await self.settle(self._house.today())
        for name in await asyncio.to_thread(self._results.waiting):
            octets = await asyncio.to_thread(self._results.read, name)
            await asyncio.to_thread(self._results.put_away, name, taken=await self._take(octets, name))

    async def settle(self, on: date) -> list[BankFileId]:
        """Settle with every merchant who is owed something and was not settled with on this day.

        Hand over every file that was not; return the ids of the new ones, several where one can't hold them
        all. Raises OSError, Unsealable and OperationalError.
        """
        made = []
        while (file_id := await self._house.written(lambda at: self.settle_within(at, on))) is not None:
            made.append(file_id)
        await asyncio.to_thread(self._files.hand_over)
        return made

    def settle_within(self, connection: Connection, on: date) -> BankFileId | None:
        """Settle within a unit of work with as many as one file holds; None where nobody is left."""
        take_turn(connection)
        due = list(islice(self._due(connection, on), ROWS_MAX))
        if not due:
            return None
        file_id = self._files.write_within(connection, tuple(row for _, _, row in due), on)
        for one, found, row in due:
            self._book(connection, one, found, row, file_id, on)
        return file_id

    def take_within(self, connection: Connection, octets: bytes) -> int:
        """Take what became of a file, whole or not at all, and return how many rows it had.

        Raises ResultFileRefused.
        """
        house = self._house
        first = read_result(octets, near=house.today()).rows[0].reference
        its = select(settlement.c.file_id).where(settlement.c.reference == first)
        file_id = connection.execute(its).scalar_one_or_none()
        if file_id is None:
            raise ResultFileRefused(known="its first row is in no file of ours")
        answered = self._files.take_within(connection, octets, file_id)
        for row in answered.result.rows:
            self._end(connection, row)
        return len(answered.result.rows)

    async def _take(self, octets: bytes, name: str) -> bool:
        try:
            await self._house.written(lambda at: self.take_within(at, octets))
        except ResultTakenBefore:
            return True
        except ResultFileRefused as refused:
            log.warning("wallet:settlement:result_refused", file=name[:100], known=refused.known)
            return False
        return True

    def _due(self, connection: Connection, on: date) -> Iterator[tuple[Merchant, Sum, Row]]:
        """Yield what is to be paid to those who are owed something and were not settled with on a day."""
        its = select(settlement.c.merchant_id).where(settlement.c.on_day == on.isoformat())
        settled = set(connection.execute(its).scalars())
        for one in all_merchants(connection):
            found = sum_of(connection, one)
            if one.id in settled or found.net < LEAST:
                continue
            row = self._row(connection, one, found)
            if row is not None:
                yield one, found, row

    def _row(self, connection: Connection, merchant: Merchant, found: Sum) -> Row | None:
        """Return what the bank is to pay; None where a merchant's account does not open: the rest is paid."""
        house = self._house
        try:
            at_bank = settlement_account(connection, house, merchant.id)
        except Unsealable as damage:
            log.error("wallet:settlement:unreadable", merchant=merchant.id, failure=str(damage))  # noqa: TRY400 - rendered, an exception shows local variables
            return None
        reference = f"{house.chance.below(10**REFERENCE_DIGITS):0{REFERENCE_DIGITS}d}"
        return Row(at_bank, merchant.name_kana, found.net, reference)

    def _book(  # noqa: PLR0913, PLR0917 - what is settled, with whom, how much, in which file
        self,
        connection: Connection,
        merchant: Merchant,
        found: Sum,
        row: Row,
        file_id: BankFileId,
        on: date,
    ) -> None:
        house = self._house
        settlement_id = SETTLEMENT.new(house.clock, house.chance)
        own = house.accounts
        parts = ((NET_KIND, own.merchants_payable, found.net), (FEE_KIND, own.fee_income, found.fee))
        moves = [
            Transfer(
                key=f"{kind}:{settlement_id}",
                kind=kind,
                debit=merchant.account,
                credit=to,
                amount=amount,
                effective_on=on,
            )
            for kind, to, amount in parts
            if amount > Yen(0)
        ]
        post_all(connection, tuple(moves), clock=house.clock, chance=house.chance)
        values = {
            "id": settlement_id,
            "merchant_id": merchant.id,
            "on_day": on.isoformat(),
            "gross_yen": found.gross.amount,
            "fee_yen": found.fee.amount,
            "net_yen": found.net.amount,
            "reference": row.reference,
            "file_id": file_id,
            "state": SettlementState.SENT.value,
            "made_at_us": house.clock.now_us(),
        }
        connection.execute(insert(settlement), values)

    def _end(self, connection: Connection, row: Row) -> None:
        house = self._house
        its = select(settlement).where(settlement.c.reference == row.reference)
        kept = connection.execute(its).one()
        paid = row.result is TransferResult.PAID
        merchant = find_merchant(connection, kept.merchant_id)
        if merchant is None or kept.state != SettlementState.SENT:
            raise ResultFileRefused(known=f"{kept.id} is {kept.state}")
        net, fee = Yen(kept.net_yen), Yen(kept.fee_yen)
        own, merchants = house.accounts, merchant.account
        # What the bank did not pay is owed again, fee and all, and settled with the next day's.
        parts = (
            (("paid", own.merchants_payable, own.bank_receivable, net),)
            if paid
            else (
                ("returned", own.merchants_payable, merchants, net),
                ("fee_returned", own.fee_income, merchants, fee),
            )
        )
        moves = tuple(
            Transfer(
                key=f"settlement:{kept.id}:{what}",
                kind=f"wallet:settlement:{what}",
                debit=debit,
                credit=credit,
                amount=amount,
                effective_on=house.today(),
            )
            for what, debit, credit, amount in parts
            if amount > Yen(0)
        )
        post_all(connection, moves, clock=house.clock, chance=house.chance)
        state = SettlementState.PAID if paid else SettlementState.RETURNED
        ended = update(settlement).where(settlement.c.id == kept.id)
        connection.execute(ended.values(state=state.value))
        body = msgspec.json.encode({"merchant": merchant.id, "net_yen": kept.net_yen})
        entry = outbox.Entry(f"wallet:settlement:{state}", kept.id, house.clock.now_us(), body)
        outbox.append(connection, [entry])


def sum_of(connection: Connection, merchant: Merchant) -> Sum:
    """Return what a merchant is owed now, our fee on it, and what is left; nothing where it owes us."""
    account = find_account(connection, merchant.account)
    gross = max(Yen(0) if account is None else account.balance, Yen(0))
    fee = fee_of(gross, merchant.fee_basis_points)
    return Sum(gross, fee, gross - fee)
