"""Files that go to the bank, and the results that come back: each handed over once, each taken once.

A file is written down, sealed, in the unit of work that puts orders into it. Handing it over comes after
that and can be done again: the tray takes the same name once, whatever crashed in between. A result is
compared with what was sent, row by row, before anything is changed.
"""

import hashlib
import hmac
from datetime import date
from typing import NamedTuple

from sqlalchemy import Connection, insert, select, update

from sekisho.identity.institution import Parts
from sekisho.kernel.ids import BANK_FILE, BankFileId
from sekisho.kernel.refusals import Refusal
from sekisho.linking.exchange import OutTray
from sekisho.linking.zengin import (
    FileKind,
    Party,
    Row,
    ZenginFault,
    ZenginFile,
    read_file,
    write_file,
)
from sekisho.storage import outbox
from sekisho.storage.sealed_columns import context_of
from sekisho.storage.tables.borrowings import bank_file

ROWS_MAX = 10_000


class ResultFileRefused(Refusal):
    """A result is not what came of a file of ours; nothing of it was taken."""

    code = "result_file_refused"
    status = 422
    told = "This result file doesn't belong to a file that we sent. Nothing of it was taken."


class ResultTakenBefore(ResultFileRefused):
    """Exactly this result was taken before: it may be put away."""


class SentFile(NamedTuple):
    """A file of ours that a result answers to, with what the result says of it."""

    id: BankFileId
    on: date
    result: ZenginFile


class BankFiles:
    """Writes files of one kind, hands them over and takes their results."""

    def __init__(self, parts: Parts, kind: FileKind, party: Party, tray: OutTray) -> None:
        self._parts = parts
        self._kind = kind
        self._party = party
        self._tray = tray

    def write_within(self, connection: Connection, rows: tuple[Row, ...], on: date) -> BankFileId:
        """Write a file down in the unit of work that puts its orders into it. Raises ZenginFault."""
        parts = self._parts
        file_id, now_us = BANK_FILE.new(parts.clock, parts.chance), parts.clock.now_us()
        file = ZenginFile(self._kind, self._party, on, rows)
        connection.execute(
            insert(bank_file),
            {
                "id": file_id,
                "kind": self._kind.value,
                "on_day": on.isoformat(),
                "name": f"{self._kind.name.lower()}-{on:%Y%m%d}-{file_id}.txt",
                "sealed": parts.keyring.seal(write_file(file), context=_context(file_id)),
                "rows": len(rows),
                "amount_yen": file.amount.amount,
                "made_at_us": now_us,
                "handed_over_us": None,
                "result_digest": None,
                "result_at_us": None,
            },
        )
        outbox.append(connection, [outbox.Entry("bank_file:made", file_id, now_us, b"{}")])
        return file_id

    def hand_over(self) -> int:
        """Hand over what was not yet, in its order, and return how many files that were. Blocks.

        After a crash it is simply called again. Raises OSError, Unsealable and OperationalError.
        """
        waiting = select(bank_file).where(
            bank_file.c.kind == self._kind.value, bank_file.c.handed_over_us.is_(None)
        )
        with self._parts.store.read() as connection:
            files = connection.execute(waiting.order_by(bank_file.c.id)).all()
        for file in files:
            self._tray.put(file.name, self._parts.keyring.open(file.sealed, context=_context(file.id)))
            self._recorded(file.id)
        return len(files)

    def _recorded(self, file_id: str) -> None:
        now_us = self._parts.clock.now_us()
        one = update(bank_file).where(bank_file.c.id == file_id, bank_file.c.handed_over_us.is_(None))
        self._parts.store.write(lambda at: at.execute(one.values(handed_over_us=now_us)).rowcount).result()

    def take_within(self, connection: Connection, octets: bytes, file_id: str) -> SentFile:
        """Take a result for a file, whole, or refuse it: the caller's unit of work is rolled back then.

        It must be the file that we sent, with a result in every row: no row less, none more, none changed.
        Raises ResultFileRefused and Unsealable.
        """
        one = select(bank_file).where(bank_file.c.id == file_id, bank_file.c.kind == self._kind.value)
        found = connection.execute(one.with_for_update()).one_or_none()
        if found is None:
            raise ResultFileRefused(known=f"no file {file_id[:40]}")
        digest = hashlib.sha256(octets).digest()
        if found.result_digest is not None:
            same = hmac.compare_digest(bytes(found.result_digest), digest)
            refused = ResultTakenBefore if same else ResultFileRefused
            raise refused(known=f"{file_id}: a result was taken before")
        result = read_result(octets, near=date.fromisoformat(found.on_day))
        sent = read_file(
            self._parts.keyring.open(found.sealed, context=_context(file_id)),
            near=date.fromisoformat(found.on_day),
        )
        _require_answer(sent, result)
        now_us = self._parts.clock.now_us()
        taken = update(bank_file).where(bank_file.c.id == file_id)
        # Whoever answers has the file, also where its sender died before that was written down.
        handed_over_us = now_us if found.handed_over_us is None else found.handed_over_us
        connection.execute(
            taken.values(result_digest=digest, result_at_us=now_us, handed_over_us=handed_over_us)
        )
        outbox.append(connection, [outbox.Entry("bank_file:answered", file_id, now_us, b"{}")])
        return SentFile(BankFileId(file_id), sent.on, result)


def read_result(octets: bytes, *, near: date) -> ZenginFile:
    """Read a result. Raises ResultFileRefused where it is no file, or empty."""
    try:
        result = read_file(octets, near=near)
    except ZenginFault as fault:
        raise ResultFileRefused(known=str(fault)) from fault
    if not result.rows:
        raise ResultFileRefused(known="no rows")
    return result


def _require_answer(sent: ZenginFile, result: ZenginFile) -> None:
    """Raise ResultFileRefused where a result does not answer to what was sent."""
    if (result.kind, result.party, result.on) != (sent.kind, sent.party, sent.on):
        raise ResultFileRefused(known=f"a file of {result.on}, and ours was of {sent.on}")
    if len(result.rows) != len(sent.rows):
        raise ResultFileRefused(known=f"{len(result.rows)} rows, and {len(sent.rows)} were sent")
    for number, (asked, told) in enumerate(zip(sent.rows, result.rows, strict=True), start=2):
        if told.result is None:
            raise ResultFileRefused(known=f"record {number} says nothing")
        if told._replace(result=None) != asked:
            raise ResultFileRefused(known=f"record {number} is not what was sent")


def _context(file_id: str) -> str:
    return context_of(bank_file.c.sealed, id=file_id)
