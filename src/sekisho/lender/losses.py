"""What a thief borrowed on a member's line, and how it is made good: as if it had never been lent."""

from sqlalchemy import Connection, select

from sekisho.kernel.yen import Yen
from sekisho.lender.house import LenderParts
from sekisho.lender.loan_events import EventKind, LoanEvent, Movement, NotDone
from sekisho.response.claims import Award, ClaimRefused, Loss
from sekisho.storage.tables.lender import credit_contract, loan_event

COMPENSATION = "compensation"
"""By which way a part of a loss is paid back for the member."""

SHOWN_MAX = 200
"""How many borrowings of one member are offered to choose from."""


class LenderLosses:
    """Knows the borrowings of the lender's books, by the id of their event."""

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

    def make_good(self, connection: Connection, award: Award) -> str:
        """Take a borrowing back with its interest and charges, or pay a part of it for the member."""
        house, day = self._house, self._house.today()
        borne_by = house.accounts.fraud_loss
        booked: LoanEvent | NotDone
        if award.is_all:
            booked = house.loans.reverse(connection, award.loss, day, borne_by=borne_by)
        else:
            movement = Movement(f"claim:{award.claim_id}", Yen(award.yen), day, COMPENSATION, borne_by)
            contract_id = select(loan_event.c.contract_id).where(loan_event.c.id == award.loss)
            its = connection.execute(contract_id).scalar_one()
            booked = house.loans.repay(connection, its, movement)
        if isinstance(booked, NotDone):
            raise ClaimRefused(known=f"{award.loss}: {booked}")
        return booked.id
