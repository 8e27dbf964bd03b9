"""What the bank's staff look at: links that the watch has stopped, reports by depositors; each deed an act.

What is paid back to depositors after a report is a claim's to say.
"""

from typing import NamedTuple

from sqlalchemy import Connection

from sekisho.bank import mandates, orders, reports
from sekisho.bank.depositor_notices import tell_allowed, tell_stopped
from sekisho.bank.house import BankParts
from sekisho.bank.mandate_states import Actor, Deed, Who
from sekisho.bank.mandates import Doing, Mandate, Move
from sekisho.bank.orders import Order
from sekisho.bank.reports import Report
from sekisho.response import audit
from sekisho.response.audit import Act
from sekisho.response.staff import require_staff

ORDERS_MAX = 50


class Review(NamedTuple):
    """A mandate with everything that happened to it and under it, the moves first to last."""

    mandate: Mandate
    moves: tuple[Move, ...]
    orders: tuple[Order, ...]
    reports: tuple[Report, ...]


class ReviewDesk:
    """Shows staff what waits, and takes what they decide.

    `by` is a staff id: where it can be none, StaffIdUnusable is raised and nothing is shown or done.
    """

    def __init__(self, bank: BankParts) -> None:
        self._bank = bank

    async def held(self) -> list[Mandate]:
        """Return the mandates that the watch has stopped, the oldest first. Raises OperationalError."""
        return await self._bank.read(mandates.held_by_watch)

    async def reported(self) -> list[Report]:
        """Return the reports that nobody has decided, the oldest first. Raises OperationalError."""
        return await self._bank.read(reports.open_reports)

    async def review(self, mandate_id: str, *, by: str, reason: str) -> Review:
        """Open a mandate with its orders, which is an act of its own. Raises MandateUnknown."""
        return await self._bank.written(lambda at: self._review(at, mandate_id, by, reason))

    async def stop(self, mandate_id: str, *, by: str, reason: str) -> bool:
        """Stop a mandate for the bank, and tell whether that changed anything. Raises MandateUnknown."""
        doing = Doing(Deed.STOP, Actor(Who.BANK, by), reason)
        return await self._bank.written(lambda at: self._do(at, mandate_id, (doing,), "bank:link_stopped"))

    async def release(self, mandate_id: str, *, by: str, reason: str) -> bool:
        """Lift the bank's own stop and the watch's, and tell whether that changed anything.

        What the depositor or the partner has stopped stays stopped. Raises MandateUnknown.
        """
        doings = tuple(Doing(Deed.ALLOW, Actor(who, by), reason) for who in (Who.BANK, Who.WATCH))
        return await self._bank.written(lambda at: self._do(at, mandate_id, doings, "bank:link_released"))

    async def decide(self, report_id: str, *, was_fraud: bool, by: str, reason: str) -> bool:
        """Decide a report, and tell whether it was open: after fraud the link ends, else it stays stopped."""
        return await self._bank.written(
            lambda at: self._decide(at, report_id, by, reason, was_fraud=was_fraud)
        )

    def _review(self, connection: Connection, mandate_id: str, by: str, reason: str) -> Review:
        one = mandates.found(connection, mandate_id)
        self._record(connection, Act(actor=by, act="bank:link_seen", subject=one.id, reason=reason))
        return Review(
            one,
            tuple(mandates.moves_of(connection, one.id)),
            tuple(orders.latest_of(connection, one.id, ORDERS_MAX)),
            tuple(reports.of_mandate(connection, one.id)),
        )

    def _do(self, connection: Connection, mandate_id: str, doings: tuple[Doing, ...], act: str) -> bool:
        before = one = mandates.found(connection, mandate_id)
        for doing in doings:
            one = mandates.move(connection, self._bank, one, doing) or one
        if one.moves == before.moves:
            return False
        by, why = doings[0].by.id, doings[0].why
        self._record(connection, Act(actor=by, act=act, subject=one.id, reason=why))
        if one.state is not before.state:
            tell = tell_stopped if doings[0].deed is Deed.STOP else tell_allowed
            tell(connection, self._bank, one)
        return True

    def _decide(
        self, connection: Connection, report_id: str, by: str, reason: str, *, was_fraud: bool
    ) -> bool:
        decided = reports.decide_within(connection, self._bank, report_id, was_fraud=was_fraud, staff=by)
        if decided:
            details = {"was_fraud": was_fraud}
            act = Act(actor=by, act="bank:report_decided", subject=report_id, reason=reason, details=details)
            self._record(connection, act)
        return decided

    def _record(self, connection: Connection, act: Act) -> None:
        require_staff(act.actor)
        audit.record(connection, act, at_us=self._bank.clock.now_us())
