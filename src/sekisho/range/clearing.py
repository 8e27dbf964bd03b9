"""The banks outside, as one that clears: what is for a bank that plays along is passed on, the rest answered.

All folders stand in one: `<from>/<to>/`. A file stays where its sender put it until all of it is answered, so
that nothing has to be remembered. What a bank far away answers goes by the end of the account's number. What
is to be debited later is debited today, which no real clearing does.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import structlog

from sekisho.kernel.clock import Clock
from sekisho.kernel.japan import day_in_japan
from sekisho.linking.exchange import FolderTray, InTray
from sekisho.linking.zengin import (
    DebitResult,
    FileKind,
    Row,
    TransferResult,
    ZenginFault,
    ZenginFile,
    read_file,
    write_file,
)

log = structlog.get_logger(__name__)

NAME = "clearing"
EVERY_S = 2.0
_TRANSFERS = {"901": TransferResult.NO_ACCOUNT, "902": TransferResult.HOLDER_DIFFERS}
_DEBITS = {
    "901": DebitResult.NO_ACCOUNT,
    "902": DebitResult.NO_FUNDS,
    "903": DebitResult.DEPOSITOR_STOPPED,
    "904": DebitResult.NO_MANDATE,
}


class _Bank(NamedTuple):
    """The folders to and from a bank that plays along."""

    out: FolderTray
    results: InTray


class Clearing:
    """Clears what one institution sends. `banks` names those that play along, by their codes."""

    def __init__(self, exchange: Path, sender: str, banks: Mapping[str, str], clock: Clock) -> None:
        self._files = InTray(exchange / sender / NAME)
        self._answers = FolderTray(exchange / NAME / sender)
        self._banks = {
            code: _Bank(FolderTray(exchange / NAME / bank), InTray(exchange / bank / NAME))
            for code, bank in banks.items()
        }
        self._clock = clock

    async def go_round(self) -> None:
        """Pass on and answer what can be. Raises OSError."""
        for name in self._files.waiting():
            try:
                file = read_file(self._files.read(name), near=day_in_japan(self._clock.now_us()))
            except ZenginFault as fault:
                log.warning("clearing:file:refused", file=name[:100], fault=str(fault))
                self._files.put_away(name, taken=False)
                continue
            self._clear(name, file)

    def _clear(self, name: str, file: ZenginFile) -> None:
        answered: dict[str, Row] = {}
        for code, bank in self._banks.items():
            own = [row for row in file.rows if row.account.bank == code]
            if not own:
                continue
            said = self._ask(bank, name, file, own)
            if not said:
                return
            answered |= {row.reference: row for row in said}
        rows = tuple(answered.get(row.reference) or _far_away(file.kind, row) for row in file.rows)
        self._answers.put(name, write_file(file._replace(rows=rows)))
        self._files.put_away(name)
        for bank in self._banks.values():
            if name in bank.results.waiting():
                bank.results.put_away(name)

    def _ask(self, bank: _Bank, name: str, file: ZenginFile, rows: Sequence[Row]) -> tuple[Row, ...]:
        """Return what a bank answers for its rows; nothing while it has not."""
        on = min(file.on, day_in_japan(self._clock.now_us()))
        bank.out.put(name, write_file(file._replace(rows=tuple(rows), on=on)))
        if name not in bank.results.waiting():
            return ()
        return read_file(bank.results.read(name), near=file.on).rows


def _far_away(kind: FileKind, row: Row) -> Row:
    end = row.account.number[-3:]
    if kind is FileKind.TRANSFERS:
        return row._replace(result=_TRANSFERS.get(end, TransferResult.PAID))
    return row._replace(result=_DEBITS.get(end, DebitResult.DONE))
