"""Declaring a newer income: the source is asked, a person reads where it does not know, the line follows."""

from typing import NamedTuple

from sqlalchemy import Connection

from sekisho.identity.notifying import notify
from sekisho.kernel.ids import MemberId
from sekisho.kernel.posture import OperationalError, Posture
from sekisho.ledger.journal import take_turn
from sekisho.lender import application_rows, line_checks
from sekisho.lender import income_renewals as renewals
from sekisho.lender.applications import Application
from sekisho.lender.contracts import Contract, ContractState, contract_of, find_contract
from sekisho.lender.house import LenderParts
from sekisho.lender.income_checks import (
    IncomeDocument,
    IncomeSource,
    ProvenIncome,
    ask_source,
    proven_by,
)
from sekisho.lender.income_renewals import (
    Declared,
    IncomeRenewalNotFound,
    IncomeRenewalOver,
    NoLineToRenew,
    NotTaken,
    Renewal,
    RenewalState,
    require_usable,
)
from sekisho.lender.line_check_desk import LineCheckDesk
from sekisho.messages.notices import NoticeKind
from sekisho.response import audit
from sekisho.response.audit import Act
from sekisho.response.staff import require_staff

BATCH = 50


class Sight(NamedTuple):
    """What staff see of a declaration: it, and the contract that it is about."""

    renewal: Renewal
    contract: Contract


class IncomeRenewalDesk:
    """Takes declarations of a newer income, for one lender.

    Without a source a person reads every document. `on_outage` says what it means that the source is down:
    CLOSED, the declaration waits until it has answered; OPEN, a person reads the document. Without
    `line_checks`, which need the credit bureau, what was proven counts at the next look at the line.
    """

    def __init__(
        self,
        house: LenderParts,
        source: IncomeSource | None,
        line_checks: LineCheckDesk | None,
        *,
        on_outage: Posture,
    ) -> None:
        self._house = house
        self._source = source
        self._line_checks = line_checks
        self._on_outage = on_outage

    async def standing(self, member_id: MemberId) -> Renewal | None:
        """Return what a member declared last under the contract that stands; None where nothing was.

        Raises OperationalError.
        """

        def look(connection: Connection) -> Renewal | None:
            contract = contract_of(connection, member_id)
            return None if contract is None else self._newest(connection, contract)

        return await self._house.read(look)

    async def declare(self, member_id: MemberId, key: str, declared: Declared) -> Renewal:
        """Take a declaration, and ask the source at once; the same key returns what it made.

        Raises IncomeRenewalUnusable, NoLineToRenew, IncomeRenewalUnderWay, IncomeRenewalKeyReused and
        OperationalError where the store is down.
        """
        require_usable(declared)

        def work(connection: Connection) -> Renewal:
            # Whoever ends the contract at this moment is seen before it is found open.
            take_turn(connection)
            contract = contract_of(connection, member_id)
            if contract is None or contract.state == ContractState.ENDED:
                raise NoLineToRenew(known=member_id)
            return renewals.declare(connection, self._house, contract, key, declared)

        made = await self._house.written(work)
        return await self._settle(made) if made.state is RenewalState.ASKED else made

    async def withdraw(self, member_id: MemberId, renewal_id: str) -> Renewal:
        """Take a declaration back. Doing it again changes nothing.

        Raises IncomeRenewalNotFound, IncomeRenewalOver where it ended otherwise, and OperationalError.
        """

        def work(connection: Connection) -> Renewal:
            renewal = renewals.require(connection, self._house.keyring, renewal_id)
            if renewal.member_id != member_id:
                raise IncomeRenewalNotFound(known=renewal_id[:60])
            if renewal.state is RenewalState.WITHDRAWN:
                return renewal
            return renewals.move(connection, self._house, renewal, RenewalState.WITHDRAWN)

        return await self._house.written(work)

    async def go_on(self) -> int:
        """Ask the source what it was not asked yet, look at lines that wait for it; return how many changed.

        What staff read beside a serving lender is followed from here. Raises OperationalError where the
        store is down.
        """
        asked = RenewalState.ASKED
        waiting = await self._house.read(lambda at: renewals.in_state(at, self._house.keyring, asked, BATCH))
        changed = 0
        for renewal in waiting:
            changed += (await self._settle(renewal)).state is not RenewalState.ASKED
        return changed + (0 if self._line_checks is None else await self._line_checks.check_renewed())

    async def _settle(self, renewal: Renewal) -> Renewal:
        """Ask the source about a declaration, and go on by what it says."""
        try:
            proven = await self._ask(renewal)
        except OperationalError:
            if self._on_outage is Posture.CLOSED:
                return renewal
            proven = None
        try:
            moved = await self._house.written(lambda at: self._answered(at, renewal, proven))
        except IncomeRenewalOver:
            # It was taken back, or another process was here first.
            return await self._house.read(lambda at: renewals.require(at, self._house.keyring, renewal.id))
        if moved.state is not RenewalState.PROVEN or self._line_checks is None:
            return moved
        await self._line_checks.check(moved.contract_id)
        return await self._house.read(lambda at: renewals.require(at, self._house.keyring, moved.id))

    async def _ask(self, renewal: Renewal) -> ProvenIncome | None:
        """Return what the source knows. Raises OperationalError where it is down."""
        if self._source is None:
            return None
        application = await self._house.read(lambda at: self._application(at, renewal))
        if application is None or application.who is None:
            return None
        return await ask_source(self._source, renewal.id, application.who)

    def _application(self, connection: Connection, renewal: Renewal) -> Application | None:
        line = line_checks.line_of(connection, renewal.contract_id)
        if line is None:
            return None
        return application_rows.require(connection, self._house.keyring, line.application_id)

    def _answered(self, connection: Connection, renewal: Renewal, proven: ProvenIncome | None) -> Renewal:
        if proven is None:
            return renewals.move(connection, self._house, renewal, RenewalState.A_PERSON_READS)
        moved = renewals.move(connection, self._house, renewal, RenewalState.PROVEN, proven=proven)
        tell_decided(connection, self._house, moved)
        return moved

    def _newest(self, connection: Connection, contract: Contract) -> Renewal | None:
        return renewals.newest_of(connection, self._house.keyring, contract.id)


