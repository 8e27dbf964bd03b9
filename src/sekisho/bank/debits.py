"""Debits: a partner takes an amount from an account under a mandate, once by its key, within its ceilings.

Everything that decides is read in the unit of work that books: the switch, the mandate, the ceilings, the
balance. A refusal is an answer too: it is kept by its key, and the same request hears it again.
"""

from sqlalchemy import Connection

from sekisho.bank import mandates, orders
from sekisho.bank.debit_signs import BURST_US, RUN_US, USUAL_US, DebitWatchSettings, Seen, sign_in
from sekisho.bank.debit_statements import settlement_of
from sekisho.bank.depositor_notices import tell_first_debit, tell_held
from sekisho.bank.house import BankParts, open_settlement
from sekisho.bank.mandate_states import Actor, Deed, Who
from sekisho.bank.mandates import Action, Doing, Mandate
from sekisho.bank.orders import Asked, Direction, Order, Outcome, Why
from sekisho.bank.switches import Function, Switches, Usage
from sekisho.bank.under_mandate import Under, under_mandate, why_not
from sekisho.kernel.ids import DEBIT
from sekisho.kernel.yen import Yen
from sekisho.ledger.journal import take_turn
from sekisho.ledger.transfers import Booked, Transfer, post
from sekisho.ledger.transfers import Why as LedgerWhy

_RUN_MAX = 100


class DebitDesk:
    """Takes debits, one by one and from files."""

    def __init__(
        self, bank: BankParts, switches: Switches, *, watch: DebitWatchSettings | None = None
    ) -> None:
        """Take the house, what is switched off, and when debits of new mandates are held for review."""
        self._bank = bank
        self._switches = switches
        self._watch = watch or DebitWatchSettings()

    async def debit(self, asked: Asked) -> Order:
        """Debit an account, or say why not; the same key again returns what it was answered.

        Raises MandateUnknown, KeyUsedOtherwise, TooLate and OperationalError.
        """
        return await self._bank.written(lambda at: self.debit_within(at, asked))

    def debit_within(self, connection: Connection, asked: Asked, *, settled_through: str = "") -> Order:
        """Debit an account in the caller's unit of work, by default to the partner's own settlement account.

        Raises MandateUnknown, KeyUsedOtherwise and TooLate.
        """
        bank = self._bank
        # Two debits at once have to see each other's sums.
        take_turn(connection)
        before = orders.answered(connection, asked, Direction.DEBIT, bank.clock)
        if before is not None:
            return before
        under = under_mandate(connection, asked)
        why = self._why_not(connection, under, asked)
        transfer_id = None
        if why is None:
            why, transfer_id = self._book(connection, under, asked, settled_through)
        is_first = why is Why.DONE and under.mandate.first_debit_at_us is None
        outcome = Outcome(DEBIT.new(bank.clock, bank.chance), why, transfer_id, is_first)
        order = orders.record(
            connection, asked, under.deposit.id, outcome, direction=Direction.DEBIT, clock=bank.clock
        )
        if order.is_first:
            mandates.record_first_debit(connection, under.mandate.id, order.booked_at_us)
            tell_first_debit(connection, bank, under.mandate, order)
        return order

    def _why_not(self, connection: Connection, under: Under, asked: Asked) -> Why | None:
        now_us, one = self._bank.clock.now_us(), under.mandate
        is_new = one.first_debit_at_us is None
        usage = Usage(Function.DEBIT, asked.partner, is_new, under.named)
        if self._switches.off_within(connection, usage) is not None:
            return Why.SWITCHED_OFF
        why = why_not(connection, under, Action.DEBIT, now_us)
        if why is not None:
            return why
        if asked.amount.amount > one.ceiling_yen:
            return Why.ABOVE_CEILING
        month = orders.debited_in(connection, one.partner, one.deposit_id, orders.month_of(now_us))
        if (month + asked.amount).amount > one.month_ceiling_yen:
            return Why.ABOVE_MONTH_CEILING
        return Why.HELD_FOR_REVIEW if self._holds_back(connection, under, asked, now_us) else None

    def _holds_back(self, connection: Connection, under: Under, asked: Asked, now_us: int) -> bool:
        """Say whether the bank's watch holds a debit back; the mandate is stopped then until it was seen."""
        one = under.mandate
        if now_us - (one.active_from_us or now_us) >= self._watch.new_for_us:
            return False
        sign = sign_in(_seen(connection, one, asked.amount, now_us), self._watch)
        if sign is None:
            return False
        bank = self._bank
        doing = Doing(Deed.STOP, Actor(Who.WATCH), sign.value)
        stopped = mandates.move(connection, bank, one, doing)
        if stopped is not None:
            tell_held(connection, bank, stopped, asked.amount)
        return True

    def _book(
        self, connection: Connection, under: Under, asked: Asked, settled_through: str
    ) -> tuple[Why, str | None]:
        bank = self._bank
        settlement = (
            settled_through
            or settlement_of(connection, asked.partner)
            or open_settlement(connection, asked.partner, clock=bank.clock, chance=bank.chance)
        )
        transfer = Transfer(
            key=f"bank:debit:{asked.partner}:{asked.key}",
            kind="bank:debit",
            debit=under.deposit.ledger_account,
            credit=settlement,
            amount=asked.amount,
            effective_on=bank.today(),
            details={"text": asked.text, "mandate": under.mandate.id},
        )
        booked = post(connection, transfer, clock=bank.clock, chance=bank.chance)
        if isinstance(booked, Booked):
            return Why.DONE, booked.transfer_id
        if booked.why is LedgerWhy.ABOVE_DEBIT_LIMIT:
            return Why.NO_FUNDS, None
        raise RuntimeError(f"the ledger refused a debit of {under.mandate.id}: {booked.why}")


def _seen(connection: Connection, one: Mandate, amount: Yen, now_us: int) -> Seen:
    latest = orders.latest_of(connection, one.id, _RUN_MAX, since_us=now_us - RUN_US)
    done = [order for order in latest if order.direction is Direction.DEBIT and order.why is Why.DONE]
    hour_us = now_us - BURST_US
    is_first = one.first_debit_at_us is None
    return Seen(
        age_us=now_us - (one.active_from_us or now_us),
        is_first=is_first,
        amount=amount,
        month_ceiling=Yen(one.month_ceiling_yen),
        first_in_hour=orders.first_debits_since(connection, one.partner, hour_us, now_us + 1)
        if is_first
        else 0,
        first_before=orders.first_debits_since(connection, one.partner, hour_us - USUAL_US, hour_us)
        if is_first
        else 0,
        run=len(done),
        run_amount=Yen(sum(order.amount_yen for order in done)),
    )
