"""A machine that keeps its word: each order once, none after its time, none that it gave up.

The journal says what was begun before a note moves and how much moved afterwards. When power comes back in
between, the sensors of the vault say how much it was.
"""

from datetime import date
from enum import StrEnum
from pathlib import Path

import msgspec

from sekisho.kernel.clock import Clock
from sekisho.kernel.ids import made_at_us
from sekisho.kernel.japan import day_in_japan
from sekisho.lender.atm_network import CashAnswer, CashState, DayReport, PayOut, ReportLine
from sekisho.range.atm.lines import Lines
from sekisho.range.atm.vault import Vault


class Step(StrEnum):
    """What the journal says of an order."""

    BEGUN = "begun"
    """Notes may move from now on."""

    MOVED = "moved"
    """So much moved, and it is over."""

    NEVER = "never"
    """It was given up, and will not be begun."""

    TOLD = "told"
    """The lender has acknowledged what became of it."""


class JournalLine(msgspec.Struct, frozen=True, kw_only=True):
    """One step of one order. Times are the machine's own."""

    order_id: str
    step: Step
    at_us: int
    yen: int = 0


class Machine:
    """One machine: its id, its journal and its vault. Its methods are called one after the other."""

    def __init__(self, machine_id: str, folder: Path, vault: Vault, clock: Clock) -> None:
        """Take up the work where it stopped: what was begun is over now, as far as the sensors say."""
        self.machine_id = machine_id
        self.vault = vault
        self._clock = clock
        self._journal = Lines(folder / "journal.ndjson", JournalLine)
        self._last: dict[str, JournalLine] = {}
        self._told: set[str] = set()
        for line in self._journal:
            self._learn(line)
        for line in [line for line in self._last.values() if line.step is Step.BEGUN]:
            self._write(line.order_id, Step.MOVED, vault.moved(line.order_id))

    def pay_out(self, order: PayOut) -> CashAnswer:
        """Pay an order out, once. One that comes too late, or that the stock can't meet, is given up."""
        known = self._last.get(order.order_id)
        if known is not None:
            return _answer(known)
        late = self._clock.now_us() >= order.not_after_us
        if late or order.machine_id != self.machine_id or order.amount_yen > self.vault.stock_yen:
            return _answer(self._write(order.order_id, Step.NEVER))
        self._write(order.order_id, Step.BEGUN, order.amount_yen)
        self.vault.pay(order.order_id, order.amount_yen)
        return _answer(self._write(order.order_id, Step.MOVED, self.vault.moved(order.order_id)))

    def keep(self, order_id: str, yen: int, not_after_us: int) -> CashAnswer:
        """Keep the cash of a deposit, once; after its time it is handed back."""
        known = self._last.get(order_id)
        if known is not None:
            return _answer(known)
        if self._clock.now_us() >= not_after_us:
            return _answer(self._write(order_id, Step.NEVER))
        self._write(order_id, Step.BEGUN, yen)
        self.vault.take(order_id, yen)
        return _answer(self._write(order_id, Step.MOVED, self.vault.moved(order_id)))

    def query(self, order_id: str) -> CashAnswer:
        """Say what became of an order."""
        known = self._last.get(order_id)
        return CashAnswer(order_id=order_id, state=CashState.UNHEARD) if known is None else _answer(known)

    def reverse(self, order_id: str) -> CashAnswer:
        """Give an order up for good where it was not begun; otherwise say what became of it."""
        known = self._last.get(order_id)
        return _answer(self._write(order_id, Step.NEVER) if known is None else known)

    def report(self, day: date) -> DayReport:
        """Say what moved under the orders of a day; an order's id says when it was made."""
        lines = tuple(
            ReportLine(order_id=line.order_id, moved_yen=line.yen)
            for line in self._last.values()
            if line.step is Step.MOVED and day_in_japan(made_at_us(line.order_id)) == day
        )
        now_us = self._clock.now_us()
        return DayReport(machine_id=self.machine_id, day=day.isoformat(), made_at_us=now_us, lines=lines)

    def untold(self) -> list[CashAnswer]:
        """Return what the lender has not acknowledged yet."""
        return [_answer(line) for line in self._last.values() if line.order_id not in self._told]

    def told(self, order_id: str) -> None:
        """Write down that the lender has acknowledged it."""
        self._write(order_id, Step.TOLD)

    def close(self) -> None:
        """Let the files go."""
        self._journal.close()
        self.vault.close()

    def _write(self, order_id: str, step: Step, yen: int = 0) -> JournalLine:
        line = JournalLine(order_id=order_id, step=step, at_us=self._clock.now_us(), yen=yen)
        self._journal.add(line)
        self._learn(line)
        return line

    def _learn(self, line: JournalLine) -> None:
        if line.step is Step.TOLD:
            self._told.add(line.order_id)
        else:
            self._last[line.order_id] = line


def _answer(line: JournalLine) -> CashAnswer:
    match line.step:
        case Step.MOVED:
            return CashAnswer(order_id=line.order_id, state=CashState.DONE, moved_yen=line.yen)
        case Step.BEGUN:
            return CashAnswer(order_id=line.order_id, state=CashState.WORKING)
        case _:
            return CashAnswer(order_id=line.order_id, state=CashState.NEVER)
