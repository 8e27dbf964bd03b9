"""Credits: a partner pays out to a linked account, once by its key, from what it has with the bank."""

from typing import NamedTuple

from sqlalchemy import Connection

from sekisho.bank import orders
from sekisho.bank.house import BankParts, open_settlement
from sekisho.bank.mandates import Action
from sekisho.bank.orders import Asked, Direction, Order, Outcome, Why
from sekisho.bank.switches import Function, Switches, Usage
from sekisho.bank.under_mandate import Under, under_mandate, why_not
from sekisho.kernel.ids import CREDIT
from sekisho.kernel.yen import Yen
from sekisho.ledger.accounts import find_account
from sekisho.ledger.journal import take_turn
from sekisho.ledger.transfers import Booked, Transfer, post


class CreditSettings(NamedTuple):
    """By how much a partner's payouts may exceed what it has with the bank, until it settles."""

    partner_owes_max_yen: int = 10_000_000


class CreditDesk:
    """Takes payouts to linked accounts."""

    def __init__(self, bank: BankParts, switches: Switches, settings: CreditSettings | None = None) -> None:
        self._bank = bank
        self._switches = switches
        self._settings = settings or CreditSettings()

    async def credit(self, asked: Asked) -> Order:
        """Pay out to an account, or say why not; the same key again returns what it was answered.

        Raises MandateUnknown, KeyUsedOtherwise, TooLate and OperationalError.
        """
        return await self._bank.written(lambda at: self.credit_within(at, asked))

    def credit_within(self, connection: Connection, asked: Asked) -> Order:
        """Pay out in the caller's unit of work. Raises MandateUnknown, KeyUsedOtherwise, TooLate."""
        bank = self._bank
        take_turn(connection)
        before = orders.answered(connection, asked, Direction.CREDIT, bank.clock)
        if before is not None:
            return before
        under = under_mandate(connection, asked)
        settlement = open_settlement(connection, asked.partner, clock=bank.clock, chance=bank.chance)
        why = self._why_not(connection, under, asked, settlement)
        transfer_id = self._book(connection, under, asked, settlement) if why is None else None
        outcome = Outcome(CREDIT.new(bank.clock, bank.chance), why or Why.DONE, transfer_id)
        return orders.record(
            connection, asked, under.deposit.id, outcome, direction=Direction.CREDIT, clock=bank.clock
        )

    def _why_not(self, connection: Connection, under: Under, asked: Asked, settlement: str) -> Why | None:
        is_new = under.mandate.first_debit_at_us is None
        usage = Usage(Function.CREDIT, asked.partner, is_new, under.named)
        if self._switches.off_within(connection, usage) is not None:
            return Why.SWITCHED_OFF
        why = why_not(connection, under, Action.CREDIT, self._bank.clock.now_us())
        if why is not None:
            return why
        books = find_account(connection, settlement)
        left = (books.balance if books else Yen(0)) + Yen(self._settings.partner_owes_max_yen)
        return Why.PARTNER_FUNDS if asked.amount > left else None

    def _book(self, connection: Connection, under: Under, asked: Asked, settlement: str) -> str:
        bank = self._bank
        transfer = Transfer(
            key=f"bank:credit:{asked.partner}:{asked.key}",
            kind="bank:credit",
            debit=settlement,
            credit=under.deposit.ledger_account,
            amount=asked.amount,
            effective_on=bank.today(),
            details={"text": asked.text, "mandate": under.mandate.id},
        )
        booked = post(connection, transfer, clock=bank.clock, chance=bank.chance)
        if not isinstance(booked, Booked):
            raise RuntimeError(f"the ledger refused a credit under {under.mandate.id}: {booked.why}")  # noqa: TRY004 - no type is wrong; the books are
        return booked.transfer_id
