"""Files of other institutions: transfers to our depositors (21), debits of them (91), each with its result.

A file is taken whole or not at all, and once: the same file again gets the same result, to the byte. What is
wrong with a file is told with the record and the field; what is wrong with a row is the row's result.
"""

import hashlib
from datetime import timedelta
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, insert, select

from sekisho.bank import file_partners
from sekisho.bank.credits import CreditSettings
from sekisho.bank.debits import DebitDesk
from sekisho.bank.file_rows import FileRows, Moved
from sekisho.bank.house import BankParts
from sekisho.bank.switches import Switches
from sekisho.kernel.ids import TAKEN_FILE, TakenFileId
from sekisho.kernel.refusals import Refusal
from sekisho.kernel.yen import Yen
from sekisho.ledger.accounts import find_account
from sekisho.ledger.journal import take_turn
from sekisho.linking.zengin import FileKind, ZenginFault, ZenginFile, read_file, write_file
from sekisho.storage import outbox
from sekisho.storage.sealed_columns import context_of
from sekisho.storage.tables.mandates import taken_file, taken_row

ROWS_MAX = 10_000
"""A file is one unit of work, and others wait for it: more rows come in more files."""

DAYS_BACK_MAX = 7
"""How old a file may be: over the longest holidays, what was sent before them is still taken after them."""


class BankFileRefused(Refusal):
    """A file of which nothing was taken. What is told names the record, from 1, and the field."""

    code = "bank_file_refused"
    status = 422
    told = "Nothing of the file was taken."

    def __init__(self, record: int, what: str, field: str = "") -> None:
        self.record = record
        self.field = field
        fault = ZenginFault(record, what, field)
        super().__init__(told=f"Nothing of the file was taken: {fault}.", known=str(fault))


class Settled(NamedTuple):
    """With whom a file is settled: the name of the partner, and the account in the books."""

    partner: str
    account: str


class FileDesk:
    """Takes files of one way in: straight from registered senders, or through the clearing."""

    def __init__(
        self,
        bank: BankParts,
        debits: DebitDesk,
        switches: Switches,
        *,
        through_clearing: bool,
        settings: CreditSettings | None = None,
    ) -> None:
        self._bank = bank
        self._rows = FileRows(bank, debits, switches)
        self._through_clearing = through_clearing
        self._settings = settings or CreditSettings()

    async def take(self, octets: bytes) -> bytes:
        """Take a file and return its result: the file with a code in each row.

        Raises BankFileRefused, Unsealable and OperationalError.
        """
        return await self._bank.written(lambda at: self.take_within(at, octets))

    def take_within(self, connection: Connection, octets: bytes) -> bytes:
        """Take a file in the caller's unit of work. Raises BankFileRefused and Unsealable."""
        file = self._read(octets)
        # Line ends are no part of what a file says: with or without them it is the same file.
        digest = hashlib.sha256(write_file(file)).digest()
        take_turn(connection)
        before = self._result_of(connection, digest)
        if before is not None:
            return before
        settled = self._settled(connection, file)
        self._require_new(connection, file, settled.partner)
        moved = self._rows.move(connection, file, settled.partner, settled.account)
        rows = tuple(row._replace(result=each.result) for row, each in zip(file.rows, moved, strict=True))
        result = write_file(file._replace(rows=rows))
        self._record(connection, file, moved, partner=settled.partner, digest=digest, result=result)
        return result

    def _read(self, octets: bytes) -> ZenginFile:
        today = self._bank.today()
        try:
            file = read_file(octets, near=today)
        except ZenginFault as fault:
            raise BankFileRefused(fault.record, fault.what, fault.field) from fault
        if not timedelta(0) <= today - file.on <= timedelta(days=DAYS_BACK_MAX):
            raise BankFileRefused(1, f"is of another day: {file.on}, and today is {today}", "day")
        if len(file.rows) > ROWS_MAX:
            raise BankFileRefused(0, f"has more than {ROWS_MAX:,} records; send it in parts")
        seen: set[str] = set()
        for record, row in enumerate(file.rows, start=2):
            if row.amount <= Yen(0):
                raise BankFileRefused(record, "must be above zero", "amount")
            if row.result is not None:
                raise BankFileRefused(record, "is there before it was asked for", "result")
            if not row.reference or row.reference in seen:
                raise BankFileRefused(record, "is empty, or stands in the file twice", "reference")
            seen.add(row.reference)
        if not file.rows:
            raise BankFileRefused(0, "no records")
        return file

    def _settled(self, connection: Connection, file: ZenginFile) -> Settled:
        """Return with whom a file is settled. Raises BankFileRefused where it is nobody who may send."""
        partner = file_partners.partner_of(file.party.code)
        if self._through_clearing:
            return Settled(partner, self._bank.accounts.interbank)
        sender = file_partners.find(connection, file.party.code)
        if sender is None:
            raise BankFileRefused(1, "is nobody's who may send files", "party_code")
        books = find_account(connection, sender.settlement_account)
        left = (books.balance if books else Yen(0)) + Yen(self._settings.partner_owes_max_yen)
        if file.kind is FileKind.TRANSFERS and file.amount > left:
            raise BankFileRefused(0, "the sender has less with us than the file adds up to")
        return Settled(partner, sender.settlement_account)

    def _require_new(self, connection: Connection, file: ZenginFile, partner: str) -> None:
        """Refuse a file with a row that was in another one of the same day: it would move twice."""
        its = select(taken_row.c.reference).where(
            taken_row.c.partner == partner,
            taken_row.c.kind == file.kind.value,
            taken_row.c.on_day == file.on.isoformat(),
        )
        there = set(connection.execute(its).scalars())
        for record, row in enumerate(file.rows, start=2):
            if row.reference in there:
                raise BankFileRefused(record, "was in another file of this day", "reference")

    def _result_of(self, connection: Connection, digest: bytes) -> bytes | None:
        its = select(taken_file.c.id, taken_file.c.sealed).where(taken_file.c.digest == digest)
        row = connection.execute(its).one_or_none()
        return None if row is None else self._bank.keyring.open(row.sealed, context=_context(row.id))

    def _record(  # noqa: PLR0913 - a file, whose, and what came of it
        self,
        connection: Connection,
        file: ZenginFile,
        moved: tuple[Moved, ...],
        *,
        partner: str,
        digest: bytes,
        result: bytes,
    ) -> None:
        bank = self._bank
        file_id, now_us = TAKEN_FILE.new(bank.clock, bank.chance), bank.clock.now_us()
        connection.execute(
            insert(taken_file),
            {
                "id": file_id,
                "digest": digest,
                "partner": partner,
                "kind": file.kind.value,
                "on_day": file.on.isoformat(),
                "rows": len(file.rows),
                "amount_yen": file.amount.amount,
                "sealed": bank.keyring.seal(result, context=_context(file_id)),
                "taken_at_us": now_us,
            },
        )
        rows = [
            {
                "file_id": file_id,
                "record": record,
                "partner": partner,
                "kind": file.kind.value,
                "on_day": file.on.isoformat(),
                "reference": row.reference,
                "result": each.result.value,
                "transfer_id": each.transfer_id,
            }
            for record, (row, each) in enumerate(zip(file.rows, moved, strict=True), start=2)
        ]
        connection.execute(insert(taken_row), rows)
        body = msgspec.json.encode(
            {"partner": partner, "kind": file.kind, "rows": len(rows), "amount_yen": file.amount.amount}
        )
        outbox.append(connection, [outbox.Entry("bank:file:taken", file_id, now_us, body)])


def _context(file_id: TakenFileId) -> str:
    return context_of(taken_file.c.sealed, id=file_id)
