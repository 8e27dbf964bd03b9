"""Screening an application: prove the income where that can be, ask the bureau, decide, tell.

The bureau must have answered: while it has not, the application waits, and nothing is guessed.
"""

import datetime as dt
from typing import NamedTuple

from sqlalchemy import Connection

from sekisho.identity.notifying import notify
from sekisho.kernel.posture import OperationalError, Posture
from sekisho.kernel.yen import Yen
from sekisho.lender import application_rows as rows
from sekisho.lender.applications import Application, Found, NotAtThisStep, State, Who, require_going_on
from sekisho.lender.bureau_queries import Query, keep_answer, last_query, note_trouble, open_query
from sekisho.lender.credit_bureau import BureauAnswer, Contradiction, CreditBureau, question_about, record_of
from sekisho.lender.house import LenderParts
from sekisho.lender.income_checks import IncomeSource, ProvenIncome, ask_source, keep, proven_income
from sekisho.lender.screening import Applicant, BureauRecord, Screened, Verdict, screen
from sekisho.messages.notices import NoticeKind

_STATES = {
    Verdict.GRANTED: State.GRANTED,
    Verdict.A_PERSON_DECIDES: State.A_PERSON_DECIDES,
    Verdict.REFUSED: State.REFUSED,
}


class OnOutage(NamedTuple):
    """What it means when one of those who are asked is down.

    The bureau: CLOSED, the application waits; there is no other way, because the law wants the answer. The
    source of incomes: CLOSED, it waits; OPEN, the income counts as not proven.
    """

    bureau: Posture
    income: Posture


class Waiting(NamedTuple):
    """Not screened yet: why, and when it is worth trying again, in microseconds since the epoch."""

    why: str
    not_before_us: int


