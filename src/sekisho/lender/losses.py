"""What a thief borrowed on a member's line, and how it is made good: as if it had never been lent."""

from sqlalchemy import Connection, select, union_all

from sekisho.kernel.yen import Yen
from sekisho.ledger.journal import take_turn
from sekisho.ledger.statements import transfer_of
from sekisho.lender.house import LenderParts
from sekisho.lender.incoming_payments import UNCLAIMED, Taken, incoming_key, overpaid_key, take_payment
from sekisho.lender.loan_events import EventKind, NotDone
from sekisho.linking.banks import bank_in_words
from sekisho.response.claims import Award, ClaimRefused, Loss
from sekisho.response.partner_books import Booking, ReceiptNotBookable, Received, book_received
from sekisho.response.recovery_rows import Way
from sekisho.storage.tables.atm import atm_machine, atm_order
from sekisho.storage.tables.borrowings import transfer_order
from sekisho.storage.tables.lender import credit_contract, loan_event

COMPENSATION = "compensation"
"""By which way a part of a loss is paid back for the member."""

RECOVERY = "loan:recovery"
"""The kind of what a partner bears."""

SHOWN_MAX = 200
"""How many borrowings of one member are offered to choose from."""


class LenderLosses:
    """Knows the borrowings of the lender's books, by the id of their event."""

    ways = (Way.TRANSFER,)

    def __init__(self, house: LenderParts) -> None:
        self._house = house

    def find(self, connection: Connection, loss: str) -> Loss | None:
        """Return what was borrowed, by whom and when."""
        joined = loan_event.join(credit_contract, credit_contract.c.id == loan_event.c.contract_id)
        columns = (credit_contract.c.member_id, loan_event.c.amount_yen, loan_event.c.booked_at_us)
        borrowed = select(*columns).select_from(joined)
        row = connection.execute(
            borrowed.where(loan_event.c.id == loss, loan_event.c.kind == EventKind.BORROWED.value)
        ).one_or_none()
        return None if row is None else Loss(*row)

    def of_member(self, connection: Connection, member_id: str) -> dict[str, Loss]:
        """Return what was borrowed on a member's line, by the ids of the events, the newest first."""
        joined = loan_event.join(credit_contract, credit_contract.c.id == loan_event.c.contract_id)
        columns = (loan_event.c.id, credit_contract.c.member_id, loan_event.c.amount_yen)
        borrowed = (
            select(*columns, loan_event.c.booked_at_us)
            .select_from(joined)
            .where(credit_contract.c.member_id == member_id, loan_event.c.kind == EventKind.BORROWED.value)
            .order_by(loan_event.c.id.desc())
            .limit(SHOWN_MAX)
        )
        return {row[0]: Loss(*row[1:]) for row in connection.execute(borrowed)}

    def partner_of(self, connection: Connection, loss: str) -> str:
        """Return the bank that a loan was transferred to, or the network whose machine paid it out."""
        machines = atm_order.join(atm_machine, atm_machine.c.id == atm_order.c.machine_id)
        taken = union_all(
            select(transfer_order.c.bank.label("partner")).where(transfer_order.c.loan_event_id == loss),
            select(atm_machine.c.network).select_from(machines).where(atm_order.c.loan_event_id == loss),
        )
        return connection.execute(taken).scalar_one_or_none() or ""

    def name_of(self, connection: Connection, partner: str, language: str) -> str:  # noqa: ARG002 - the protocol's
        """Return what a bank is called; a network of machines goes by its own word."""
        return bank_in_words(partner, self._house.today())

    def receive(self, connection: Connection, received: Received) -> str:
        """Book a partner's transfer to our account against our loss, once by the bank's number of it.

        What was entered as a payment before, and belonged to no contract, is taken from where it waits. What
        repaid a loan by this number is somebody else's. Raises ReceiptNotBookable.
        """
        take_turn(connection)
        house, key = self._house, incoming_key(received.number)
        repaid = select(loan_event.c.id).where(loan_event.c.key == key)
        overpaid = transfer_of(connection, overpaid_key(key))
        if overpaid is not None or connection.execute(repaid).first() is not None:
            raise ReceiptNotBookable(known=f"{key}: a member paid it")
        before = transfer_of(connection, key)
        booking = Booking(key, RECOVERY, house.accounts.bank, house.accounts.fraud_loss)
        if before is not None and before.kind == UNCLAIMED and before.amount_yen == received.yen:
            booking = booking._replace(key=f"{key}:recovery", debit=house.accounts.unclaimed)
        return book_received(connection, received, booking, clock=house.clock, chance=house.chance)

    def make_good(self, connection: Connection, award: Award) -> str:
        """Take a borrowing back with its interest and charges, or pay a part of it for the member.

        What the member has repaid meanwhile is not owed any more: it is kept for them, to be given back.
        Raises ClaimRefused.
        """
        if not award.is_all:
            return self._pay_part(connection, award)
        house = self._house
        borne_by = house.accounts.fraud_loss
        reversed_ = house.loans.reverse(connection, award.loss, house.today(), borne_by=borne_by)
        if isinstance(reversed_, NotDone):
            raise ClaimRefused(known=f"{award.loss}: {reversed_}")
        return reversed_.id

    def _pay_part(self, connection: Connection, award: Award) -> str:
        house, key = self._house, f"claim:{award.claim_id}"
        contract_id = select(loan_event.c.contract_id).where(loan_event.c.id == award.loss)
        its = connection.execute(contract_id).scalar_one()
        paid = Taken(key, its, Yen(award.yen), house.today(), COMPENSATION, house.accounts.fraud_loss)
        try:
            event = take_payment(connection, house, paid)
        except ValueError as fault:
            raise ClaimRefused(known=f"{award.loss}: {fault}") from fault
        if event is not None:
            return event.id
        kept = transfer_of(connection, overpaid_key(key))
        assert kept is not None  # noqa: S101 - what repaid nothing was kept a moment ago
        return kept.id
