"""What a machine does between its keys, its slot and the lender: one session after the other."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from enum import StrEnum

import msgspec

from sekisho.kernel.chance import Chance
from sekisho.kernel.posture import OperationalError
from sekisho.lender.atm_machines import AtMachine, Entered, Result, Typed
from sekisho.lender.atm_network import CashState
from sekisho.lender.atm_sessions import Direction, SessionState, Shown
from sekisho.range.atm.lender_line import Declined, LenderLine
from sekisho.range.atm.machine import Machine

KEY_OCTETS = 12
TELL_EVERY_S = 5.0


class View(StrEnum):
    """What the screen shows."""

    IDLE = "idle"
    """Touch to begin."""

    CODE = "code"
    """A code to be read with the app."""

    WAITING = "waiting"
    """The app has read it, and its owner chooses."""

    PIN = "pin"
    """Type company number and PIN."""

    INSERT = "insert"
    """Type the company number, and put the cash in."""

    CASH = "cash"
    """Take the cash."""

    KEPT = "kept"
    """The cash was taken."""

    OVER = "over"
    """Nothing came of it."""

    AWAY = "away"
    """The lender does not answer."""


class Screen(msgspec.Struct, frozen=True, kw_only=True):
    """What the person at the machine sees."""

    view: View = View.IDLE
    qr: str = ""
    typed: str = ""
    amount_yen: int = 0
    fee_yen: int = 0
    moved_yen: int = 0
    tries_left: int = 0
    wrong: str = ""


class Teller:
    """Serves one person at a time at one machine."""

    def __init__(self, machine: Machine, line: LenderLine, chance: Chance) -> None:
        self.machine = machine
        self._line = line
        self._chance = chance
        self._shown: Shown | None = None
        self.screen = Screen()

    async def begin(self) -> Screen:
        """Ask for a new code and show it."""
        try:
            self._shown = await self._line.show(self.machine.machine_id, self._key())
        except Declined:
            return self._turn(view=View.OVER)
        except OperationalError:
            return self._turn(view=View.AWAY)
        return self._turn(view=View.CODE, qr=self._shown.qr, typed=self._shown.typed)

    async def look(self) -> Screen:
        """Ask the lender how far it has come, where the screen waits for the app."""
        if self._shown is None or self.screen.view not in {View.CODE, View.WAITING}:
            return self.screen
        try:
            at = await self._line.look(self._shown.session_id)
        except Declined:
            return self._turn(view=View.OVER)
        except OperationalError:
            return self.screen
        return self._follow(at)

    async def enter(self, company_number: str, pin: str) -> Screen:
        """Pass on what was typed; the order to pay comes from the lender itself, meanwhile or later."""
        if self._shown is None or self.screen.view is not View.PIN:
            return self.screen
        entered = await self._asked(lambda key, at: self._line.enter(at, Typed(key, company_number, pin)))
        if entered is None or entered.result is not Result.PAYING:
            return self._wrong(entered)
        paid = self.machine.query(entered.order_id)
        await self.tell()
        if paid.state is not CashState.DONE or not paid.moved_yen:
            return self._turn(view=View.OVER)
        return self._turn(view=View.CASH, amount_yen=entered.amount_yen, moved_yen=paid.moved_yen)

    async def insert(self, company_number: str, yen: int) -> Screen:
        """Take cash in, once the lender expects it; otherwise it is handed back."""
        if self._shown is None or self.screen.view is not View.INSERT:
            return self.screen
        entered = await self._asked(lambda key, at: self._line.count(at, Typed(key, company_number), yen))
        if entered is None or entered.result is not Result.COUNTED:
            return self._wrong(entered)
        kept = self.machine.keep(entered.order_id, yen, entered.not_after_us)
        await self.tell()
        if kept.state is not CashState.DONE:
            return self._turn(view=View.OVER)
        return self._turn(view=View.KEPT, moved_yen=kept.moved_yen, fee_yen=entered.fee_yen)

    def leave(self) -> Screen:
        """Let the next person come."""
        self._shown = None
        return self._turn(view=View.IDLE)

    async def tell(self) -> int:
        """Tell the lender what it has not acknowledged, and return how much is left to tell."""
        for answer in self.machine.untold():
            try:
                await self._line.confirm(answer)
            except OperationalError:
                break
            except Declined:
                # The lender does not know the order; its day's report is where that is looked into.
                pass
            self.machine.told(answer.order_id)
        return len(self.machine.untold())

    async def keep_telling(self) -> None:
        """Tell again and again, until cancelled."""
        while True:
            with suppress(OperationalError):
                await self.tell()
            await asyncio.sleep(TELL_EVERY_S)

    async def _asked(self, ask: Callable[[str, str], Awaitable[Entered]]) -> Entered | None:
        """Ask under one key, once more where no answer came; None where the lender has ended the session."""
        assert self._shown is not None  # noqa: S101 - asked with a session on the screen alone
        key, session_id = self._key(), self._shown.session_id
        try:
            try:
                return await ask(key, session_id)
            except OperationalError:
                return await ask(key, session_id)
        except (Declined, OperationalError):
            return None

    def _follow(self, at: AtMachine) -> Screen:
        match at.state:
            case SessionState.SHOWN:
                return self.screen
            case SessionState.CLAIMED:
                return self._turn(view=View.WAITING)
            case SessionState.APPROVED:
                view = View.INSERT if at.direction == Direction.REPAYMENT else View.PIN
                return self._turn(view=view, amount_yen=at.amount_yen, fee_yen=at.fee_yen)
            case _:
                return self._turn(view=View.OVER)

    def _wrong(self, entered: Entered | None) -> Screen:
        again = entered is not None and entered.result in {Result.WRONG_NUMBER, Result.WRONG_PIN}
        if entered is None or not again or not entered.tries_left:
            return self._turn(view=View.OVER)
        self.screen = msgspec.structs.replace(
            self.screen, wrong=entered.result.value, tries_left=entered.tries_left
        )
        return self.screen

    def _turn(self, *, view: View, qr: str = "", typed: str = "", **yen: int) -> Screen:
        self.screen = msgspec.structs.replace(Screen(view=view, qr=qr, typed=typed), **yen)
        return self.screen

    def _key(self) -> str:
        return self._chance.octets(KEY_OCTETS).hex()
