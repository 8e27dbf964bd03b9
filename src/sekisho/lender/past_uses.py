"""Repayments in the last days, which pass no gate of the guard: what a switch over them would have met."""

from collections.abc import Iterator

from sqlalchemy import Connection, select

from sekisho.lender.loan_events import EventKind
from sekisho.lender.switches import Function
from sekisho.response.past_uses import PastUse
from sekisho.response.switches import Usage
from sekisho.storage.tables.lender import credit_contract, loan_event

_WAYS = {"atm": Function.ATM_REPAYMENT, "web_debit": Function.WEB_DEBIT}


class LenderUses:
    """The lender's repayments, out of its contracts."""

    def since(self, connection: Connection, from_us: int) -> Iterator[PastUse]:
        """Return the repayments at machines and by debit since a time."""
        joined = loan_event.join(credit_contract, credit_contract.c.id == loan_event.c.contract_id)
        found = select(
            loan_event.c.id,
            loan_event.c.booked_at_us,
            loan_event.c.way,
            loan_event.c.amount_yen,
            credit_contract.c.member_id,
        ).select_from(joined)
        repaid = found.where(
            loan_event.c.kind == EventKind.REPAID,
            loan_event.c.way.in_(list(_WAYS)),
            loan_event.c.booked_at_us >= from_us,
        )
        for row in connection.execute(repaid):
            name = _WAYS[row.way].value
            yield PastUse(row.id, row.booked_at_us, Usage(name, row.member_id), (name,), row.amount_yen)