class IncomeReadingDesk:
    """Where staff read the documents that no source answers for, for one lender."""

    def __init__(self, house: LenderParts) -> None:
        self._house = house

    async def waiting(self, *, limit: int = 200) -> list[Sight]:
        """Return the declarations that wait for a person, the longest first. Raises OperationalError."""
        reads = RenewalState.A_PERSON_READS

        def look(connection: Connection) -> list[Sight]:
            found = renewals.in_state(connection, self._house.keyring, reads, limit)
            return [self._sight(connection, each) for each in found]

        return await self._house.read(look)

    async def look(self, renewal_id: str, staff_id: str) -> Sight:
        """Return a declaration with what was declared, and put on record who looked.

        Raises StaffIdUnusable, IncomeRenewalNotFound and OperationalError.
        """
        staff = require_staff(staff_id)

        def work(connection: Connection) -> Sight:
            renewal = renewals.require(connection, self._house.keyring, renewal_id)
            act = Act(actor=staff, act="income:seen", subject=renewal.id)
            audit.record(connection, act, at_us=self._house.clock.now_us())
            return self._sight(connection, renewal)

        return await self._house.written(work)

    async def read(self, renewal_id: str, document: IncomeDocument) -> Renewal:
        """Write down what the document says; the serving lender looks at the line by it within a minute.

        The same person with the same words changes nothing. Raises ValueError for a reference or an income
        that can't be; StaffIdUnusable, IncomeRenewalNotFound, IncomeRenewalOver and OperationalError.
        """
        proven = proven_by(document)

        def work(connection: Connection) -> Renewal:
            renewal = renewals.require(connection, self._house.keyring, renewal_id)
            if renewal.state is RenewalState.PROVEN and renewal.proven == proven:
                return renewal
            moved = renewals.move(
                connection, self._house, self._readable(renewal), RenewalState.PROVEN, proven=proven
            )
            # The reference may name somebody: it is sealed with what was proven, and no part of the audit.
            self._record(connection, moved, "income:read", proven.staff_id)
            return moved

        return await self._house.written(work)

    async def refuse(self, renewal_id: str, why: NotTaken, *, by: str) -> Renewal:
        """Say why a document proves nothing; the same again changes nothing.

        Raises StaffIdUnusable, IncomeRenewalNotFound, IncomeRenewalOver and OperationalError.
        """
        staff = require_staff(by)

        def work(connection: Connection) -> Renewal:
            renewal = renewals.require(connection, self._house.keyring, renewal_id)
            if renewal.state is RenewalState.REFUSED and renewal.refused_for == why:
                return renewal
            refused = RenewalState.REFUSED
            moved = renewals.move(
                connection, self._house, self._readable(renewal), refused, refused_for=why.value
            )
            self._record(connection, moved, "income:refused", staff, why.value)
            return moved

        return await self._house.written(work)

    def _readable(self, renewal: Renewal) -> Renewal:
        """Return a declaration that waits for a person. Raises IncomeRenewalOver."""
        if renewal.state is not RenewalState.A_PERSON_READS:
            raise IncomeRenewalOver(known=f"{renewal.id} is {renewal.state}")
        return renewal

    def _record(
        self, connection: Connection, renewal: Renewal, did: str, staff: str, reason: str = ""
    ) -> None:
        act = Act(actor=staff, act=did, subject=renewal.id, reason=reason)
        audit.record(connection, act, at_us=self._house.clock.now_us())
        tell_decided(connection, self._house, renewal)

    def _sight(self, connection: Connection, renewal: Renewal) -> Sight:
        contract = find_contract(connection, renewal.contract_id)
        assert contract is not None  # noqa: S101 - a declaration without its contract is a programmer's error
        return Sight(renewal, contract)


def tell_decided(connection: Connection, house: LenderParts, renewal: Renewal) -> None:
    """Tell a member that there is a result; which one stands on the site alone."""
    kind, values = NoticeKind.INCOME_DECIDED, {"when": house.clock.now_us()}
    notify(connection, house.parts, renewal.member_id, kind, values, dedupe=f"{kind}:{renewal.id}")
