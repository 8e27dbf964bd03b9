"""Looking at open lines again: ask the bureau about what is due, and lend no more where the law forbids it.

A line that was closed by a look is opened again by a later one that finds nothing against it.
"""

import datetime as dt
from functools import partial

import msgspec
import structlog
from sqlalchemy import Connection

from sekisho.identity.notifying import notify
from sekisho.kernel.ids import MemberId
from sekisho.kernel.posture import OperationalError, Posture
from sekisho.kernel.yen import Yen
from sekisho.ledger.journal import take_turn
from sekisho.lender import application_rows as rows
from sekisho.lender.applications import Application
from sekisho.lender.bureau_queries import Query, keep_answer, note_trouble, open_query
from sekisho.lender.contracts import Contract, ContractState, find_contract, set_state
from sekisho.lender.credit_bureau import BureauAnswer, Contradiction, CreditBureau, question_about, record_of
from sekisho.lender.house import LenderParts
from sekisho.lender.income_renewals import follow, income_of_line
from sekisho.lender.line_checks import (
    CLOSING,
    NOT_CHECKED,
    Due,
    LineCheck,
    due,
    findings_of,
    is_checked,
    keep_check,
    line_of,
    new_check_id,
    overdue,
    renewed,
)
from sekisho.lender.screening import BureauRecord
from sekisho.messages.notices import NoticeKind
from sekisho.storage import outbox
from sekisho.storage.keyring import Unsealable

log = structlog.get_logger(__name__)

AT_ONCE = 200


class LineCheckDesk:
    """Looks at open lines again, for one lender.

    `on_outage` says what it means that the bureau did not answer for a month beyond what the law allows:
    CLOSED, the line lends no more until it has; OPEN, it goes on lending. Until then it lends.
    """

    def __init__(self, house: LenderParts, bureau: CreditBureau, *, on_outage: Posture) -> None:
        self._house = house
        self._bureau = bureau
        self._on_outage = on_outage

    async def check_due(self, *, limit: int = AT_ONCE) -> int:
        """Look at what is due, close what nobody could look at, and return how many were looked at.

        Raises OperationalError where the store is down.
        """
        today, now_us = self._house.today(), self._house.clock.now_us()
        checked = await self._check_each(await self._house.read(lambda at: due(at, today, now_us, limit)))
        if self._on_outage is Posture.CLOSED:
            await self._close_overdue(today, limit)
        return checked

    async def check_renewed(self, *, limit: int = AT_ONCE) -> int:
        """Look at the lines whose income was proven anew, and return how many were looked at.

        Raises OperationalError where the store is down.
        """
        now_us = self._house.clock.now_us()
        return await self._check_each(await self._house.read(lambda at: renewed(at, now_us, limit)))

    async def check(self, contract_id: str) -> bool:
        """Look at one line now, and tell whether the bureau answered; one that has ended is left alone.

        Raises OperationalError where the store is down.
        """
        line = await self._house.read(lambda at: line_of(at, contract_id))
        return line is not None and await self._check(line)

    async def _check_each(self, lines: list[Due]) -> int:
        checked = 0
        for line in lines:
            try:
                checked += await self._check(line)
            except Unsealable as damage:
                # It lends no more once it is late; meanwhile the others are looked at.
                log.error("lender:line:unreadable", contract=line.contract_id, failure=str(damage))  # noqa: TRY400 - rendered, an exception shows local variables
        return checked

    async def _check(self, line: Due) -> bool:
        """Ask about one line, and tell whether it was answered."""

        def asking(connection: Connection) -> tuple[Application, Query]:
            application = rows.require(connection, self._house.keyring, line.application_id)
            return application, open_query(connection, self._house, line.application_id)

        application, query = await self._house.written(asking)
        question = question_about(application, query.id, self._house.today())
        try:
            answer = await self._bureau.ask(question)
        except OperationalError as error:
            trouble = str(error)
            await self._house.written(lambda at: note_trouble(at, query, trouble))
            return False
        record = record_of(question, answer)
        if isinstance(record, Contradiction):
            trouble = f"a contradiction: {record.what}"
            await self._house.written(lambda at: keep_answer(at, self._house, query, answer, trouble=trouble))
            return False
        await self._house.written(lambda at: self._settle(at, line, application, query, answer, record))
        return True

    def _settle(  # noqa: PLR0913, PLR0917 - one line, and what was asked and answered about it
        self,
        connection: Connection,
        line: Due,
        application: Application,
        query: Query,
        answer: BureauAnswer,
        record: BureauRecord,
    ) -> None:
        house, now_us = self._house, self._house.clock.now_us()
        take_turn(connection)
        contract = find_contract(connection, line.contract_id)
        if contract is None or contract.state == ContractState.ENDED:
            return
        if is_checked(connection, query.id):
            return  # another process asked the same question, and was here first
        keep_answer(connection, house, query, answer)
        proven = income_of_line(connection, house, contract.id, application.id)
        income = Yen(application.said.income_yen if proven is None else proven.income_yen)
        findings = findings_of(Yen(contract.limit_yen), income, record)
        state = ContractState.CLOSED_TO_BORROWING if CLOSING & set(findings) else ContractState.OPEN
        check = LineCheck(
            new_check_id(house), contract.id, query.id, record.asked_on, findings, state, now_us
        )
        keep_check(connection, check)
        follow(connection, contract.id, check.id)
        self._bring_to(connection, contract, state, findings)

    async def _close_overdue(self, today: dt.date, limit: int) -> None:
        late = await self._house.read(lambda at: overdue(at, today, limit))
        for line in late:
            await self._house.written(partial(self._close, contract_id=line.contract_id))

    def _close(self, connection: Connection, contract_id: str) -> None:
        take_turn(connection)
        contract = find_contract(connection, contract_id)
        if contract is not None and contract.state == ContractState.OPEN:
            self._bring_to(connection, contract, ContractState.CLOSED_TO_BORROWING, (NOT_CHECKED,))

    def _bring_to(
        self, connection: Connection, contract: Contract, state: ContractState, why: tuple[str, ...]
    ) -> None:
        """Change the state, where it is another one, and tell the member."""
        if contract.state == state:
            return
        now_us, closed = self._house.clock.now_us(), state is not ContractState.OPEN
        set_state(connection, contract.id, state)
        kind = NoticeKind.LINE_CLOSED if closed else NoticeKind.LINE_OPENED
        body = msgspec.json.encode({"why": why})
        event = outbox.Entry(f"lender:line:{state}", f"{contract.id}:{now_us}", now_us, body)
        outbox.append(connection, [event])
        dedupe = f"{kind}:{contract.id}:{now_us}"
        member_id = MemberId(contract.member_id)
        notify(connection, self._house.parts, member_id, kind, {"when": now_us}, dedupe=dedupe)
