"""Debits that a depositor did not make: paid back to the account, and recovered from the partner.

The depositor is paid first, at the bank's own loss. What the partner bears of it is between the two.
"""

import msgspec
from sqlalchemy import Connection, Select, select

from sekisho.bank import deposits, orders, partner_names
from sekisho.bank.deposits import DepositState
from sekisho.bank.house import BankParts
from sekisho.bank.orders import Direction, Order, OrderState
from sekisho.kernel.yen import Yen
from sekisho.ledger.journal import take_turn
from sekisho.ledger.statements import KeptTransfer, find_transfer, transfer_of
from sekisho.ledger.transfers import Refused, Transfer, post
from sekisho.response.claims import Award, ClaimRefused, Loss
from sekisho.response.partner_books import Booking, ReceiptNotBookable, Received, book_received
from sekisho.response.recovery_rows import Way
from sekisho.storage.tables.deposits import deposit, depositor
from sekisho.storage.tables.mandates import mandate_order

SHOWN_MAX = 200
"""How many debits of one depositor are offered to choose from."""

COMPENSATION = "bank:compensation"
"""The kind of what is paid back."""

RECOVERY = "bank:recovery"
"""The kind of what a partner bears."""


class BankLosses:
    """Knows what partners debited, by the id of the debit, and books what they bear of it."""

    ways = (Way.SET_OFF, Way.TRANSFER)

    def __init__(self, bank: BankParts) -> None:
        self._bank = bank

    def find(self, connection: Connection, loss: str) -> Loss | None:
        """Return what was debited, from whose account and when; a holder without online bank is nobody's."""
        row = connection.execute(_debits().where(mandate_order.c.id == loss)).one_or_none()
        return None if row is None else Loss(row.member_id or "", row.amount_yen, row.booked_at_us)

    def of_member(self, connection: Connection, member_id: str) -> dict[str, Loss]:
        """Return what was debited from a member's accounts, by id, the newest first."""
        own = _debits().where(depositor.c.member_id == member_id).order_by(mandate_order.c.id.desc())
        rows = connection.execute(own.limit(SHOWN_MAX))
        return {row.id: Loss(row.member_id, row.amount_yen, row.booked_at_us) for row in rows}

    def make_good(self, connection: Connection, award: Award) -> str:
        """Pay a debit back to the account that it was taken from, once for each debit.

        A blocked account takes it too. Raises ClaimRefused where the account is closed, or less was debited.
        """
        take_turn(connection)
        debit = _debit(connection, award)
        account = deposits.find(connection, debit.deposit_id)
        if account is None or account.state is DepositState.CLOSED:
            raise ClaimRefused(known=f"{award.loss}: no account", told="The account is closed.")
        borne_by = self._bank.accounts.fraud_loss
        return self._once(connection, award, debit=borne_by, credit=account.ledger_account)

    def partner_of(self, connection: Connection, loss: str) -> str:
        """Return whose debit it was."""
        found = orders.find(connection, loss)
        return "" if found is None else found.partner

    def name_of(self, connection: Connection, partner: str, language: str) -> str:
        """Return what a partner is called, as depositors read it."""
        return partner_names.name_of(connection, partner, language)

    def receive(self, connection: Connection, received: Received) -> str:
        """Book what a partner bears: from other banks, or against what we owe the partner.

        What is set off comes from what the debits were credited to: the partner's settlement account, or,
        where they came through the clearing, the other banks'. Raises ReceiptNotBookable.
        """
        take_turn(connection)
        own, paid_from = self._bank.accounts, self._bank.accounts.interbank
        if received.way is Way.SET_OFF:
            paid_from = self._credited_for(connection, received)
        booking = Booking(f"partner_receipt:{received.receipt_id}", RECOVERY, paid_from, own.fraud_loss)
        return book_received(connection, received, booking, clock=self._bank.clock, chance=self._bank.chance)

    def _credited_for(self, connection: Connection, received: Received) -> str:
        """Return the one account that debits were credited to. Raises ReceiptNotBookable."""
        found = [orders.find(connection, loss) for loss in received.losses]
        taken = [find_transfer(connection, each.transfer_id or "") for each in found if each is not None]
        accounts = {each.credit for each in taken if each is not None}
        if len(accounts) != 1:
            raise ReceiptNotBookable(known=f"{received.receipt_id}: credited to {sorted(accounts)}")
        return accounts.pop()

    def _once(self, connection: Connection, award: Award, *, debit: str, credit: str) -> str:
        """Book an award, or return what the same one booked before, on whichever day that was."""
        bank, key = self._bank, f"{COMPENSATION}:{award.loss}"
        before = transfer_of(connection, key)
        if before is not None:
            if not _is_for(before, award):
                raise ClaimRefused(known=f"{award.loss}: booked for another claim")
            return before.id
        wanted = Transfer(
            key=key,
            kind=COMPENSATION,
            debit=debit,
            credit=credit,
            amount=Yen(award.yen),
            effective_on=bank.today(),
            details={"claim": award.claim_id},
        )
        booked = post(connection, wanted, clock=bank.clock, chance=bank.chance)
        if isinstance(booked, Refused):
            raise ClaimRefused(known=f"{award.loss}: {booked.why}")
        return booked.transfer_id


def _is_for(kept: KeptTransfer, award: Award) -> bool:
    claim_id = msgspec.json.decode(kept.details, type=dict[str, str]).get("claim")
    return (claim_id, kept.amount_yen) == (award.claim_id, award.yen)


def _debit(connection: Connection, award: Award) -> Order:
    found = orders.find(connection, award.loss)
    is_done = found is not None and (found.direction, found.state) == (Direction.DEBIT, OrderState.DONE)
    if found is None or not is_done or award.yen > found.amount_yen:
        raise ClaimRefused(known=f"{award.loss}: no debit, or less was debited")
    return found


def _debits() -> Select[tuple[str, str | None, int, int]]:
    joined = mandate_order.join(deposit, deposit.c.id == mandate_order.c.deposit_id).join(
        depositor, depositor.c.id == deposit.c.depositor_id
    )
    columns = (mandate_order.c.id, depositor.c.member_id, mandate_order.c.amount_yen)
    return (
        select(*columns, mandate_order.c.booked_at_us)
        .select_from(joined)
        .where(
            mandate_order.c.direction == Direction.DEBIT.value,
            mandate_order.c.state == OrderState.DONE.value,
        )
    )
