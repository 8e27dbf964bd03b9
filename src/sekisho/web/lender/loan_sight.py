"""What a member's loan looks like today: the contract, what is owed, and what happened last."""

from datetime import date
from typing import NamedTuple

from sekisho.kernel.yen import Yen
from sekisho.lender.contracts import Contract, ContractState, contract_of
from sekisho.lender.house import LenderParts
from sekisho.lender.line_checks import CLOSING, NOT_CHECKED, LineCheck, last_check
from sekisho.lender.loan_events import EventKind, LoanEvent, Position, parse_day
from sekisho.storage.unit_of_work import Connection

LATEST = 5


class LoanSight(NamedTuple):
    """A contract, where it stands, all that happened under it, the latest first, and its last check."""

    contract: Contract
    position: Position
    events: tuple[LoanEvent, ...]
    check: LineCheck | None

    @property
    def closed_for(self) -> str:
        """Why nothing more is lent: what was found, `not_checked` where nobody could look, else empty."""
        if self.contract.state != ContractState.CLOSED_TO_BORROWING:
            return ""
        found = [] if self.check is None else [each for each in self.check.findings if each in CLOSING]
        return found[0].value if found else NOT_CHECKED

    @property
    def has_ended(self) -> bool:
        """Say whether the contract is over: nothing is owed or lent under it any more."""
        return self.contract.state == ContractState.ENDED

    @property
    def ended_on(self) -> date | None:
        """The day on which the contract ended; None where it has not."""
        ends = (event for event in self.events if event.kind == EventKind.ENDED)
        return next((date.fromisoformat(event.effective_on) for event in ends), None)

    @property
    def headroom(self) -> Yen:
        """What can be borrowed now: nothing under a contract that lends no more."""
        return self.position.headroom if self.contract.state == ContractState.OPEN else Yen(0)

    @property
    def latest(self) -> tuple[LoanEvent, ...]:
        """What happened last."""
        return self.events[:LATEST]

    @property
    def used_per_mille(self) -> int:
        """How much of the line is used, in thousandths."""
        used = self.contract.limit_yen - self.position.headroom.amount
        return min(1_000, max(0, used * 1_000 // self.contract.limit_yen))

    def in_month(self, month: date) -> tuple[LoanEvent, ...]:
        """Return what happened in the month of a day, the earliest first."""
        prefix = f"{month:%Y-%m}"
        return tuple(event for event in reversed(self.events) if event.effective_on.startswith(prefix))

    def months(self) -> list[date]:
        """Return the first days of the months in which something happened, the latest first."""
        return [date.fromisoformat(f"{month}-01") for month in self._months()]

    def _months(self) -> list[str]:
        return sorted({event.effective_on[:7] for event in self.events}, reverse=True)


def loan_of(connection: Connection, house: LenderParts, member_id: str) -> LoanSight | None:
    """Return how a member's loan stands today; None where there is no contract."""
    contract = contract_of(connection, member_id)
    if contract is None:
        return None
    today = house.today()
    # Where the clock was set back, the books are further than the day.
    day = max(today, parse_day(contract.charged_until) or today)
    events = house.loans.history(connection, contract.id, date.min, date.max)
    position = house.loans.position(connection, contract, day)
    check = last_check(connection, contract.id)
    return LoanSight(contract, position, tuple(reversed(events)), check)