class ScreeningDesk:
    """Screens applications, for one lender.

    Raises ValueError where it is told to lend without the bureau's answer.
    """

    def __init__(
        self,
        house: LenderParts,
        bureau: CreditBureau,
        incomes: IncomeSource | None,
        *,
        on_outage: OnOutage,
    ) -> None:
        if on_outage.bureau is Posture.OPEN:
            raise ValueError("nobody is lent to before the credit bureau has answered")
        self._house = house
        self._bureau = bureau
        self._incomes = incomes
        self._on_outage = on_outage

    async def screen(self, application_id: str) -> Application | Waiting:
        """Screen an application whose applicant is established. One that was screened is returned as it is.

        Raises ApplicationNotFound, NotAtThisStep and OperationalError where the store is down.
        """
        application, before = await self._house.read(lambda at: self._look(at, application_id))
        if application.found is not None:
            return application
        now_us = self._house.clock.now_us()
        require_going_on(application, now_us, State.IDENTITY_CHECKED)
        if before is not None and before.trouble and now_us < before.not_before_us:
            return Waiting(before.trouble, before.not_before_us)
        try:
            await self._prove_income(application)
        except OperationalError as error:
            if self._on_outage.income is Posture.CLOSED:
                return await self._wait(application, str(error))
        return await self._ask_and_decide(application)

    async def screen_waiting(self, *, limit: int = 50) -> int:
        """Screen what waits to be screened and is due, and return how many were. Raises OperationalError."""
        waiting = await self._house.read(
            lambda at: rows.in_state(at, self._house.keyring, State.IDENTITY_CHECKED, limit)
        )
        done = 0
        for application in waiting:
            if not application.is_over(self._house.clock.now_us()):
                done += isinstance(await self.screen(application.id), Application)
        return done

    def _look(self, connection: Connection, application_id: str) -> tuple[Application, Query | None]:
        application = rows.require(connection, self._house.keyring, application_id)
        return application, last_query(connection, application_id)

    async def _prove_income(self, application: Application) -> None:
        """Ask the source, where nothing was proven yet. Raises OperationalError."""
        known = await self._house.read(lambda at: proven_income(at, self._house, application.id))
        if known is not None or self._incomes is None:
            return
        proven = await ask_source(self._incomes, f"{application.id}:income", _who(application))
        if proven is not None:
            await self._house.written(lambda at: keep(at, self._house, application, proven))

    async def _ask_and_decide(self, application: Application) -> Application | Waiting:
        query = await self._house.written(lambda at: open_query(at, self._house, application.id))
        question = question_about(application, query.id, self._house.today())
        try:
            answer = await self._bureau.ask(question)
        except OperationalError as error:
            trouble = str(error)
            await self._house.written(lambda at: note_trouble(at, query, trouble))
            return Waiting(trouble, query.not_before_us)
        record = record_of(question, answer)
        if isinstance(record, Contradiction):
            trouble = f"a contradiction: {record.what}"
            await self._house.written(lambda at: keep_answer(at, self._house, query, answer, trouble=trouble))
            return Waiting(trouble, query.not_before_us)
        return await self._decided(application, query, answer, record)

    async def _wait(self, application: Application, trouble: str) -> Waiting:
        """Keep the question open, so that the pause before the next try grows."""

        def work(connection: Connection) -> Query:
            query = open_query(connection, self._house, application.id)
            note_trouble(connection, query, trouble)
            return query

        query = await self._house.written(work)
        return Waiting(trouble, query.not_before_us)

    async def _decided(
        self, application: Application, query: Query, answer: BureauAnswer, record: BureauRecord
    ) -> Application:
        def work(connection: Connection) -> Application:
            current = rows.require(connection, self._house.keyring, application.id)
            if current.found is not None:
                return current
            keep_answer(connection, self._house, query, answer)
            proven = proven_income(connection, self._house, application.id)
            screened = self._screened(current, proven, record)
            return self._settle(connection, current, screened, query, proven)

        try:
            return await self._house.written(work)
        except NotAtThisStep:
            # It was taken back, or came to its end, while the bureau was asked.
            return await self._house.read(lambda at: rows.require(at, self._house.keyring, application.id))

    def _screened(
        self, application: Application, proven: ProvenIncome | None, record: BureauRecord
    ) -> Screened:
        said, who = application.said, _who(application)
        applicant = Applicant(
            born_on=dt.date.fromisoformat(who.born_on),
            income=Yen(said.income_yen if proven is None else proven.income_yen),
            income_proven=proven is not None,
            employed_months=said.employed_months,
            wanted=Yen(said.wanted_yen),
            # Nothing comes to this state otherwise.
            identity_checked=application.state is State.IDENTITY_CHECKED,
        )
        today = self._house.today()
        return screen(applicant, record, self._house.book.on(today), self._house.book, today=today)

    def _settle(
        self,
        connection: Connection,
        application: Application,
        screened: Screened,
        query: Query,
        proven: ProvenIncome | None,
    ) -> Application:
        moved = rows.move(
            connection,
            self._house.parts,
            application,
            _STATES[screened.verdict],
            found=Found(
                verdict=screened.verdict.value,
                findings=tuple(finding.value for finding in screened.findings),
                query_id=query.id,
                income_proven=proven is not None,
            ),
            terms_id=self._house.book.on(self._house.today()).id,
            limit_yen=screened.limit.amount,
            rate=0 if screened.rate is None else screened.rate.thousandths,
        )
        if moved.state is not State.A_PERSON_DECIDES:
            tell_decided(connection, self._house, moved)
        return moved


def tell_decided(connection: Connection, house: LenderParts, application: Application) -> None:
    """Tell a member that there is a result; which one stands on the site alone."""
    kind = NoticeKind.APPLICATION_DECIDED
    values = {"when": house.clock.now_us()}
    notify(connection, house.parts, application.member_id, kind, values, dedupe=f"{kind}:{application.id}")


def _who(application: Application) -> Who:
    if application.who is None:
        raise OperationalError("applications", f"{application.id} was made without its person")
    return application.who
